//! Turns as clients see them.

use serde::Serialize;
use serde_json::Value;
use session::{
    id::{ConfigId, SessionId, TurnId},
    message::{Role, StoredMessage},
    time::Time,
    turn::{Failure, Finish, Kind, Reason, Status, Timing, Usage},
};
use store::Turn;
use utoipa::ToSchema;

use super::schema;

/// What a turn came to. Also the data of its final event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Answer {
    #[schema(value_type = String)]
    pub session_id: SessionId,
    #[schema(value_type = String)]
    pub turn_id: TurnId,
    #[schema(value_type = schema::TurnStatus)]
    pub status: Status,
    /// Why the turn is `incomplete`.
    #[schema(value_type = Option<schema::IncompleteReason>)]
    pub reason: Option<Reason>,
    #[schema(value_type = Option<String>)]
    pub config_id: Option<ConfigId>,
    /// The model that answered, by the upstream's word.
    pub model: Option<String>,
    /// The assistant's message; `null` while there is none.
    #[schema(value_type = Option<schema::StoredMessage>)]
    pub message: Option<StoredMessage>,
    #[schema(value_type = Option<schema::FinishReason>)]
    pub finish: Option<Finish>,
    #[schema(value_type = schema::Usage)]
    pub usage: Usage,
    #[schema(value_type = schema::Timing)]
    pub timing: Timing,
    #[schema(value_type = Option<schema::Failure>)]
    pub error: Option<Failure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
}

impl From<&Turn> for Answer {
    fn from(turn: &Turn) -> Self {
        Answer {
            session_id: turn.session.clone(),
            turn_id: turn.id.clone(),
            status: turn.status,
            reason: turn.reason,
            config_id: turn.config.clone(),
            model: turn.model.clone(),
            message: turn.answer.clone(),
            finish: turn.finish,
            usage: turn.usage,
            timing: turn.timing,
            error: turn.error.clone(),
            metadata: turn.metadata.clone(),
        }
    }
}

/// A turn with its place in its session.
#[derive(Debug, Serialize, ToSchema)]
pub struct TurnView {
    #[serde(flatten)]
    pub answer: Answer,
    #[schema(value_type = schema::TurnKind)]
    pub kind: Kind,
    /// Its number in the session; `null` until it has started.
    pub number: Option<u64>,
    /// The turn that it continues.
    #[schema(value_type = Option<String>)]
    pub parent: Option<TurnId>,
    /// What it says, while it waits in the queue: of several messages the user's last one.
    #[schema(value_type = Option<schema::Content>)]
    pub input: Option<Value>,
    pub attempts: u32,
    pub config_revision: Option<u32>,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Time>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Time>,
}

impl From<&Turn> for TurnView {
    fn from(turn: &Turn) -> Self {
        let said = turn.input.iter().rfind(|input| input.message.role == Role::User).or(turn.input.first());
        let input = said.and_then(|input| serde_json::to_value(&input.message.content).ok());
        TurnView {
            answer: turn.into(),
            kind: turn.kind,
            number: turn.number,
            parent: turn.parent.clone(),
            input,
            attempts: turn.attempts,
            config_revision: turn.config_revision,
            created_at: turn.created_at,
            started_at: turn.started_at,
            ended_at: turn.ended_at,
        }
    }
}

/// Exactly what was sent upstream with a turn.
#[derive(Debug, Serialize, ToSchema)]
pub struct PromptView {
    #[schema(value_type = String)]
    pub turn_id: TurnId,
    #[schema(value_type = String)]
    pub config_id: ConfigId,
    pub config_revision: u32,
    /// The oldest turn sent along; `null` when there was none before.
    #[schema(value_type = Option<String>)]
    pub from: Option<TurnId>,
    pub assembler: u32,
    /// The request's body.
    pub body: Value,
    /// SHA-256 of the body as it was sent; `null` when the turn ended before that.
    pub sha256: Option<String>,
    /// Whether `body`, made again from storage, is to the byte what was sent.
    pub exact: Option<bool>,
}
