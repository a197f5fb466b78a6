//! What can be done to a turn from outside: cancelled, or, while it waits, edited and moved.

use rusqlite::{Connection, params};
use session::{
    id::{ProjectId, SessionId, TurnId},
    time::Time,
    turn::{Kind, Status},
};

use super::{Cancelled, Edit, Turn, lane::waiting, read};
use crate::{
    Store,
    error::{Error, Result},
    rows::json,
    writer::Reply,
};

impl Store {
    /// Cancels a queued turn for good. A running one is its owner's to stop.
    pub fn cancel(&self, project: ProjectId, turn: TurnId, now: Time) -> Reply<Cancelled> {
        self.inner.writer.start_verb("cancel", move |conn| {
            let found = read::turn(conn, &project, &turn)?.ok_or(Error::TurnNotFound)?;
            match found.status {
                Status::Running => Ok(Cancelled::Running),
                Status::Queued => {
                    cancel_queued(conn, &project, &turn, now)?;
                    let cancelled = read::turn(conn, &project, &turn)?.ok_or(Error::TurnNotFound)?;
                    Ok(Cancelled::Done(cancelled))
                }
                Status::Completed | Status::Failed | Status::Cancelled | Status::Incomplete => {
                    Ok(Cancelled::Before(found))
                }
            }
        })
    }

    /// Changes a queued turn's message or its place.
    pub fn edit(&self, project: ProjectId, turn: TurnId, edit: Edit) -> Reply<Turn> {
        self.inner.writer.start_verb("edit", move |conn| {
            let found = read::turn(conn, &project, &turn)?.ok_or(Error::TurnNotFound)?;
            if found.status != Status::Queued {
                return Err(Error::AlreadyStarted);
            }
            if edit.position.is_some() && found.free {
                return Err(Error::NotInQueue);
            }
            // Tool results and the words of a continuation are no message that somebody typed.
            if edit.message.is_some() && !matches!(found.kind, Kind::Message | Kind::Retry) {
                return Err(Error::NotEditable);
            }
            if let Some(message) = &edit.message {
                conn.prepare_cached("UPDATE chat_turns SET input = ? WHERE project_id = ? AND id = ?")?
                    .execute(params![json(&[message])?, project.as_str(), turn.as_str()])?;
            }
            if let Some(position) = edit.position {
                move_to(conn, &project, &found.session, &turn, position)?;
            }
            read::turn(conn, &project, &turn)?.ok_or(Error::TurnNotFound)
        })
    }

    /// The turns of a session that wait, free ones included, first come first.
    pub fn queue(&self, project: ProjectId, session: SessionId) -> Reply<Vec<Turn>> {
        self.inner.readers.read(move |conn| {
            let waiting = waiting(conn, &project, &session)?;
            waiting.iter().map(|(id, _)| read::turn(conn, &project, id)?.ok_or(Error::TurnNotFound)).collect()
        })
    }
}

/// The end of a turn that never started: its only event is numbered in epoch 0, behind `turn.queued`.
pub(crate) fn cancel_queued(conn: &Connection, project: &ProjectId, turn: &TurnId, now: Time) -> Result<()> {
    conn.prepare_cached(
        "UPDATE chat_turns SET status = 'cancelled', position = NULL, last_seq = 2, ended_at = ?
         WHERE project_id = ? AND id = ? AND status = 'queued'",
    )?
    .execute(params![now.to_string(), project.as_str(), turn.as_str()])?;
    Ok(())
}

/// Positions are counted among the turns of the lane; free ones that lie between stay where they are.
fn move_to(conn: &Connection, project: &ProjectId, session: &SessionId, turn: &TurnId, position: u32) -> Result<()> {
    let mut waiting = waiting(conn, project, session)?;
    waiting.retain(|(id, _)| id != turn);
    let mut places = waiting.iter().zip(0..).filter_map(|((_, free), place)| (!free).then_some(place));
    let place = places.nth(position as usize).unwrap_or(waiting.len());
    waiting.insert(place, (turn.clone(), false));
    let mut statement = conn.prepare_cached("UPDATE chat_turns SET position = ? WHERE project_id = ? AND id = ?")?;
    for (position, (id, _)) in waiting.iter().enumerate() {
        statement.execute(params![position, project.as_str(), id.as_str()])?;
    }
    Ok(())
}
