//! Turns, their events and their prompts, read back.

use rusqlite::{Connection, Row};
use session::{
    answer::Answer,
    event::{Delta, Event, EventId, ReasoningKind},
    id::{ProjectId, SessionId, TurnId},
    segment::{self, Offsets},
    time::Time,
    turn::{Reason, Status, Timing, Usage},
};

use super::{InputMessage, Prompt, Turn, start};
use crate::{
    Store, configs,
    error::{Error, Result},
    messages,
    rows::{Columns, optional, optional_word, word},
    sessions,
    vault::Vault,
    walk::Tree,
    writer::Reply,
};

/// An event with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredEvent {
    pub id: EventId,
    pub event: Event,
}

/// A turn and what is stored of its events.
#[derive(Debug)]
pub struct Found {
    pub turn: Turn,
    pub events: Vec<StoredEvent>,
}

impl Store {
    /// Turns of deleted sessions are not found, here and in every other read but [`Store::events`].
    pub fn turn(&self, project: ProjectId, id: TurnId) -> Reply<Option<Turn>> {
        self.inner.readers.read(move |conn| turn(conn, &project, &id))
    }

    /// The turn's events behind `after`, as far as they are stored; the final one included once it has ended. Of a
    /// deleted session too: who watches a turn is told of its end.
    pub fn events(&self, project: ProjectId, id: TurnId, after: EventId) -> Reply<Option<Found>> {
        self.inner.readers.read(move |conn| {
            let Some(turn) = even_deleted(conn, &project, &id)? else { return Ok(None) };
            let mut events = Vec::new();
            if let Some(position) = turn.queued_at_place {
                events.push(StoredEvent { id: EventId::new(0, 1), event: Event::Queued { position } });
            }
            let stored = segments(conn, &project, &id)?;
            let purged = stored.is_empty() && turn.status.is_final();
            events.extend(stored);
            if purged {
                events.extend(remade(&turn));
            }
            events.extend(turn.last.map(|id| StoredEvent { id, event: Event::Ended }));
            events.retain(|event| event.id > after);
            Ok(Some(Found { turn, events }))
        })
    }

    /// What a turn is asked with, whether it has started or not. Empty when there is no such turn.
    pub fn input(&self, project: ProjectId, id: TurnId) -> Reply<Vec<InputMessage>> {
        self.inner.readers.read(move |conn| {
            let Some(turn) = turn(conn, &project, &id)? else { return Ok(Vec::new()) };
            match turn.number {
                Some(number) => messages::input(conn, &project, &turn.session, number, turn.asked),
                None => Ok(turn.input),
            }
        })
    }

    /// `None` also for a turn that has not started.
    pub fn prompt(&self, project: ProjectId, id: TurnId) -> Reply<Option<Prompt>> {
        let vault = self.inner.vault.clone();
        self.inner.readers.read(move |conn| {
            let Some(turn) = turn(conn, &project, &id)? else { return Ok(None) };
            prompt(conn, &vault, &project, turn)
        })
    }
}

fn prompt(conn: &Connection, vault: &Vault, project: &ProjectId, turn: Turn) -> Result<Option<Prompt>> {
    let session = sessions::find(conn, project, &turn.session)?.ok_or(Error::SessionNotFound)?;
    let tree = Tree { conn, project, session: &turn.session };
    let Some(step) = tree.find(&turn.id)? else { return Ok(None) };
    let Some(config) = &turn.config else { return Ok(None) };
    let Some(config) = configs::config_at(conn, vault, project, config, turn.config_revision)? else {
        return Ok(None);
    };
    let sent = sent(conn, project, &turn.id)?;
    let input = messages::of_turn(conn, project, &turn.session, step.number)?
        .into_iter()
        .filter(|found| found.place < turn.asked)
        .map(|found| found.message.message);
    Ok(Some(Prompt {
        config,
        options: turn.options,
        session_system: session.system,
        past: start::past(tree, &tree.window_from(step.base, sent.from.clone())?)?,
        input: input.collect(),
        from: sent.from,
        assembler: sent.assembler,
        hash: sent.hash,
    }))
}

/// What is recorded of the prompt of a turn that has started.
pub(super) struct Sent {
    pub from: Option<TurnId>,
    pub assembler: u32,
    pub hash: Option<[u8; 32]>,
}

pub(super) fn sent(conn: &Connection, project: &ProjectId, turn: &TurnId) -> Result<Sent> {
    let mut statement = conn
        .prepare_cached("SELECT prompt_from, assembler, prompt_hash FROM chat_turns WHERE project_id = ? AND id = ?")?;
    Ok(statement.query_row([project.as_str(), turn.as_str()], |row| {
        let hash: Option<Vec<u8>> = row.get("prompt_hash")?;
        Ok(Sent {
            from: optional_word(row, "prompt_from")?,
            assembler: row.get("assembler")?,
            hash: hash.and_then(|hash| hash.try_into().ok()),
        })
    })?)
}

pub(super) fn session_of(conn: &Connection, project: &ProjectId, turn: &TurnId) -> Result<Option<SessionId>> {
    let mut statement = conn.prepare_cached("SELECT session_id FROM chat_turns WHERE project_id = ? AND id = ?")?;
    optional(statement.query_row([project.as_str(), turn.as_str()], |row| word(row, "session_id")))
}

/// With its answer. Turns of deleted sessions are not found.
pub(crate) fn turn(conn: &Connection, project: &ProjectId, id: &TurnId) -> Result<Option<Turn>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, session_id, kind, status, reason, finish, number, queued_at_place, parent, parent_given, free, epoch, owner, attempts, config_id,
             config_revision, model, input, asked, options, metadata, request, prompt_tokens, completion_tokens, cached_tokens,
             reasoning_tokens, error, last_seq, first_token_ms, created_at, started_at, ended_at,
             response_deleted_at IS NOT NULL FROM chat_turns t WHERE project_id = ? AND id = ? AND EXISTS
                (SELECT 1 FROM chat_sessions s
                 WHERE s.project_id = t.project_id AND s.id = t.session_id AND s.deleted_at IS NULL)",
    )?;
    let found = optional(statement.query_row([project.as_str(), id.as_str()], turn_from_row))?;
    found.map(|turn| with_answer(conn, project, turn)).transpose()
}

fn with_answer(conn: &Connection, project: &ProjectId, mut turn: Turn) -> Result<Turn> {
    if let Some(number) = turn.number.filter(|_| turn.status.is_final()) {
        let messages = messages::of_turn(conn, project, &turn.session, number)?;
        turn.answer = messages.into_iter().find(|found| found.place >= turn.asked).map(|found| found.message);
    }
    Ok(turn)
}

/// With its answer, whatever has become of its session.
fn even_deleted(conn: &Connection, project: &ProjectId, id: &TurnId) -> Result<Option<Turn>> {
    bare(conn, project, id)?.map(|turn| with_answer(conn, project, turn)).transpose()
}

/// Without its answer, whatever has become of its session.
pub(super) fn bare(conn: &Connection, project: &ProjectId, id: &TurnId) -> Result<Option<Turn>> {
    let mut statement = conn.prepare_cached("SELECT id, session_id, kind, status, reason, finish, number, queued_at_place, parent, parent_given, free, epoch, owner, attempts, config_id,
             config_revision, model, input, asked, options, metadata, request, prompt_tokens, completion_tokens, cached_tokens,
             reasoning_tokens, error, last_seq, first_token_ms, created_at, started_at, ended_at,
             response_deleted_at IS NOT NULL FROM chat_turns WHERE project_id = ? AND id = ?")?;
    optional(statement.query_row([project.as_str(), id.as_str()], turn_from_row))
}

/// A running turn, whatever has become of its session.
pub(super) fn running(conn: &Connection, project: &ProjectId, id: &TurnId) -> Result<Option<Turn>> {
    Ok(bare(conn, project, id)?.filter(|turn| turn.status == Status::Running))
}

/// Takes the columns that the statements here name, in their order; the answer is another table's.
fn turn_from_row(row: &Row<'_>) -> rusqlite::Result<Turn> {
    let mut columns = Columns::of(row);
    let mut turn = Turn {
        id: columns.word()?,
        session: columns.word()?,
        kind: columns.word()?,
        status: columns.word()?,
        reason: columns.optional_word()?,
        finish: columns.optional_word()?,
        number: columns.get()?,
        queued_at_place: columns.get()?,
        parent: columns.optional_word()?,
        parent_given: columns.get()?,
        free: columns.get()?,
        epoch: columns.get()?,
        owner: columns.optional_word()?,
        attempts: columns.get()?,
        config: columns.optional_word()?,
        config_revision: columns.get()?,
        model: columns.get()?,
        input: columns.json()?.unwrap_or_default(),
        asked: columns.get()?,
        options: columns.json()?.unwrap_or_default(),
        metadata: columns.json()?,
        request: columns.json()?,
        usage: Usage {
            prompt_tokens: columns.get()?,
            completion_tokens: columns.get()?,
            cached_tokens: columns.get()?,
            reasoning_tokens: columns.get()?,
        },
        error: columns.json()?,
        answer: None,
        last: None,
        response_deleted: false,
        timing: Timing::default(),
        created_at: Time::EPOCH,
        started_at: None,
        ended_at: None,
    };
    let last_seq: u32 = columns.get()?;
    turn.last = (last_seq > 0).then_some(EventId::new(turn.epoch, last_seq));
    turn.timing.first_token_ms = columns.get()?;
    turn.created_at = columns.word()?;
    turn.started_at = columns.optional_word()?;
    turn.ended_at = columns.optional_word()?;
    turn.response_deleted = columns.get()?;
    let since = |at: Option<Time>| at.map_or(0, |at| at.since(turn.created_at));
    turn.timing.queued_ms = since(turn.started_at.or(turn.ended_at));
    turn.timing.total_ms = since(turn.ended_at);
    Ok(turn)
}

/// Every stored event of a turn, in order.
pub(super) fn segments(conn: &Connection, project: &ProjectId, turn: &TurnId) -> Result<Vec<StoredEvent>> {
    let mut statement = conn.prepare_cached(
        "SELECT epoch, first_seq, body FROM chat_segments WHERE project_id = ? AND turn_id = ?
         ORDER BY epoch, first_seq",
    )?;
    let mut rows = statement.query([project.as_str(), turn.as_str()])?;
    let mut offsets = Offsets::default();
    let mut events = Vec::new();
    while let Some(row) = rows.next()? {
        let (epoch, first): (u32, u32) = (row.get(0)?, row.get(1)?);
        let body = row.get_ref(2)?.as_blob().map_err(rusqlite::Error::from)?;
        let decoded =
            segment::decode(body, &mut offsets).map_err(|error| Error::Failed(format!("turn {turn}: {error}")))?;
        events.extend(
            decoded.into_iter().zip(first..).map(|(event, seq)| StoredEvent { id: EventId::new(epoch, seq), event }),
        );
    }
    Ok(events)
}

/// The events of a turn whose log has been thrown away: one for all that was said of each kind, under numbers that the
/// turn did use, and before its final event.
fn remade(turn: &Turn) -> Vec<StoredEvent> {
    let (Some(last), Some(answer)) = (turn.last, &turn.answer) else { return Vec::new() };
    let message = &answer.message;
    let mut said = Answer::default();
    for text in message.reasoning.iter().cloned() {
        said.push(Delta::Reasoning { text, kind: ReasoningKind::Text });
    }
    said.push(Delta::Text(message.content.text().into_owned()));
    message.refusal.iter().cloned().for_each(|text| said.push(Delta::Refusal(text)));
    for (call, index) in message.tool_calls.iter().cloned().zip(0..) {
        let (id, name) = (Some(call.id), Some(call.name));
        said.push(Delta::ToolCall { index, id, name, arguments: call.arguments });
    }
    let snapshot = said.snapshot();
    said.close();
    let mut events = said.take_events();
    // Of a turn that was taken over, a watcher may have seen a part under an earlier epoch's numbers.
    if turn.reason == Some(Reason::Interrupted) || events.len() >= last.seq as usize {
        events = vec![Event::Snapshot(snapshot)];
    }
    events.truncate(last.seq as usize - 1);
    events.into_iter().zip(1..).map(|(event, seq)| StoredEvent { id: EventId::new(last.epoch, seq), event }).collect()
}
