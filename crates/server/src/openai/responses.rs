//! `/v1/responses`: turns.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use scheduler::{Accepted, Aside, Ask, AskInput, Watch};
use serde::Deserialize;
use serde_json::{Value, json};
use session::{
    event::EventId,
    id::{ProjectId, TurnId},
    lane::IfBusy,
};
use store::{Parent, SessionRef, Turn};

use super::{
    fold::Fold,
    ids, items,
    list::{ItemsQuery, Listed},
    lookup,
    query::Query,
    refusal::{of_admission, of_failed},
    request::{After, ResponseRequest, Wanted, previous_response_not_found},
    stream::frames,
};
use crate::{
    answer::before_stop,
    app::App,
    auth::Caller,
    body::{Body, Nothing, OptionalBody},
    error::ApiError,
    idempotency::Key,
    if_busy::WhenBusy,
    params::Path,
    refusal::of_failed_turn,
};

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    WhenBusy(if_busy): WhenBusy,
    Body { value: request, raw }: Body<ResponseRequest>,
) -> Result<Response, ApiError> {
    let key = key.of(&caller, &raw);
    drop(raw);
    let wanted = request.wanted(&app.bounds)?;
    let (store, stream, background) = (wanted.store, wanted.stream, wanted.given.background);
    let model = wanted.config.as_ref().map(ToString::to_string);
    let refused = |error| of_admission(error, model.as_deref());
    let ask = ask(&app, &caller.project, wanted).await.and_then(refuse_silence);
    let (turn, watch) = if store {
        let Accepted { turn, watch, .. } = match ask {
            Ok(ask) => app.scheduler.admit(Ask { if_busy, key, ..ask }).await.map_err(refused)?,
            // What a retry names may have been deleted since.
            Err(error) => app.scheduler.admitted(caller.project.clone(), key).await?.ok_or(error)?,
        };
        (find(&app, &caller.project, &turn).await?, watch)
    } else {
        let Aside { turn, watch } = app.scheduler.aside(ask?).await.map_err(refused)?;
        (turn, watch)
    };
    let fold = Fold::new(turn, store, app.dialect);
    if stream {
        return Ok(app.streams.answer(frames(watch, fold, None)));
    }
    if background {
        return Ok(Json(response(&app, &caller.project, watch.turn().clone()).await?).into_response());
    }
    let turn = watch.turn().clone();
    let fold = before_stop(&app, &turn, whole(watch, fold)).await?;
    match fold.failed() {
        Some(failed) if fold.is_stored() => Ok(of_failed(failed)),
        Some(failed) => Err(of_failed_turn(failed)),
        None => Ok(Json(fold.response()).into_response()),
    }
}

/// The response once it has ended.
async fn whole(mut watch: Watch, mut fold: Fold) -> store::Result<Fold> {
    while let Some(shown) = watch.next().await {
        for shown in shown? {
            fold.push(shown.id, &shown.event, shown.turn.as_deref());
        }
    }
    Ok(fold)
}

fn refuse_silence(ask: Ask) -> Result<Ask, ApiError> {
    if matches!(&ask.input, AskInput::Messages(messages) if messages.is_empty()) {
        let message = "`input` is missing, or holds nothing that is new to the conversation and can be read: what is to be answered?";
        return Err(ApiError::bad_request("missing_required_parameter", message).param("input"));
    }
    Ok(ask)
}

/// What a request asks for. It may say nothing that is new.
pub async fn ask(app: &App, project: &ProjectId, wanted: Wanted) -> Result<Ask, ApiError> {
    // A conversation has an order; a response that names the one before it, or none, asks for no other.
    let (session, parent, free) = match wanted.after {
        After::Nothing => (None, Parent::Head, true),
        After::Session(session) => (Some(session), Parent::Head, false),
        After::Turn(turn) => {
            let before = there(app.store().turn(project.clone(), turn.clone()).await?);
            (Some(before.ok_or_else(previous_response_not_found)?.session), Parent::Turn(turn), true)
        }
    };
    let messages = lookup::messages(app, project, session.as_ref(), "input", wanted.items).await?;
    Ok(Ask {
        project: project.clone(),
        session: session.map(SessionRef::Existing),
        input: AskInput::Messages(messages),
        parent,
        options: wanted.options,
        metadata: wanted.metadata,
        request: wanted.given.stored(),
        config: wanted.config,
        if_busy: IfBusy::Queue,
        free,
        key: None,
    })
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReadQuery {
    stream: bool,
    /// The number of the last event that the client has.
    starting_after: Option<u64>,
    #[serde(rename = "include_obfuscation")]
    _include_obfuscation: Option<bool>,
}

pub async fn read(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ReadQuery>,
) -> Result<Response, ApiError> {
    let turn = find(&app, &caller.project, &turn_id(&id)?).await?;
    if !query.stream {
        if query.starting_after.is_some() {
            let message = "`starting_after` says where a stream goes on: send `stream=true` with it.";
            return Err(ApiError::bad_request("invalid_value", message).param("starting_after"));
        }
        return Ok(Json(response(&app, &caller.project, turn.id).await?).into_response());
    }
    let watch = app.scheduler.watch(caller.project, turn.id.clone(), EventId::START);
    Ok(app.streams.answer(frames(watch, Fold::new(turn, true, app.dialect), query.starting_after)))
}

/// A response that has ended is given as it is.
pub async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    _: OptionalBody<Nothing>,
) -> Result<Json<Value>, ApiError> {
    let turn = find(&app, &caller.project, &turn_id(&id)?).await?.id;
    app.scheduler.cancel(caller.project.clone(), turn.clone()).await?;
    Ok(Json(response(&app, &caller.project, turn).await?))
}

/// What was said stays in its conversation. A response that has not ended is cancelled first.
pub async fn delete(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let turn = find(&app, &caller.project, &turn_id(&id)?).await?.id;
    app.scheduler.delete_response(caller.project, turn).await.map_err(|error| match error {
        store::Error::TurnNotFound => not_found(),
        other => other.into(),
    })?;
    Ok(Json(json!({"id": id, "object": "response", "deleted": true})))
}

/// What the response itself was asked with; what came before it is in its conversation.
pub async fn input_items(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ItemsQuery>,
) -> Result<Json<Value>, ApiError> {
    let mut listed = Listed::new(query)?;
    let turn = find(&app, &caller.project, &turn_id(&id)?).await?;
    let input = app.store().input(caller.project, turn.id).await?;
    let said = input.iter().flat_map(|input| items::of_input(&input.id, &input.message)).collect();
    listed.add(said);
    listed.skip_to_cursor()?;
    Ok(Json(listed.answer()))
}

/// The response as it stands.
async fn response(app: &App, project: &ProjectId, turn: TurnId) -> Result<Value, ApiError> {
    let found = app.scheduler.so_far(project.clone(), turn).await?;
    let found = found.filter(|found| !found.turn.response_deleted).ok_or_else(not_found)?;
    let mut fold = Fold::new(found.turn.clone(), true, app.dialect);
    for stored in &found.events {
        fold.push(stored.id, &stored.event, Some(&found.turn));
    }
    Ok(fold.response())
}

async fn find(app: &App, project: &ProjectId, id: &TurnId) -> Result<Turn, ApiError> {
    there(app.store().turn(project.clone(), id.clone()).await?).ok_or_else(not_found)
}

/// A turn that has been deleted as a response is none any more.
fn there(turn: Option<Turn>) -> Option<Turn> {
    turn.filter(|turn| !turn.response_deleted)
}

fn turn_id(response: &str) -> Result<TurnId, ApiError> {
    ids::turn(response).ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::not_found("response_not_found", "There is no response of that id.")
}
