//! What can go wrong in storage, as far as callers treat it differently.
//!
//! A *refusal* says why a verb was not applied; nothing was written. A *fault* is storage's own trouble, and comes in
//! two kinds: not applied, or unknown, after which the caller reads back before it does anything else.

use session::id::TurnId;

#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    #[error("no such session")]
    SessionNotFound,
    #[error("no such turn")]
    TurnNotFound,
    #[error("no such message, or no such part of it")]
    MessageNotFound,
    #[error("no such config")]
    ConfigNotFound,
    #[error("no such key")]
    KeyNotFound,
    #[error("this id is taken")]
    Taken,
    #[error("the session is busy")]
    Busy { turn: Option<TurnId> },
    #[error("the queue is full")]
    QueueFull { max: u32 },
    #[error("the parent turn has not started")]
    ParentNotStarted,
    #[error("the turn has not started")]
    NotStarted,
    #[error("the session has gone on since these tool calls")]
    ToolCallsSuperseded,
    #[error("the turn before called no tools")]
    NoToolCalls,
    #[error("the turn has not ended")]
    NotEnded,
    #[error("the turn no longer waits")]
    AlreadyStarted,
    #[error("the turn's message is not its sender's to change")]
    NotEditable,
    #[error("the turn waits beside the queue")]
    NotInQueue,
    #[error("the turn's answer is not incomplete")]
    NotIncomplete,
    #[error("what the turn was asked has been deleted")]
    NothingAsked,
    #[error("this idempotency key came with another body")]
    KeyReused,
    #[error("another owner has the turn")]
    Lost,
    /// Which of a page's cursors it is: `after` or `before`.
    #[error("a cursor that this list did not give")]
    BadCursor(&'static str),

    #[error("storage has no room left; make some on its disk")]
    Full,
    #[error("storage has more to do than it can keep up with")]
    Overloaded,
    #[error("storage does not accept writes: {0}")]
    Closed(String),
    /// The transaction may or may not have been applied.
    #[error("storage lost track of a commit: {0}")]
    Unknown(String),
    #[error("storage failed: {0}")]
    Failed(String),
}

impl Error {
    /// Storage's own trouble, as opposed to a refusal.
    pub fn is_fault(&self) -> bool {
        matches!(self, Error::Full | Error::Overloaded | Error::Closed(_) | Error::Unknown(_) | Error::Failed(_))
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::Full,
            _ => Error::Failed(error.to_string()),
        }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Error::Failed(format!("a stored value is damaged: {error}"))
    }
}

pub type Result<T> = std::result::Result<T, Error>;
