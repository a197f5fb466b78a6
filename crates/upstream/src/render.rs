//! Turns a script and a request into the steps that the connection plays.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use http::StatusCode;

use crate::{
    request::Request,
    script::{Content, Cut, Script},
    step::Step,
};

#[derive(Debug)]
pub(crate) struct Rendered {
    pub steps: Vec<Step>,
    pub framing: Framing,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Framing {
    pub chunked: bool,
    pub chunk_bytes: usize,
}

pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

pub(crate) fn script(script: &Script, request: &Request) -> Arc<Rendered> {
    let mut steps = script.before_head.clone();
    let mut chunked = false;
    match &script.content {
        Content::Answer(answer) if request.streams() => {
            chunked = true;
            steps.push(chunked_head(script));
            steps.extend(answer.stream(request));
        }
        Content::Answer(answer) => {
            let body = answer.whole(request);
            steps.extend(answer.stream(request).into_iter().filter(takes_time));
            steps.push(sized_head(script, body.len()));
            steps.push(Step::Body(body));
        }
        Content::Whole(body) => {
            steps.push(sized_head(script, body.len()));
            steps.push(Step::Body(body.clone()));
        }
        Content::Chunked => {
            chunked = true;
            steps.push(chunked_head(script));
        }
        Content::Raw => {}
        Content::Ready(rendered) => return rendered.clone(),
    }
    steps.extend_from_slice(&script.after);
    if let Some((cut, ending)) = &script.cut {
        steps = cut_steps(steps, cut, ending);
    }
    Arc::new(Rendered { steps, framing: Framing { chunked, chunk_bytes: script.chunk_bytes.unwrap_or(usize::MAX) } })
}

pub(crate) fn body_bytes(steps: &[Step]) -> Vec<u8> {
    let bodies = steps.iter().filter_map(|step| if let Step::Body(bytes) = step { Some(&bytes[..]) } else { None });
    bodies.collect::<Vec<_>>().concat()
}

impl Framing {
    pub(crate) fn write(self, body: &[u8], out: &mut BytesMut) {
        if !self.chunked {
            out.extend_from_slice(body);
            return;
        }
        for chunk in body.chunks(self.chunk_bytes) {
            out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            out.extend_from_slice(chunk);
            out.put_slice(b"\r\n");
        }
    }
}

impl Rendered {
    /// The same bytes at the same times in as few steps as possible, framed for good.
    pub(crate) fn merged(&self) -> Rendered {
        let mut merged = Vec::new();
        let mut gathered = BytesMut::new();
        let mut open = self.framing.chunked;
        for step in &self.steps {
            match step {
                Step::Raw(bytes) => gathered.extend_from_slice(bytes),
                Step::Body(bytes) => self.framing.write(bytes, &mut gathered),
                Step::End => {
                    gathered.put_slice(LAST_CHUNK);
                    open = false;
                }
                Step::Repeat(bytes, times) => {
                    let mut frame = BytesMut::new();
                    self.framing.write(bytes, &mut frame);
                    merged.extend([Step::Raw(gathered.split().freeze()), Step::Repeat(frame.freeze(), *times)]);
                }
                step => merged.extend([Step::Raw(gathered.split().freeze()), step.clone()]),
            }
        }
        if open {
            gathered.put_slice(LAST_CHUNK);
        }
        merged.push(Step::Raw(gathered.freeze()));
        merged.retain(|step| !matches!(step, Step::Raw(bytes) if bytes.is_empty()));
        Rendered { steps: merged, framing: Framing { chunked: false, chunk_bytes: usize::MAX } }
    }
}

fn takes_time(step: &Step) -> bool {
    !matches!(step, Step::Body(_) | Step::Raw(_) | Step::Repeat(..) | Step::Flush | Step::End)
}

fn chunked_head(script: &Script) -> Step {
    head(script, &[("content-type", "text/event-stream"), ("transfer-encoding", "chunked")])
}

fn sized_head(script: &Script, length: usize) -> Step {
    head(script, &[("content-type", "application/json"), ("content-length", &length.to_string())])
}

fn head(script: &Script, defaults: &[(&str, &str)]) -> Step {
    let reason = StatusCode::from_u16(script.status).ok().and_then(|status| status.canonical_reason());
    let mut head = format!("HTTP/1.1 {} {}\r\n", script.status, reason.unwrap_or("Unknown"));
    let given = script.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let is_given = |name: &str| script.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
    for (name, value) in defaults.iter().copied().filter(|(name, _)| !is_given(name)).chain(given) {
        head += &format!("{name}: {value}\r\n");
    }
    head += "\r\n";
    Step::Raw(head.into())
}

fn cut_steps(steps: Vec<Step>, cut: &Cut, ending: &Step) -> Vec<Step> {
    let body = body_bytes(&steps);
    let mut left = match cut {
        Cut::At(bytes) => *bytes,
        Cut::Inside(needle) => {
            let found = body.windows(needle.len().max(1)).position(|window| window == needle);
            found.expect("the body holds what it is to be cut inside of") + 1
        }
    };
    if left >= body.len() {
        return steps;
    }
    let mut kept = Vec::new();
    for step in steps {
        match step {
            Step::Body(bytes) if bytes.len() >= left => {
                kept.push(Step::Body(Bytes::copy_from_slice(&bytes[..left])));
                kept.push(ending.clone());
                break;
            }
            Step::Body(bytes) => {
                left -= bytes.len();
                kept.push(Step::Body(bytes));
            }
            step => kept.push(step),
        }
    }
    kept
}
