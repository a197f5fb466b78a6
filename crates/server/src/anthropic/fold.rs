//! From a turn's events to Anthropic's. Its blocks come one after another, and one that has stopped stays so; but some
//! upstreams write several tool calls by turns. So blocks stand in a queue: the first one streams, and those behind it
//! gather until it is whole.

use std::collections::VecDeque;

use serde_json::{Map, Value, json};
use session::event::{Event, Snapshot};
use store::Turn;

use super::{
    error,
    message::{begun, stop_reason, text, thought, tool_use, usage},
};
use crate::{
    completion::{self, Told},
    error::ApiError,
    request_id::RequestId,
};

pub struct Fold {
    /// The message before anything was said.
    begun: Value,
    shows_thinking: bool,
    request_id: RequestId,
    started: bool,
    queue: VecDeque<Block>,
    /// Of the first block in the queue.
    index: usize,
    calls: u32,
    told: Vec<Told>,
}

struct Block {
    kind: Kind,
    /// Gathered, and not told yet.
    untold: String,
    started: bool,
}

#[derive(PartialEq)]
enum Kind {
    Thinking,
    Text,
    /// Text too, but a block of its own.
    Refusal,
    Call {
        index: u32,
        id: String,
        name: String,
        arguments: String,
    },
}

impl Block {
    fn new(kind: Kind) -> Block {
        Block { kind, untold: String::new(), started: false }
    }

    /// Nothing more comes for it, now that something else has come.
    fn is_whole(&self) -> bool {
        match &self.kind {
            Kind::Call { arguments, .. } => serde_json::from_str::<Map<String, Value>>(arguments).is_ok(),
            Kind::Thinking | Kind::Text | Kind::Refusal => true,
        }
    }

    /// A call's name may come in pieces, and is whole when its arguments begin.
    fn may_start(&self) -> bool {
        match &self.kind {
            Kind::Call { arguments, .. } => !arguments.is_empty(),
            Kind::Thinking | Kind::Text | Kind::Refusal => true,
        }
    }

    fn empty(&self) -> Value {
        match &self.kind {
            Kind::Thinking => thought(""),
            Kind::Text | Kind::Refusal => text(""),
            Kind::Call { id, name, .. } => tool_use(id, name, Map::new()),
        }
    }

    fn delta(&self) -> Value {
        match &self.kind {
            Kind::Thinking => json!({"type": "thinking_delta", "thinking": self.untold}),
            Kind::Text | Kind::Refusal => json!({"type": "text_delta", "text": self.untold}),
            Kind::Call { .. } => json!({"type": "input_json_delta", "partial_json": self.untold}),
        }
    }
}

impl Fold {
    pub fn new(turn: &Turn, model: String, shows_thinking: bool, request_id: RequestId) -> Fold {
        Fold {
            begun: begun(turn, &model),
            shows_thinking,
            request_id,
            started: false,
            queue: VecDeque::new(),
            index: 0,
            calls: 0,
            told: Vec::new(),
        }
    }

    fn start(&mut self) {
        if !std::mem::replace(&mut self.started, true) {
            let message = self.begun.clone();
            self.tell("message_start", json!({"message": message}));
        }
    }

    fn answer(&mut self, event: &Event) {
        match event {
            Event::Text { text, .. } => self.say(Kind::Text, text),
            Event::Refusal { text, .. } => self.say(Kind::Refusal, text),
            Event::Reasoning { text, .. } => self.say(Kind::Thinking, text),
            Event::ToolCall { index, id, name, arguments } => {
                self.call(*index, id.as_deref(), name.as_deref(), arguments);
            }
            Event::Snapshot(snapshot) => self.snapshot(snapshot),
            Event::Queued { .. } | Event::Started { .. } | Event::PartDone { .. } | Event::Ended => {}
        }
        self.stream();
    }

    /// A stream begins at the start of the log, which says what a snapshot repeats, unless the log was thrown away.
    fn snapshot(&mut self, snapshot: &Snapshot) {
        if self.index > 0 || !self.queue.is_empty() {
            return;
        }
        self.say(Kind::Thinking, &snapshot.reasoning);
        self.say(Kind::Text, &snapshot.text);
        self.say(Kind::Refusal, &snapshot.refusal);
        for (call, index) in snapshot.tool_calls.iter().zip(0..) {
            self.call(index, Some(&call.id), Some(&call.name), &call.arguments);
        }
    }

    fn say(&mut self, kind: Kind, text: &str) {
        if text.is_empty() || (kind == Kind::Thinking && !self.shows_thinking) {
            return;
        }
        if self.queue.back().is_none_or(|last| last.kind != kind) {
            self.queue.push_back(Block::new(kind));
        }
        if let Some(last) = self.queue.back_mut() {
            last.untold.push_str(text);
        }
    }

    fn call(&mut self, index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) {
        if index >= self.calls {
            self.calls = index + 1;
            let (id, name, arguments) = (String::new(), String::new(), String::new());
            self.queue.push_back(Block::new(Kind::Call { index, id, name, arguments }));
        }
        let known = |block: &&mut Block| matches!(&block.kind, Kind::Call { index: known, .. } if *known == index);
        let Some(block) = self.queue.iter_mut().find(known) else { return };
        let Kind::Call { id: known_id, name: known_name, arguments: whole, .. } = &mut block.kind else { return };
        if known_id.is_empty() {
            known_id.push_str(id.unwrap_or_default());
        }
        known_name.push_str(name.unwrap_or_default());
        whole.push_str(arguments);
        block.untold.push_str(arguments);
    }

    /// Tells what can be told of the first block, and goes on to the next one when it is whole.
    fn stream(&mut self) {
        while self.queue.front().is_some_and(|first| first.may_start() || self.queue.len() > 1) {
            self.tell_first();
            let is_over = self.queue.len() > 1 && self.queue.front().is_some_and(Block::is_whole);
            if !is_over {
                return;
            }
            self.stop_first();
        }
    }

    fn tell_first(&mut self) {
        let Some(first) = self.queue.front_mut() else { return };
        let (empty, delta) = (first.empty(), first.delta());
        let starts = !std::mem::replace(&mut first.started, true);
        let has_news = !std::mem::take(&mut first.untold).is_empty();
        let index = self.index;
        if starts {
            self.tell("content_block_start", json!({"index": index, "content_block": empty}));
        }
        if has_news {
            self.tell("content_block_delta", json!({"index": index, "delta": delta}));
        }
    }

    fn stop_first(&mut self) {
        let Some(first) = self.queue.pop_front() else { return };
        let index = self.index;
        if first.kind == Kind::Thinking {
            let delta = json!({"type": "signature_delta", "signature": ""});
            self.tell("content_block_delta", json!({"index": index, "delta": delta}));
        }
        self.tell("content_block_stop", json!({"index": index}));
        self.index += 1;
    }

    fn end(&mut self, ended: &Turn) {
        while !self.queue.is_empty() {
            self.tell_first();
            self.stop_first();
        }
        let delta = json!({"stop_reason": stop_reason(ended), "stop_sequence": null, "stop_details": null});
        self.tell("message_delta", json!({"delta": delta, "usage": usage(ended.usage)}));
        self.tell("message_stop", json!({}));
    }

    fn tell(&mut self, name: &'static str, mut data: Value) {
        data["type"] = name.into();
        self.told.push(Told::Event(name, data));
    }
}

impl completion::Fold for Fold {
    const KEEP_ALIVE: &'static [u8] = b"event: ping\ndata: {\"type\":\"ping\"}\n\n";

    fn push(&mut self, event: &Event, ended: Option<&Turn>) -> Vec<Told> {
        self.start();
        match ended {
            Some(ended) => self.end(ended),
            None => self.answer(event),
        }
        std::mem::take(&mut self.told)
    }

    fn fail(&mut self, error: &ApiError) -> Vec<Told> {
        vec![Told::Event("error", error::told(error.status(), error.detail(), Some(&self.request_id)))]
    }
}

#[cfg(test)]
mod tests;
