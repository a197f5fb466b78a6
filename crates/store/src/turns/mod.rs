//! Turns: the verbs that carry them from admission to their end. Every write of a running turn begins with the fence.

mod admit;
mod cancel;
mod draft;
mod finish;
mod free;
mod lane;
mod list;
mod plan;
mod read;
mod recover;
mod start;

use std::sync::Arc;

use session::{
    event::{Event, EventId},
    id::{ConfigId, MessageId, Owner, ProjectId, SessionId, TurnId},
    lane::{IfBusy, Place},
    message::{Message, StoredMessage},
    time::Time,
    turn::{Failure, Finish as FinishReason, Kind, Options, Outcome, Reason, Status, Timing, Usage},
};

use crate::{Store, configs::ConfigAt, idempotency::Idempotency, recent::Recent, vault::Vault};

pub(crate) use cancel::cancel_queued;
pub(crate) use lane::{all_running, waiting};
pub use list::TurnList;
pub(crate) use read::turn;
pub use read::{Found, StoredEvent};
pub use recover::Takeover;

/// What the verbs of a turn's life use beside the database.
#[derive(Clone)]
struct Beside {
    vault: Vault,
    recent: Recent,
}

impl Store {
    fn beside(&self) -> Beside {
        Beside { vault: self.inner.vault.clone(), recent: self.inner.recent.clone() }
    }
}

/// What a new turn needs to be admitted.
#[derive(Debug, Clone)]
pub struct Admit {
    pub project: ProjectId,
    pub turn: TurnId,
    pub session: SessionRef,
    pub input: Input,
    pub parent: Parent,
    pub options: Options,
    pub metadata: Option<serde_json::Value>,
    /// What the surface that it came by wants to read back.
    pub request: Option<serde_json::Value>,
    /// Else the session's, else the project's default.
    pub config: Option<ConfigId>,
    pub if_busy: IfBusy,
    pub place: Place,
    pub queue_max: u32,
    /// It wants to run beside the lane. A session made for it is a chain, and in other sessions it is a turn of the lane.
    pub free: bool,
    pub key: Option<Idempotency>,
    pub owner: Owner,
    pub now: Time,
}

#[derive(Debug, Clone)]
pub enum SessionRef {
    Existing(SessionId),
    /// Made in the same transaction.
    New(SessionId),
}

/// What the turn is about.
#[derive(Debug, Clone)]
pub enum Input {
    Messages(Vec<InputMessage>),
    /// Answers to the tool calls of the turn before, and what is said along with them.
    ToolResults(Vec<InputMessage>),
    /// The same as that turn's, with the same parent. `ids` has one for each of its messages at least.
    Again {
        turn: TurnId,
        ids: Vec<MessageId>,
    },
    /// Goes on after that turn, asked to with this message.
    Continue {
        turn: TurnId,
        ask: InputMessage,
    },
    /// Nobody is asked to answer them.
    Insert(Vec<InputMessage>),
}

impl Input {
    pub fn kind(&self) -> Kind {
        match self {
            Input::Messages(_) => Kind::Message,
            Input::ToolResults(_) => Kind::ToolResults,
            Input::Again { .. } => Kind::Retry,
            Input::Continue { .. } => Kind::Continue,
            Input::Insert(_) => Kind::Insert,
        }
    }
}

/// A message with what storage has to know beside it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct InputMessage {
    pub id: MessageId,
    pub message: Message,
    pub tokens: u32,
}

/// What a turn continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parent {
    /// Whatever the session's head is when the turn starts.
    Head,
    /// Nothing: the turn begins anew.
    Root,
    Turn(TurnId),
}

#[derive(Debug)]
pub enum Admitted {
    Started(Box<Started>),
    /// `position` turns of the queue stand before it; the running one is not in the queue. A free turn waits for
    /// `parent` alone, which is also told of a turn of the lane: it is the turn that this one continues, and runs.
    Queued {
        session: SessionId,
        position: u32,
        free: bool,
        parent: Option<TurnId>,
        stop: Option<TurnId>,
        look_again: Option<Time>,
    },
    /// The same request came before and made this turn.
    Before {
        session: SessionId,
        turn: TurnId,
    },
}

/// A turn that has just become `running`, with all that its owner needs to run it.
#[derive(Debug)]
pub struct Started {
    pub project: ProjectId,
    pub session: SessionId,
    pub turn: TurnId,
    pub kind: Kind,
    /// It runs beside the lane.
    pub free: bool,
    pub epoch: u32,
    /// Upstream calls made by earlier owners.
    pub attempts: u32,
    /// The place that its sender was told while it waited.
    pub waited_at: Option<u32>,
    /// `None` when no config is left to answer it with.
    pub config: Option<ConfigAt>,
    pub options: Options,
    pub session_system: Option<String>,
    pub past: Result<Vec<Arc<Message>>, Unread>,
    pub input: Vec<Message>,
    pub created_at: Time,
    pub started_at: Time,
}

/// What was said before a turn could not be read: it fails, and nobody is asked with less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread(pub String);

/// Who may write about a running turn.
#[derive(Debug, Clone)]
pub struct Fence {
    pub project: ProjectId,
    pub turn: TurnId,
    pub epoch: u32,
    pub owner: Owner,
}

/// A stretch of events, to be stored while the turn runs.
#[derive(Debug, Clone)]
pub struct Segment {
    /// The number of its first event in the epoch.
    pub first_seq: u32,
    pub events: Vec<Event>,
}

#[derive(Debug, Clone)]
pub struct Finish {
    pub fence: Fence,
    pub session: SessionId,
    pub outcome: Outcome,
    pub answer_id: MessageId,
    pub answer_tokens: u32,
    /// Events not yet stored, the final one left out.
    pub rest: Option<Segment>,
    /// The final event's number.
    pub last_seq: u32,
    pub attempts: u32,
    pub first_token_ms: Option<u64>,
    pub prompt_hash: Option<[u8; 32]>,
    /// Stopped to make way for another turn.
    pub interrupted: bool,
    pub hold_ms: i64,
    /// Whether the lane's next turn starts; not when its owner is about to leave.
    pub go_on: bool,
    pub now: Time,
}

#[derive(Debug)]
pub struct Finished {
    pub turn: Turn,
    pub next: NextUp,
    /// The free turns that waited for it, which have started.
    pub children: Vec<Started>,
    /// A model is to make the session's title. Told once.
    pub wants_title: bool,
}

/// What becomes of the lane.
#[derive(Debug)]
pub enum NextUp {
    Started(Box<Started>),
    /// Look again then.
    Wait(Time),
    Nothing,
}

#[derive(Debug)]
pub enum Cancelled {
    /// It waited in the queue and will never run.
    Done(Turn),
    /// Its owner has to stop it.
    Running,
    /// It had ended before.
    Before(Turn),
}

/// A change of a queued turn.
#[derive(Debug, Clone)]
pub struct Edit {
    pub message: Option<InputMessage>,
    /// 0 is the front.
    pub position: Option<u32>,
}

/// A turn as it is stored, without its messages' history.
#[derive(Debug, Clone)]
pub struct Turn {
    pub id: TurnId,
    pub session: SessionId,
    pub kind: Kind,
    pub status: Status,
    pub reason: Option<Reason>,
    pub finish: Option<FinishReason>,
    /// Its place in the session; `None` until it has started.
    pub number: Option<u64>,
    /// Its place in the queue as of admission.
    pub queued_at_place: Option<u32>,
    pub parent: Option<TurnId>,
    /// Its sender named the parent; otherwise it continues what was the head.
    pub parent_given: bool,
    /// It runs beside the lane.
    pub free: bool,
    pub epoch: u32,
    pub owner: Option<Owner>,
    pub attempts: u32,
    pub config: Option<ConfigId>,
    pub config_revision: Option<u32>,
    pub model: Option<String>,
    /// The assistant's message.
    pub answer: Option<StoredMessage>,
    /// The input, while the turn is queued.
    pub input: Vec<InputMessage>,
    /// Messages that it was asked with, once it has started: those at the places below.
    pub asked: u32,
    pub options: Options,
    pub metadata: Option<serde_json::Value>,
    /// What the surface that it came by wanted to read back.
    pub request: Option<serde_json::Value>,
    pub usage: Usage,
    pub timing: Timing,
    pub error: Option<Failure>,
    /// The final event; `None` while there is none.
    pub last: Option<EventId>,
    /// It was deleted as a response: the OpenAI-compatible API does not find it.
    pub response_deleted: bool,
    pub created_at: Time,
    pub started_at: Option<Time>,
    pub ended_at: Option<Time>,
}

/// What was sent upstream with a turn, as far as it follows from storage.
#[derive(Debug)]
pub struct Prompt {
    pub config: ConfigAt,
    pub options: Options,
    pub session_system: Option<String>,
    pub past: Vec<Arc<Message>>,
    pub input: Vec<Message>,
    /// The oldest turn sent along.
    pub from: Option<TurnId>,
    pub assembler: u32,
    /// SHA-256 of the body; `None` when the turn ended before one was sent.
    pub hash: Option<[u8; 32]>,
}
