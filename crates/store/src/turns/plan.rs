//! What a send asks for, with everything looked up that it only points at: the turn to try again, the calls to answer.
//! Only reads; whatever is wrong with a send is found here, before anything is written.

use rusqlite::{Connection, params};
use session::{
    id::{MessageId, SessionId, TurnId},
    message::{Message, answered_before},
    turn::{Finish, Kind, Status},
};

use super::{Admit, Input, InputMessage, Parent, Turn, lane::SessionLane, read};
use crate::{
    error::{Error, Result},
    messages,
    rows::optional_word,
    walk::Tree,
};

pub(super) struct Plan {
    pub kind: Kind,
    pub input: Vec<InputMessage>,
    pub parent: Parent,
}

pub(super) fn resolve(conn: &Connection, ask: &Admit, session: &SessionId, lane: &SessionLane) -> Result<Plan> {
    let kind = ask.input.kind();
    match &ask.input {
        Input::Messages(input) => {
            if let Parent::Turn(parent) = &ask.parent {
                started(conn, ask, session, parent)?;
            }
            Ok(Plan { kind, input: input.clone(), parent: ask.parent.clone() })
        }
        Input::Insert(input) if answered_before(said(input)).is_empty() => {
            Ok(Plan { kind, input: input.clone(), parent: ask.parent.clone() })
        }
        Input::ToolResults(input) | Input::Insert(input) => {
            let parent = tool_turn(conn, ask, session, lane, input)?;
            Ok(Plan { kind, input: input.clone(), parent: Parent::Turn(parent) })
        }
        Input::Again { turn, ids } => again(conn, ask, session, turn, ids),
        Input::Continue { turn, ask: message } => {
            let before = ended(conn, ask, session, turn)?;
            if before.status == Status::Completed || before.answer.is_none() {
                return Err(Error::NotIncomplete);
            }
            Ok(Plan { kind, input: vec![message.clone()], parent: Parent::Turn(turn.clone()) })
        }
    }
}

/// The input of a turn under new ids. One that never started still has it in its own row.
fn again(conn: &Connection, ask: &Admit, session: &SessionId, turn: &TurnId, ids: &[MessageId]) -> Result<Plan> {
    let again = ended(conn, ask, session, turn)?;
    let (mut input, parent) = match again.number {
        Some(number) => (
            messages::input(conn, &ask.project, session, number, again.asked)?,
            again.parent.map_or(Parent::Root, Parent::Turn),
        ),
        None => (again.input, given_parent(conn, ask, turn)?),
    };
    if input.is_empty() {
        return Err(Error::NothingAsked);
    }
    if input.len() > ids.len() {
        return Err(Error::Failed(format!("turn {turn} has {} messages, for {} new ids", input.len(), ids.len())));
    }
    for (message, id) in input.iter_mut().zip(ids) {
        message.id = id.clone();
    }
    Ok(Plan { kind: ask.input.kind(), input, parent })
}

/// What a turn that has not started was told to continue.
fn given_parent(conn: &Connection, ask: &Admit, turn: &TurnId) -> Result<Parent> {
    let mut statement =
        conn.prepare_cached("SELECT parent, parent_given FROM chat_turns WHERE project_id = ? AND id = ?")?;
    Ok(statement.query_row([ask.project.as_str(), turn.as_str()], |row| {
        Ok(match (row.get("parent_given")?, optional_word(row, "parent")?) {
            (false, _) => Parent::Head,
            (true, None) => Parent::Root,
            (true, Some(turn)) => Parent::Turn(turn),
        })
    })?)
}

fn started(conn: &Connection, ask: &Admit, session: &SessionId, turn: &TurnId) -> Result<()> {
    if (Tree { conn, project: &ask.project, session }).find(turn)?.is_some() {
        return Ok(());
    }
    let known = read::session_of(conn, &ask.project, turn)?.is_some_and(|of| of == *session);
    Err(if known { Error::ParentNotStarted } else { Error::TurnNotFound })
}

fn ended(conn: &Connection, ask: &Admit, session: &SessionId, turn: &TurnId) -> Result<Turn> {
    let found = read::turn(conn, &ask.project, turn)?.filter(|found| found.session == *session);
    let found = found.ok_or(Error::TurnNotFound)?;
    if found.status.is_final() { Ok(found) } else { Err(Error::NotEnded) }
}

/// The turn whose calls these results answer: the head, or the parent named. The lane must not have gone on since.
fn tool_turn(
    conn: &Connection,
    ask: &Admit,
    session: &SessionId,
    lane: &SessionLane,
    input: &[InputMessage],
) -> Result<TurnId> {
    let named = match &ask.parent {
        Parent::Turn(turn) => Some(turn.clone()),
        Parent::Head | Parent::Root => None,
    };
    if named.is_none() && lane.lane.running.is_some() {
        return Err(Error::ToolCallsSuperseded);
    }
    let turn = named.or_else(|| lane.head.clone()).ok_or(Error::NoToolCalls)?;
    let found = ended(conn, ask, session, &turn)?;
    let calls = open_calls(conn, ask, &found)?;
    // What else comes along with the results answers no call, or one that comes along too.
    let before = answered_before(said(input));
    let is_result = |input: &&InputMessage| input.message.tool_call_id.as_deref().is_some_and(|id| before.contains(id));
    let results: Vec<&InputMessage> = input.iter().filter(is_result).collect();
    let known = |result: &InputMessage| result.message.tool_call_id.as_ref().is_some_and(|id| calls.contains(id));
    if !calls.is_empty() && results.iter().all(|result| known(result)) {
        return Ok(turn);
    }
    // The lane moved past the calls: some earlier turn made them.
    let unknown: Vec<&InputMessage> = results.into_iter().filter(|result| !known(result)).collect();
    let earlier = called_before(conn, ask, session, lane.turns, &unknown)?;
    Err(if earlier { Error::ToolCallsSuperseded } else { Error::NoToolCalls })
}

/// The calls that a turn left open: those that its answer made, or, of messages put in, those that none of them answers.
fn open_calls(conn: &Connection, ask: &Admit, found: &Turn) -> Result<Vec<String>> {
    let ids = |message: &Message| message.tool_calls.iter().map(|call| call.id.clone()).collect::<Vec<_>>();
    let (Kind::Insert, Some(number)) = (found.kind, found.number) else {
        let answer = found.answer.as_ref().filter(|_| found.finish == Some(Finish::ToolCalls));
        return Ok(answer.map(|answer| ids(&answer.message)).unwrap_or_default());
    };
    let input = messages::input(conn, &ask.project, &found.session, number, found.asked)?;
    let answered: Vec<&str> = said(&input).filter_map(|message| message.tool_call_id.as_deref()).collect();
    Ok(said(&input).flat_map(ids).filter(|id| !answered.contains(&id.as_str())).collect())
}

fn said(input: &[InputMessage]) -> impl Iterator<Item = &Message> + Clone {
    input.iter().map(|input| &input.message)
}

/// Whether one of the session's last turns made one of these calls. Only the words of a refusal hang on it, so it does
/// not look far.
fn called_before(
    conn: &Connection,
    ask: &Admit,
    session: &SessionId,
    last: u64,
    results: &[&InputMessage],
) -> Result<bool> {
    const TURNS: u64 = 100;
    let mut statement = conn.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM chat_messages AS m, json_each(m.tool_calls)
         WHERE m.session_id = ? AND m.project_id = ? AND m.number > ? AND m.tool_calls IS NOT NULL
           AND json_each.value ->> 'id' = ?)",
    )?;
    for id in results.iter().filter_map(|result| result.message.tool_call_id.as_deref()) {
        let key = params![session.as_str(), ask.project.as_str(), last.saturating_sub(TURNS), id];
        if statement.query_row(key, |row| row.get(0))? {
            return Ok(true);
        }
    }
    Ok(false)
}
