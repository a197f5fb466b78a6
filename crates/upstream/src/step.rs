//! One thing that a script does: bytes written, a wait, or an end.

use std::time::Duration;

use bytes::Bytes;

/// Bytes gather until the next wait, [`Step::Flush`] or end, and then leave in one write.
#[derive(Debug, Clone)]
pub enum Step {
    /// Bytes of the body: one HTTP chunk of a chunked answer, as they are otherwise.
    Body(Bytes),
    /// Bytes straight onto the socket, past all framing.
    Raw(Bytes),
    /// The same body bytes that many times; `u64::MAX` is an endless stream.
    Repeat(Bytes, u64),
    /// What was written so far leaves now, so that it may arrive by itself.
    Flush,
    /// Waits that long.
    Pause(Duration),
    /// Waits until that long after the `Pace` before it, so that a rate does not drift.
    Pace(Duration),
    /// Waits until the test opens the gate of this name.
    Gate(String),
    /// Waits until the client leaves.
    Hang,
    /// Ends a chunked body properly. The end of a script does so by itself; needed only before a `Close`.
    End,
    /// Closes the connection (FIN), whatever the body still lacks.
    Close,
    /// Resets the connection (RST).
    Reset,
}

impl Step {
    pub fn body(bytes: impl AsRef<[u8]>) -> Step {
        Step::Body(Bytes::copy_from_slice(bytes.as_ref()))
    }

    pub fn raw(bytes: impl AsRef<[u8]>) -> Step {
        Step::Raw(Bytes::copy_from_slice(bytes.as_ref()))
    }

    pub fn gate(name: impl Into<String>) -> Step {
        Step::Gate(name.into())
    }

    pub fn pause_ms(ms: u64) -> Step {
        Step::Pause(Duration::from_millis(ms))
    }

    /// A server-sent event without a name: `data: …` and an empty line.
    pub fn data(data: impl std::fmt::Display) -> Step {
        Step::Body(format!("data: {data}\n\n").into())
    }

    /// A server-sent event with a name.
    pub fn event(name: &str, data: impl std::fmt::Display) -> Step {
        Step::Body(format!("event: {name}\ndata: {data}\n\n").into())
    }

    /// A comment, as servers send them to keep a stream alive.
    pub fn comment(text: &str) -> Step {
        Step::Body(format!(": {text}\n\n").into())
    }
}
