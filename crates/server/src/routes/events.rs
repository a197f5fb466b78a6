//! `GET /events`: what happens in all of the caller's sessions, over one connection.

use std::collections::HashSet;

use axum::{extract::State, response::Response};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::HeaderMap;
use scheduler::{Follow, Followed};
use serde::{Deserialize, Serialize};
use session::id::SessionId;
use utoipa::IntoParams;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    params::Query,
    sse::{Frame, Id},
    wire::feed_frame,
};

/// Sessions named in `watch`.
const WATCHED_MAX: usize = 64;

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Sessions, separated by commas, whose turns' every event is told; of the others only states are.
    watch: Option<String>,
    /// A cursor of this stream or of `GET /sessions/{id}`; the header `Last-Event-ID` stands above it. One that is
    /// unknown (after a restart, or too old) is answered by the event `reset`.
    after: Option<String>,
}

/// Follow all sessions
#[utoipa::path(
    get, path = "/events", operation_id = "follow_events", tag = "Events", params(FeedQuery),
    responses((status = 200, description = "Server-sent events", content_type = "text/event-stream"))
)]
pub async fn follow(
    State(app): State<App>,
    caller: Caller,
    Query(query): Query<FeedQuery>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let watched = watched(query.watch.as_deref().unwrap_or_default())?;
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).filter(|id| !id.is_empty());
    let cursor = last.map(str::to_owned).or(query.after);
    let follow = app.scheduler.feed().follow(&caller.project, cursor.as_deref());
    Ok(app.streams.answer(frames(follow, watched)))
}

fn watched(text: &str) -> Result<HashSet<SessionId>, ApiError> {
    let invalid = |message: String| ApiError::bad_request("invalid_value", message).param("watch");
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let watched: Result<HashSet<SessionId>, _> = names.map(str::parse).collect();
    let watched = watched.map_err(|error| invalid(format!("`watch` names sessions: {error}.")))?;
    if watched.len() > WATCHED_MAX {
        return Err(invalid(format!("`watch` names at most {WATCHED_MAX} sessions.")));
    }
    Ok(watched)
}

#[derive(Serialize)]
struct Reset<'a> {
    cursor: &'a str,
}

fn frames(follow: Follow, watched: HashSet<SessionId>) -> impl Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::unfold((follow, watched, true), |(mut follow, watched, first)| async move {
        let mut out = BytesMut::new();
        if first {
            // Headers go out with the first byte: a client knows at once that it is connected.
            out.extend_from_slice(b": connected\n\n");
            return Some((out.freeze(), (follow, watched, false)));
        }
        while out.is_empty() {
            let written = match follow.next().await {
                Followed::Reset { cursor } => {
                    Frame { id: Id::Text(&cursor), event: "reset", data: &Reset { cursor: &cursor } }.write(&mut out)
                }
                Followed::Notices(notices) => notices.iter().try_for_each(|(cursor, notice)| {
                    feed_frame(&mut out, cursor, notice, watched.contains(notice.session()))
                }),
            };
            if let Err(error) = written {
                tracing::error!(%error, "an event could not be written");
                return None;
            }
        }
        Some((out.freeze(), (follow, watched, false)))
    })
}
