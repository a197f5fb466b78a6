//! From a turn's events to OpenAI's: a fold that depends on nothing else, so that a stream made again from the log is
//! the same to the byte, and a client that comes back is served by folding from the start and skipping what it has.
//!
//! A message or a reasoning item ends where another item begins, or with the turn. A function call ends where its part
//! does, once its arguments are a whole object: some upstreams write several calls by turns.

mod item;

use serde_json::{Value, json};
use session::{
    event::{Event, EventId, PartKind, ReasoningKind, Snapshot},
    message::ToolCall,
    turn::Status,
};
use store::Turn;

use self::item::{Body, Item, Names, Part, Voice};
use super::{
    dialect::Dialect,
    ids::{self, Kind},
    items::{self, COMPLETED, IN_PROGRESS},
    response,
};
use crate::error::ErrorDetail;

/// An event as it goes out.
#[derive(Debug, Clone, PartialEq)]
pub struct Emitted {
    pub name: &'static str,
    pub number: u64,
    /// Nothing comes after it.
    pub is_last: bool,
    data: Value,
}

impl Emitted {
    pub fn into_data(self) -> Value {
        let mut data = self.data;
        data["type"] = self.name.into();
        data["sequence_number"] = self.number.into();
        data
    }
}

pub struct Fold {
    turn: Turn,
    /// Whether it can be asked for later.
    stored: bool,
    dialect: Dialect,
    status: Option<Status>,
    ended: Option<Turn>,
    output: Vec<Item>,
    /// What was shown is not what the turn says any more; its end tells the truth.
    superseded: bool,
    /// The number that was next when another owner took the turn over.
    taken_over_at: Option<u64>,
    next: u64,
    emitted: Vec<Emitted>,
}

impl Fold {
    /// `turn` at any time of its life.
    pub fn new(turn: Turn, stored: bool, dialect: Dialect) -> Fold {
        Fold {
            turn,
            stored,
            dialect,
            status: None,
            ended: None,
            output: Vec::new(),
            superseded: false,
            taken_over_at: None,
            next: 0,
            emitted: Vec::new(),
        }
    }

    /// The response as far as it was folded.
    pub fn response(&self) -> Value {
        let status = self.status.unwrap_or(self.turn.status);
        let output = match &self.ended {
            Some(ended) if self.superseded => {
                let status = items::status_after(ended.status);
                ended.answer.iter().flat_map(|it| items::of_answer(&ended.id, &it.message, status)).collect()
            }
            _ => self.output.iter().filter(|item| item.is_shown()).map(Item::value).collect(),
        };
        let mut response = response::object(&self.turn, status, output, self.ended.as_ref());
        if !self.stored {
            response["store"] = false.into();
            response["conversation"] = Value::Null;
        }
        response
    }

    pub fn is_stored(&self) -> bool {
        self.stored
    }

    /// The ended turn, if it failed.
    pub fn failed(&self) -> Option<&Turn> {
        self.ended.as_ref().filter(|ended| ended.status == Status::Failed)
    }

    /// The next event of the log; the last one comes with the ended turn.
    pub fn push(&mut self, id: EventId, event: &Event, ended: Option<&Turn>) -> Vec<Emitted> {
        if id.epoch > 1 {
            self.taken_over_at.get_or_insert(self.next);
        }
        match event {
            Event::Queued { .. } => {
                self.create(Status::Queued);
                self.emit_response("response.queued");
            }
            Event::Ended => ended.into_iter().for_each(|ended| self.end(ended)),
            answer => {
                self.begin();
                self.answer(answer);
            }
        }
        std::mem::take(&mut self.emitted)
    }

    fn create(&mut self, status: Status) {
        if self.status.is_none() {
            self.status = Some(status);
            self.emit_response("response.created");
        }
    }

    fn begin(&mut self) {
        self.create(Status::Running);
        let waited = self.status == Some(Status::Queued);
        if waited || self.next == 1 {
            self.status = Some(Status::Running);
            self.emit_response("response.in_progress");
        }
    }

    fn answer(&mut self, event: &Event) {
        if self.superseded {
            return;
        }
        match event {
            Event::Text { text, .. } => self.say(Voice::Text, text),
            Event::Refusal { text, .. } => self.say(Voice::Refusal, text),
            Event::Reasoning { text, kind: ReasoningKind::Text, .. } => self.say(Voice::Thought, text),
            Event::Reasoning { text, kind: ReasoningKind::Summary, .. } => self.say(Voice::Summary, text),
            Event::ToolCall { index, id, name, arguments } => {
                self.call(*index, id.as_deref(), name.as_deref(), arguments);
            }
            Event::PartDone { kind: PartKind::ToolCall, index } => self.call_done(*index),
            Event::PartDone { .. } => self.close_part(),
            Event::Snapshot(snapshot) => self.snapshot(snapshot),
            Event::Queued { .. } | Event::Started { .. } | Event::Ended => {}
        }
    }

    /// The log says first what a snapshot repeats. One that says something else takes back what cannot be taken back
    /// here; and of a turn whose log has been thrown away it is all there is.
    fn snapshot(&mut self, snapshot: &Snapshot) {
        if !self.output.is_empty() {
            self.superseded = self.said() != *snapshot;
            return;
        }
        let texts =
            [(Voice::Thought, &snapshot.reasoning), (Voice::Text, &snapshot.text), (Voice::Refusal, &snapshot.refusal)];
        for (voice, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            self.say(voice, text);
        }
        for (call, index) in snapshot.tool_calls.iter().zip(0..) {
            self.call(index, Some(&call.id), Some(&call.name), &call.arguments);
            self.call_done(index);
        }
    }

    fn said(&self) -> Snapshot {
        let mut said = Snapshot::default();
        let mut calls: Vec<(u32, &ToolCall)> = Vec::new();
        for item in &self.output {
            match &item.body {
                Body::Call { index, call, .. } => calls.push((*index, call)),
                Body::Parts { parts, .. } => parts.iter().for_each(|part| match part.voice {
                    Voice::Text => said.text.push_str(&part.text),
                    Voice::Refusal => said.refusal.push_str(&part.text),
                    Voice::Thought | Voice::Summary => said.reasoning.push_str(&part.text),
                }),
            }
        }
        calls.sort_by_key(|(index, _)| *index);
        said.tool_calls = calls.into_iter().map(|(_, call)| call.clone()).collect();
        said
    }

    fn say(&mut self, voice: Voice, text: &str) {
        let at = self.item_of(voice.item());
        let names = voice.names(self.dialect);
        let Body::Parts { parts, open, .. } = &self.output[at].body else { return };
        if !*open || parts.last().is_none_or(|last| last.voice != voice) {
            self.close_part();
            self.open_part(at, voice, &names);
        }
        let Body::Parts { parts, .. } = &mut self.output[at].body else { return };
        let Some(part) = parts.last_mut() else { return };
        part.text.push_str(text);
        let mut data = json!({"item_id": self.output[at].id, "output_index": at, "delta": text});
        data[names.index] = self.last_index(at).into();
        if voice == Voice::Text {
            data["logprobs"] = json!([]);
        }
        self.emit(names.delta, data);
    }

    /// The place of the item that grows, which is the last one, or of a new one.
    fn item_of(&mut self, wanted: Kind) -> usize {
        let grows = self
            .output
            .last()
            .is_some_and(|last| matches!(&last.body, Body::Parts { kind, .. } if *kind == wanted && last.is_open()));
        if grows {
            return self.output.len() - 1;
        }
        self.close_said(COMPLETED);
        let same = |item: &&Item| matches!(&item.body, Body::Parts { kind, .. } if *kind == wanted);
        let number = self.output.iter().filter(same).count() as u32;
        let id = ids::output_item(wanted, &self.turn.id, number);
        self.add(Item { id, status: IN_PROGRESS, body: Body::Parts { kind: wanted, parts: Vec::new(), open: false } });
        self.emit_item("response.output_item.added", self.output.len() - 1);
        self.output.len() - 1
    }

    fn open_part(&mut self, at: usize, voice: Voice, names: &Names) {
        let Body::Parts { parts, open, .. } = &mut self.output[at].body else { return };
        let index = parts.iter().filter(|part| (part.voice == Voice::Summary) == (voice == Voice::Summary)).count();
        parts.push(Part { voice, index, text: String::new() });
        *open = true;
        let mut data = json!({"item_id": self.output[at].id, "output_index": at, "part": voice.part("")});
        data[names.index] = index.into();
        self.emit(names.part_added, data);
    }

    fn last_index(&self, at: usize) -> usize {
        match &self.output[at].body {
            Body::Parts { parts, .. } => parts.last().map_or(0, |part| part.index),
            Body::Call { .. } => 0,
        }
    }

    /// Ends the part that grows, if one does.
    fn close_part(&mut self) {
        let Some(at) = self.output.len().checked_sub(1) else { return };
        let Body::Parts { parts, open, .. } = &mut self.output[at].body else { return };
        let (true, Some(part)) = (std::mem::take(open), parts.last()) else { return };
        let (names, index, text, voice) = (part.voice.names(self.dialect), part.index, part.text.clone(), part.voice);
        let mut done = json!({"item_id": self.output[at].id, "output_index": at});
        done[names.index] = index.into();
        let mut part_done = done.clone();
        part_done["part"] = voice.part(&text);
        done[names.whole] = text.into();
        if voice == Voice::Text {
            done["logprobs"] = json!([]);
        }
        self.emit(names.done, done);
        self.emit(names.part_done, part_done);
    }

    /// Ends the message or reasoning item that grows, if one does.
    fn close_said(&mut self, status: &'static str) {
        let Some(at) = self.output.len().checked_sub(1) else { return };
        if self.output[at].is_open() && matches!(self.output[at].body, Body::Parts { .. }) {
            self.close_part();
            self.output[at].status = status;
            self.emit_item("response.output_item.done", at);
        }
    }

    fn call(&mut self, index: u32, id: Option<&str>, name: Option<&str>, arguments: &str) {
        let known = |item: &Item| matches!(&item.body, Body::Call { index: known, .. } if *known == index);
        let at = self.output.iter().position(known).unwrap_or_else(|| {
            self.close_said(COMPLETED);
            let number = self.turn.answer.as_ref().map_or(index, |it| it.message.call_number(index as usize));
            let id = ids::output_item(Kind::Call, &self.turn.id, number);
            let body = Body::Call { index, call: ToolCall::default(), shown: false };
            self.add(Item { id, status: IN_PROGRESS, body });
            self.output.len() - 1
        });
        let Body::Call { call, .. } = &mut self.output[at].body else { return };
        if let Some(id) = id.filter(|_| call.id.is_empty()) {
            call.id = id.to_owned();
        }
        call.name.push_str(name.unwrap_or_default());
        if arguments.is_empty() {
            return;
        }
        // Its name may come in pieces, and is whole when the arguments begin.
        self.show_call(at);
        if let Body::Call { call, .. } = &mut self.output[at].body {
            call.arguments.push_str(arguments);
        }
        let data = json!({"item_id": self.output[at].id, "output_index": at, "delta": arguments});
        self.emit("response.function_call_arguments.delta", data);
    }

    fn show_call(&mut self, at: usize) {
        if let Body::Call { shown: shown @ false, .. } = &mut self.output[at].body {
            *shown = true;
            self.emit_item("response.output_item.added", at);
        }
    }

    fn call_done(&mut self, done: u32) {
        let whole = |item: &Item| match &item.body {
            Body::Call { index, call, .. } => *index == done && item.is_open() && call.is_whole(),
            Body::Parts { .. } => false,
        };
        if let Some(at) = self.output.iter().position(whole) {
            self.close_call(at, COMPLETED);
        }
    }

    fn close_call(&mut self, at: usize, status: &'static str) {
        self.show_call(at);
        let Body::Call { call, .. } = &self.output[at].body else { return };
        let data = json!({"item_id": self.output[at].id, "output_index": at, "name": call.name,
            "arguments": call.arguments});
        self.emit("response.function_call_arguments.done", data);
        self.output[at].status = status;
        self.emit_item("response.output_item.done", at);
    }

    fn end(&mut self, ended: &Turn) {
        self.create(Status::Running);
        let status = items::status_after(ended.status);
        if !self.superseded {
            self.close_said(status);
            for at in 0..self.output.len() {
                if self.output[at].is_open() {
                    self.close_call(at, status);
                }
            }
        }
        self.status = Some(ended.status);
        self.ended = Some(ended.clone());
        let name = match ended.status {
            Status::Completed => "response.completed",
            Status::Incomplete | Status::Cancelled => "response.incomplete",
            Status::Failed | Status::Queued | Status::Running => "response.failed",
        };
        self.emit_response(name);
        self.emitted.iter_mut().rev().take(1).for_each(|last| last.is_last = true);
    }

    /// Clients count items as they are added: a call that waits for the rest of its name is shown before the next one.
    fn add(&mut self, item: Item) {
        (0..self.output.len()).for_each(|at| self.show_call(at));
        self.output.push(item);
    }

    fn emit_response(&mut self, name: &'static str) {
        let response = self.response();
        self.emit(name, json!({ "response": response }));
    }

    fn emit_item(&mut self, name: &'static str, at: usize) {
        let mut item = self.output[at].value();
        if name.ends_with("added") && item["type"] == "function_call" {
            item["arguments"] = "".into();
        }
        self.emit(name, json!({"output_index": at, "item": item}));
    }

    fn emit(&mut self, name: &'static str, data: Value) {
        self.emitted.push(Emitted { name, number: self.next, is_last: false, data });
        self.next += 1;
    }

    /// Of a stream that cannot go on, for a client that has everything up to `after`. The response goes on without it.
    pub fn broken(&self, error: &ErrorDetail, after: Option<u64>) -> Value {
        self.dialect.error(self.next.max(after.map_or(0, |after| after + 1)), error)
    }

    /// What is left of `emitted` for a client that has everything up to `after`. One that has seen more than the log
    /// has (after a crash, or of a log thrown away) gets the end alone, numbered behind what it has: its response is
    /// what counts. Numbers given out after a crash may have been given out before it, so behind that point nothing but
    /// the end is safe to send.
    pub fn unseen(&self, emitted: Vec<Emitted>, after: Option<u64>) -> Vec<Emitted> {
        let Some(after) = after else { return emitted };
        let unsure = self.taken_over_at.is_some_and(|at| after >= at);
        let unseen = |mut event: Emitted| {
            if event.is_last && (unsure || event.number < after) {
                event.number = event.number.max(after + 1);
            }
            (event.number > after && (event.is_last || !unsure)).then_some(event)
        };
        emitted.into_iter().filter_map(unseen).collect()
    }
}

#[cfg(test)]
mod tests;
