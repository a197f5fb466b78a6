//! Sessions and their messages as clients see them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use session::{
    id::{ConfigId, MessageId, SessionId, TurnId},
    lane::OnFailure,
    message::{Content, Role, StoredMessage, ToolCall},
    time::Time,
    title::AutoTitle,
    turn::{Failure, Kind, Reason, Status, Timing, Usage},
};
use store::{PathPage, Session};
use utoipa::ToSchema;

use super::{TurnView, nullable, schema};

/// `POST /sessions`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NewSessionRequest {
    /// At most 64 characters of `A-Z a-z 0-9 _ -`; made by the server when absent.
    #[schema(value_type = Option<String>)]
    pub id: Option<SessionId>,
    /// Made from the first message when absent.
    pub title: Option<String>,
    /// What becomes of a title that nobody gave: `first_line` (the default), or `model`.
    #[schema(value_type = Option<schema::AutoTitle>)]
    pub auto_title: Option<AutoTitle>,
    #[schema(value_type = Option<String>)]
    pub config_id: Option<ConfigId>,
    /// Stands above the config's system prompt.
    pub system: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    #[schema(value_type = Option<schema::OnFailure>)]
    pub on_failure: Option<OnFailure>,
}

/// `PATCH /sessions/{id}`: fields that are absent stay as they are.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SessionRequest {
    #[serde(deserialize_with = "nullable")]
    pub title: Option<Option<String>>,
    #[schema(value_type = Option<schema::AutoTitle>)]
    pub auto_title: Option<AutoTitle>,
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub config_id: Option<Option<ConfigId>>,
    pub pinned: Option<bool>,
    pub archived: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
    /// The turn that the next one continues; `null` begins anew. Not while a turn runs.
    #[serde(deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    pub head: Option<Option<TurnId>>,
    #[schema(value_type = Option<schema::OnFailure>)]
    pub on_failure: Option<OnFailure>,
}

/// `POST /sessions/{id}/fork`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ForkRequest {
    /// The last turn that the new session begins with.
    #[schema(value_type = String)]
    pub turn_id: TurnId,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    #[schema(value_type = String)]
    pub id: SessionId,
    pub title: Option<String>,
    #[schema(value_type = schema::AutoTitle)]
    pub auto_title: AutoTitle,
    #[schema(value_type = Option<String>)]
    pub config_id: Option<ConfigId>,
    pub system: Option<String>,
    #[schema(value_type = Object)]
    pub metadata: Value,
    #[schema(value_type = schema::OnFailure)]
    pub on_failure: OnFailure,
    pub pinned: bool,
    pub archived: bool,
    /// The turn that the next one continues.
    #[schema(value_type = Option<String>)]
    pub head: Option<TurnId>,
    /// How that turn ended.
    #[schema(value_type = Option<schema::TurnStatus>)]
    pub head_status: Option<Status>,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub head_ended_at: Option<Time>,
    /// Turns started so far.
    pub turns: u64,
    /// The turn that runs now. Beside the lane's there may be others: without one there, the one that started last.
    #[schema(value_type = Option<String>)]
    pub running: Option<TurnId>,
    /// Turns that wait, in the lane or for their parent.
    pub queued: u32,
    /// The queue waits for `POST /sessions/{id}/resume`.
    pub paused: bool,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Time,
    /// Of the last send or answer.
    #[schema(value_type = String, format = DateTime)]
    pub active_at: Time,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        SessionView {
            id: session.id,
            title: session.title,
            auto_title: session.auto_title,
            config_id: session.config,
            system: session.system,
            metadata: session.metadata,
            on_failure: session.on_failure,
            pinned: session.pinned,
            archived: session.archived,
            head: session.head,
            head_status: session.head_status,
            head_ended_at: session.head_ended_at,
            turns: session.turns,
            running: session.running,
            queued: session.queued,
            paused: session.paused,
            created_at: session.created_at,
            active_at: session.active_at,
        }
    }
}

/// `GET /sessions/{id}`: all that a page needs to show the session and to follow it.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionPage {
    #[serde(flatten)]
    pub session: SessionView,
    /// The newest messages of the path, in order.
    pub messages: Vec<MessageView>,
    /// There are older ones.
    pub has_more: bool,
    /// The cursor to pass as `before` to `GET /sessions/{id}/messages` for those; `null` when there are none, or when
    /// no message was asked for.
    pub next: Option<String>,
    pub active_turn: Option<ActiveTurn>,
    pub queue: Vec<TurnView>,
    /// Where `GET /events?after=` goes on from what stands here.
    pub cursor: String,
}

/// The turn that `running` names and what it has said so far.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveTurn {
    #[schema(value_type = String)]
    pub turn_id: TurnId,
    pub text: String,
    pub reasoning: String,
    pub refusal: String,
    #[schema(value_type = Vec<schema::ToolCall>)]
    pub tool_calls: Vec<ToolCall>,
    /// The last event in it: `GET /turns/{id}/events?after=` goes on from here.
    pub last_event_id: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Time>,
}

/// A message with what is known of its turn.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageView {
    #[schema(value_type = String)]
    pub id: MessageId,
    #[schema(value_type = String)]
    pub session_id: SessionId,
    #[schema(value_type = String)]
    pub turn_id: TurnId,
    #[schema(value_type = schema::Role)]
    pub role: Role,
    #[schema(value_type = schema::Content)]
    pub content: Content,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<schema::ToolCall>)]
    pub tool_calls: Vec<ToolCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Time,
    /// Its place in its turn, from 0.
    pub place: u32,
    /// The turn was asked with it. That may be an assistant's message, too; what is no input is the turn's answer.
    pub input: bool,
    #[schema(value_type = schema::TurnKind)]
    pub kind: Kind,
    #[schema(value_type = schema::TurnStatus)]
    pub status: Status,
    #[schema(value_type = Option<schema::IncompleteReason>)]
    pub reason: Option<Reason>,
    pub model: Option<String>,
    #[schema(value_type = Option<String>)]
    pub config_id: Option<ConfigId>,
    #[schema(value_type = schema::Usage)]
    pub usage: Usage,
    #[schema(value_type = schema::Timing)]
    pub timing: Timing,
    #[schema(value_type = Option<schema::Failure>)]
    pub error: Option<Failure>,
    /// The turn before on the path.
    #[schema(value_type = Option<String>)]
    pub parent: Option<TurnId>,
    /// All turns that continue the same turn, this one's included, in order.
    #[schema(value_type = Vec<String>)]
    pub siblings: Vec<TurnId>,
}

/// The messages of a stretch of a path.
pub fn messages(page: PathPage) -> Vec<MessageView> {
    let PathPage { messages, turns, siblings, .. } = page;
    messages
        .into_iter()
        .filter_map(|found| {
            let StoredMessage { id, session_id, turn_id, message, timestamp } = found.message;
            let turn = turns.get(&turn_id)?;
            Some(MessageView {
                id,
                session_id,
                role: message.role,
                content: message.content,
                tool_calls: message.tool_calls,
                tool_call_id: message.tool_call_id,
                reasoning: message.reasoning,
                refusal: message.refusal,
                timestamp,
                place: found.place,
                input: found.place < turn.asked,
                kind: turn.kind,
                status: turn.status,
                reason: turn.reason,
                model: turn.model.clone(),
                config_id: turn.config.clone(),
                usage: turn.usage,
                timing: turn.timing,
                error: turn.error.clone(),
                parent: turn.parent.clone(),
                siblings: siblings.get(&turn_id).cloned().unwrap_or_default(),
                turn_id,
            })
        })
        .collect()
}
