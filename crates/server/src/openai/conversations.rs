//! `/v1/conversations`: sessions, and what was said in them as items.

use axum::{Json, extract::State};
use scheduler::Notice;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session::{
    id::{MessageId, ProjectId, SessionId},
    lane::OnFailure,
    title::AutoTitle,
};
use store::{NewSession, Session, SessionChange};

use super::{
    ids::{self, Source},
    items,
    list::{ItemsQuery, Listed},
    request::{conversation_not_found, metadata, unsupported},
    response::seconds,
};
use crate::{
    app::App,
    auth::Caller,
    body::{Body, OptionalBody},
    error::ApiError,
    idempotency::Key,
    params::{Path, Query},
};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewConversation {
    metadata: Option<Map<String, Value>>,
    items: Option<Vec<Value>>,
}

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    OptionalBody { value: request, raw }: OptionalBody<NewConversation>,
) -> Result<Json<Value>, ApiError> {
    if request.items.is_some_and(|items| !items.is_empty()) {
        let message = "Items cannot be put into a conversation yet. Send them as the input of its first response.";
        return Err(unsupported("items", message));
    }
    let (clock, project) = (app.clock(), caller.project.clone());
    let new = NewSession {
        id: clock.id(),
        title: None,
        auto_title: AutoTitle::FirstLine,
        config: None,
        system: None,
        metadata: metadata(request.metadata.unwrap_or_default(), &app.bounds)?,
        on_failure: OnFailure::Continue,
    };
    let id = app.store().create_session(project.clone(), new, key.of(&caller, &raw), clock.now()).await?;
    app.scheduler.notice(&project, Notice::SessionCreated { session: id.clone() });
    Ok(Json(object(&find(&app, &project, &id).await?)))
}

pub async fn read(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    Ok(Json(object(&find(&app, &caller.project, &session(&id)?).await?)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangedConversation {
    metadata: Option<Map<String, Value>>,
}

pub async fn change(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Body { value: request, .. }: Body<ChangedConversation>,
) -> Result<Json<Value>, ApiError> {
    let metadata = metadata(request.metadata.unwrap_or_default(), &app.bounds)?;
    let change = SessionChange { metadata: Some(metadata), ..SessionChange::default() };
    let changed = app.scheduler.change_session(caller.project, session(&id)?, change).await.map_err(not_found)?;
    Ok(Json(object(&changed)))
}

pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    app.scheduler.delete_session(caller.project, session(&id)?).await.map_err(not_found)?;
    Ok(Json(json!({"id": id, "object": "conversation.deleted", "deleted": true})))
}

/// The items of the head's path, newest first unless asked otherwise.
pub async fn list(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ItemsQuery>,
) -> Result<Json<Value>, ApiError> {
    let (session, mut listed) = (session(&id)?, Listed::new(query)?);
    find(&app, &caller.project, &session).await?;
    let mut after = None;
    if let Some(cursor) = listed.cursor() {
        let place = stored(&app, &caller.project, &session, &cursor).await?.ok_or(store::Error::BadCursor)?;
        after = Some(place.message.to_string());
        // A message may be several items, and the cursor one in their middle.
        listed.add(place.items);
    }
    let path = app.store().path(caller.project, session, None, listed.page(after)).await?;
    for found in &path.messages {
        let turn = path.turns.get(&found.message.turn_id);
        listed.add(turn.map(|turn| items::of_path(found, turn)).unwrap_or_default());
    }
    Ok(Json(listed.answer()?))
}

pub async fn item(
    State(app): State<App>,
    caller: Caller,
    Path((id, item)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = session(&id)?;
    find(&app, &caller.project, &session).await?;
    let found = stored(&app, &caller.project, &session, &item).await?;
    let items = found.map(|found| found.items).unwrap_or_default();
    let wanted = items.into_iter().find(|found| found["id"] == item);
    wanted.map(Json).ok_or_else(|| ApiError::not_found("item_not_found", "The conversation has no item of that id."))
}

/// A message, and the items that it is.
struct Stored {
    message: MessageId,
    items: Vec<Value>,
}

/// The message that an item is of.
async fn stored(app: &App, project: &ProjectId, session: &SessionId, item: &str) -> Result<Option<Stored>, ApiError> {
    match ids::source(item) {
        None => Ok(None),
        Some(Source::Input(id)) => {
            let found = app.store().input_message(project.clone(), session.clone(), id).await?;
            Ok(found.map(|found| Stored { items: items::of_input(&found.id, &found.message), message: found.id }))
        }
        Some(Source::Answer(turn)) => {
            let turn = app.store().turn(project.clone(), turn).await?.filter(|turn| turn.session == *session);
            let Some((turn, answer)) = turn.and_then(|turn| turn.answer.clone().map(|answer| (turn, answer))) else {
                return Ok(None);
            };
            let items = items::of_answer(&turn.id, &answer.message, items::status_after(turn.status));
            Ok(Some(Stored { message: answer.id, items }))
        }
    }
}

fn session(id: &str) -> Result<SessionId, ApiError> {
    ids::session(id).ok_or_else(conversation_not_found)
}

async fn find(app: &App, project: &ProjectId, id: &SessionId) -> Result<Session, ApiError> {
    app.store().session(project.clone(), id.clone()).await?.ok_or_else(conversation_not_found)
}

fn not_found(error: store::Error) -> ApiError {
    match error {
        store::Error::SessionNotFound => conversation_not_found(),
        other => other.into(),
    }
}

fn object(session: &Session) -> Value {
    json!({"id": ids::conversation(&session.id), "object": "conversation", "created_at": seconds(session.created_at),
        "metadata": session.metadata})
}
