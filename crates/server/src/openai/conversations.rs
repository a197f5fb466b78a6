//! `/v1/conversations`: sessions, and what was said in them as items.

use axum::{Json, extract::State};
use futures_util::TryFutureExt;
use scheduler::{Ask, AskInput, Notice};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session::{
    id::{ProjectId, SessionId, TurnId},
    lane::{IfBusy, OnFailure},
    message::{Message, answered_before},
    title::AutoTitle,
    turn::{Options, Status},
};
use store::{Idempotency, NewSession, Parent, Session, SessionChange, SessionRef};

use super::{
    ids,
    input::{self, Input},
    items,
    list::{ItemsQuery, Listed},
    lookup::{self, Stored},
    query::Query,
    refusal::of_admission,
    request::{conversation_not_found, metadata},
    response::seconds,
};
use crate::{
    answer::before_stop,
    app::App,
    auth::Caller,
    body::{Body, OptionalBody},
    error::ApiError,
    idempotency::Key,
    params::Path,
};

/// In one request, as OpenAI has it.
const ITEMS_MAX: usize = 20;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NewConversation {
    metadata: Option<Map<String, Value>>,
    items: Option<Vec<Map<String, Value>>>,
}

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    OptionalBody { value: request, raw }: OptionalBody<NewConversation>,
) -> Result<Json<Value>, ApiError> {
    let items = match request.items.filter(|items| !items.is_empty()) {
        Some(items) => input::items(Input::Items(items), "items", ITEMS_MAX, &app.bounds)?,
        None => Vec::new(),
    };
    let messages = lookup::messages(&app, &caller.project, None, "items", items).await?;
    if !answered_before(messages.iter()).is_empty() {
        return Err(of_admission(store::Error::NoToolCalls, None).param("items"));
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
    let key = key.of(&caller, &raw);
    let id = app.store().create_session(project.clone(), new, key.clone(), clock.now()).await?;
    app.scheduler.notice(&project, Notice::SessionCreated { session: id.clone() });
    if !messages.is_empty() {
        // A second step with a key of its own: a retry of the request finds both, and makes up for what a crash left out.
        let key = key.map(|key| Idempotency { path: format!("{}#items", key.path), ..key });
        insert(&app, &project, &id, messages, key).await?;
    }
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
    let metadata = request.metadata.map(|pairs| metadata(pairs, &app.bounds)).transpose()?;
    let change = SessionChange { metadata, ..SessionChange::default() };
    let changed = app.scheduler.change_session(caller.project, session(&id)?, change).await.map_err(not_found)?;
    Ok(Json(object(&changed)))
}

pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    app.scheduler.delete_session(caller.project, session(&id)?).await.map_err(not_found)?;
    Ok(Json(json!({"id": id, "object": "conversation.deleted", "deleted": true})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewItems {
    items: Vec<Map<String, Value>>,
}

/// Puts items into the conversation, in their place behind what is being said in it.
pub async fn add(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Path(id): Path<String>,
    Query(()): Query<()>,
    Body { value: request, raw }: Body<NewItems>,
) -> Result<Json<Value>, ApiError> {
    let (session, mut listed) = (session(&id)?, Listed::all());
    let items = input::items(Input::Items(request.items), "items", ITEMS_MAX, &app.bounds)?;
    find(&app, &caller.project, &session).await?;
    let messages = lookup::messages(&app, &caller.project, None, "items", items).await?;
    if !messages.is_empty() {
        let turn = insert(&app, &caller.project, &session, messages, key.of(&caller, &raw)).await?;
        for found in app.store().input(caller.project, turn).await? {
            listed.add(items::of_input(&found.id, &found.message));
        }
    }
    Ok(Json(listed.answer()))
}

/// A turn that asks nobody, once it has had its place.
async fn insert(
    app: &App,
    project: &ProjectId,
    session: &SessionId,
    messages: Vec<Message>,
    key: Option<Idempotency>,
) -> Result<TurnId, ApiError> {
    let ask = Ask {
        project: project.clone(),
        session: Some(SessionRef::Existing(session.clone())),
        input: AskInput::Insert(messages),
        parent: Parent::Head,
        options: Options::default(),
        metadata: None,
        request: None,
        config: None,
        if_busy: IfBusy::Queue,
        free: false,
        key,
    };
    let accepted = app.scheduler.admit(ask).await.map_err(|error| of_admission(error, None))?;
    let ended = before_stop(app, &accepted.turn, accepted.watch.end().map_err(not_found)).await?;
    if ended.status == Status::Completed {
        return Ok(accepted.turn);
    }
    let message = "The items were taken out of the conversation's queue before their turn came. Send them again.";
    Err(ApiError::bad_request("items_not_added", message))
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
        // Whoever deletes items while listing them goes on behind one that is gone.
        let said = ids::said(&cursor).ok_or(store::Error::BadCursor("after"))?;
        let place = app.store().place_of(caller.project.clone(), session.clone(), said.source).await?;
        after = Some(place.ok_or(store::Error::BadCursor("after"))?.to_string());
        // A message may be several items, and the cursor one in their middle.
        if let Some(found) = stored(&app, &caller.project, &session, &cursor).await? {
            listed.add_behind(said.part, found.items);
        }
    }
    let path = app.store().path(caller.project, session, None, listed.page(after)).await?;
    for found in &path.messages {
        let turn = path.turns.get(&found.message.turn_id);
        listed.add(turn.map(|turn| items::of_path(found, turn)).unwrap_or_default());
    }
    Ok(Json(listed.answer()))
}

pub async fn item(
    State(app): State<App>,
    caller: Caller,
    Path((id, item)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = session(&id)?;
    find(&app, &caller.project, &session).await?;
    let found = stored(&app, &caller.project, &session, &item).await?;
    found.and_then(|found| found.item(&item)).map(Json).ok_or_else(item_not_found)
}

/// What it says is gone for good. Answers with the conversation.
pub async fn delete_item(
    State(app): State<App>,
    caller: Caller,
    Path((id, item)): Path<(String, String)>,
) -> Result<Json<Value>, ApiError> {
    let session = session(&id)?;
    let conversation = find(&app, &caller.project, &session).await?;
    let found = stored(&app, &caller.project, &session, &item).await?;
    found.and_then(|found| found.item(&item)).ok_or_else(item_not_found)?;
    let said = ids::said(&item).ok_or_else(item_not_found)?;
    app.scheduler.delete_said(caller.project, session, said).await.map_err(not_found)?;
    Ok(Json(object(&conversation)))
}

/// The message of this conversation that an item is of.
async fn stored(app: &App, project: &ProjectId, session: &SessionId, item: &str) -> Result<Option<Stored>, ApiError> {
    Ok(lookup::stored(app, project, item).await?.filter(|found| found.session == *session))
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
        store::Error::MessageNotFound => item_not_found(),
        other => other.into(),
    }
}

fn item_not_found() -> ApiError {
    ApiError::not_found("item_not_found", "The conversation has no item of that id.")
}

fn object(session: &Session) -> Value {
    json!({"id": ids::conversation(&session.id), "object": "conversation", "created_at": seconds(session.created_at),
        "metadata": session.metadata})
}
