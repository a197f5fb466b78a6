//! After a crash: running turns whose owner is gone, and lanes that stand idle with a queue.

use rusqlite::{Connection, params};
use session::{
    answer,
    event::Event,
    id::{MessageId, Owner, ProjectId, SessionId, TurnId},
    message::Message,
    time::Time,
    turn::{Change, Outcome, Reason, Status},
};

use super::{
    Fence, Finish, Finished, Parent, Segment, Started, StoredEvent, Turn, Unread, finish, lane, read, start,
    start::Place,
};
use crate::{
    Store, configs,
    error::{Error, Result},
    messages,
    rows::word,
    vault::Vault,
    walk::Tree,
    writer::Reply,
};

/// What became of a turn whose owner was gone.
#[derive(Debug)]
pub enum Takeover {
    /// Nothing of its answer was stored: it runs again.
    Again(Box<Started>),
    /// What was stored is its answer now.
    Ended(Box<Finished>),
    /// Somebody else was quicker, or it had ended.
    Nothing,
}

impl Store {
    /// Running turns of other owners.
    pub fn orphans(&self, owner: Owner) -> Reply<Vec<(ProjectId, TurnId)>> {
        self.inner.readers.read(move |conn| {
            let mut statement = conn.prepare_cached(
                "SELECT project_id, id, started_at FROM chat_turns WHERE status = 'running' AND free = 0 AND owner <> ?1
                 UNION ALL
                 SELECT project_id, id, started_at FROM chat_turns WHERE status = 'running' AND free = 1 AND owner <> ?1
                 ORDER BY started_at",
            )?;
            let found: rusqlite::Result<_> = statement
                .query_map([owner.as_str()], |row| Ok((word(row, "project_id")?, word(row, "id")?)))?
                .collect();
            Ok(found?)
        })
    }

    /// Sessions in which turns wait.
    pub fn queued_lanes(&self) -> Reply<Vec<(ProjectId, SessionId)>> {
        self.inner.readers.read(|conn| {
            let mut statement =
                conn.prepare_cached("SELECT DISTINCT project_id, session_id FROM chat_turns WHERE status = 'queued'")?;
            let found: rusqlite::Result<_> =
                statement.query_map([], |row| Ok((word(row, "project_id")?, word(row, "session_id")?)))?.collect();
            Ok(found?)
        })
    }

    /// Takes a running turn from an owner that is gone. `answer_id` and `count_tokens` are for the message made of its
    /// segments.
    #[expect(clippy::too_many_arguments, reason = "each is a plain fact, and there is one caller")]
    pub fn take_over(
        &self,
        project: ProjectId,
        turn: TurnId,
        owner: Owner,
        epochs_max: u32,
        answer_id: MessageId,
        count_tokens: fn(&Message) -> u32,
        now: Time,
    ) -> Reply<Takeover> {
        let beside = self.beside();
        self.inner.writer.start_verb("take_over", move |conn| {
            let Some(found) = read::running(conn, &project, &turn)? else { return Ok(Takeover::Nothing) };
            if found.owner.as_ref() == Some(&owner) {
                return Ok(Takeover::Nothing);
            }
            let stored = read::segments(conn, &project, &turn)?;
            let Some(attempts) = claim(conn, &project, &found, &stored, &owner)? else { return Ok(Takeover::Nothing) };
            let change = Change::TakeOver {
                stored: stored.iter().any(|stored| says_something(&stored.event)),
                may_retry: found.epoch < epochs_max && is_awaited(conn, &project, &found)?,
            };
            if found.status.after(&change) == Some(Status::Running) {
                let again = again(conn, &beside.vault, &project, &turn)?;
                return Ok(Takeover::Again(Box::new(again)));
            }
            let said = Said::new(&stored);
            let fence =
                Fence { project: project.clone(), turn: turn.clone(), epoch: found.epoch + 1, owner: owner.clone() };
            let ended = finish::apply(
                conn,
                &beside,
                &Finish {
                    fence,
                    session: found.session.clone(),
                    answer_tokens: said.outcome.answer.as_ref().map_or(0, count_tokens),
                    outcome: said.outcome,
                    answer_id: answer_id.clone(),
                    last_seq: said.rest.len() as u32 + 1,
                    rest: Some(Segment { first_seq: 1, events: said.rest }),
                    attempts,
                    first_token_ms: None,
                    prompt_hash: read::sent(conn, &project, &turn)?.hash,
                    interrupted: false,
                    hold_ms: 0,
                    go_on: true,
                    now,
                },
            )?;
            Ok(Takeover::Ended(Box::new(ended)))
        })
    }
}

/// Nobody waits for an answer in a deleted session, or to what was deleted.
fn is_awaited(conn: &Connection, project: &ProjectId, turn: &Turn) -> Result<bool> {
    let number = turn.number.unwrap_or_default();
    let asked = !messages::input(conn, project, &turn.session, number, turn.asked)?.is_empty();
    Ok(asked && lane::read(conn, project, &turn.session)?.is_some())
}

/// Makes the turn ours, under a new epoch, and gives the upstream calls made for it so far. `None` when somebody else
/// was quicker. An owner that stored nothing of its epoch called at least once.
fn claim(
    conn: &Connection,
    project: &ProjectId,
    found: &Turn,
    stored: &[StoredEvent],
    owner: &Owner,
) -> Result<Option<u32>> {
    let counted = stored.iter().any(|stored| stored.id.epoch == found.epoch);
    let attempts = found.attempts + u32::from(!counted);
    let claimed = conn
        .prepare_cached(
            "UPDATE chat_turns SET epoch = epoch + 1, owner = ?, attempts = ?
             WHERE project_id = ? AND id = ? AND status = 'running' AND epoch = ?",
        )?
        .execute(params![owner.as_str(), attempts, project.as_str(), found.id.as_str(), found.epoch])?;
    Ok((claimed == 1).then_some(attempts))
}

/// Whether an event is part of the answer.
fn says_something(event: &Event) -> bool {
    match event {
        Event::Queued { .. } | Event::Started { .. } | Event::Ended => false,
        Event::Text { .. }
        | Event::Reasoning { .. }
        | Event::Refusal { .. }
        | Event::ToolCall { .. }
        | Event::PartDone { .. }
        | Event::Snapshot(_) => true,
    }
}

/// What a broken-off turn comes to: its outcome, and the events that tell its watchers.
struct Said {
    outcome: Outcome,
    rest: Vec<Event>,
}

impl Said {
    fn new(stored: &[StoredEvent]) -> Said {
        let mut answer = answer::from_events(stored.iter().map(|stored| &stored.event));
        let mut rest = vec![Event::Snapshot(answer.snapshot())];
        answer.close();
        rest.extend(answer.take_events());
        let outcome = Outcome {
            status: Status::Incomplete,
            reason: Some(Reason::Interrupted),
            finish: None,
            answer: answer.message(),
            model: answer.model.clone(),
            usage: answer.usage,
            error: None,
        };
        Said { outcome, rest }
    }
}

/// A running turn as its new owner needs it: the same history, by the same revision of its config.
fn again(conn: &Connection, vault: &Vault, project: &ProjectId, turn: &TurnId) -> Result<Started> {
    let found = read::running(conn, project, turn)?.ok_or(Error::TurnNotFound)?;
    let lane = lane::read(conn, project, &found.session)?.ok_or(Error::SessionNotFound)?;
    let tree = Tree { conn, project, session: &found.session };
    let step = tree.find(turn)?.ok_or(Error::TurnNotFound)?;
    let config = match &found.config {
        Some(id) => configs::config_at(conn, vault, project, id, found.config_revision)?,
        None => None,
    };
    let window = match read::sent(conn, project, turn)?.from {
        Some(from) => tree.window_from(step.base, Some(from)),
        // Nothing was sent along, or it could not be read and nothing was sent at all: the cut says which.
        None => {
            let place = Place::below(tree, None, &found.parent.clone().map_or(Parent::Root, Parent::Turn))?;
            let own = step.through.tokens.saturating_sub(place.before.tokens);
            let cut = start::cut(place.before, own, &found.options, lane.system.as_deref(), config.as_ref());
            tree.window(step.base, cut)
        }
    };
    let past = window.and_then(|window| start::past(tree, &window)).map_err(|error| Unread(error.to_string()));
    let input = messages::of_turn(conn, project, &found.session, step.number)?;
    Ok(Started {
        project: project.clone(),
        session: found.session,
        turn: turn.clone(),
        kind: found.kind,
        free: found.free,
        epoch: found.epoch,
        attempts: found.attempts,
        waited_at: found.queued_at_place,
        config: config.filter(|config| !config.deleted),
        options: found.options,
        session_system: lane.system,
        past,
        input: input.into_iter().map(|found| found.message.message).collect(),
        created_at: found.created_at,
        started_at: found.started_at.unwrap_or(found.created_at),
    })
}
