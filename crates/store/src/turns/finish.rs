//! Segments and the end: what the owner of a running turn writes, each behind the fence.

use rusqlite::{Connection, params};
use session::{
    id::{ProjectId, TurnId},
    lane::End,
    message::Message,
    segment,
    time::Time,
    turn::{Outcome, Status},
};

use super::{
    Beside, Fence, Finish, Finished, InputMessage, NextUp, Segment, Turn, free, lane, lane::SessionLane, read, start,
    start::Here,
};
use crate::{
    Store,
    error::{Error, Result},
    messages::{self, Slot},
    rows::json,
    sessions,
    writer::Reply,
};

impl Store {
    /// Stores a stretch of a running turn's events.
    pub fn segment(
        &self,
        fence: Fence,
        segment: Segment,
        attempts: u32,
        prompt_hash: Option<[u8; 32]>,
        now: Time,
    ) -> Reply<()> {
        self.inner.writer.start_verb("segment", move |conn| {
            let changed = conn
                .prepare_cached(
                    "UPDATE chat_turns SET attempts = ?, prompt_hash = ?
                     WHERE project_id = ? AND id = ? AND status = 'running' AND epoch = ? AND owner = ?",
                )?
                .execute(params![
                    attempts,
                    prompt_hash.as_ref().map(<[u8; 32]>::as_slice),
                    fence.project.as_str(),
                    fence.turn.as_str(),
                    fence.epoch,
                    fence.owner.as_str()
                ])?;
            if changed == 0 {
                return Err(Error::Lost);
            }
            insert_segment(conn, &fence.project, &fence.turn, fence.epoch, &segment, now)
        })
    }

    /// The turn's end: its answer, status and usage, the last events, the session's head, and the start of what waited
    /// for it: the lane's next turn, and the free turns that continue it.
    pub fn finish(&self, finish: Finish) -> Reply<Finished> {
        let beside = self.beside();
        self.inner.writer.start_verb("finish", move |conn| apply(conn, &beside, &finish))
    }
}

pub(super) fn insert_segment(
    conn: &Connection,
    project: &ProjectId,
    turn: &TurnId,
    epoch: u32,
    segment: &Segment,
    now: Time,
) -> Result<()> {
    conn.prepare_cached(
        "INSERT INTO chat_segments (project_id, turn_id, epoch, first_seq, body, created_at) VALUES (?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        project.as_str(),
        turn.as_str(),
        epoch,
        segment.first_seq,
        segment::encode(&segment.events),
        now.to_string()
    ])?;
    Ok(())
}

pub(super) fn apply(conn: &Connection, beside: &Beside, finish: &Finish) -> Result<Finished> {
    let Finish { fence, session, outcome, now, .. } = finish;
    let Some(mut turn) = end_behind_fence(conn, finish)? else { return Err(Error::Lost) };
    if let Some(answer) = &outcome.answer {
        let number = turn.number.ok_or_else(|| Error::Failed("a running turn has no number".into()))?;
        let slot = Slot { project: &fence.project, session, turn: &fence.turn, number, place: turn.asked };
        let message =
            InputMessage { id: finish.answer_id.clone(), message: answer.clone(), tokens: finish.answer_tokens };
        messages::insert(conn, &slot, &message, *now)?;
        turn.answer = Some(session::message::StoredMessage {
            id: message.id,
            session_id: session.clone(),
            turn_id: fence.turn.clone(),
            message: message.message,
            timestamp: *now,
        });
    }
    if let Some(rest) = &finish.rest {
        insert_segment(conn, &fence.project, &fence.turn, fence.epoch, rest, *now)?;
    }
    beside.recent.end(fence, outcome, finish.answer_tokens);
    let lane = move_head(conn, finish, turn.free)?;
    if !finish.go_on {
        return Ok(Finished { turn, next: NextUp::Nothing, children: Vec::new(), wants_title: false });
    }
    let wants_title = lane.awaits_title && !lane.deleted && is_answered(outcome);
    if wants_title {
        sessions::ask_for_title(conn, &fence.project, session)?;
    }
    let waiting = lane.waiting;
    let here = Here { project: &fence.project, session, owner: &fence.owner, now: *now };
    let next = match start::next_up(conn, beside, lane, here)? {
        // Only a lane that waited for the end of a free turn has somebody to start, and a hold has its watchman.
        NextUp::Wait(_) if turn.free => NextUp::Nothing,
        next => next,
    };
    let children = if waiting > 0 { free::children(conn, beside, here, &fence.turn)? } else { Vec::new() };
    Ok(Finished { turn, next, children, wants_title })
}

/// The first statement is the fence: without it nothing else is written.
fn end_behind_fence(conn: &Connection, finish: &Finish) -> Result<Option<Turn>> {
    let Finish { fence, outcome, .. } = finish;
    let error = outcome.error.as_ref().map(json).transpose()?;
    let counts = outcome.counts();
    let answered = outcome.answer.is_some();
    let mut statement = conn.prepare_cached(
        "UPDATE chat_turns SET status = ?1, reason = ?2, finish = ?3, model = ?4, error = ?5, prompt_tokens = ?6,
             completion_tokens = ?7, cached_tokens = ?8, reasoning_tokens = ?9, first_token_ms = ?10, last_seq = ?11,
             attempts = ?12, prompt_hash = ?13, counts = ?14, ended_at = ?15,
             through_messages = iif(?14, through_messages + ?16, before_messages),
             through_tokens = iif(?14, through_tokens + ?17, before_tokens)
         WHERE project_id = ?18 AND id = ?19 AND status = 'running' AND epoch = ?20 AND owner = ?21",
    )?;
    let usage = &outcome.usage;
    let stored = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    let changed = statement.execute(params![
        outcome.status.as_str(),
        outcome.reason.map(|reason| reason.as_str()),
        outcome.finish.map(|finish| finish.as_str()),
        outcome.model,
        error,
        stored(usage.prompt_tokens),
        stored(usage.completion_tokens),
        stored(usage.cached_tokens),
        stored(usage.reasoning_tokens),
        finish.first_token_ms,
        finish.last_seq,
        finish.attempts,
        finish.prompt_hash.as_ref().map(<[u8; 32]>::as_slice),
        counts,
        finish.now.to_string(),
        u32::from(answered),
        finish.answer_tokens,
        fence.project.as_str(),
        fence.turn.as_str(),
        fence.epoch,
        fence.owner.as_str(),
    ])?;
    if changed == 0 {
        return Ok(None);
    }
    // Not by RETURNING, for which SQLite makes a table of its own each time.
    read::bare(conn, &fence.project, &fence.turn)
}

/// The head moves to the ended turn, whatever it was. One of the lane leaves it to the next, which may have to wait; a
/// free one was never in it.
fn move_head(conn: &Connection, finish: &Finish, free: bool) -> Result<SessionLane> {
    let Finish { fence, session, outcome, now, .. } = finish;
    let Some(mut lane) = lane::read_any(conn, &fence.project, session)? else {
        return Err(Error::Failed(format!("session {session} of turn {} has no row", fence.turn)));
    };
    if !free {
        let end = End {
            status: outcome.status,
            reason: outcome.reason,
            finish: outcome.finish,
            interrupted: finish.interrupted,
        };
        lane.lane.running = Some(fence.turn.clone());
        lane.lane = lane.lane.ended(end, lane.on_failure, now.plus_ms(finish.hold_ms));
    }
    lane.head = Some(fence.turn.clone());
    lane::write(conn, &fence.project, session, &lane, *now)?;
    Ok(lane)
}

fn is_answered(outcome: &Outcome) -> bool {
    let said = |answer: &Message| answer.tool_calls.is_empty() && !answer.content.is_empty();
    outcome.status == Status::Completed && outcome.answer.as_ref().is_some_and(said)
}
