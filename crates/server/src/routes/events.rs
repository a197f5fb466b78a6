//! `GET /events`: what happens in all of the caller's sessions, over one connection.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use axum::{extract::State, response::Response};
use bytes::{Bytes, BytesMut};
use futures_util::Stream;
use http::HeaderMap;
use scheduler::{Follow, Followed, Notice};
use serde::{Deserialize, Serialize};
use session::id::{ProjectId, SessionId};
use store::Store;
use utoipa::IntoParams;

use crate::{
    app::App,
    auth::Caller,
    error::ApiError,
    params::Query,
    sse::{Frame, Id},
    wire::{SessionView, feed_frame, tells_session},
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
    let sessions = Sessions { store: app.store().clone(), project: caller.project };
    Ok(app.streams.answer(frames(follow, watched, sessions)))
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

/// Sessions as they stand when they are told of. They are read then and not kept with the notices: a notice that
/// nobody follows costs no read, and the ring holds no text.
struct Sessions {
    store: Store,
    project: ProjectId,
}

impl Sessions {
    /// Each session once, however many of the notices are about it.
    async fn of(&self, notices: &[(String, Arc<Notice>)]) -> HashMap<SessionId, SessionView> {
        let told: HashSet<&SessionId> =
            notices.iter().filter(|(_, notice)| tells_session(notice)).map(|(_, notice)| notice.session()).collect();
        let mut sessions = HashMap::new();
        for id in told {
            match self.store.session(self.project.clone(), id.clone()).await {
                Ok(Some(session)) => _ = sessions.insert(id.clone(), session.into()),
                Ok(None) => {}
                Err(error) => tracing::debug!(session_id = %id, %error, "a session was told of without its state"),
            }
        }
        sessions
    }
}

fn frames(
    follow: Follow,
    watched: HashSet<SessionId>,
    sessions: Sessions,
) -> impl Stream<Item = Bytes> + Send + 'static {
    futures_util::stream::unfold(
        (follow, watched, sessions, true),
        |(mut follow, watched, sessions, first)| async move {
            let mut out = BytesMut::new();
            if first {
                // Headers go out with the first byte: a client knows at once that it is connected.
                out.extend_from_slice(b": connected\n\n");
                return Some((out.freeze(), (follow, watched, sessions, false)));
            }
            while out.is_empty() {
                let written = match follow.next().await {
                    Followed::Reset { cursor } => {
                        Frame { id: Id::Text(&cursor), event: "reset", data: &Reset { cursor: &cursor } }
                            .write(&mut out)
                    }
                    Followed::Notices(notices) => {
                        let seen = sessions.of(&notices).await;
                        notices.iter().try_for_each(|(cursor, notice)| {
                            let id = notice.session();
                            feed_frame(&mut out, cursor, notice, seen.get(id), watched.contains(id))
                        })
                    }
                };
                if let Err(error) = written {
                    tracing::error!(%error, "an event could not be written");
                    return None;
                }
            }
            Some((out.freeze(), (follow, watched, sessions, false)))
        },
    )
}
