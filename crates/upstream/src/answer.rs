//! A chat completion as data, and its two shapes on the wire: a stream of chunks or one body.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{request::Request, step::Step};

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub reasoning: Vec<String>,
    pub reasoning_field: String,
    pub text: Vec<String>,
    pub refusal: Vec<String>,
    pub tool_calls: Vec<ToolCall>,
    /// `None`: `stop`, or `tool_calls` when there are any.
    pub finishes: Option<Vec<String>>,
    pub usage: Usage,
    pub usage_in_last_chunk: bool,
    pub done: bool,
    pub model: Option<String>,
    pub line_end: &'static str,
    pub data_prefix: &'static str,
    pub first_wait: Option<Step>,
    pub token_wait: Option<Step>,
    /// Steps that come before the delta of that index.
    pub inserts: Vec<(usize, Step)>,
}

#[derive(Debug, Clone)]
pub(crate) enum Usage {
    Counted,
    Given(Value),
    Missing,
}

#[derive(Debug, Clone)]
pub(crate) struct ToolCall {
    pub id: String,
    pub name: String,
    pub arguments: Vec<String>,
}

/// OpenAI's `created`, in seconds. Fixed, so that answers can be compared byte by byte.
const CREATED: u64 = 1_700_000_000;

impl Answer {
    pub(crate) fn of(text: Vec<String>) -> Answer {
        Answer {
            reasoning: Vec::new(),
            reasoning_field: "reasoning_content".into(),
            text,
            refusal: Vec::new(),
            tool_calls: Vec::new(),
            finishes: None,
            usage: Usage::Counted,
            usage_in_last_chunk: false,
            done: true,
            model: None,
            line_end: "\n",
            data_prefix: "data: ",
            first_wait: None,
            token_wait: None,
            inserts: Vec::new(),
        }
    }

    pub(crate) fn stream(&self, request: &Request) -> Vec<Step> {
        let chunk = |delta: Value, finish: Option<&str>| {
            let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish});
            self.envelope(request, "chat.completion.chunk", json!([choice]))
        };
        let deltas = self.deltas();
        let mut steps = Vec::from_iter(self.first_wait.clone());
        steps.extend(self.inserted(|at| at == 0));
        steps.push(self.frame(&chunk(json!({"role": "assistant", "content": ""}), None)));
        for (index, delta) in deltas.iter().enumerate() {
            if index > 0 {
                steps.extend(self.token_wait.clone());
                steps.extend(self.inserted(|at| at == index));
            }
            steps.push(self.frame(&chunk(delta.clone(), None)));
        }
        steps.extend(self.inserted(|at| at > 0 && at >= deltas.len()));

        let finishes = self.finishes();
        for (index, finish) in finishes.iter().enumerate() {
            let mut last = chunk(json!({}), Some(finish));
            if self.usage_in_last_chunk && index + 1 == finishes.len() {
                last["usage"] = self.usage(request);
            }
            steps.push(self.frame(&last));
        }
        if request.wants_usage() && !self.usage_in_last_chunk && !matches!(self.usage, Usage::Missing) {
            let mut chunk = self.envelope(request, "chat.completion.chunk", json!([]));
            chunk["usage"] = self.usage(request);
            steps.push(self.frame(&chunk));
        }
        if self.done {
            steps.push(Step::Body(format!("{}[DONE]{1}{1}", self.data_prefix, self.line_end).into()));
        }
        steps
    }

    pub(crate) fn whole(&self, request: &Request) -> Bytes {
        let mut message = json!({"role": "assistant", "content": self.text.concat()});
        if self.text.is_empty() && !(self.tool_calls.is_empty() && self.refusal.is_empty()) {
            message["content"] = Value::Null;
        }
        if !self.reasoning.is_empty() {
            message[&self.reasoning_field] = self.reasoning.concat().into();
        }
        if !self.refusal.is_empty() {
            message["refusal"] = self.refusal.concat().into();
        }
        if !self.tool_calls.is_empty() {
            let calls = self.tool_calls.iter().map(|call| {
                let function = json!({"name": call.name, "arguments": call.arguments.concat()});
                json!({"id": call.id, "type": "function", "function": function})
            });
            message["tool_calls"] = calls.collect();
        }
        let choice = json!({"index": 0, "message": message, "finish_reason": self.finishes().last()});
        let mut body = self.envelope(request, "chat.completion", json!([choice]));
        if !matches!(self.usage, Usage::Missing) {
            body["usage"] = self.usage(request);
        }
        body.to_string().into()
    }

    fn deltas(&self) -> Vec<Value> {
        let mut deltas = Vec::new();
        deltas.extend(self.reasoning.iter().map(|text| json!({ self.reasoning_field.as_str(): text })));
        deltas.extend(self.text.iter().map(|text| json!({"content": text})));
        deltas.extend(self.refusal.iter().map(|text| json!({"refusal": text})));
        for (index, call) in self.tool_calls.iter().enumerate() {
            let function = json!({"name": call.name, "arguments": ""});
            let opening = json!({"index": index, "id": call.id, "type": "function", "function": function});
            deltas.push(json!({"tool_calls": [opening]}));
            deltas.extend(
                call.arguments
                    .iter()
                    .map(|piece| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})),
            );
        }
        deltas
    }

    fn inserted(&self, wanted: impl Fn(usize) -> bool) -> impl Iterator<Item = Step> {
        self.inserts.iter().filter(move |(at, _)| wanted(*at)).map(|(_, step)| step.clone())
    }

    fn finishes(&self) -> Vec<String> {
        let by_content = if self.tool_calls.is_empty() { "stop" } else { "tool_calls" };
        self.finishes.clone().unwrap_or_else(|| vec![by_content.into()])
    }

    fn usage(&self, request: &Request) -> Value {
        match &self.usage {
            Usage::Given(usage) => usage.clone(),
            Usage::Missing => Value::Null,
            Usage::Counted => {
                let (prompt, completion) = (request.body.len() / 4, self.deltas().len());
                json!({"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion})
            }
        }
    }

    fn envelope(&self, request: &Request, object: &str, choices: Value) -> Value {
        let id = format!("chatcmpl-{:06}", request.number);
        let model = self.model.as_deref().unwrap_or(request.model());
        json!({"id": id, "object": object, "created": CREATED, "model": model, "choices": choices})
    }

    fn frame(&self, chunk: &Value) -> Step {
        Step::Body(format!("{}{chunk}{1}{1}", self.data_prefix, self.line_end).into())
    }
}
