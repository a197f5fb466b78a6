//! Start: the turn gets its number, its parent, its epoch and its owner; its input becomes rows of `chat_messages`.

use std::sync::Arc;

use rusqlite::{Connection, params};
use session::{
    history::ASSEMBLER,
    id::{ConfigId, Owner, ProjectId, SessionId, TurnId},
    lane::Next,
    message::{Message, Role},
    time::Time,
    tokens,
    turn::{Kind, Options},
    window::{Counters, Cut, Window},
};

use super::{Admit, Beside, InputMessage, NextUp, Parent, Started, Unread, lane, lane::SessionLane};
use crate::{
    Store,
    configs::{self, ConfigAt},
    error::{Error, Result},
    messages::{self, Slot},
    recent::{Stretch, Told},
    rows::{Columns, json, optional_json},
    vault::Vault,
    walk::{Links, Sent, Step, Tree},
    writer::Reply,
};

impl Store {
    /// Starts the lane's next turn, if it is time: after a hold ran out, a pause ended, or a server came back.
    pub fn start_next(&self, project: ProjectId, session: SessionId, owner: Owner, now: Time) -> Reply<NextUp> {
        let beside = self.beside();
        self.inner.writer.start_verb("start", move |conn| {
            let Some(lane) = lane::read(conn, &project, &session)? else { return Ok(NextUp::Nothing) };
            next_up(conn, &beside, lane, Here { project: &project, session: &session, owner: &owner, now })
        })
    }

    /// Ends a pause, and starts the queue.
    pub fn resume(&self, project: ProjectId, session: SessionId, owner: Owner, now: Time) -> Reply<NextUp> {
        let beside = self.beside();
        self.inner.writer.start_verb("resume", move |conn| {
            let mut lane = lane::read(conn, &project, &session)?.ok_or(Error::SessionNotFound)?;
            lane.lane.paused = false;
            lane::write(conn, &project, &session, &lane, now)?;
            next_up(conn, &beside, lane, Here { project: &project, session: &session, owner: &owner, now })
        })
    }
}

/// Where turns are started, by whom and when.
#[derive(Clone, Copy)]
pub(super) struct Here<'a> {
    pub project: &'a ProjectId,
    pub session: &'a SessionId,
    pub owner: &'a Owner,
    pub now: Time,
}

/// Starts the next queued turn of a lane, if there is one and nothing stands in its way.
pub(super) fn next_up(conn: &Connection, beside: &Beside, lane: SessionLane, here: Here<'_>) -> Result<NextUp> {
    match lane.lane.clone().behind(lane.parent_of_next.clone()).next(here.now) {
        Next::Nothing => Ok(NextUp::Nothing),
        Next::Wait { until } => Ok(NextUp::Wait(until)),
        Next::Start(turn) => {
            start_queued(conn, beside, lane, here, &turn).map(|started| NextUp::Started(Box::new(started)))
        }
    }
}

/// Starts a turn that waited.
pub(super) fn start_queued(
    conn: &Connection,
    beside: &Beside,
    lane: SessionLane,
    here: Here<'_>,
    turn: &TurnId,
) -> Result<Started> {
    let Here { project, session, owner, now } = here;
    let input: Option<Vec<InputMessage>> = conn
        .prepare_cached("SELECT input FROM chat_turns WHERE project_id = ? AND id = ?")?
        .query_row([project.as_str(), turn.as_str()], |row| optional_json(row, "input"))?;
    let begin = Begin { project, session, turn, input: input.unwrap_or_default(), owner, now };
    let says = read_queued(conn, &beside.vault, project, turn)?;
    start(conn, beside, lane, begin, says, None)
}

/// Which turn starts, and what it says.
pub(super) struct Begin<'a> {
    pub project: &'a ProjectId,
    pub session: &'a SessionId,
    pub turn: &'a TurnId,
    pub input: Vec<InputMessage>,
    pub owner: &'a Owner,
    pub now: Time,
}

/// What a turn says about itself, once its request has been read against its session.
pub(super) struct Says {
    pub kind: Kind,
    pub parent: Parent,
    pub free: bool,
    pub config: Option<ConfigAt>,
    pub options: Options,
    pub waited_at: Option<u32>,
    pub created_at: Time,
}

impl Says {
    /// As its row has it.
    pub fn options(&self) -> Result<Option<String>> {
        if self.options.is_default() { Ok(None) } else { json(&self.options).map(Some) }
    }
}

/// What a turn is given when it starts.
struct Given {
    number: u64,
    place: Place,
    through: Counters,
    prompt_from: Option<TurnId>,
}

impl Given {
    /// Whether other turns started since its parent did. If none did, it is its parent's first child, and is found by its
    /// number.
    fn starts_apart(&self) -> bool {
        self.number != self.place.below + 1
    }
}

/// A turn's place in the tree.
pub(super) struct Place {
    parent: Option<TurnId>,
    /// The parent's number; 0 when there is none.
    below: u64,
    /// The nearest turn before it that histories contain.
    pub base: Option<TurnId>,
    links: Links,
    /// The path's counters before it.
    pub before: Counters,
}

impl Place {
    pub(super) fn below(tree: Tree<'_>, head: Option<TurnId>, parent: &Parent) -> Result<Place> {
        let parent = match parent {
            Parent::Head => head,
            Parent::Root => None,
            Parent::Turn(parent) => Some(parent.clone()),
        };
        let above = match &parent {
            None => None,
            Some(parent) => Some(
                tree.find(parent)?
                    .ok_or_else(|| Error::Failed(format!("turn {parent}, which another continues, is missing")))?,
            ),
        };
        Ok(Place {
            links: tree.links_below(above.as_ref())?,
            below: above.as_ref().map_or(0, |above| above.number),
            base: above.as_ref().and_then(Step::base_of_child),
            before: above.map_or(Counters::default(), |above| above.through),
            parent,
        })
    }
}

/// A `new` turn comes straight from its request, and its row is written once. Others come from the queue.
pub(super) fn start(
    conn: &Connection,
    beside: &Beside,
    mut lane: SessionLane,
    begin: Begin<'_>,
    says: Says,
    new: Option<&Admit>,
) -> Result<Started> {
    let Begin { project, session, turn, ref input, now, .. } = begin;
    let tree = Tree { conn, project, session };
    let place = Place::below(tree, lane.head.take(), &says.parent)?;
    let own = counters(input);
    let cut = cut(place.before, own.tokens, &says.options, lane.system.as_deref(), says.config.as_ref());
    let known = place.base.as_ref().and_then(|base| beside.recent.take(project, base, cut));
    let read = || Stretch::new(tree, tree.window(place.base.clone(), cut)?);
    let stretch = match (known.map_or_else(read, Ok), new) {
        // Nothing of it is stored yet: its sender still has it.
        (Err(error), Some(_)) => return Err(error),
        (stretch, _) => stretch.map_err(|error| Unread(error.to_string())),
    };
    let given = Given {
        number: lane.turns + 1,
        through: place.before + own,
        place,
        prompt_from: stretch.as_ref().ok().and_then(Stretch::from).cloned(),
    };
    match new {
        Some(ask) => insert_running(conn, &begin, &says, ask, &given)?,
        None => leave_queue(conn, &begin, &says, &given)?,
    }
    for (place, message) in input.iter().enumerate() {
        let slot = Slot { project, session, turn, number: given.number, place: place as u32 };
        messages::insert(conn, &slot, message, now)?;
    }
    let title = if lane.untitled { first_said(input).and_then(title) } else { None };
    conn.prepare_cached(
        "UPDATE chat_sessions SET turns = ?1, active_at = ?2,
             title_from = iif(?3 IS NULL, title_from, 'first_line'), title = coalesce(title, ?3),
             hold_turn = iif(?4, hold_turn, NULL), hold_until = iif(?4, hold_until, NULL), paused = paused AND ?5
         WHERE project_id = ?6 AND id = ?7",
    )?
    .execute(params![
        given.number,
        now.to_string(),
        title,
        says.free,
        lane.lane.queued > 0,
        project.as_str(),
        session.as_str()
    ])?;
    let past = stretch.map(|stretch| {
        let past = stretch.messages();
        beside.recent.begin(project, stretch, Told::asked(turn, given.place.before, given.through, input));
        past
    });
    Ok(Started {
        project: project.clone(),
        session: session.clone(),
        turn: turn.clone(),
        kind: says.kind,
        free: says.free,
        epoch: 1,
        attempts: 0,
        waited_at: says.waited_at,
        config: says.config.filter(|config| !config.deleted),
        options: says.options,
        session_system: lane.system,
        past,
        input: begin.input.into_iter().map(|message| message.message).collect(),
        created_at: says.created_at,
        started_at: now,
    })
}

fn read_queued(conn: &Connection, vault: &Vault, project: &ProjectId, turn: &TurnId) -> Result<Says> {
    let mut statement = conn.prepare_cached(
        "SELECT kind, parent, parent_given, free, config_id, options, queued_at_place, created_at
         FROM chat_turns WHERE project_id = ? AND id = ?",
    )?;
    let (config, says) = statement.query_row([project.as_str(), turn.as_str()], |row| {
        let mut columns = Columns::of(row);
        let kind = columns.word()?;
        let (parent, given) = (columns.optional_word()?, columns.get()?);
        let (free, config) = (columns.get()?, columns.optional_word::<ConfigId>()?);
        let says = Says {
            kind,
            parent: match parent {
                Some(parent) => Parent::Turn(parent),
                None if given => Parent::Root,
                None => Parent::Head,
            },
            free,
            config: None,
            options: columns.json()?.unwrap_or_default(),
            waited_at: columns.get()?,
            created_at: columns.word()?,
        };
        Ok((config, says))
    })?;
    let config = config.map(|id| configs::config_at(conn, vault, project, &id, None)).transpose()?.flatten();
    Ok(Says { config, ..says })
}

/// What these messages add to a path.
pub(super) fn counters(input: &[InputMessage]) -> Counters {
    Counters { messages: input.len() as u64, tokens: input.iter().map(|message| u64::from(message.tokens)).sum() }
}

/// What the config's window leaves out of the path. With a limit on tokens the system prompt that will stand counts too.
pub(super) fn cut(
    path: Counters,
    own_tokens: u64,
    options: &Options,
    of_session: Option<&str>,
    config: Option<&ConfigAt>,
) -> Cut {
    let Some(config) = config.map(|config| &config.config) else { return Window::default().cut(path, own_tokens) };
    let system = options.system.as_deref().or(of_session).or(config.system.as_deref());
    let system = system.filter(|_| config.window.tokens.is_some()).map_or(0, |text| tokens::count(text).into());
    config.window.cut(path, own_tokens + system)
}

fn insert_running(conn: &Connection, begin: &Begin<'_>, says: &Says, ask: &Admit, given: &Given) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO chat_turns (project_id, id, session_id, kind, status, number, parent, parent_given, base, depth,
             jump, jump_depth, before_messages, before_tokens, through_messages, through_tokens, epoch, owner, options,
             metadata, config_id, config_revision, prompt_from, assembler, created_at, started_at, asked, request,
             free, apart)
         VALUES (?1, ?2, ?3, ?4, 'running', ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, 1, ?16, ?17, ?18, ?19,
             ?20, ?21, ?22, ?23, ?23, ?24, ?25, ?26, ?27)",
    )?
    .execute(params![
        begin.project.as_str(),
        begin.turn.as_str(),
        begin.session.as_str(),
        says.kind.as_str(),
        given.number,
        given.place.parent.as_ref().map(TurnId::as_str),
        says.parent != Parent::Head,
        given.place.base.as_ref().map(TurnId::as_str),
        given.place.links.depth,
        given.place.links.jump.as_ref().map(TurnId::as_str),
        given.place.links.jump_depth,
        given.place.before.messages,
        given.place.before.tokens,
        given.through.messages,
        given.through.tokens,
        begin.owner.as_str(),
        says.options()?,
        ask.metadata()?,
        says.config.as_ref().map(|config| config.id.as_str()),
        says.config.as_ref().map(|config| config.revision),
        given.prompt_from.as_ref().map(TurnId::as_str),
        ASSEMBLER,
        begin.now.to_string(),
        begin.input.len(),
        ask.request()?,
        says.free,
        given.starts_apart(),
    ])?;
    Ok(())
}

fn leave_queue(conn: &Connection, begin: &Begin<'_>, says: &Says, given: &Given) -> Result<()> {
    conn.prepare_cached(
        "UPDATE chat_turns SET status = 'running', number = ?, position = NULL, parent = ?, base = ?, depth = ?,
             jump = ?, jump_depth = ?, before_messages = ?, before_tokens = ?, through_messages = ?, through_tokens = ?,
             epoch = epoch + 1, owner = ?, input = NULL, config_revision = ?, prompt_from = ?, assembler = ?,
             started_at = ?, asked = ?, apart = ?
         WHERE project_id = ? AND id = ? AND status = 'queued'",
    )?
    .execute(params![
        given.number,
        given.place.parent.as_ref().map(TurnId::as_str),
        given.place.base.as_ref().map(TurnId::as_str),
        given.place.links.depth,
        given.place.links.jump.as_ref().map(TurnId::as_str),
        given.place.links.jump_depth,
        given.place.before.messages,
        given.place.before.tokens,
        given.through.messages,
        given.through.tokens,
        begin.owner.as_str(),
        says.config.as_ref().map(|config| config.revision),
        given.prompt_from.as_ref().map(TurnId::as_str),
        ASSEMBLER,
        begin.now.to_string(),
        begin.input.len(),
        given.starts_apart(),
        begin.project.as_str(),
        begin.turn.as_str(),
    ])?;
    Ok(())
}

/// The messages of a window, oldest first.
pub(super) fn past(tree: Tree<'_>, window: &[Sent]) -> Result<Vec<Arc<Message>>> {
    let numbers: Vec<u64> = window.iter().map(|sent| sent.number).collect();
    let said = messages::said_in(tree.conn, tree.project, tree.session, &numbers)?;
    Ok(said.into_iter().map(|(_, message)| Arc::new(message)).collect())
}

/// What a session is called after: not what only instructs the model.
fn first_said(input: &[InputMessage]) -> Option<&Message> {
    input.iter().map(|input| &input.message).find(|message| message.role != Role::System)
}

/// The first line of a message, cut where a list would cut it anyway.
fn title(message: &Message) -> Option<String> {
    const CHARS_MAX: usize = 60;
    let text = message.content.text();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let mut title: String = line.chars().take(CHARS_MAX).collect();
    if line.chars().count() > CHARS_MAX {
        title.push('…');
    }
    Some(title)
}
