//! What a response would be asked with, counted or made short. Neither is stored.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use scheduler::{Ask, AskInput};
use serde_json::{Value, json};
use session::{
    message::Role,
    summary, tokens,
    turn::{Options, Status},
};

use super::{
    ids, items,
    refusal::of_admission,
    request::ResponseRequest,
    response::{seconds, usage},
    responses::ask,
};
use crate::{app::App, auth::Caller, body::Body, error::ApiError, refusal::of_failed_turn};

/// As we count them; an upstream may count a little otherwise.
pub async fn input_tokens(
    State(app): State<App>,
    caller: Caller,
    Body { value: request, .. }: Body<ResponseRequest>,
) -> Result<Json<Value>, ApiError> {
    let model = request.model.clone();
    let ask = ask(&app, &caller.project, request.wanted(&app.bounds)?).await?;
    let tools = ask.options.tools.iter().chain(&ask.options.response_format).map(|it| tokens::count(&it.to_string()));
    let tools: u32 = tools.sum();
    let prompt = app.scheduler.draft(ask).await.map_err(|error| of_admission(error, model.as_deref()))?;
    let messages: u32 = prompt.messages.iter().map(|message| tokens::of_message(message)).sum();
    Ok(Json(json!({"object": "response.input_tokens", "input_tokens": messages + tools})))
}

/// What users said stays as it is; all the rest becomes one item that a next response can be asked with.
pub async fn compact(
    State(app): State<App>,
    caller: Caller,
    Body { value: request, .. }: Body<ResponseRequest>,
) -> Result<Response, ApiError> {
    let model = request.model.clone();
    let refused = |error| of_admission(error, model.as_deref());
    let mut ask = ask(&app, &caller.project, request.wanted(&app.bounds)?).await?;
    ask.options = Options { model: ask.options.model, system: ask.options.system, ..Options::default() };
    let prompt = app.scheduler.draft(ask.clone()).await.map_err(refused)?;
    let asked = Ask { input: with_question(ask.input), ..ask };
    let ended = app.scheduler.aside(asked).await.map_err(refused)?.watch.end().await?;
    let said = ended.answer.as_ref().map(|answer| answer.message.content.text()).filter(|said| !said.is_empty());
    let Some(summary) = said.filter(|_| ended.status == Status::Completed) else {
        let failed = ended.status == Status::Failed;
        return Err(if failed { of_failed_turn(&ended) } else { no_summary() });
    };
    let clock = app.clock();
    let users = prompt.messages.iter().filter(|message| message.role == Role::User);
    let mut output: Vec<Value> = users.flat_map(|message| items::of_input(&clock.id(), message)).collect();
    output.push(json!({
        "type": "compaction",
        "id": format!("cmp_{}", ended.id),
        "encrypted_content": app.store().seal_summary(&caller.project, &summary),
    }));
    Ok(Json(json!({
        "id": ids::response(&ended.id),
        "object": "response.compaction",
        "created_at": seconds(ended.created_at),
        "output": output,
        "usage": usage(ended.usage),
    }))
    .into_response())
}

fn with_question(input: AskInput) -> AskInput {
    match input {
        AskInput::Messages(messages) => AskInput::Messages(messages.into_iter().chain([summary::ask()]).collect()),
        other => other,
    }
}

fn no_summary() -> ApiError {
    ApiError::upstream(
        StatusCode::BAD_GATEWAY,
        "no_summary",
        "The model wrote no summary. Ask again, or for another model.",
    )
}
