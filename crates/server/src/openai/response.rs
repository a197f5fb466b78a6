//! The response object: a turn in OpenAI's words. Everything in it but `status`, `output` and what comes with the end
//! is known at admission and never changes, so that an event made again is the same to the byte.

use serde_json::{Map, Value, json};
use session::{
    time::Time,
    turn::{FailureCode, Options, Reason, Status, Usage},
};
use store::Turn;

use super::{given::Given, ids};

pub fn seconds(time: Time) -> i64 {
    time.as_ms().div_euclid(1000)
}

/// OpenAI's word for a status; the two sets are the same but for one.
pub fn status_word(status: Status) -> &'static str {
    match status {
        Status::Running => "in_progress",
        other => other.as_str(),
    }
}

/// `turn` gives what was known at admission, `ended` the rest once there is one.
pub fn object(turn: &Turn, status: Status, output: Vec<Value>, ended: Option<&Turn>) -> Value {
    let options = &turn.options;
    let given = Given::of(turn);
    let error = ended.and_then(|ended| ended.error.as_ref());
    json!({
        "id": ids::response(&turn.id),
        "object": "response",
        "created_at": seconds(turn.created_at),
        "completed_at": ended.filter(|ended| ended.status == Status::Completed).and_then(|ended| ended.ended_at).map(seconds),
        "status": status_word(status),
        "background": given.background,
        "error": error.map(|error| json!({"code": error_code(error.code), "message": error.message})),
        "incomplete_details": ended.and_then(|ended| ended.reason).map(|reason| json!({"reason": reason_word(reason)})),
        "instructions": options.system,
        "max_output_tokens": options.max_tokens,
        "max_tool_calls": given.max_tool_calls,
        "model": model(turn),
        "output": output,
        "parallel_tool_calls": options.extra.get("parallel_tool_calls").cloned().unwrap_or(json!(true)),
        "previous_response_id": turn.parent.as_ref().filter(|_| turn.parent_given).map(ids::response),
        "conversation": {"id": ids::conversation(&turn.session)},
        "prompt_cache_key": given.prompt_cache_key,
        "prompt_cache_retention": given.prompt_cache_retention,
        "reasoning": {"effort": options.extra.get("reasoning_effort"), "summary": given.reasoning_summary},
        "safety_identifier": given.safety_identifier,
        "service_tier": "default",
        "store": true,
        "temperature": options.temperature.unwrap_or(1.0),
        "text": {"format": text_format(options)},
        "tool_choice": tool_choice(options),
        "tools": tools(options),
        "top_logprobs": 0,
        "top_p": options.top_p.unwrap_or(1.0),
        "presence_penalty": number(options, "presence_penalty"),
        "frequency_penalty": number(options, "frequency_penalty"),
        "truncation": "auto",
        "usage": ended.map(|ended| usage(ended.usage)),
        "user": given.user,
        "metadata": turn.metadata.clone().unwrap_or_else(|| json!({})),
    })
}

/// The specification wants one where nothing was asked for: what OpenAI's API does then.
fn number(options: &Options, name: &str) -> Value {
    options.extra.get(name).cloned().unwrap_or(json!(0))
}

/// The config, and the model where another than its own was asked for: what a next request may say again.
pub fn model(turn: &Turn) -> String {
    let config = turn.config.as_ref().map_or("", |config| config.as_str());
    match &turn.options.model {
        Some(model) => format!("{config}/{model}"),
        None => config.to_owned(),
    }
}

pub fn usage(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    })
}

fn reason_word(reason: Reason) -> &'static str {
    match reason {
        Reason::Length => "max_output_tokens",
        Reason::ContentFilter | Reason::Interrupted => reason.as_str(),
    }
}

fn error_code(code: FailureCode) -> &'static str {
    match code {
        FailureCode::UpstreamRateLimited => "rate_limit_exceeded",
        FailureCode::ContextTooLong | FailureCode::UpstreamRejected | FailureCode::ContentFilter => "invalid_prompt",
        _ => "server_error",
    }
}

/// A function tool of ours is chat-completions': its members stand in an object of their own.
fn tools(options: &Options) -> Vec<Value> {
    let tools = options.tools.as_ref().and_then(Value::as_array);
    tools.into_iter().flatten().map(|tool| flat("function", tool)).collect()
}

fn tool_choice(options: &Options) -> Value {
    match &options.tool_choice {
        None => json!("auto"),
        Some(choice @ Value::Object(_)) => flat("function", choice),
        Some(word) => word.clone(),
    }
}

fn text_format(options: &Options) -> Value {
    match &options.response_format {
        None => json!({"type": "text"}),
        Some(format) => flat("json_schema", format),
    }
}

/// `{"type", <member>: {…}}` as `{"type", …}`.
fn flat(member: &str, nested: &Value) -> Value {
    let mut fields: Map<String, Value> = nested.as_object().cloned().unwrap_or_default();
    if let Some(Value::Object(inner)) = fields.remove(member) {
        fields.extend(inner);
    }
    Value::Object(fields)
}
