//! Messages in their places.

use rusqlite::{Connection, Row, params};
use session::{
    id::{MessageId, ProjectId, SessionId, TurnId},
    message::{Content, Message, Role, StoredMessage},
    time::Time,
};

use crate::{
    Store,
    error::Result,
    rows::{Columns, json, optional, word},
    turns::InputMessage,
    writer::Reply,
};

/// A message of a path, with the turn it belongs to.
#[derive(Debug, Clone)]
pub struct PathMessage {
    pub message: StoredMessage,
    /// The turn's number in its session.
    pub number: u64,
    /// Its place in the turn.
    pub place: u32,
}

/// Takes the columns role, parts, content, tool_calls, tool_call_id, reasoning, refusal, deleted_calls.
fn message(columns: &mut Columns<'_>) -> rusqlite::Result<Message> {
    let role: Role = columns.word()?;
    let parts: Option<Content> = columns.json()?;
    let text: String = columns.get()?;
    Ok(Message {
        role,
        content: parts.unwrap_or(Content::Text(text)),
        tool_calls: columns.json()?.unwrap_or_default(),
        tool_call_id: columns.get()?,
        reasoning: columns.get()?,
        refusal: columns.get()?,
        deleted_calls: columns.json()?.unwrap_or_default(),
    })
}

/// The message of a row of id, turn, number, place, time, and what [`message`] takes.
fn in_place(row: &Row<'_>, session: &SessionId) -> rusqlite::Result<PathMessage> {
    let mut columns = Columns::of(row);
    let (id, turn_id) = (columns.word()?, columns.word()?);
    let (number, place, timestamp) = (columns.get()?, columns.get()?, columns.word()?);
    let message = message(&mut columns)?;
    let session_id = session.clone();
    Ok(PathMessage { message: StoredMessage { id, session_id, turn_id, message, timestamp }, number, place })
}

impl Store {
    /// A message that a turn was asked with, by its id.
    pub fn input_message(&self, project: ProjectId, id: MessageId) -> Reply<Option<StoredMessage>> {
        self.inner.readers.read(move |conn| input_message(conn, &project, &id))
    }
}

pub(crate) fn input_message(conn: &Connection, project: &ProjectId, id: &MessageId) -> Result<Option<StoredMessage>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, turn_id, number, place, timestamp, role, parts, content, tool_calls, tool_call_id, reasoning, refusal, deleted_calls, session_id FROM chat_messages WHERE project_id = ? AND id = ? AND deleted_at IS NULL
             AND place < (SELECT asked FROM chat_turns t WHERE t.project_id = chat_messages.project_id AND t.id = turn_id)
             AND EXISTS (SELECT 1 FROM chat_sessions s
                 WHERE s.project_id = chat_messages.project_id AND s.id = session_id AND s.deleted_at IS NULL)",
    )?;
    let found = statement
        .query_row([project.as_str(), id.as_str()], |row| in_place(row, &word::<SessionId>(row, "session_id")?));
    Ok(optional(found)?.map(|found| found.message))
}

/// Where a message goes.
pub(crate) struct Slot<'a> {
    pub project: &'a ProjectId,
    pub session: &'a SessionId,
    pub turn: &'a TurnId,
    pub number: u64,
    pub place: u32,
}

pub(crate) fn insert(conn: &Connection, slot: &Slot<'_>, new: &InputMessage, now: Time) -> Result<()> {
    let message = &new.message;
    let (parts, calls) = columns_of(message)?;
    conn.prepare_cached(
        "INSERT INTO chat_messages (project_id, id, session_id, turn_id, number, place, role, content, parts, tool_calls,
             tool_call_id, reasoning, refusal, tokens, timestamp)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        slot.project.as_str(),
        new.id.as_str(),
        slot.session.as_str(),
        slot.turn.as_str(),
        slot.number,
        slot.place,
        message.role.as_str(),
        message.content.text(),
        parts,
        calls,
        message.tool_call_id,
        message.reasoning,
        message.refusal,
        new.tokens,
        now.to_string(),
    ])?;
    Ok(())
}

/// What the columns parts and tool_calls hold, which most messages leave empty.
fn columns_of(message: &Message) -> Result<(Option<String>, Option<String>)> {
    let parts = match &message.content {
        Content::Text(_) => None,
        Content::Parts(_) => Some(json(&message.content)?),
    };
    let calls = if message.tool_calls.is_empty() { None } else { Some(json(&message.tool_calls)?) };
    Ok((parts, calls))
}

/// Takes out of a message's row what `left` no longer says. A row that says nothing any more keeps its place alone.
pub(crate) fn erase(conn: &Connection, project: &ProjectId, left: &StoredMessage, now: Time) -> Result<()> {
    let message = &left.message;
    let (parts, calls) = columns_of(message)?;
    conn.prepare_cached(
        "UPDATE chat_messages SET content = ?, parts = ?, tool_calls = ?, tool_call_id = ?, reasoning = ?, refusal = ?,
             deleted_calls = ?, deleted_at = ? WHERE project_id = ? AND id = ?",
    )?
    .execute(params![
        message.content.text(),
        parts,
        calls,
        message.tool_call_id,
        message.reasoning,
        message.refusal,
        json(&message.deleted_calls)?,
        message.is_empty().then(|| now.to_string()),
        project.as_str(),
        left.id.as_str(),
    ])?;
    Ok(())
}

/// The messages of one turn, in order.
pub(crate) fn of_turn(
    conn: &Connection,
    project: &ProjectId,
    session: &SessionId,
    number: u64,
) -> Result<Vec<PathMessage>> {
    between(conn, project, session, number, number)
}

/// What a turn was asked, in order, with the ids and counts it was stored with.
pub(crate) fn input(
    conn: &Connection,
    project: &ProjectId,
    session: &SessionId,
    number: u64,
    asked: u32,
) -> Result<Vec<InputMessage>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, tokens, role, parts, content, tool_calls, tool_call_id, reasoning, refusal, deleted_calls FROM chat_messages WHERE session_id = ? AND project_id = ? AND number = ? AND place < ? AND deleted_at IS NULL
             ORDER BY place",
    )?;
    let found: rusqlite::Result<_> = statement
        .query_map(params![session.as_str(), project.as_str(), number, asked], |row| {
            let mut columns = Columns::of(row);
            let (id, tokens) = (columns.word()?, columns.get()?);
            Ok(InputMessage { id, tokens, message: message(&mut columns)? })
        })?
        .collect();
    Ok(found?)
}

fn between(
    conn: &Connection,
    project: &ProjectId,
    session: &SessionId,
    from: u64,
    to: u64,
) -> Result<Vec<PathMessage>> {
    let mut statement = conn.prepare_cached(
        "SELECT id, turn_id, number, place, timestamp, role, parts, content, tool_calls, tool_call_id, reasoning, refusal, deleted_calls FROM chat_messages WHERE session_id = ? AND project_id = ? AND number BETWEEN ? AND ? AND deleted_at IS NULL
             ORDER BY number, place",
    )?;
    let key = params![session.as_str(), project.as_str(), from, to];
    let found: rusqlite::Result<_> = statement.query_map(key, |row| in_place(row, session))?.collect();
    Ok(found?)
}

/// What was said in turns with these numbers (ascending), each with its turn's: a read for each unbroken run of numbers,
/// usually one.
pub(crate) fn said_in(
    conn: &Connection,
    project: &ProjectId,
    session: &SessionId,
    numbers: &[u64],
) -> Result<Vec<(u64, Message)>> {
    let mut messages = Vec::new();
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        let mut statement = conn.prepare_cached(
            "SELECT number, role, parts, content, tool_calls, tool_call_id, reasoning, refusal, deleted_calls FROM chat_messages WHERE session_id = ? AND project_id = ? AND number BETWEEN ? AND ? AND deleted_at IS NULL
                 ORDER BY number, place",
        )?;
        let key = params![session.as_str(), project.as_str(), run.first(), run.last()];
        let mut rows = statement.query(key)?;
        while let Some(row) = rows.next()? {
            let mut columns = Columns::of(row);
            messages.push((columns.get()?, message(&mut columns)?));
        }
    }
    Ok(messages)
}

/// The messages of turns with these numbers (ascending): a read for each unbroken run of numbers, usually one.
pub(crate) fn of_turns(
    conn: &Connection,
    project: &ProjectId,
    session: &SessionId,
    numbers: &[u64],
) -> Result<Vec<PathMessage>> {
    let mut messages = Vec::new();
    for run in numbers.chunk_by(|a, b| a + 1 == *b) {
        if let (Some(from), Some(to)) = (run.first(), run.last()) {
            messages.extend(between(conn, project, session, *from, *to)?);
        }
    }
    Ok(messages)
}
