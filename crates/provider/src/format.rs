//! What a wire format must know. One file (or folder) for each; the HTTP client, deadlines and errors of the connection
//! are shared.

use std::collections::VecDeque;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use secrecy::SecretString;
use session::{event::Delta, history::Prompt, turn::FailureCode};

use crate::presets::Quirks;

/// One vendor family's way to put a question and an answer into HTTP.
pub(crate) trait Format: std::fmt::Debug + Send + Sync {
    /// Where a model is called, below the base URL.
    fn call_path(&self, model: &str) -> String;

    /// Where models are listed, below the base URL.
    fn models_path(&self) -> &'static str;

    /// The header that carries the key. `None` when it has characters that no header may have.
    fn key_header(&self, key: &SecretString) -> Option<(http::HeaderName, HeaderValue)>;

    /// Headers that every request needs, the key's aside.
    fn headers(&self, _headers: &mut HeaderMap) {}

    /// The whole request body: the same for the same prompt, always.
    fn body(&self, quirks: &Quirks, prompt: &Prompt) -> Bytes;

    fn decoder(&self, quirks: &'static Quirks) -> Box<dyn Decoder>;

    /// Reads the body of an answer that was not a success.
    fn refusal(&self, quirks: &Quirks, body: &[u8]) -> Refusal;

    /// The models' names, from the body of a list.
    fn models(&self, body: &[u8]) -> Option<Vec<String>>;
}

/// Turns one answer, piece by piece, into deltas. `Finish` is the last of them, `Usage` the last but one.
pub(crate) trait Decoder: Send {
    /// One server-sent event.
    fn event(&mut self, name: &[u8], data: &[u8], deltas: &mut VecDeque<Delta>) -> Result<(), Trouble>;

    /// A whole answer in one JSON document, from an upstream that does not stream.
    fn document(&mut self, body: &[u8], deltas: &mut VecDeque<Delta>) -> Result<(), Trouble>;

    /// Whether the model has stopped: what may still come is usage.
    fn finished(&self) -> bool;

    /// Whether the upstream has said that nothing more comes.
    fn done(&self) -> bool;

    /// The stream is over; gives usage and `Finish`. Fails when the answer was not at its end.
    fn end(&mut self, deltas: &mut VecDeque<Delta>) -> Result<(), Trouble>;
}

/// Why a decoder cannot go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The upstream reported an error in its answer.
    Refused(Refusal),
    /// The upstream sent what is not in its format.
    Garbled,
    /// The stream ended before the answer did.
    BrokeOff,
}

/// An upstream's own account of what is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Refusal {
    /// What it is, where its code or words tell; else the status decides.
    pub code: Option<FailureCode>,
    /// The HTTP status that the upstream names in an answer which itself came with 200.
    pub status: Option<u16>,
    /// In the upstream's words: untrusted.
    pub message: String,
    /// Whether there was an account at all, in the shape of the format.
    pub in_format: bool,
}
