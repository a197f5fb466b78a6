//! What the fake server does with one request: an answer, or any bytes in any order and time.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::{
    answer::{Answer, ToolCall, Usage},
    render::{self, Rendered},
    request::Request,
    split,
    step::Step,
};

/// Made by one of the constructors, refined by the other methods. An answer follows the request's `stream`; what is not
/// streamed takes as long as the stream would have taken, and arrives whole.
#[derive(Debug, Clone)]
pub struct Script {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) before_head: Vec<Step>,
    pub(crate) content: Content,
    pub(crate) after: Vec<Step>,
    pub(crate) cut: Option<(Cut, Step)>,
    pub(crate) chunk_bytes: Option<usize>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content {
    Answer(Box<Answer>),
    Whole(Bytes),
    Chunked,
    Raw,
    Ready(Arc<Rendered>),
}

#[derive(Debug, Clone)]
pub(crate) enum Cut {
    At(usize),
    Inside(Vec<u8>),
}

/// What is answered.
impl Script {
    /// An answer, in pieces about the size of tokens.
    pub fn text(text: &str) -> Script {
        Script::deltas(split::tokens(text))
    }

    /// An answer in exactly these pieces.
    pub fn deltas(pieces: impl IntoIterator<Item = impl Into<String>>) -> Script {
        let pieces = pieces.into_iter().map(Into::into).collect();
        Script::with(Content::Answer(Box::new(Answer::of(pieces))))
    }

    /// An answer of one tool call; [`Script::tool_call`] adds more.
    pub fn calling(id: &str, name: &str, arguments: &str) -> Script {
        Script::text("").tool_call(id, name, arguments)
    }

    /// An answer of that status and an empty body, until [`Script::json`] or [`Script::body`] gives one.
    pub fn status(status: u16) -> Script {
        Script { status, ..Script::with(Content::Whole(Bytes::new())) }
    }

    /// An error as OpenAI words it.
    pub fn error(status: u16, code: &str, message: &str) -> Script {
        let error = json!({"message": message, "type": code, "param": null, "code": code});
        Script::status(status).json(&json!({ "error": error }))
    }

    /// A stream without content; [`Script::then`] gives the steps.
    pub fn sse() -> Script {
        Script::with(Content::Chunked)
    }

    /// Nothing, not even a head; [`Script::then`] gives the steps.
    pub fn raw() -> Script {
        Script::with(Content::Raw)
    }

    /// The list that `GET /models` gives.
    pub fn models(ids: &[&str]) -> Script {
        let models = ids.iter().map(|id| json!({"id": id, "object": "model", "created": 0, "owned_by": "upstream"}));
        Script::status(200).json(&json!({"object": "list", "data": models.collect::<Value>()}))
    }

    fn with(content: Content) -> Script {
        Script {
            status: 200,
            headers: Vec::new(),
            before_head: Vec::new(),
            content,
            after: Vec::new(),
            cut: None,
            chunk_bytes: None,
        }
    }
}

/// HTTP.
impl Script {
    /// Sets a header, in place of a default of the same name.
    pub fn header(mut self, name: &str, value: &str) -> Script {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn json(self, body: &Value) -> Script {
        self.body("application/json", body.to_string())
    }

    pub fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Script {
        self.content = Content::Whole(Bytes::from(body.into()));
        self.header("content-type", content_type)
    }

    /// Sends the body of a stream in HTTP chunks of at most that many bytes, wherever that cuts.
    pub fn chunks_of(mut self, bytes: usize) -> Script {
        self.chunk_bytes = Some(bytes.max(1));
        self
    }
}

/// Order and time.
impl Script {
    pub fn before_head(mut self, step: Step) -> Script {
        self.before_head.push(step);
        self
    }

    /// A step before the delta of that index (0 is the first, whatever its kind), or behind the last one.
    pub fn at(self, delta: usize, step: Step) -> Script {
        self.answer(|answer| answer.inserts.push((delta, step)))
    }

    /// A step behind everything else.
    pub fn then(mut self, step: Step) -> Script {
        self.after.push(step);
        self
    }

    pub fn head_delay(self, delay: Duration) -> Script {
        self.before_head(Step::Pause(delay))
    }

    pub fn first_delay(self, delay: Duration) -> Script {
        self.answer(|answer| answer.first_wait = Some(Step::Pause(delay)))
    }

    pub fn token_delay(self, delay: Duration) -> Script {
        self.answer(|answer| answer.token_wait = Some(Step::Pause(delay)))
    }

    pub fn tokens_per_second(self, rate: f64) -> Script {
        self.answer(|answer| answer.token_wait = Some(Step::Pace(Duration::from_secs_f64(1.0 / rate))))
    }

    /// Lets that many bytes of the body through, then does `ending`. Bytes of [`Step::Raw`] and [`Step::Repeat`] do not
    /// count.
    pub fn cut_at(mut self, body_bytes: usize, ending: Step) -> Script {
        self.cut = Some((Cut::At(body_bytes), ending));
        self
    }

    /// Cuts behind the first byte of `needle` in the body: inside a character, a `data:`, an escape.
    pub fn cut_inside(mut self, needle: &str, ending: Step) -> Script {
        self.cut = Some((Cut::Inside(needle.into()), ending));
        self
    }
}

/// What an answer holds. These panic on a script that is not an answer.
impl Script {
    pub fn reasoning(self, text: &str) -> Script {
        self.answer(|answer| answer.reasoning = split::tokens(text))
    }

    /// `reasoning_content` unless set: some servers say `reasoning`.
    pub fn reasoning_field(self, name: &str) -> Script {
        self.answer(|answer| answer.reasoning_field = name.into())
    }

    pub fn refusal(self, text: &str) -> Script {
        self.answer(|answer| answer.refusal = split::tokens(text))
    }

    pub fn tool_call(self, id: &str, name: &str, arguments: &str) -> Script {
        let every_7 = Vec::from_iter((7..arguments.len()).step_by(7));
        self.tool_call_split(id, name, arguments, &every_7)
    }

    /// The same, its arguments cut at these byte positions: inside an escape, say.
    pub fn tool_call_split(self, id: &str, name: &str, arguments: &str, positions: &[usize]) -> Script {
        let arguments = split::at_bytes(arguments, positions);
        self.answer(|answer| answer.tool_calls.push(ToolCall { id: id.into(), name: name.into(), arguments }))
    }

    pub fn finish(self, reason: &str) -> Script {
        self.finishes(&[reason])
    }

    /// None, or more than one.
    pub fn finishes(self, reasons: &[&str]) -> Script {
        self.answer(|answer| answer.finishes = Some(reasons.iter().map(|&reason| reason.into()).collect()))
    }

    /// In place of the counted usage. Sent at the end of a stream only when the request asks for it.
    pub fn usage(self, usage: Value) -> Script {
        self.answer(|answer| answer.usage = Usage::Given(usage))
    }

    pub fn openai_usage(self, prompt: u64, completion: u64, cached: u64, reasoning: u64) -> Script {
        self.usage(json!({
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": cached},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }))
    }

    pub fn deepseek_usage(self, prompt: u64, completion: u64, cache_hit: u64) -> Script {
        self.usage(json!({
            "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
            "prompt_cache_hit_tokens": cache_hit, "prompt_cache_miss_tokens": prompt - cache_hit,
        }))
    }

    pub fn no_usage(self) -> Script {
        self.answer(|answer| answer.usage = Usage::Missing)
    }

    /// As DeepSeek does: in the chunk that carries the finish reason, whether asked for or not.
    pub fn usage_in_last_chunk(self) -> Script {
        self.answer(|answer| answer.usage_in_last_chunk = true)
    }

    /// Leaves out `data: [DONE]`.
    pub fn no_done(self) -> Script {
        self.answer(|answer| answer.done = false)
    }

    /// The model that the answer names; the request's unless set.
    pub fn model(self, name: &str) -> Script {
        self.answer(|answer| answer.model = Some(name.into()))
    }

    /// Ends the stream's lines with `\r\n`.
    pub fn crlf(self) -> Script {
        self.answer(|answer| answer.line_end = "\r\n")
    }

    /// Writes `data:` without the space.
    pub fn no_space(self) -> Script {
        self.answer(|answer| answer.data_prefix = "data:")
    }

    fn answer(mut self, change: impl FnOnce(&mut Answer)) -> Script {
        let Content::Answer(answer) = &mut self.content else {
            panic!("this option is for scripts that answer (text, deltas, calling)");
        };
        change(answer);
        self
    }
}

/// Rendering.
impl Script {
    /// The bytes that this request would get, made once, for every request: what a benchmark answers with. Nothing that
    /// is set afterwards changes it.
    pub fn prerendered(&self, request: &Request) -> Script {
        let rendered = render::script(self, request).merged();
        Script::with(Content::Ready(Arc::new(rendered)))
    }

    /// The body that this request would get, HTTP framing, `Raw` and `Repeat` left aside.
    pub fn body_bytes(&self, request: &Request) -> Vec<u8> {
        render::body_bytes(&render::script(self, request).steps)
    }
}
