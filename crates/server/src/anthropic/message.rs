//! A turn that did not fail as Anthropic's message.

use serde_json::{Map, Value, json};
use session::{
    message::{Message, ToolCall},
    turn::{Finish, Reason, Status, Usage},
};
use store::Turn;

/// `model` as it was asked for; `thinking` is whether the model's thoughts are given back.
pub fn object(ended: &Turn, model: &str, thinking: bool) -> Value {
    let content = ended.answer.as_ref().map(|answer| content(&answer.message, thinking));
    let mut object = begun(ended, model);
    object["content"] = content.unwrap_or_default().into();
    object["stop_reason"] = stop_reason(ended).into();
    object["usage"] = usage(ended.usage);
    object
}

/// The message before anything was said. What it costs is known at its end.
pub fn begun(turn: &Turn, model: &str) -> Value {
    json!({
        "id": format!("msg_{}", turn.id),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": null,
        "stop_sequence": null,
        "stop_details": null,
        "usage": usage(Usage::default()),
    })
}

fn content(message: &Message, thinking: bool) -> Vec<Value> {
    let mut blocks = Vec::new();
    blocks.extend(message.reasoning.as_deref().filter(|_| thinking).map(thought));
    let said = message.content.text();
    blocks.extend([&*said].into_iter().chain(message.refusal.as_deref()).filter(|said| !said.is_empty()).map(text));
    blocks.extend(message.tool_calls.iter().map(call));
    blocks
}

pub fn text(text: &str) -> Value {
    json!({"type": "text", "text": text, "citations": null})
}

/// Nobody signed it.
pub fn thought(text: &str) -> Value {
    json!({"type": "thinking", "thinking": text, "signature": ""})
}

/// Arguments that are no object, since the answer broke off or the model went wrong, have no place here.
fn call(call: &ToolCall) -> Value {
    let input: Map<String, Value> = serde_json::from_str(&call.arguments).unwrap_or_default();
    tool_use(&call.id, &call.name, input)
}

pub fn tool_use(id: &str, name: &str, input: Map<String, Value>) -> Value {
    json!({"type": "tool_use", "id": id, "name": name, "input": input})
}

/// An answer that broke off, or was cut off by somebody, is not whole: the one word for that is `max_tokens`. Upstreams
/// do not tell whether it was a stop sequence that ended an answer.
pub fn stop_reason(ended: &Turn) -> &'static str {
    let refused = ended.answer.as_ref().is_some_and(|answer| answer.message.refusal.is_some());
    match (ended.status, ended.reason, ended.finish) {
        (_, Some(Reason::ContentFilter), _) => "refusal",
        (Status::Completed, ..) if refused => "refusal",
        (Status::Completed, _, Some(Finish::ToolCalls)) => "tool_use",
        (Status::Completed, ..) => "end_turn",
        _ => "max_tokens",
    }
}

/// Tokens from a cache are not among `input_tokens` here.
pub fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt_tokens.saturating_sub(usage.cached_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
    })
}
