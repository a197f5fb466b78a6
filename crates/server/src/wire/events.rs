//! Events as they stand on the wire.

use bytes::BytesMut;
use scheduler::{Notice, Shown};
use serde::Serialize;
use session::{
    event::{Event, PartKind, ReasoningKind, Snapshot},
    id::{SessionId, TurnId},
    turn::Status,
};

use super::{Answer, SessionView};
use crate::sse::{Cursor, Frame, Id};

type Written = serde_json::Result<()>;

#[derive(Serialize)]
struct Data<'a, T> {
    turn_id: &'a TurnId,
    session_id: &'a SessionId,
    #[serde(flatten)]
    rest: T,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Rest<'a> {
    Queued {
        position: u32,
    },
    Started {
        model: &'a str,
        attempt: u32,
    },
    Text {
        text: &'a str,
        offset: u64,
    },
    Reasoning {
        text: &'a str,
        offset: u64,
        kind: ReasoningKind,
    },
    ToolCall {
        index: u32,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'a str>,
        arguments: &'a str,
    },
    PartDone {
        kind: PartKind,
        index: u32,
    },
    Snapshot(&'a Snapshot),
}

/// A turn's event, as `GET /turns/{id}/events` and `POST /chat` stream it.
pub fn turn_frame(out: &mut BytesMut, session: &SessionId, turn: &TurnId, shown: &Shown) -> Written {
    let id = Cursor { epoch: shown.id.epoch, seq: shown.id.seq };
    write(out, Id::Cursor(id), session, turn, shown)
}

fn write(out: &mut BytesMut, id: Id<'_>, session: &SessionId, turn: &TurnId, shown: &Shown) -> Written {
    let (event, rest) = match &*shown.event {
        Event::Queued { position } => ("turn.queued", Rest::Queued { position: *position }),
        Event::Started { model, attempt } => ("turn.started", Rest::Started { model, attempt: *attempt }),
        Event::Text { text, offset } => ("message.delta", Rest::Text { text, offset: *offset }),
        Event::Reasoning { text, offset, kind } => {
            ("reasoning.delta", Rest::Reasoning { text, offset: *offset, kind: *kind })
        }
        Event::Refusal { text, offset } => ("refusal.delta", Rest::Text { text, offset: *offset }),
        Event::ToolCall { index, id, name, arguments } => {
            ("tool_call.delta", Rest::ToolCall { index: *index, id: id.as_deref(), name: name.as_deref(), arguments })
        }
        Event::PartDone { kind, index } => ("part.done", Rest::PartDone { kind: *kind, index: *index }),
        Event::Snapshot(snapshot) => ("snapshot", Rest::Snapshot(snapshot)),
        Event::Ended => {
            let Some(ended) = &shown.turn else { return Ok(()) };
            return Frame { id, event: final_name(ended.status), data: &Answer::from(&**ended) }.write(out);
        }
    };
    Frame { id, event, data: &Data { turn_id: turn, session_id: session, rest } }.write(out)
}

fn final_name(status: Status) -> &'static str {
    match status {
        Status::Completed => "turn.completed",
        Status::Cancelled => "turn.cancelled",
        Status::Incomplete => "turn.incomplete",
        Status::Failed | Status::Queued | Status::Running => "turn.failed",
    }
}

#[derive(Serialize)]
struct SessionData<'a> {
    session_id: &'a SessionId,
    #[serde(flatten)]
    state: State<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum State<'a> {
    Whole { session: Option<&'a SessionView> },
    Queue { queued: Option<u32>, paused: Option<bool> },
    Message { turn_id: &'a TurnId },
    Gone {},
}

/// Whether a notice is told together with what has become of its session.
pub fn tells_session(notice: &Notice) -> bool {
    matches!(notice, Notice::SessionCreated { .. } | Notice::SessionUpdated { .. } | Notice::QueueChanged { .. })
}

/// A notice, as `GET /events` streams it, with its session where [`tells_session`]. Of a session that is not watched
/// only its turns' states are told.
pub fn feed_frame(
    out: &mut BytesMut,
    cursor: &str,
    notice: &Notice,
    session: Option<&SessionView>,
    watched: bool,
) -> Written {
    let (event, state) = match notice {
        Notice::SessionCreated { .. } => ("session.created", State::Whole { session }),
        Notice::SessionUpdated { .. } => ("session.updated", State::Whole { session }),
        Notice::SessionDeleted { .. } => ("session.deleted", State::Gone {}),
        Notice::MessageDeleted { turn, .. } => ("message.deleted", State::Message { turn_id: turn }),
        Notice::Erased { .. } => return Ok(()),
        Notice::QueueChanged { .. } => {
            let (queued, paused) = (session.map(|session| session.queued), session.map(|session| session.paused));
            ("queue.changed", State::Queue { queued, paused })
        }
        Notice::Turn { session, turn, shown } => {
            let state = matches!(*shown.event, Event::Queued { .. } | Event::Started { .. } | Event::Ended);
            if !watched && !state {
                return Ok(());
            }
            return write(out, Id::Text(cursor), session, turn, shown);
        }
    };
    Frame { id: Id::Text(cursor), event, data: &SessionData { session_id: notice.session(), state } }.write(out)
}
