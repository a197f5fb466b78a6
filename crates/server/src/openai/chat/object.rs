//! A turn that did not fail as a `chat.completion`.

use serde_json::{Value, json};
use session::{
    message::{Message, ToolCall},
    turn::{Finish, Reason, Status, Usage},
};
use store::Turn;

use crate::openai::response::{self, seconds};

/// `model` as it was asked for.
pub fn completion(ended: &Turn, model: Option<String>) -> Value {
    let message = ended.answer.as_ref().map(|answer| &answer.message);
    json!({
        "id": id(ended),
        "object": "chat.completion",
        "created": seconds(ended.created_at),
        "model": named(ended, model),
        "system_fingerprint": null,
        "choices": [{
            "index": 0,
            "message": said(message),
            "logprobs": null,
            "finish_reason": finish_reason(ended),
        }],
        "usage": usage(ended.usage),
    })
}

pub fn id(turn: &Turn) -> String {
    format!("chatcmpl-{}", turn.id)
}

pub fn named(turn: &Turn, model: Option<String>) -> String {
    model.unwrap_or_else(|| response::model(turn))
}

fn said(message: Option<&Message>) -> Value {
    let Some(message) = message else {
        return json!({"role": "assistant", "content": "", "refusal": null, "annotations": []});
    };
    let text = message.content.text();
    let content = match (text.is_empty(), message.tool_calls.is_empty() && message.refusal.is_none()) {
        (true, false) => Value::Null,
        _ => json!(text),
    };
    let mut said = json!({"role": "assistant", "content": content, "refusal": message.refusal, "annotations": []});
    if !message.tool_calls.is_empty() {
        said["tool_calls"] = message.tool_calls.iter().map(call).collect();
    }
    if let Some(reasoning) = &message.reasoning {
        said["reasoning_content"] = json!(reasoning);
    }
    said
}

fn call(call: &ToolCall) -> Value {
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}})
}

/// An answer that broke off, or was cut off by somebody, is not whole: the one word for that is `length`.
pub fn finish_reason(ended: &Turn) -> &'static str {
    match (ended.status, ended.reason, ended.finish) {
        (_, Some(Reason::ContentFilter), _) => "content_filter",
        (Status::Completed, _, Some(Finish::ToolCalls)) => "tool_calls",
        (Status::Completed, ..) => "stop",
        _ => "length",
    }
}

pub fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning_tokens,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    })
}
