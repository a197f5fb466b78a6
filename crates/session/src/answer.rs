//! An answer as it grows: deltas go in, events come out, neighbours of one kind joined until somebody takes them.

use std::collections::BTreeSet;

use crate::{
    event::{Delta, Event, PartKind, Snapshot},
    message::{Content, Message, Role, ToolCall},
    turn::{Finish, Usage},
};

/// What the model has said so far, and the events not yet taken.
#[derive(Debug, Default)]
pub struct Answer {
    text: Text,
    reasoning: Text,
    refusal: Text,
    tool_calls: Vec<ToolCall>,
    /// The part that grows at present.
    open: Option<(PartKind, u32)>,
    /// The tool calls that were said to be done.
    done: BTreeSet<u32>,
    /// How many parts of each kind were begun; tool calls bring their own index.
    begun: [u32; 3],
    pending: Vec<Event>,
    pub model: Option<String>,
    pub usage: Usage,
    pub finish: Option<Finish>,
}

#[derive(Debug, Default)]
struct Text {
    text: String,
    chars: u64,
}

impl Text {
    /// Appends, and gives the offset at which the piece begins.
    fn push(&mut self, piece: &str) -> u64 {
        let offset = self.chars;
        self.text.push_str(piece);
        self.chars += piece.chars().count() as u64;
        offset
    }
}

impl Answer {
    /// An answer of which a part is known already.
    pub fn from_snapshot(snapshot: Snapshot) -> Self {
        let text = |text: String| Text { chars: text.chars().count() as u64, text };
        Answer {
            text: text(snapshot.text),
            reasoning: text(snapshot.reasoning),
            refusal: text(snapshot.refusal),
            tool_calls: snapshot.tool_calls,
            ..Answer::default()
        }
    }

    pub fn push(&mut self, delta: Delta) {
        match delta {
            Delta::Text(piece) => {
                if piece.is_empty() {
                    return;
                }
                self.open(PartKind::Message, None);
                let offset = self.text.push(&piece);
                match self.pending.last_mut() {
                    Some(Event::Text { text, .. }) => text.push_str(&piece),
                    _ => self.pending.push(Event::Text { text: piece, offset }),
                }
            }
            Delta::Reasoning { text: piece, kind } => {
                if piece.is_empty() {
                    return;
                }
                self.open(PartKind::Reasoning, None);
                let offset = self.reasoning.push(&piece);
                match self.pending.last_mut() {
                    Some(Event::Reasoning { text, kind: last, .. }) if *last == kind => text.push_str(&piece),
                    _ => self.pending.push(Event::Reasoning { text: piece, offset, kind }),
                }
            }
            Delta::Refusal(piece) => {
                if piece.is_empty() {
                    return;
                }
                self.open(PartKind::Refusal, None);
                let offset = self.refusal.push(&piece);
                match self.pending.last_mut() {
                    Some(Event::Refusal { text, .. }) => text.push_str(&piece),
                    _ => self.pending.push(Event::Refusal { text: piece, offset }),
                }
            }
            Delta::ToolCall { index, id, name, arguments } => self.push_tool_call(index, id, name, arguments),
            Delta::Model(model) => self.model = Some(model),
            Delta::Usage(usage) => self.usage = usage,
            Delta::Finish(finish) => self.finish = self.finish.or(Some(finish)),
        }
    }

    fn push_tool_call(&mut self, index: u32, id: Option<String>, name: Option<String>, arguments: String) {
        // An index beyond the next one would let an upstream make us allocate as it pleases.
        let index = index.min(self.tool_calls.len() as u32);
        self.open(PartKind::ToolCall, Some(index));
        if index as usize == self.tool_calls.len() {
            // Looked at once, however often an upstream goes back and forth. One that is not whole may go on: some send
            // the pieces of several calls in turns.
            if self.tool_calls.last().is_some_and(ToolCall::is_whole) {
                self.call_done(index - 1);
            }
            self.tool_calls.push(ToolCall::default());
        }
        let call = &mut self.tool_calls[index as usize];
        if let Some(id) = id.clone().filter(|_| call.id.is_empty()) {
            call.id = id;
        }
        if let Some(name) = &name {
            call.name.push_str(name);
        }
        call.arguments.push_str(&arguments);
        match self.pending.last_mut() {
            Some(Event::ToolCall { index: last, arguments: piece, .. })
                if *last == index && id.is_none() && name.is_none() =>
            {
                piece.push_str(&arguments);
            }
            _ => self.pending.push(Event::ToolCall { index, id, name, arguments }),
        }
    }

    fn open(&mut self, kind: PartKind, call: Option<u32>) {
        if let Some((open, index)) = self.open
            && open == kind
            && call.is_none_or(|call| call == index)
        {
            return;
        }
        self.leave();
        let index = call.unwrap_or_else(|| {
            let begun = &mut self.begun[kind as usize];
            *begun += 1;
            *begun - 1
        });
        self.open = Some((kind, index));
    }

    /// Another part grows from now on. A tool call is done on its own terms.
    fn leave(&mut self) {
        if let Some((kind, index)) = self.open.take().filter(|(kind, _)| *kind != PartKind::ToolCall) {
            self.pending.push(Event::PartDone { kind, index });
        }
    }

    fn call_done(&mut self, index: u32) {
        if self.done.insert(index) {
            self.pending.push(Event::PartDone { kind: PartKind::ToolCall, index });
        }
    }

    /// Nothing goes on any more.
    pub fn close(&mut self) {
        self.leave();
        (0..self.tool_calls.len() as u32).for_each(|index| self.call_done(index));
    }

    /// The events since the last call, in order; not yet numbered.
    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.pending)
    }

    pub fn has_events(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Bytes of everything said.
    pub fn len(&self) -> usize {
        let calls: usize = self.tool_calls.iter().map(|call| call.arguments.len() + call.name.len()).sum();
        self.text.text.len() + self.reasoning.text.len() + self.refusal.text.len() + calls
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            text: self.text.text.clone(),
            reasoning: self.reasoning.text.clone(),
            refusal: self.refusal.text.clone(),
            tool_calls: self.tool_calls.clone(),
        }
    }

    /// The assistant's message; `None` when nothing was said.
    pub fn message(&self) -> Option<Message> {
        if self.is_empty() {
            return None;
        }
        let some = |text: &Text| (!text.text.is_empty()).then(|| text.text.clone());
        Some(Message {
            role: Role::Assistant,
            content: Content::Text(self.text.text.clone()),
            tool_calls: self.tool_calls.clone(),
            tool_call_id: None,
            reasoning: some(&self.reasoning),
            refusal: some(&self.refusal),
            deleted_calls: Vec::new(),
        })
    }

    /// Takes up what an earlier owner's events said.
    pub fn replay(&mut self, event: &Event) {
        match event.clone() {
            Event::Text { text, .. } => self.push(Delta::Text(text)),
            Event::Reasoning { text, kind, .. } => self.push(Delta::Reasoning { text, kind }),
            Event::Refusal { text, .. } => self.push(Delta::Refusal(text)),
            Event::ToolCall { index, id, name, arguments } => {
                self.push(Delta::ToolCall { index, id, name, arguments });
            }
            Event::Snapshot(snapshot) => *self = Answer::from_snapshot(snapshot),
            Event::Started { model, .. } => self.model = Some(model),
            Event::PartDone { kind: PartKind::ToolCall, index } => {
                self.open = None;
                self.done.insert(index);
            }
            Event::PartDone { .. } => self.open = None,
            Event::Queued { .. } | Event::Ended => {}
        }
        self.pending.clear();
    }
}

/// An answer made again from the events of its turn.
pub fn from_events<'a>(events: impl IntoIterator<Item = &'a Event>) -> Answer {
    let mut answer = Answer::default();
    for event in events {
        answer.replay(event);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::ReasoningKind;

    fn text(piece: &str) -> Delta {
        Delta::Text(piece.into())
    }

    fn thought(piece: &str) -> Delta {
        Delta::Reasoning { text: piece.into(), kind: ReasoningKind::Text }
    }

    fn call(index: u32, id: Option<&str>, arguments: &str) -> Delta {
        Delta::ToolCall { index, id: id.map(Into::into), name: id.map(|_| "f".into()), arguments: arguments.into() }
    }

    fn answer(deltas: Vec<Delta>) -> Answer {
        let mut answer = Answer::default();
        deltas.into_iter().for_each(|delta| answer.push(delta));
        answer
    }

    #[test]
    fn neighbours_are_joined_and_parts_end_where_the_next_begins() {
        let mut answer = answer(vec![
            thought("hm"),
            thought("m"),
            text("你"),
            text("好"),
            call(0, Some("a"), "{"),
            call(0, None, "}"),
        ]);
        answer.close();
        assert_eq!(
            answer.take_events(),
            [
                Event::Reasoning { text: "hmm".into(), offset: 0, kind: ReasoningKind::Text },
                Event::PartDone { kind: PartKind::Reasoning, index: 0 },
                Event::Text { text: "你好".into(), offset: 0 },
                Event::PartDone { kind: PartKind::Message, index: 0 },
                Event::ToolCall { index: 0, id: Some("a".into()), name: Some("f".into()), arguments: "{}".into() },
                Event::PartDone { kind: PartKind::ToolCall, index: 0 },
            ]
        );
    }

    #[test]
    fn calls_in_turns_are_done_once_and_when_they_are_whole() {
        let mut answer = answer(vec![
            call(0, Some("a"), ""),
            call(1, Some("b"), "{\"x\""),
            call(0, None, "{}"),
            call(1, None, ":1}"),
            call(2, Some("c"), "{"),
        ]);
        answer.close();
        let events = answer.take_events();
        let done = |event: &Event| match event {
            Event::PartDone { index, .. } => Some(*index),
            _ => None,
        };
        let dones: Vec<(usize, u32)> =
            events.iter().enumerate().filter_map(|(at, event)| Some((at, done(event)?))).collect();
        assert_eq!(dones, [(4, 1), (6, 0), (7, 2)], "{events:?}");
        let mut again = from_events(&events);
        again.close();
        assert_eq!(again.take_events(), []);
    }

    #[test]
    fn offsets_count_characters_across_takes() {
        let mut answer = answer(vec![text("你好")]);
        answer.take_events();
        answer.push(text("x"));
        assert_eq!(answer.take_events(), [Event::Text { text: "x".into(), offset: 2 }]);
    }

    #[test]
    fn a_far_index_makes_one_call() {
        let answer = answer(vec![call(4_000_000_000, Some("a"), "{}")]);
        assert_eq!(answer.message().unwrap().tool_calls.len(), 1);
    }

    #[test]
    fn a_name_may_come_after_the_id() {
        let piece = |id: Option<&str>, name: Option<&str>| Delta::ToolCall {
            index: 0,
            id: id.map(Into::into),
            name: name.map(Into::into),
            arguments: String::new(),
        };
        let answer = answer(vec![piece(Some("a"), None), piece(None, Some("wea")), piece(Some("a"), Some("ther"))]);
        let expected = ToolCall { id: "a".into(), name: "weather".into(), arguments: String::new() };
        assert_eq!(answer.message().unwrap().tool_calls, [expected]);
    }

    #[test]
    fn what_events_say_is_what_was_said() {
        let mut first =
            answer(vec![thought("why"), text("so"), call(0, Some("a"), "{\"x\":"), call(0, None, "1}"), text("!")]);
        first.close();
        let events = first.take_events();
        assert_eq!(from_events(&events).message(), first.message());
        assert_eq!(from_events(&events).snapshot(), first.snapshot());
    }

    #[test]
    fn nothing_said_is_no_message() {
        assert_eq!(answer(vec![text(""), Delta::Finish(Finish::Stop)]).message(), None);
    }
}
