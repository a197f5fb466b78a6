//! Server-sent events: how one event is written, how a stream of them becomes an answer, and where a client that
//! comes back says it was.
//!
//! Whoever owns the events hands over `Bytes` of whole frames; this adds the keep-alive comment and the end at
//! shutdown. No compression or timeout layer may stand around such an answer.

use std::fmt::{self, Write};
use std::pin::Pin;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::Stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use prometheus_client::metrics::gauge::Gauge;
use serde::Serialize;
use serde_json::Value;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use crate::error::{ApiError, clip};

/// Below the minute after which proxies give up on a silent connection.
pub const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a silent stream says, unless it is given something else.
pub const COMMENT: &[u8] = b": keep-alive\n\n";

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// One event. Data that is JSON already comes as a `RawValue` written by serde_json (one line).
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a, T: ?Sized> {
    pub id: Id<'a>,
    pub event: &'static str,
    pub data: &'a T,
}

#[derive(Clone, Copy, Debug)]
pub enum Id<'a> {
    None,
    Cursor(Cursor),
    /// An opaque cursor of `[0-9A-Za-z_.-]`.
    Text(&'a str),
}

impl<T: Serialize + ?Sized> Frame<'_, T> {
    /// Appends the frame to `out`, whole or not at all. Fails only if `data` is no JSON (a map with odd keys).
    pub fn write(&self, out: &mut BytesMut) -> serde_json::Result<()> {
        debug_assert!(plain(self.event), "event name {:?}", self.event);
        let start = out.len();
        // Writing into memory cannot fail.
        let _infallible = match self.id {
            Id::None => Ok(()),
            Id::Cursor(cursor) => writeln!(out, "id: {cursor}"),
            Id::Text(id) => {
                debug_assert!(plain(id), "event id {id:?}");
                writeln!(out, "id: {id}")
            }
        };
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(self.event.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let data = out.len();
        if let Err(error) = serde_json::to_writer((&mut *out).writer(), self.data) {
            out.truncate(start);
            return Err(error);
        }
        debug_assert!(!out[data..].iter().any(|byte| matches!(byte, b'\r' | b'\n')), "data of more than one line");
        out.extend_from_slice(b"\n\n");
        Ok(())
    }
}

/// Appends a frame of data alone, as chat completions have it.
pub fn data(data: &Value, out: &mut BytesMut) -> serde_json::Result<()> {
    out.extend_from_slice(b"data: ");
    serde_json::to_writer((&mut *out).writer(), data)?;
    out.extend_from_slice(b"\n\n");
    Ok(())
}

fn plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'))
}

/// A place in a turn's event log, written `epoch.seq`. Exclusive: what follows it comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub epoch: u32,
    pub seq: u32,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.epoch, self.seq)
    }
}

impl FromStr for Cursor {
    type Err = ApiError;

    fn from_str(text: &str) -> Result<Self, ApiError> {
        let number = |digits: &str| match digits.bytes().all(|byte| byte.is_ascii_digit()) {
            true => digits.parse().ok(),
            false => None,
        };
        let cursor =
            text.split_once('.').and_then(|(epoch, seq)| Some(Self { epoch: number(epoch)?, seq: number(seq)? }));
        cursor.ok_or_else(|| {
            let message = format!("`{}` is not an event id of this stream: they look like 1.42.", clip(text, 60));
            ApiError::bad_request("invalid_cursor", message)
        })
    }
}

/// Where a client wants to go on: `Last-Event-ID`, else `?after=`. The header wins because a browser that reconnects
/// by itself repeats the old address with the newer header.
pub fn after(headers: &HeaderMap, query: Option<&str>) -> Result<Option<Cursor>, ApiError> {
    if let Some(last) = headers.get(LAST_EVENT_ID).filter(|last| !last.is_empty()) {
        let text = String::from_utf8_lossy(last.as_bytes());
        return text.parse().map(Some).map_err(|error: ApiError| error.param("last-event-id"));
    }
    let Some(text) = query else { return Ok(None) };
    text.parse().map(Some).map_err(|error: ApiError| error.param("after"))
}

/// What every event stream of the process shares.
#[derive(Clone, Debug)]
pub struct Streams {
    pub keep_alive: Duration,
    /// Ends every stream that has nothing to say at the moment: clients come back with their last id.
    pub stop: CancellationToken,
    pub open: Gauge,
}

impl Streams {
    /// The answer that carries `frames`, each item one or more whole frames.
    pub fn answer(&self, frames: impl Stream<Item = Bytes> + Send + 'static) -> Response {
        self.answer_with(frames, COMMENT)
    }

    /// The same with another frame to keep it alive.
    pub fn answer_with(&self, frames: impl Stream<Item = Bytes> + Send + 'static, filler: &'static [u8]) -> Response {
        self.open.inc();
        let body = Events {
            frames: Box::pin(frames),
            spoke: Instant::now(),
            timer: Box::pin(tokio::time::sleep(self.keep_alive)),
            keep_alive: self.keep_alive,
            filler: Bytes::from_static(filler),
            stop: Box::pin(self.stop.clone().cancelled_owned()),
            open: self.open.clone(),
        };
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
        ];
        (headers, axum::body::Body::new(body)).into_response()
    }
}

struct Events<S> {
    frames: Pin<Box<S>>,
    spoke: Instant,
    timer: Pin<Box<Sleep>>,
    keep_alive: Duration,
    filler: Bytes,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    open: Gauge,
}

impl<S: Stream<Item = Bytes>> Events<S> {
    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        // What is there goes out first: the end of a turn that a shutdown brought about is told before the stream ends.
        match self.frames.as_mut().poll_next(cx) {
            Poll::Ready(Some(frame)) => {
                self.spoke = Instant::now();
                return Poll::Ready(Some(frame));
            }
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Pending => {}
        }
        if self.stop.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        // The timer is moved when it fires, not at every frame: one timer operation in 15 s, not one per token.
        while self.timer.as_mut().poll(cx).is_ready() {
            let due = self.spoke + self.keep_alive;
            let now = Instant::now();
            if due > now {
                self.timer.as_mut().reset(due);
                continue;
            }
            self.spoke = now;
            self.timer.as_mut().reset(now + self.keep_alive);
            return Poll::Ready(Some(self.filler.clone()));
        }
        Poll::Pending
    }
}

impl<S: Stream<Item = Bytes>> http_body::Body for Events<S> {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let frame = self.get_mut().next(cx);
        frame.map(|frame| frame.map(|bytes| Ok(http_body::Frame::data(bytes))))
    }
}

impl<S> Drop for Events<S> {
    fn drop(&mut self) {
        self.open.dec();
    }
}
