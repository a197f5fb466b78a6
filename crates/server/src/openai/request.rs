//! The body of `POST /v1/responses`, and what a turn makes of it. What we do not do is refused by its name; fields that
//! can make no difference here are taken and have no effect (docs/openai.md says which).

use scheduler::MESSAGES_MAX;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use session::{
    id::{ConfigId, SessionId, TurnId},
    turn::Options,
};

use super::{
    given::Given,
    ids,
    input::{self, Input, Item},
};
use crate::{
    app::Bounds,
    check,
    error::{ApiError, clip},
};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResponseRequest {
    pub model: Option<String>,
    input: Option<Input>,
    instructions: Option<String>,
    conversation: Option<ConversationRef>,
    previous_response_id: Option<String>,
    metadata: Option<Map<String, Value>>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    max_output_tokens: Option<u64>,
    tools: Option<Vec<Map<String, Value>>>,
    tool_choice: Option<Value>,
    parallel_tool_calls: Option<bool>,
    text: Option<TextOptions>,
    reasoning: Option<ReasoningOptions>,
    store: Option<bool>,
    background: Option<bool>,
    stream: Option<bool>,
    service_tier: Option<String>,
    top_logprobs: Option<u32>,
    #[serde(rename = "include")]
    _include: Option<Vec<String>>,
    #[serde(rename = "truncation")]
    _truncation: Option<String>,
    max_tool_calls: Option<u32>,
    prompt_cache_key: Option<String>,
    prompt_cache_retention: Option<String>,
    safety_identifier: Option<String>,
    #[serde(rename = "stream_options")]
    _stream_options: Option<Map<String, Value>>,
    user: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected an id, or an object with an `id`")]
enum ConversationRef {
    Id(String),
    Object { id: String },
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TextOptions {
    format: Option<Map<String, Value>>,
    verbosity: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReasoningOptions {
    effort: Option<String>,
    summary: Option<String>,
    /// Its older name.
    generate_summary: Option<String>,
}

/// A request that fits, in our words.
#[derive(Debug)]
pub struct Wanted {
    pub after: After,
    pub config: Option<ConfigId>,
    /// None where there was no input.
    pub items: Vec<Item>,
    pub options: Options,
    pub metadata: Option<Value>,
    pub given: Given,
    pub store: bool,
    pub stream: bool,
}

/// What the response continues.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// A new session.
    Nothing,
    Session(SessionId),
    Turn(TurnId),
}

impl ResponseRequest {
    pub fn wanted(self, bounds: &Bounds) -> Result<Wanted, ApiError> {
        self.refuse_what_is_missing()?;
        let (config, model) = match &self.model {
            None => (None, None),
            Some(name) => model(name).map(|(config, model)| (Some(config), model))?,
        };
        let metadata = self.metadata.map(|pairs| metadata(pairs, bounds)).transpose()?;
        let mut extra = Map::new();
        extra.extend(self.presence_penalty.map(|penalty| ("presence_penalty".to_owned(), json!(penalty))));
        extra.extend(self.frequency_penalty.map(|penalty| ("frequency_penalty".to_owned(), json!(penalty))));
        extra.extend(self.parallel_tool_calls.map(|parallel| ("parallel_tool_calls".to_owned(), json!(parallel))));
        let reasoning = self.reasoning.unwrap_or_default();
        extra.extend(reasoning.effort.map(|effort| ("reasoning_effort".to_owned(), json!(effort))));
        let text = self.text.unwrap_or_default();
        extra.extend(text.verbosity.map(|verbosity| ("verbosity".to_owned(), json!(verbosity))));
        let options = Options {
            model,
            system: self.instructions,
            tools: self.tools.filter(|tools| !tools.is_empty()).map(tools).transpose()?,
            tool_choice: self.tool_choice.map(tool_choice).transpose()?,
            temperature: self.temperature,
            top_p: self.top_p,
            max_tokens: self.max_output_tokens,
            response_format: text.format.map(response_format).transpose()?.flatten(),
            extra,
            ..Options::default()
        };
        check::options(&options).map_err(max_output_tokens)?;
        Ok(Wanted {
            after: after(self.conversation, self.previous_response_id)?,
            config,
            items: match self.input {
                Some(input) => input::items(input, "input", MESSAGES_MAX, bounds)?,
                None => Vec::new(),
            },
            options,
            metadata,
            given: Given {
                background: self.background.unwrap_or(false),
                max_tool_calls: self.max_tool_calls,
                prompt_cache_key: self.prompt_cache_key,
                prompt_cache_retention: self.prompt_cache_retention,
                reasoning_summary: reasoning.summary.or(reasoning.generate_summary),
                safety_identifier: self.safety_identifier,
                user: self.user,
            },
            store: self.store.unwrap_or(true),
            stream: self.stream.unwrap_or(false),
        })
    }

    fn refuse_what_is_missing(&self) -> Result<(), ApiError> {
        if self.store == Some(false) && self.background == Some(true) {
            let message = "A response that is not stored cannot be asked for later: send `background` or `store: false`, not both.";
            return Err(invalid("store", message));
        }
        if self.top_logprobs.is_some_and(|count| count > 0) {
            return Err(unsupported("top_logprobs", "`top_logprobs` is not supported. Leave it out."));
        }
        match self.service_tier.as_deref() {
            None | Some("auto" | "default") => Ok(()),
            Some(_) => Err(unsupported("service_tier", "`service_tier` is auto or default here: there is one tier.")),
        }
    }
}

pub fn unsupported(param: impl Into<String>, message: impl Into<String>) -> ApiError {
    ApiError::bad_request("unsupported_parameter", message.into()).param(param)
}

fn invalid(param: impl Into<String>, message: impl Into<String>) -> ApiError {
    ApiError::bad_request("invalid_value", message.into()).param(param)
}

/// A config, or `config/model`.
pub fn model(name: &str) -> Result<(ConfigId, Option<String>), ApiError> {
    let (config, model) = match name.split_once('/') {
        None => (name, None),
        Some((config, model)) => (config, Some(model.to_owned()).filter(|model| !model.is_empty())),
    };
    config.parse().map(|config| (config, model)).map_err(|_| model_not_found(name))
}

pub fn model_not_found(name: &str) -> ApiError {
    let message = format!(
        "There is no model `{}`. A model here is a config's id, or config/model; GET /v1/models lists them.",
        clip(name, 80)
    );
    ApiError::not_found("model_not_found", message).param("model")
}

/// OpenAI's bounds: 16 pairs, keys of 64 characters, values that are strings of 512.
pub fn metadata(pairs: Map<String, Value>, bounds: &Bounds) -> Result<Value, ApiError> {
    const PAIRS_MAX: usize = 16;
    if pairs.len() > PAIRS_MAX {
        return Err(invalid("metadata", format!("`metadata` has at most {PAIRS_MAX} pairs.")));
    }
    for (key, value) in &pairs {
        let fits = value.as_str().is_some_and(|value| value.chars().count() <= 512) && key.chars().count() <= 64;
        if !fits {
            let message = "A key of `metadata` has at most 64 characters, and its value is a string of at most 512.";
            return Err(invalid(format!("metadata.{}", clip(key, 64)), message));
        }
    }
    let metadata = Value::Object(pairs);
    check::metadata(&metadata, bounds)?;
    Ok(metadata)
}

fn after(conversation: Option<ConversationRef>, previous: Option<String>) -> Result<After, ApiError> {
    match (conversation, previous) {
        (None, None) => Ok(After::Nothing),
        (Some(ConversationRef::Id(id) | ConversationRef::Object { id }), None) => {
            ids::session(&id).map(After::Session).ok_or_else(|| conversation_not_found().param("conversation"))
        }
        (None, Some(id)) => ids::turn(&id).map(After::Turn).ok_or_else(previous_response_not_found),
        (Some(_), Some(_)) => Err(ApiError::bad_request(
            "mutually_exclusive_parameters",
            "Send `conversation` or `previous_response_id`, not both: each says what the response continues.",
        )
        .param("previous_response_id")),
    }
}

pub fn conversation_not_found() -> ApiError {
    ApiError::not_found("conversation_not_found", "There is no conversation of that id.")
}

pub fn previous_response_not_found() -> ApiError {
    ApiError::bad_request("previous_response_not_found", "There is no response of that id to continue.")
        .param("previous_response_id")
}

/// From `{"type": "function", …}` to chat-completions' nested form.
fn tools(tools: Vec<Map<String, Value>>) -> Result<Value, ApiError> {
    let nested = tools.into_iter().enumerate().map(|(at, tool)| {
        if tool.get("type") != Some(&json!("function")) {
            let named = tool.get("type").and_then(Value::as_str).unwrap_or("none");
            let message = format!(
                "A tool of type `{}` would have to be hosted by the server. Only `function` tools are supported.",
                clip(named, 60)
            );
            return Err(ApiError::bad_request("unsupported_tool", message).param(format!("tools[{at}].type")));
        }
        if !tool.get("name").is_some_and(Value::is_string) {
            return Err(invalid(format!("tools[{at}].name"), "A function tool has a `name`."));
        }
        Ok(nested("function", tool))
    });
    Ok(Value::Array(nested.collect::<Result<_, _>>()?))
}

fn tool_choice(choice: Value) -> Result<Value, ApiError> {
    match choice {
        Value::String(word) if matches!(word.as_str(), "auto" | "none" | "required") => Ok(word.into()),
        Value::Object(choice) if choice.get("type") == Some(&json!("function")) => Ok(nested("function", choice)),
        _ => {
            let message = "`tool_choice` is auto, none, required, or {\"type\": \"function\", \"name\"}.";
            Err(unsupported("tool_choice", message))
        }
    }
}

fn response_format(format: Map<String, Value>) -> Result<Option<Value>, ApiError> {
    match format.get("type").and_then(Value::as_str) {
        Some("text") => Ok(None),
        Some("json_object") => Ok(Some(json!({"type": "json_object"}))),
        Some("json_schema") => Ok(Some(nested("json_schema", format))),
        _ => Err(invalid("text.format.type", "`text.format.type` is text, json_object or json_schema.")),
    }
}

/// `{"type", …}` as `{"type", <member>: {…}}`.
fn nested(member: &str, mut fields: Map<String, Value>) -> Value {
    let kind = fields.remove("type").unwrap_or_default();
    fields.retain(|_, value| !value.is_null());
    json!({"type": kind, member: fields})
}

/// The one option that has another name here.
fn max_output_tokens(error: ApiError) -> ApiError {
    if error.detail().param.as_deref() == Some("max_tokens") {
        return invalid("max_output_tokens", "`max_output_tokens` is at least 1.");
    }
    error
}
