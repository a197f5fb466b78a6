//! What a response is asked with, and what is put into a conversation: a string, or items. An item is one message, so
//! that the input can be listed again as it came.

use serde::Deserialize;
use serde_json::{Map, Value};
use session::message::{Content, ImageUrl, Message, Part, Role, ToolCall};

use crate::{
    app::Bounds,
    check,
    error::{ApiError, clip},
};

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string, or a list of items")]
pub enum Input {
    Text(String),
    Items(Vec<Map<String, Value>>),
}

/// An item of an input.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    Said(Message),
    /// An item that is stored somewhere in the project, by its id.
    Reference(String),
    /// A conversation's summary, as only we can read it.
    Sealed(String),
    /// It says nothing that another model could read: reasoning that only its vendor can open.
    Nothing,
}

/// The content of a message, or the output of a call.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum InputContent {
    Text(String),
    Parts(Vec<InputPart>),
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum InputPart {
    #[serde(alias = "output_text", alias = "text")]
    InputText {
        text: String,
    },
    Refusal {
        refusal: String,
    },
    InputImage {
        image_url: Option<String>,
        detail: Option<String>,
        file_id: Option<String>,
    },
}

/// `most` bounds how many there may be.
pub fn items(input: Input, param: &str, most: usize, bounds: &Bounds) -> Result<Vec<Item>, ApiError> {
    let items = match input {
        Input::Text(text) => {
            let content = Content::Text(text);
            check::content(&content, param, bounds)?;
            return Ok(vec![Item::Said(Message::new(Role::User, content))]);
        }
        Input::Items(items) => items,
    };
    if items.is_empty() || items.len() > most {
        return Err(ApiError::bad_request("invalid_value", format!("`{param}` has 1 to {most} items.")).param(param));
    }
    let items: Vec<Item> = items
        .into_iter()
        .enumerate()
        .map(|(at, value)| item(&value, &format!("{param}[{at}]"), bounds))
        .collect::<Result<_, _>>()?;
    refuse_two_answers(&items, param)?;
    Ok(items)
}

/// One item; `at` is where it stands in its request.
pub fn item(item: &Map<String, Value>, at: &str, bounds: &Bounds) -> Result<Item, ApiError> {
    let item = Fields { item, at, bounds };
    match item.kind() {
        "message" => item.message().map(Item::Said),
        "function_call" => item.function_call().map(Item::Said),
        "function_call_output" => item.function_call_output().map(Item::Said),
        "reasoning" => item.reasoning().map(|thoughts| thoughts.map_or(Item::Nothing, Item::Said)),
        "compaction" => Ok(Item::Sealed(item.text("encrypted_content")?.to_owned())),
        "item_reference" => Ok(Item::Reference(item.text("id")?.to_owned())),
        other => {
            let message = format!(
                "Items of type `{}` are not taken: only messages, function_call, function_call_output, reasoning, compaction and item_reference.",
                clip(other, 60)
            );
            Err(ApiError::bad_request("unsupported_item", message).param(item.param("type")))
        }
    }
}

/// The fields of an item, and where it stands in its request.
struct Fields<'a> {
    item: &'a Map<String, Value>,
    at: &'a str,
    bounds: &'a Bounds,
}

impl Fields<'_> {
    fn param(&self, field: &str) -> String {
        format!("{}.{field}", self.at)
    }

    /// A field that is null is as good as none.
    fn get(&self, field: &str) -> Option<&Value> {
        self.item.get(field).filter(|value| !value.is_null())
    }

    fn text(&self, field: &str) -> Result<&str, ApiError> {
        let text = self.get(field).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| invalid(self.param(field), format!("A {} has a `{field}`, a string.", self.kind())))
    }

    /// An easy message and a reference may leave their type out.
    fn kind(&self) -> &str {
        let untyped = if self.get("role").is_none() && self.get("id").is_some() { "item_reference" } else { "message" };
        self.get("type").map_or(Some(untyped), Value::as_str).unwrap_or("(not a string)")
    }

    fn message(&self) -> Result<Message, ApiError> {
        let role = match self.get("role").and_then(Value::as_str) {
            Some("user") => Role::User,
            Some("system" | "developer") => Role::System,
            Some("assistant") => Role::Assistant,
            _ => {
                return Err(invalid(self.param("role"), "A message's `role` is user, assistant, system or developer."));
            }
        };
        let (content, refusal) = self.content("content")?;
        let message = Message { refusal, ..Message::new(role, content) };
        if message.refusal.is_some() && role != Role::Assistant {
            return Err(self.unsupported("content", "Only an assistant refuses."));
        }
        if message.refusal.is_none() {
            check::content(&message.content, &self.param("content"), self.bounds)?;
        }
        Ok(message)
    }

    fn function_call(&self) -> Result<Message, ApiError> {
        let arguments = self.get("arguments").and_then(Value::as_str);
        let arguments = arguments
            .ok_or_else(|| invalid(self.param("arguments"), "A function_call has `arguments`, JSON as a string."))?;
        let call = ToolCall {
            id: self.text("call_id")?.to_owned(),
            name: self.text("name")?.to_owned(),
            arguments: arguments.to_owned(),
        };
        check::size(&Content::from(arguments), &self.param("arguments"), self.bounds)?;
        Ok(Message { tool_calls: vec![call], ..Message::assistant("") })
    }

    fn function_call_output(&self) -> Result<Message, ApiError> {
        let call = self.text("call_id")?.to_owned();
        let (output, _) = self.content("output")?;
        check::size(&output, &self.param("output"), self.bounds)?;
        Ok(Message { tool_call_id: Some(call), ..Message::new(Role::Tool, output) })
    }

    fn reasoning(&self) -> Result<Option<Message>, ApiError> {
        let texts = |field: &str| -> Vec<&str> {
            let parts = self.get(field).and_then(Value::as_array);
            parts.into_iter().flatten().filter_map(|part| part["text"].as_str()).collect()
        };
        let thoughts = Some(texts("content")).filter(|texts| !texts.is_empty()).unwrap_or_else(|| texts("summary"));
        let thoughts = thoughts.join("\n\n");
        check::size(&Content::from(thoughts.as_str()), &self.param("content"), self.bounds)?;
        Ok((!thoughts.is_empty()).then(|| Message { reasoning: Some(thoughts), ..Message::assistant("") }))
    }

    /// The words, and what of them is a refusal.
    fn content(&self, field: &str) -> Result<(Content, Option<String>), ApiError> {
        let missing = || invalid(self.param(field), format!("`{}` is missing.", self.param(field)));
        let known = "a string, or a list of input_text, output_text, refusal and input_image parts";
        let content = InputContent::deserialize(self.get(field).ok_or_else(missing)?)
            .map_err(|_| self.unsupported(field, format!("`{}` is {known}.", self.param(field))))?;
        let parts = match content {
            InputContent::Text(text) => return Ok((Content::Text(text), None)),
            InputContent::Parts(parts) => parts,
        };
        let (mut shown, mut refusal) = (Vec::new(), None);
        for part in parts {
            match part {
                InputPart::InputText { text } => shown.push(Part::Text { text }),
                InputPart::Refusal { refusal: words } => refusal = Some(words),
                InputPart::InputImage { image_url: Some(url), detail, file_id: None } => {
                    shown.push(Part::ImageUrl { image_url: ImageUrl { url, detail } });
                }
                InputPart::InputImage { .. } => {
                    let message =
                        "An input_image has an `image_url`; files are not kept here, so `file_id` is not taken.";
                    return Err(self.unsupported(field, message));
                }
            }
        }
        Ok((whole(shown), refusal))
    }

    fn unsupported(&self, field: &str, message: impl Into<String>) -> ApiError {
        ApiError::bad_request("unsupported_content", message.into()).param(self.param(field))
    }
}

/// A single text is stored as one, whichever way it came.
fn whole(mut parts: Vec<Part>) -> Content {
    match parts.as_mut_slice() {
        [] => Content::from(""),
        [Part::Text { text }] => Content::Text(std::mem::take(text)),
        _ => Content::Parts(parts),
    }
}

fn refuse_two_answers(items: &[Item], param: &str) -> Result<(), ApiError> {
    let call = |item: &Item| match item {
        Item::Said(message) => message.tool_call_id.clone(),
        Item::Reference(_) | Item::Sealed(_) | Item::Nothing => None,
    };
    for (at, item) in items.iter().enumerate() {
        let answered = call(item);
        if answered.is_some() && items[..at].iter().any(|before| call(before) == answered) {
            return Err(invalid(format!("{param}[{at}].call_id"), "Two outputs answer one function call."));
        }
    }
    Ok(())
}

fn invalid(param: String, message: impl Into<String>) -> ApiError {
    ApiError::bad_request("invalid_value", message.into()).param(param)
}
