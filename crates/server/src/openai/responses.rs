//! `/v1/responses`: turns.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use scheduler::{Accepted, Ask, AskInput, MESSAGES_MAX};
use serde::Deserialize;
use serde_json::Value;
use session::{
    event::EventId,
    id::{ProjectId, TurnId},
    lane::IfBusy,
    turn::Status,
};
use store::{Idempotency, Order, Page, Parent, Turn};

use super::{
    fold::Fold,
    ids, items,
    list::{ItemsQuery, Listed},
    refusal::{of_admission, of_failed},
    request::{After, ResponseRequest, Wanted, previous_response_not_found},
    stream::frames,
};
use crate::{
    app::App,
    auth::Caller,
    body::{Body, Nothing, OptionalBody},
    error::ApiError,
    idempotency::Key,
    params::{Path, Query},
};

pub async fn create(
    State(app): State<App>,
    caller: Caller,
    key: Key,
    Body { value: request, raw }: Body<ResponseRequest>,
) -> Result<Response, ApiError> {
    let key = key.of(&caller, &raw);
    drop(raw);
    let wanted = request.wanted(&app.bounds)?;
    let (stream, background) = (wanted.stream, wanted.given.background);
    let model = wanted.config.as_ref().map(ToString::to_string);
    let ask = ask(&app, &caller.project, wanted, key).await?;
    let accepted = app.scheduler.admit(ask).await.map_err(|error| of_admission(error, model.as_deref()))?;
    let Accepted { turn, watch, .. } = accepted;
    if stream {
        let fold = Fold::new(find(&app, &caller.project, &turn).await?);
        return Ok(app.streams.answer(frames(watch, fold, None)));
    }
    if !background {
        let ended = watch.end().await.map_err(|error| ApiError::from(error).turn_id(turn.to_string()))?;
        if ended.status == Status::Failed {
            return Ok(of_failed(&ended));
        }
    }
    Ok(Json(response(&app, &caller.project, turn).await?).into_response())
}

async fn ask(app: &App, project: &ProjectId, wanted: Wanted, key: Option<Idempotency>) -> Result<Ask, ApiError> {
    let (session, parent) = match wanted.after {
        After::Nothing => (None, Parent::Head),
        After::Session(session) => (Some(session), Parent::Head),
        After::Turn(turn) => {
            let before = app.store().turn(project.clone(), turn.clone()).await?;
            (Some(before.ok_or_else(previous_response_not_found)?.session), Parent::Turn(turn))
        }
    };
    Ok(Ask {
        project: project.clone(),
        session,
        input: AskInput::Messages(wanted.messages),
        parent,
        options: wanted.options,
        metadata: wanted.metadata,
        request: wanted.given.stored(),
        config: wanted.config,
        if_busy: IfBusy::Queue,
        key,
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
    Ok(app.streams.answer(frames(watch, Fold::new(turn), query.starting_after)))
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

/// What the response itself was asked with; what came before it is in its conversation.
pub async fn input_items(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<ItemsQuery>,
) -> Result<Json<Value>, ApiError> {
    let mut listed = Listed::new(query)?;
    let turn = find(&app, &caller.project, &turn_id(&id)?).await?;
    let mut said: Vec<Value> = turn.input.iter().flat_map(|input| items::of_input(&input.id, &input.message)).collect();
    if turn.number.is_some() {
        let newest = Page { limit: MESSAGES_MAX as u32 + 1, after: None, before: None, order: Order::Desc };
        let path = app.store().path(caller.project, turn.session, Some(turn.id.clone()), newest).await?;
        let own = path.messages.iter().rev().filter(|found| found.message.turn_id == turn.id);
        let input = own.filter(|found| found.place < turn.asked).map(|found| &found.message);
        said = input.flat_map(|input| items::of_input(&input.id, &input.message)).collect();
    }
    listed.add(said);
    Ok(Json(listed.answer()?))
}

/// The response as it stands.
async fn response(app: &App, project: &ProjectId, turn: TurnId) -> Result<Value, ApiError> {
    let found = app.scheduler.so_far(project.clone(), turn).await?.ok_or_else(not_found)?;
    let mut fold = Fold::new(found.turn.clone());
    for stored in &found.events {
        fold.push(stored.id, &stored.event, Some(&found.turn));
    }
    Ok(fold.response())
}

async fn find(app: &App, project: &ProjectId, id: &TurnId) -> Result<Turn, ApiError> {
    app.store().turn(project.clone(), id.clone()).await?.ok_or_else(not_found)
}

fn turn_id(response: &str) -> Result<TurnId, ApiError> {
    ids::turn(response).ok_or_else(not_found)
}

fn not_found() -> ApiError {
    ApiError::not_found("response_not_found", "There is no response of that id.")
}
