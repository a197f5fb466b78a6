//! What a response is asked with: a string, or items that are messages and outputs of function calls.

use scheduler::MESSAGES_MAX;
use serde::Deserialize;
use serde_json::{Map, Value};
use session::message::{Content, ImageUrl, Message, Part, Role};

use crate::{
    app::Bounds,
    check,
    error::{ApiError, clip},
};

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Input {
    Text(String),
    Items(Vec<Map<String, Value>>),
}

/// The content of a message, or the output of a call.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum InputContent {
    Text(String),
    Parts(Vec<InputPart>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
enum InputPart {
    #[serde(alias = "output_text", alias = "text")]
    InputText {
        text: String,
    },
    InputImage {
        image_url: Option<String>,
        detail: Option<String>,
        file_id: Option<String>,
    },
}

pub fn messages(input: Input, bounds: &Bounds) -> Result<Vec<Message>, ApiError> {
    let items = match input {
        Input::Text(text) => {
            let content = Content::Text(text);
            check::content(&content, "input", bounds)?;
            return Ok(vec![Message::new(Role::User, content)]);
        }
        Input::Items(items) => items,
    };
    if items.is_empty() || items.len() > MESSAGES_MAX {
        let message = format!("`input` has 1 to {MESSAGES_MAX} items.");
        return Err(ApiError::bad_request("invalid_value", message).param("input"));
    }
    let messages: Vec<Message> =
        items.into_iter().enumerate().map(|(at, item)| message(item, at, bounds)).collect::<Result<_, _>>()?;
    refuse_two_answers(&messages)?;
    Ok(messages)
}

fn message(mut item: Map<String, Value>, at: usize, bounds: &Bounds) -> Result<Message, ApiError> {
    let param = |field: &str| format!("input[{at}].{field}");
    let text = |item: &Map<String, Value>, field: &str| item.get(field).and_then(Value::as_str).map(str::to_owned);
    // An easy message leaves its type out.
    match text(&item, "type").as_deref().unwrap_or("message") {
        "message" => {
            let role = role(text(&item, "role").as_deref(), param("role"))?;
            let content = content(item.remove("content"), &param("content"))?;
            check::content(&content, &param("content"), bounds)?;
            Ok(Message::new(role, content))
        }
        "function_call_output" => {
            let call = text(&item, "call_id")
                .ok_or_else(|| invalid(param("call_id"), "A function_call_output has the `call_id` of its call."))?;
            let output = content(item.remove("output"), &param("output"))?;
            check::size(&output, &param("output"), bounds)?;
            Ok(Message { tool_call_id: Some(call), ..Message::new(Role::Tool, output) })
        }
        other => {
            let message = format!(
                "Items of type `{}` are not taken: send messages and function_call_output. What the model said is in the conversation already.",
                clip(other, 60)
            );
            Err(ApiError::bad_request("unsupported_item", message).param(param("type")))
        }
    }
}

fn role(role: Option<&str>, param: String) -> Result<Role, ApiError> {
    match role {
        Some("user") => Ok(Role::User),
        Some("system" | "developer") => Ok(Role::System),
        Some("assistant") => {
            let message = "Messages of the assistant are not taken as input: they are in the conversation already. Continue it with `conversation` or `previous_response_id`.";
            Err(ApiError::bad_request("unsupported_item", message).param(param))
        }
        _ => Err(invalid(param, "A message's `role` is user, system or developer.")),
    }
}

fn content(content: Option<Value>, param: &str) -> Result<Content, ApiError> {
    let content = content.ok_or_else(|| invalid(param.to_owned(), format!("`{param}` is missing.")))?;
    let known = "a string, or a list of input_text and input_image parts";
    let content = InputContent::deserialize(content)
        .map_err(|_| ApiError::bad_request("unsupported_content", format!("`{param}` is {known}.")).param(param))?;
    match content {
        InputContent::Text(text) => Ok(Content::Text(text)),
        InputContent::Parts(parts) => {
            Ok(Content::Parts(parts.into_iter().map(|it| part(it, param)).collect::<Result<_, _>>()?))
        }
    }
}

fn part(part: InputPart, param: &str) -> Result<Part, ApiError> {
    match part {
        InputPart::InputText { text } => Ok(Part::Text { text }),
        InputPart::InputImage { image_url: Some(url), detail, file_id: None } => {
            Ok(Part::ImageUrl { image_url: ImageUrl { url, detail } })
        }
        InputPart::InputImage { .. } => {
            let message = "An input_image has an `image_url`; files are not kept here, so `file_id` is not taken.";
            Err(ApiError::bad_request("unsupported_content", message).param(param))
        }
    }
}

fn refuse_two_answers(messages: &[Message]) -> Result<(), ApiError> {
    for (at, message) in messages.iter().enumerate() {
        let call = message.tool_call_id.as_ref();
        if call.is_some() && messages[..at].iter().any(|before| before.tool_call_id.as_ref() == call) {
            return Err(invalid(format!("input[{at}].call_id"), "Two outputs answer one function call."));
        }
    }
    Ok(())
}

fn invalid(param: String, message: impl Into<String>) -> ApiError {
    ApiError::bad_request("invalid_value", message.into()).param(param)
}
