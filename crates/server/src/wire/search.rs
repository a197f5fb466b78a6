//! What a search finds, as clients see it.

use serde::Serialize;
use session::{
    id::{MessageId, SessionId, TurnId},
    message::Role,
    search::Piece,
    time::Time,
};
use store::{Hit, HitOf};
use utoipa::ToSchema;

use super::schema;

/// A message, or a session whose title fits.
#[derive(Debug, Serialize, ToSchema)]
pub struct HitView {
    pub kind: HitKind,
    #[schema(value_type = String)]
    pub session_id: SessionId,
    pub session_title: Option<String>,
    /// Of a message, like the two that follow.
    #[schema(value_type = Option<String>)]
    pub message_id: Option<MessageId>,
    #[schema(value_type = Option<String>)]
    pub turn_id: Option<TurnId>,
    #[schema(value_type = Option<schema::Role>)]
    pub role: Option<Role>,
    /// The text around the first hit, at most 120 characters, or the title. Joined together the pieces are plain text.
    pub snippet: Vec<SnippetPiece>,
    /// The message's, or the session's last activity.
    #[schema(value_type = String, format = DateTime)]
    pub timestamp: Time,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HitKind {
    Message,
    Session,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SnippetPiece {
    pub text: String,
    /// This was looked for.
    pub hit: bool,
}

impl From<Hit> for HitView {
    fn from(hit: Hit) -> Self {
        let (kind, message_id, turn_id, role) = match hit.of {
            HitOf::Message { id, turn, role } => (HitKind::Message, Some(id), Some(turn), Some(role)),
            HitOf::Title => (HitKind::Session, None, None, None),
        };
        let piece = |Piece { text, hit }| SnippetPiece { text, hit };
        HitView {
            kind,
            session_id: hit.session,
            session_title: hit.title,
            message_id,
            turn_id,
            role,
            snippet: hit.snippet.into_iter().map(piece).collect(),
            timestamp: hit.timestamp,
        }
    }
}
