//! Deleting what was said, and responses.
//!
//! What was said is erased wherever it is kept: in its row, in the search index, in the remembered windows, and in the log
//! of its turn's events, which goes whole: a replay is then made of what is left. The row stays as a tombstone, and the
//! counters of the path stay as they are: what was deleted keeps its place.

use rusqlite::{Connection, params};
use session::{
    id::{MessageId, ProjectId, SessionId, TurnId},
    message::{Message, MessagePart, StoredMessage},
    time::Time,
};

use crate::{
    Store,
    error::{Error, Result},
    messages,
    recent::Recent,
    rows::{optional, word},
    search, sessions,
    turns::{self, Turn},
    writer::Reply,
};

/// Something that was said in a session: a part of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub source: Source,
    pub part: MessagePart,
}

/// Where a message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is one of those that a turn was asked with.
    Input(MessageId),
    Answer(TurnId),
}

impl Store {
    /// Erases something that was said, of a turn that has started or of an answer that has ended; gives its turn as it
    /// is now.
    pub fn delete_said(&self, project: ProjectId, session: SessionId, said: Said, now: Time) -> Reply<Turn> {
        let recent = self.inner.recent.clone();
        self.inner.writer.start_verb("delete_said", move |conn| {
            sessions::find(conn, &project, &session)?.ok_or(Error::SessionNotFound)?;
            let mut found = find(conn, &project, &session, &said.source)?.ok_or(Error::MessageNotFound)?;
            if !found.message.delete(said.part) {
                return Err(Error::MessageNotFound);
            }
            erase(conn, &recent, &project, &found, now)?;
            if matches!(said.source, Source::Answer(_)) {
                forget_answer(conn, &project, &found)?;
            }
            turns::turn(conn, &project, &found.turn_id)?.ok_or(Error::TurnNotFound)
        })
    }

    /// The message from there, deleted or not: it is a place in the session's lists all the same.
    pub fn place_of(&self, project: ProjectId, session: SessionId, source: Source) -> Reply<Option<MessageId>> {
        self.inner.readers.read(move |conn| {
            let (sql, id) = match &source {
                Source::Input(message) => (
                    "SELECT m.id FROM chat_messages m
                     CROSS JOIN chat_turns t ON t.project_id = m.project_id AND t.id = m.turn_id
                     WHERE m.project_id = ? AND m.id = ? AND m.session_id = ? AND m.place < t.asked",
                    message.as_str(),
                ),
                Source::Answer(turn) => (
                    "SELECT m.id FROM chat_turns t
                     CROSS JOIN chat_messages m ON m.session_id = t.session_id AND m.project_id = t.project_id
                         AND m.number = t.number
                     WHERE t.project_id = ? AND t.id = ? AND t.session_id = ? AND m.place >= t.asked",
                    turn.as_str(),
                ),
            };
            let mut statement = conn.prepare_cached(sql)?;
            optional(statement.query_row([project.as_str(), id, session.as_str()], |row| word(row, "id")))
        })
    }

    /// Deletes a turn as a response; gives the turn as it is now. What it waited with in the queue and was never asked
    /// goes with it. What was said in a conversation stays in it; a free turn is nothing but a response, and all that it
    /// said is erased.
    pub fn delete_response(&self, project: ProjectId, turn: TurnId, now: Time) -> Reply<Turn> {
        let recent = self.inner.recent.clone();
        self.inner.writer.start_verb("delete_response", move |conn| {
            let found = turns::turn(conn, &project, &turn)?.filter(|turn| !turn.response_deleted);
            let found = found.ok_or(Error::TurnNotFound)?;
            if !found.status.is_final() {
                return Err(Error::NotEnded);
            }
            conn.prepare_cached(
                "UPDATE chat_turns SET response_deleted_at = ?1, input = NULL, options = iif(free, NULL, options),
                     metadata = iif(free, NULL, metadata), request = iif(free, NULL, request)
                 WHERE project_id = ?2 AND id = ?3",
            )?
            .execute(params![now.to_string(), project.as_str(), turn.as_str()])?;
            if let Some(number) = found.number.filter(|_| found.free) {
                for said in messages::of_turn(conn, &project, &found.session, number)? {
                    let mut left = said.message;
                    left.message = Message::new(left.message.role, "".into());
                    erase(conn, &recent, &project, &left, now)?;
                }
                forget_log(conn, &project, &turn)?;
                if number == 1 {
                    forget_title(conn, &project, &found.session)?;
                }
            }
            turns::turn(conn, &project, &turn)?.ok_or(Error::TurnNotFound)
        })
    }
}

fn find(conn: &Connection, project: &ProjectId, session: &SessionId, source: &Source) -> Result<Option<StoredMessage>> {
    match source {
        Source::Input(id) => {
            Ok(messages::input_message(conn, project, id)?.filter(|found| found.session_id == *session))
        }
        Source::Answer(turn) => {
            let turn = turns::turn(conn, project, turn)?.filter(|turn| turn.session == *session);
            Ok(turn.and_then(|turn| turn.answer))
        }
    }
}

/// Takes out of everywhere what `left` no longer says.
fn erase(conn: &Connection, recent: &Recent, project: &ProjectId, left: &StoredMessage, now: Time) -> Result<()> {
    messages::erase(conn, project, left, now)?;
    if left.message.content.is_empty() {
        search::message_deleted(conn, project, &left.id)?;
    }
    recent.forget(project, &left.turn_id);
    Ok(())
}

/// A title that nobody gave is made of the first turn's words.
fn forget_title(conn: &Connection, project: &ProjectId, session: &SessionId) -> Result<()> {
    let changed = conn
        .prepare_cached(
            "UPDATE chat_sessions SET title = NULL, title_from = NULL
             WHERE project_id = ? AND id = ? AND title_from IS NOT NULL",
        )?
        .execute([project.as_str(), session.as_str()])?;
    if changed == 1 { search::title_changed(conn, project, session) } else { Ok(()) }
}

fn forget_log(conn: &Connection, project: &ProjectId, turn: &TurnId) -> Result<()> {
    conn.prepare_cached("DELETE FROM chat_segments WHERE project_id = ? AND turn_id = ?")?
        .execute([project.as_str(), turn.as_str()])?;
    Ok(())
}

/// What an answer leaves beside its message: the log of its events, and the wait for the results of its calls.
fn forget_answer(conn: &Connection, project: &ProjectId, left: &StoredMessage) -> Result<()> {
    forget_log(conn, project, &left.turn_id)?;
    if left.message.tool_calls.is_empty() {
        conn.prepare_cached(
            "UPDATE chat_sessions SET hold_turn = NULL, hold_until = NULL
             WHERE project_id = ? AND id = ? AND hold_turn = ?",
        )?
        .execute([project.as_str(), left.session_id.as_str(), left.turn_id.as_str()])?;
    }
    Ok(())
}
