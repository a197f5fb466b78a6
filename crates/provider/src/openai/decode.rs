//! From chunks to deltas.

use std::{borrow::Cow, collections::VecDeque};

use serde_json::value::RawValue;
use session::{
    event::{Delta, ReasoningKind},
    turn::{Finish, Usage},
};

use super::{
    calls::Calls,
    chunk::{self, Choice, Chunk, Piece},
    lenient::{Content, Part},
    refusal,
};
use crate::{
    format::{Decoder, Refusal, Trouble},
    json,
    presets::Quirks,
};

pub struct Chat {
    quirks: &'static Quirks,
    model_given: bool,
    spoke: bool,
    calls: Calls,
    usage: Option<Usage>,
    finish: Option<Finish>,
    done: bool,
}

impl Decoder for Chat {
    fn event(&mut self, name: &[u8], data: &[u8], deltas: &mut VecDeque<Delta>) -> Result<(), Trouble> {
        let data = data.trim_ascii();
        let read = match (name, data) {
            (_, b"") => Ok(()),
            (b"" | b"message", b"[DONE]") => {
                self.done = true;
                Ok(())
            }
            (b"" | b"message", _) => self.read(data, deltas),
            (b"error", _) => Err(self.reported(data)),
            _ => Ok(()),
        };
        // What goes wrong after the model has stopped takes nothing from its answer.
        if self.finish.is_some() { Ok(()) } else { read }
    }

    fn document(&mut self, body: &[u8], deltas: &mut VecDeque<Delta>) -> Result<(), Trouble> {
        self.read(body.trim_ascii(), deltas)?;
        if !self.spoke && self.finish.is_none() {
            return Err(Trouble::Garbled);
        }
        self.done = true;
        Ok(())
    }

    fn finished(&self) -> bool {
        self.finish.is_some()
    }

    fn done(&self) -> bool {
        self.done
    }

    fn end(&mut self, deltas: &mut VecDeque<Delta>) -> Result<(), Trouble> {
        let finish = match self.finish {
            Some(finish) => finish,
            None if self.done => Finish::Stop,
            None => {
                deltas.extend(self.usage.take().map(Delta::Usage));
                return Err(Trouble::BrokeOff);
            }
        };
        // Some say `stop` after tool calls, some `tool_calls` without any.
        let finish = match finish {
            Finish::Stop if !self.calls.is_empty() => Finish::ToolCalls,
            Finish::ToolCalls if self.calls.is_empty() => Finish::Stop,
            other => other,
        };
        deltas.extend(self.usage.take().map(Delta::Usage));
        deltas.push_back(Delta::Finish(finish));
        Ok(())
    }
}

impl Chat {
    pub fn new(quirks: &'static Quirks) -> Self {
        Chat {
            quirks,
            model_given: false,
            spoke: false,
            calls: Calls::default(),
            usage: None,
            finish: None,
            done: false,
        }
    }

    fn read(&mut self, data: &[u8], deltas: &mut VecDeque<Delta>) -> Result<(), Trouble> {
        match serde_json::from_slice::<Chunk>(data) {
            Ok(chunk) => self.chunk(&chunk, data, deltas),
            Err(_) => {
                let mended = json::mend(data).ok_or(Trouble::Garbled)?;
                match serde_json::from_str::<Chunk>(&mended) {
                    Ok(chunk) => self.chunk(&chunk, mended.as_bytes(), deltas),
                    Err(_) => Err(refusal::read(self.quirks, data).map_or(Trouble::Garbled, Trouble::Refused)),
                }
            }
        }
    }

    fn chunk(&mut self, chunk: &Chunk, data: &[u8], deltas: &mut VecDeque<Delta>) -> Result<(), Trouble> {
        if !self.model_given && !chunk.model.0.is_empty() {
            self.model_given = true;
            deltas.extend(said(&chunk.model.0).map(Delta::Model));
        }
        self.count(chunk.usage);
        let mut read = Ok(());
        for choice in chunk.choices.iter().flatten() {
            // Only `extra` can have asked for more than one answer; there is a place for one.
            if choice.index.0.unwrap_or(0) == 0 {
                read = read.and(self.choice(choice, &chunk.id.0, deltas));
            }
        }
        let nothing = chunk.choices.is_none() && chunk.usage.is_none();
        if (chunk.error.is_some() || nothing)
            && let Some(refusal) = refusal::read(self.quirks, data)
        {
            return Err(Trouble::Refused(refusal));
        }
        read
    }

    fn choice(&mut self, choice: &Choice, answer: &str, deltas: &mut VecDeque<Delta>) -> Result<(), Trouble> {
        let whole = choice.message.as_ref().filter(|_| !self.spoke);
        if let Some(piece) = choice.delta.as_ref().or(whole) {
            self.piece(piece, answer, deltas);
        }
        self.count(choice.usage);
        if let Some(error) = choice.error {
            return Err(self.reported(format!("{{\"error\":{error}}}").as_bytes()));
        }
        if self.finish.is_none() {
            self.finish = finish(&choice.finish_reason.0)?;
        }
        Ok(())
    }

    fn piece(&mut self, piece: &Piece, answer: &str, deltas: &mut VecDeque<Delta>) {
        let before = deltas.len();
        let thought = |text: &str| said(text).map(|text| Delta::Reasoning { text, kind: ReasoningKind::Text });
        match text(&piece.reasoning_content) {
            Cow::Borrowed("") => deltas.extend(thought(&text(&piece.reasoning))),
            reasoning => deltas.extend(thought(&reasoning)),
        }
        match &piece.content {
            Content::Text(text) => deltas.extend(said(text).map(Delta::Text)),
            Content::Parts(parts) => {
                for part in parts {
                    deltas.extend(thought(&text(&part.thinking)));
                    deltas.extend(said(&part.text.0).map(Delta::Text));
                }
            }
        }
        deltas.extend(said(&piece.refusal.0).map(Delta::Refusal));
        for call in piece.tool_calls.iter().flatten() {
            deltas.extend(self.calls.piece(call, answer));
        }
        self.spoke |= deltas.len() > before;
    }

    fn count(&mut self, usage: Option<&RawValue>) {
        if let Some(usage) = usage.and_then(chunk::usage) {
            self.usage = Some(usage);
        }
    }

    fn reported(&self, data: &[u8]) -> Trouble {
        let words = || Refusal { message: String::from_utf8_lossy(data).into_owned(), ..Refusal::default() };
        Trouble::Refused(refusal::read(self.quirks, data).unwrap_or_else(words))
    }
}

/// `None` while the model goes on. What is unknown counts as an end: something ended.
fn finish(reason: &str) -> Result<Option<Finish>, Trouble> {
    Ok(Some(match reason {
        "" => return Ok(None),
        "length" | "max_tokens" | "model_context_window_exceeded" => Finish::Length,
        "tool_calls" | "function_call" => Finish::ToolCalls,
        // Zhipu says `sensitive`.
        "content_filter" | "sensitive" => Finish::ContentFilter,
        // DeepSeek, Zhipu, OpenRouter and vLLM: the answer was cut by a fault of theirs.
        "insufficient_system_resource" | "network_error" | "error" | "abort" => {
            let message = format!("finish_reason: {reason}");
            return Err(Trouble::Refused(Refusal { message, in_format: true, ..Refusal::default() }));
        }
        _ => Finish::Stop,
    }))
}

fn said(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| json::clean(text.to_owned())).filter(|text| !text.is_empty())
}

fn text<'a>(content: &'a Content) -> Cow<'a, str> {
    match content {
        Content::Text(text) => Cow::Borrowed(text),
        Content::Parts(parts) => parts.iter().map(|Part { text, .. }| &*text.0).collect::<Vec<_>>().concat().into(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::{presets::PLAIN, sse::Splitter};

    fn decoded(stream: &[u8]) -> (VecDeque<Delta>, Result<(), Trouble>) {
        let (mut splitter, mut chat, mut deltas) = (Splitter::new(10_000), Chat::new(&PLAIN), VecDeque::new());
        splitter.feed(Bytes::copy_from_slice(stream));
        while let Ok(Some(event)) = splitter.next() {
            if let Err(trouble) = chat.event(&event.name, &event.data, &mut deltas) {
                return (deltas, Err(trouble));
            }
        }
        let end = chat.end(&mut deltas);
        (deltas, end)
    }

    const SAMPLES: [&str; 4] = [
        include_str!("../../tests/wire/deepseek_thinking.txt"),
        include_str!("../../tests/wire/mistral_thinking.txt"),
        include_str!("../../tests/wire/openai_tools.txt"),
        include_str!("../../tests/wire/moonshot.txt"),
    ];

    proptest! {
        /// Nothing that an upstream sends brings the decoder down, or NUL into a delta.
        #[test]
        fn damage_is_survived(
            sample in prop::sample::select(SAMPLES.as_slice()),
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
            from in any::<prop::sample::Index>(),
        ) {
            let mut stream = sample.as_bytes().to_vec();
            for (at, byte) in damage {
                let at = at.index(stream.len());
                stream[at] = byte;
            }
            let (deltas, end) = decoded(&stream[from.index(stream.len())..]);
            let finishes = deltas.iter().filter(|delta| matches!(delta, Delta::Finish(_))).count();
            prop_assert_eq!(finishes, usize::from(end.is_ok()));
            for delta in deltas {
                if let Delta::Text(text) | Delta::Reasoning { text, .. } | Delta::Refusal(text) | Delta::Model(text) = delta {
                    prop_assert!(!text.is_empty() && !text.contains('\0'));
                }
            }
        }
    }

    #[test]
    fn a_pretend_error_in_the_text_is_text() {
        let line =
            r#"data: {"choices":[{"delta":{"content":"{\"error\":{\"message\":\"x\"}}"},"finish_reason":"stop"}]}"#;
        let (deltas, end) = decoded(format!("{line}\n\n").as_bytes());
        assert_eq!(end, Ok(()));
        assert_eq!(deltas[0], Delta::Text(r#"{"error":{"message":"x"}}"#.into()));
    }
}
