//! From a turn's events to chunks of a chat completion.

use serde_json::{Value, json};
use session::event::{Event, Snapshot};
use store::Turn;

use super::object::{finish_reason, id, named, usage};
use crate::{
    completion::{self, Told},
    error::ApiError,
    openai::response::seconds,
    sse,
};

pub struct Fold {
    id: String,
    created: i64,
    model: String,
    include_usage: bool,
    /// The first chunk has told the role.
    begun: bool,
    calls: Vec<Call>,
    told: Vec<Told>,
}

/// What is known of a tool call, until it is shown: clients want its id and its whole name at once, and the name may
/// come in pieces.
#[derive(Default)]
struct Call {
    id: String,
    name: String,
    shown: bool,
}

impl Fold {
    pub fn new(turn: &Turn, model: Option<String>, include_usage: bool) -> Fold {
        Fold {
            id: id(turn),
            created: seconds(turn.created_at),
            model: named(turn, model),
            include_usage,
            begun: false,
            calls: Vec::new(),
            told: Vec::new(),
        }
    }

    fn answer(&mut self, event: &Event) {
        match event {
            Event::Text { text, .. } => self.say("content", text),
            Event::Refusal { text, .. } => self.say("refusal", text),
            Event::Reasoning { text, .. } => self.say("reasoning_content", text),
            Event::ToolCall { index, id, name, arguments } => {
                self.call(*index, id.as_deref(), name.as_deref(), arguments);
            }
            Event::Snapshot(snapshot) => self.snapshot(snapshot),
            Event::Queued { .. } | Event::Started { .. } | Event::PartDone { .. } | Event::Ended => {}
        }
    }

    /// A stream begins at the start of the log, which says what a snapshot repeats, unless the log was thrown away.
    fn snapshot(&mut self, snapshot: &Snapshot) {
        if self.begun || !self.calls.is_empty() {
            return;
        }
        let texts =
            [("reasoning_content", &snapshot.reasoning), ("content", &snapshot.text), ("refusal", &snapshot.refusal)];
        for (field, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            self.say(field, text);
        }
        for (call, index) in snapshot.tool_calls.iter().zip(0..) {
            self.call(index, Some(&call.id), Some(&call.name), &call.arguments);
        }
    }

    fn say(&mut self, field: &str, text: &str) {
        self.show_calls();
        self.begin(if field == "content" { json!("") } else { Value::Null });
        self.delta(json!({ field: text }));
    }

    /// The native log gives calls their indexes in order, without gaps.
    fn call(&mut self, index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) {
        let at = index as usize;
        if at >= self.calls.len() {
            self.show_calls();
            self.calls.resize_with(at + 1, Call::default);
        }
        let call = &mut self.calls[at];
        if let Some(id) = id.filter(|_| call.id.is_empty()) {
            call.id = id.to_owned();
        }
        call.name.push_str(name.unwrap_or_default());
        if arguments.is_empty() {
            return;
        }
        self.show_calls();
        self.delta(json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}));
    }

    /// A name is whole when something else follows it.
    fn show_calls(&mut self) {
        for at in 0..self.calls.len() {
            if std::mem::replace(&mut self.calls[at].shown, true) {
                continue;
            }
            self.begin(Value::Null);
            let Call { id, name, .. } = &self.calls[at];
            let function = json!({"name": name, "arguments": ""});
            self.delta(json!({"tool_calls": [{"index": at, "id": id, "type": "function", "function": function}]}));
        }
    }

    fn begin(&mut self, content: Value) {
        if !std::mem::replace(&mut self.begun, true) {
            self.delta(json!({"role": "assistant", "content": content, "refusal": null}));
        }
    }

    fn end(&mut self, ended: &Turn) {
        self.show_calls();
        self.begin(json!(""));
        self.choice(json!({}), json!(finish_reason(ended)));
        if self.include_usage {
            let mut chunk = self.chunk(json!([]));
            chunk["usage"] = usage(ended.usage);
            self.told.push(Told::Data(chunk));
        }
        self.told.push(Told::Done);
    }

    fn delta(&mut self, delta: Value) {
        self.choice(delta, Value::Null);
    }

    fn choice(&mut self, delta: Value, finish_reason: Value) {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish_reason});
        let chunk = self.chunk(json!([choice]));
        self.told.push(Told::Data(chunk));
    }

    fn chunk(&self, choices: Value) -> Value {
        let mut chunk = json!({"id": self.id, "object": "chat.completion.chunk", "created": self.created,
            "model": self.model, "system_fingerprint": null, "choices": choices});
        if self.include_usage {
            chunk["usage"] = Value::Null;
        }
        chunk
    }
}

impl completion::Fold for Fold {
    const KEEP_ALIVE: &'static [u8] = sse::COMMENT;

    fn push(&mut self, event: &Event, ended: Option<&Turn>) -> Vec<Told> {
        match ended {
            Some(ended) => self.end(ended),
            None => self.answer(event),
        }
        std::mem::take(&mut self.told)
    }

    /// Without `[DONE]`, which would say that all is well. OpenAI's clients raise what stands in `error`.
    fn fail(&mut self, error: &ApiError) -> Vec<Told> {
        vec![Told::Data(json!({"error": error.detail()}))]
    }
}

#[cfg(test)]
mod tests;
