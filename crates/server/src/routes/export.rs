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
    let attached = |ending: &str| (CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.{ending}\""));
    Ok(match query.format {
        Format::Json => ([attached("json")], Json(export)).into_response(),
        Format::Markdown => {
            let kind = (CONTENT_TYPE, "text/markdown; charset=utf-8".to_owned());
            ([attached("md"), kind], markdown(&export)).into_response()
        }
    })
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
