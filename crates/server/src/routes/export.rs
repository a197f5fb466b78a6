//! `GET /sessions/{id}/export`: a whole conversation, to keep.

use std::fmt::Write;

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::{Deserialize, Serialize};
use session::{id::SessionId, message::Role};
use store::{Order, Page};
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    auth::Caller,
    error::{ApiError, ErrorBody},
    params::{Path, Query},
    wire::{MessageView, SessionView, messages},
};

#[derive(Debug, Default, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    #[default]
    Json,
    Markdown,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `json` (the default) or `markdown`.
    #[param(inline)]
    format: Format,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Export {
    pub session: SessionView,
    /// The head's path, in order.
    pub messages: Vec<MessageView>,
}

/// Export a session
#[utoipa::path(
    get, path = "/sessions/{id}/export", operation_id = "export_session", tag = "Sessions", params(("id" = String, Path), ExportQuery),
    responses((status = 200, body = Export), (status = 404, body = ErrorBody))
)]
pub async fn export(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<SessionId>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, ApiError> {
    let session = super::sessions::find(&app, &caller.project, &id).await?;
    let all = Page { limit: u32::MAX, after: None, before: None, order: Order::Asc };
    let path = app.store().path(caller.project, id.clone(), None, all).await?;
    let export = Export { session: session.into(), messages: messages(path) };
    let name = file_name(export.session.title.as_deref().unwrap_or_default());
    let attached = |ending: &str| {
        let named = name.as_ref().map(|name| format!("; filename*=UTF-8''{name}.{ending}")).unwrap_or_default();
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.{ending}\"{named}"))
    };
    Ok(match query.format {
        Format::Json => ([attached("json")], Json(export)).into_response(),
        Format::Markdown => {
            let kind = (CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned());
            ([attached("md"), kind], markdown(&export)).into_response()
        }
    })
}

/// A title as a file's name, in the encoding of RFC 8187: without what some system does not take in one. `None` when
/// nothing is left.
fn file_name(title: &str) -> Option<String> {
    const CHARS_MAX: usize = 80;
    let words = title.split(|c: char| c.is_control() || c.is_whitespace() || "\\/:*?\"<>|".contains(c));
    let plain: String = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let plain: String = plain.trim_start_matches(['.', ' ', '-']).chars().take(CHARS_MAX).collect();
    let mut encoded = String::new();
    for byte in plain.trim_end_matches(['.', ' ']).bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => encoded.push(byte.into()),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    (!encoded.is_empty()).then_some(encoded)
}

fn markdown(export: &Export) -> String {
    let mut text = String::new();
    let title = export.session.title.as_deref().unwrap_or("Conversation");
    let _ = writeln!(text, "# {title}\n");
    for message in &export.messages {
        let who = match message.role {
            Role::User => "User",
            Role::Assistant => message.model.as_deref().unwrap_or("Assistant"),
            Role::Tool => "Tool",
            Role::System => "System",
        };
        let _ = writeln!(text, "## {who} · {}\n\n{}\n", message.timestamp, message.content.text());
        for call in &message.tool_calls {
            let _ = writeln!(text, "Called `{}` with:\n\n```json\n{}\n```\n", call.name, call.arguments);
        }
    }
    text
}
