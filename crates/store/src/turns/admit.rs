//! Admission: one transaction, before any upstream call. From here on nothing is lost.

use rusqlite::{Connection, params};
use session::{
    free,
    id::{ConfigId, ProjectId, SessionId, TurnId},
    lane::{Admission, Place, Refusal},
};

use super::{
    Admit, Admitted, Beside, Input, InputMessage, Parent, SessionRef, lane, lane::SessionLane, plan::resolve, read,
    start,
};
use crate::{
    Store,
    configs::{self, ConfigAt},
    error::{Error, Result},
    idempotency::{self, Idempotency},
    keys::ensure_project,
    rows::json,
    sessions,
    vault::Vault,
    writer::Reply,
};

impl Store {
    /// Admits a turn; when its lane is free, starts it too.
    pub fn admit(&self, ask: Admit) -> Reply<Admitted> {
        let beside = self.beside();
        self.inner.writer.start_verb("admit", move |conn| admit(conn, &beside, &ask))
    }

    /// The turn that the same request made before, with its session.
    pub fn made(&self, project: ProjectId, key: Idempotency) -> Reply<Option<(SessionId, TurnId)>> {
        self.inner.readers.read(move |conn| made(conn, &project, Some(&key)))
    }
}

fn made(conn: &Connection, project: &ProjectId, key: Option<&Idempotency>) -> Result<Option<(SessionId, TurnId)>> {
    let Some(made) = idempotency::made_before(conn, project, key)? else { return Ok(None) };
    let turn: TurnId = made.parse().map_err(|_| Error::Failed("a stored id is damaged".into()))?;
    let session = read::session_of(conn, project, &turn)?.ok_or(Error::TurnNotFound)?;
    Ok(Some((session, turn)))
}

fn admit(conn: &Connection, beside: &Beside, ask: &Admit) -> Result<Admitted> {
    if let Some((session, turn)) = made(conn, &ask.project, ask.key.as_ref())? {
        return Ok(Admitted::Before { session, turn });
    }
    let (session, lane) = lane_of(conn, ask)?;
    let config = match ask.input {
        Input::Insert(_) => None,
        _ => Some(choose_config(conn, &beside.vault, ask, lane.config.as_ref())?),
    };
    let plan = resolve(conn, ask, session, &lane)?;
    let free = ask.free && lane.chain;
    let parent = running_parent(conn, &ask.project, &plan.parent)?;
    let decision = if free {
        free::admit(parent.as_ref(), ask.if_busy, lane.waiting, ask.queue_max)
    } else {
        lane.lane.clone().behind(parent.clone()).admit(ask.if_busy, ask.place, ask.queue_max, ask.now)
    };
    if let Admission::Refuse(refusal) = decision {
        return Err(match refusal {
            Refusal::Busy { turn } => Error::Busy { turn },
            Refusal::QueueFull { max } => Error::QueueFull { max },
        });
    }
    // Nothing has been written so far, and nothing is refused from here on.

    if let SessionRef::New(id) = &ask.session {
        ensure_project(conn, &ask.project, ask.now)?;
        sessions::insert_bare(conn, &ask.project, id, ask.config.as_ref(), lane.chain, ask.now)?;
    }
    idempotency::remember(conn, &ask.project, ask.key.as_ref(), ask.turn.as_str(), ask.now)?;
    let says = start::Says {
        kind: plan.kind,
        parent: plan.parent,
        free,
        config,
        options: ask.options.clone(),
        waited_at: None,
        created_at: ask.now,
    };
    match decision {
        Admission::Start => {
            let begin = start::Begin {
                project: &ask.project,
                session,
                turn: &ask.turn,
                input: plan.input,
                owner: &ask.owner,
                now: ask.now,
            };
            let started = start::start(conn, beside, lane, begin, says, Some(ask))?;
            Ok(Admitted::Started(Box::new(started)))
        }
        Admission::Queue { place, stop } => {
            let (position, shown) = position(&lane, place);
            // Nothing but its parent stands before a free turn.
            let shown = if free { 0 } else { shown };
            enqueue(conn, session, ask, &says, &plan.input, (position, shown))?;
            let idle = lane.lane.running.is_none() && !free;
            let look_again = lane.lane.hold.filter(|_| idle).map(|hold| hold.until);
            Ok(Admitted::Queued { session: session.clone(), position: shown, free, parent, stop, look_again })
        }
        Admission::Refuse(_) => Err(Error::Failed("refused after it was admitted".into())),
    }
}

pub(super) fn lane_of<'a>(conn: &Connection, ask: &'a Admit) -> Result<(&'a SessionId, SessionLane)> {
    match &ask.session {
        SessionRef::Existing(id) => Ok((id, lane::read(conn, &ask.project, id)?.ok_or(Error::SessionNotFound)?)),
        SessionRef::New(id) if sessions::is_taken(conn, &ask.project, id)? => Err(Error::Taken),
        SessionRef::New(id) => Ok((id, fresh(ask.free))),
    }
}

fn fresh(chain: bool) -> SessionLane {
    SessionLane {
        lane: Default::default(),
        head: None,
        turns: 0,
        config: None,
        system: None,
        on_failure: session::lane::OnFailure::Continue,
        untitled: true,
        awaits_title: false,
        deleted: false,
        chain,
        waiting: 0,
        parent_of_next: None,
        ends: None,
    }
}

/// What a turn continues that names it, while that still runs.
fn running_parent(conn: &Connection, project: &ProjectId, parent: &Parent) -> Result<Option<TurnId>> {
    let Parent::Turn(parent) = parent else { return Ok(None) };
    let runs: bool = conn
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM chat_turns WHERE project_id = ? AND id = ? AND status = 'running')",
        )?
        .query_row([project.as_str(), parent.as_str()], |row| row.get(0))?;
    Ok(runs.then(|| parent.clone()))
}

/// The config's id is fixed at admission, its revision at start.
pub(super) fn choose_config(
    conn: &Connection,
    vault: &Vault,
    ask: &Admit,
    of_session: Option<&ConfigId>,
) -> Result<ConfigAt> {
    let read = |id: &ConfigId| configs::config_at(conn, vault, &ask.project, id, None);
    // A config that has gone is not replaced by another: that one may call another vendor.
    let found = match ask.config.as_ref().or(of_session) {
        Some(named) => read(named)?,
        None => configs::default(conn, &ask.project)?.map(|id| read(&id)).transpose()?.flatten(),
    };
    found.filter(|config| !config.deleted).ok_or(Error::ConfigNotFound)
}

/// The place of a new turn in the queue, as a number to sort by and as the count of turns before it.
fn position(lane: &SessionLane, place: Place) -> (i64, u32) {
    match (place, lane.ends) {
        (_, None) => (0, 0),
        (Place::Front, Some((first, _))) => (first - 1, 0),
        (Place::Back, Some((_, last))) => (last + 1, lane.lane.queued),
    }
}

/// As its row has them.
impl Admit {
    pub(super) fn metadata(&self) -> Result<Option<String>> {
        self.metadata.as_ref().map(json).transpose()
    }

    pub(super) fn request(&self) -> Result<Option<String>> {
        self.request.as_ref().map(json).transpose()
    }
}

/// The row of a turn that waits, with its input in it.
fn enqueue(
    conn: &Connection,
    session: &SessionId,
    ask: &Admit,
    says: &start::Says,
    input: &[InputMessage],
    (position, shown): (i64, u32),
) -> Result<()> {
    let parent = match &says.parent {
        Parent::Turn(turn) => Some(turn.as_str()),
        Parent::Head | Parent::Root => None,
    };
    conn.prepare_cached(
        "INSERT INTO chat_turns (project_id, id, session_id, kind, status, position, queued_at_place, parent,
             parent_given, input, options, metadata, request, config_id, created_at, free)
         VALUES (?, ?, ?, ?, 'queued', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        ask.project.as_str(),
        ask.turn.as_str(),
        session.as_str(),
        says.kind.as_str(),
        position,
        shown,
        parent,
        says.parent != Parent::Head,
        json(&input)?,
        says.options()?,
        ask.metadata()?,
        ask.request()?,
        says.config.as_ref().map(|config| config.id.as_str()),
        ask.now.to_string(),
        says.free,
    ])?;
    conn.prepare_cached("UPDATE chat_sessions SET active_at = ? WHERE project_id = ? AND id = ?")?.execute(params![
        ask.now.to_string(),
        ask.project.as_str(),
        session.as_str()
    ])?;
    Ok(())
}
