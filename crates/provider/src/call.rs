//! One attempt to get an answer: from the request to the last delta.

use std::{
    collections::VecDeque,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::Method;
use hyper::body::Incoming;
use session::{event::Delta, turn::Failure};

use crate::{
    client::{Answer, Timer, Upstream, wire_words},
    failure::{Callee, Late},
    format::{Decoder, Trouble},
    http::connection::Connection,
    sse::Splitter,
};

/// How long usage and the end mark are waited for when the model has already stopped.
const AFTER_FINISH_MS: u64 = 2000;

/// Room for so many deltas stays while a stream waits.
const DELTAS_KEPT: usize = 8;

/// Nothing happens until it is polled. Cancel-safe; dropping it closes the connection at once.
pub(crate) enum Call {
    Opening(BoxFuture<'static, Result<Box<Stream>, Failure>>),
    Streaming(Box<Stream>),
    Over,
}

/// An answer as it comes.
pub(crate) struct Stream {
    upstream: Upstream,
    /// Gone as soon as nothing more is wanted of it.
    wire: Option<(Connection, Incoming)>,
    request_id: Option<String>,
    timer: Timer,
    awaited: Awaited,
    /// Whether something came since the timer was set.
    heard: bool,
    shape: Shape,
    decoder: Box<dyn Decoder>,
    deltas: VecDeque<Delta>,
    /// What follows the deltas.
    end: Option<Result<(), Failure>>,
}

/// What the timer is set for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Runs on from the request, whatever else comes.
    FirstToken,
    /// Begins anew with every sign of life, comments too: some upstreams send them while they wait for a place.
    NextToken,
    /// The model has stopped; usage and the end mark may follow.
    End,
}

/// What an answer's body is, by its first character: the content type is often wrong.
enum Shape {
    Unknown,
    Events(Splitter),
    Document(Vec<u8>),
}

impl Call {
    pub fn new(upstream: Upstream, body: Bytes) -> Self {
        Call::Opening(Box::pin(async move {
            let path = upstream.format.call_path(&upstream.callee.model);
            let answer = upstream.ask(Method::POST, &path, body).await?;
            Ok(Box::new(Stream::new(upstream, answer)))
        }))
    }

    pub fn poll_next(&mut self, cx: &mut Context) -> Poll<Option<Result<Delta, Failure>>> {
        loop {
            let next = match self {
                Call::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok(stream) => {
                        *self = Call::Streaming(stream);
                        continue;
                    }
                    Err(failure) => Some(Err(failure)),
                },
                Call::Streaming(stream) => ready!(stream.poll_next(cx)),
                Call::Over => None,
            };
            if !matches!(next, Some(Ok(_))) {
                *self = Call::Over;
            }
            return Poll::Ready(next);
        }
    }
}

impl Stream {
    fn new(upstream: Upstream, answer: Answer) -> Self {
        let decoder = upstream.format.decoder(upstream.quirks);
        Stream {
            upstream,
            wire: Some((answer.connection, answer.body)),
            request_id: answer.request_id,
            timer: answer.timer,
            awaited: Awaited::FirstToken,
            heard: false,
            shape: Shape::Unknown,
            decoder,
            deltas: VecDeque::new(),
            end: None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context) -> Poll<Option<Result<Delta, Failure>>> {
        loop {
            if let Some(delta) = self.deltas.pop_front() {
                return Poll::Ready(Some(Ok(delta)));
            }
            let Some((connection, body)) = &mut self.wire else {
                let failure = self.end.take().and_then(Result::err);
                let named = |failure| Failure { upstream_request_id: self.request_id.take(), ..failure };
                return Poll::Ready(failure.map(named).map(Err));
            };
            match connection.poll_body(body, cx) {
                Poll::Ready(Some(Ok(bytes))) => self.take(bytes, cx),
                Poll::Ready(Some(Err(error))) => self.cut(|callee| callee.broke_off(&wire_words(&error))),
                Poll::Ready(None) => self.ended(),
                Poll::Pending => {
                    self.deltas.shrink_to(DELTAS_KEPT);
                    if std::mem::take(&mut self.heard) && self.awaited == Awaited::NextToken {
                        self.timer.reset(self.upstream.timeouts.between_tokens_ms);
                    }
                    ready!(self.timer.poll(cx));
                    self.late();
                }
            }
        }
    }

    fn take(&mut self, bytes: Bytes, cx: &mut Context) {
        self.heard = true;
        let taken = self.shaped(bytes).and_then(|bytes| self.read(bytes));
        self.await_next();
        match taken {
            Err(failure) => self.fail(failure),
            Ok(()) if self.decoder.done() => self.done(cx),
            // An upstream that never stops to send would never let the timer be asked.
            Ok(()) if self.awaited != Awaited::NextToken && self.deltas.is_empty() && self.timer.is_due() => {
                self.late()
            }
            Ok(()) => {}
        }
    }

    fn await_next(&mut self) {
        let said = |delta: &Delta| !matches!(delta, Delta::Model(_) | Delta::Usage(_) | Delta::Finish(_));
        if self.awaited == Awaited::FirstToken && self.deltas.iter().any(said) {
            self.awaited = Awaited::NextToken;
        }
        if self.awaited != Awaited::End && self.decoder.finished() {
            self.awaited = Awaited::End;
            self.timer.reset(self.upstream.timeouts.between_tokens_ms.min(AFTER_FINISH_MS));
        }
    }

    /// Finds out what the body is. Gives what of `bytes` is to be read as that.
    fn shaped(&mut self, mut bytes: Bytes) -> Result<Bytes, Failure> {
        if !matches!(self.shape, Shape::Unknown) {
            return Ok(bytes);
        }
        // Blank lines keep a connection alive with some (DeepSeek); EF BB BF is a byte-order mark.
        let blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0xEF | 0xBB | 0xBF);
        let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
        let bytes = bytes.split_off(start);
        match bytes.first() {
            None => {}
            Some(b'{' | b'[') => self.shape = Shape::Document(Vec::new()),
            Some(b'<') => return Err(self.upstream.callee.web_page()),
            Some(_) => self.shape = Shape::Events(Splitter::new(self.upstream.client.event_bytes_max)),
        }
        Ok(bytes)
    }

    fn read(&mut self, bytes: Bytes) -> Result<(), Failure> {
        match &mut self.shape {
            Shape::Unknown => Ok(()),
            Shape::Events(splitter) => {
                splitter.feed(bytes);
                self.events()
            }
            Shape::Document(document) => {
                document.extend_from_slice(&bytes);
                let most = self.upstream.client.event_bytes_max;
                if document.len() > most { Err(self.upstream.callee.too_long(most)) } else { Ok(()) }
            }
        }
    }

    fn events(&mut self) -> Result<(), Failure> {
        let Shape::Events(splitter) = &mut self.shape else { return Ok(()) };
        let callee = &self.upstream.callee;
        let too_long = |_| callee.too_long(self.upstream.client.event_bytes_max);
        while !self.decoder.done()
            && let Some(event) = splitter.next().map_err(too_long)?
        {
            let read = self.decoder.event(&event.name, &event.data, &mut self.deltas);
            read.map_err(|trouble| callee.trouble(&trouble))?;
        }
        Ok(())
    }

    /// The body came to its end.
    fn ended(&mut self) {
        let read = match &mut self.shape {
            Shape::Unknown => Err(Trouble::BrokeOff),
            Shape::Document(document) => self.decoder.document(document, &mut self.deltas),
            Shape::Events(splitter) => match splitter.end() {
                Ok(Some(event)) => self.decoder.event(&event.name, &event.data, &mut self.deltas),
                Ok(None) | Err(_) => Ok(()),
            },
        };
        let read = match read {
            // Half an event: the connection had no length of its own, and was cut.
            Err(Trouble::Garbled) if matches!(self.shape, Shape::Events(_)) => Err(Trouble::BrokeOff),
            other => other,
        };
        if let Err(trouble) = read.and_then(|()| self.decoder.end(&mut self.deltas)) {
            return self.fail(self.upstream.callee.trouble(&trouble));
        }
        self.end = Some(Ok(()));
        if let Some((connection, _)) = self.wire.take() {
            self.upstream.client.pool.keep(&self.upstream.base.origin, connection);
        }
    }

    /// The upstream said that nothing more comes.
    fn done(&mut self, cx: &mut Context) {
        if let Err(trouble) = self.decoder.end(&mut self.deltas) {
            return self.fail(self.upstream.callee.trouble(&trouble));
        }
        self.end = Some(Ok(()));
        let Some((mut connection, mut body)) = self.wire.take() else { return };
        let (pool, origin) = (&self.upstream.client.pool, &self.upstream.base.origin);
        match connection.poll_body(&mut body, cx) {
            Poll::Ready(None) => pool.keep(origin, connection),
            Poll::Ready(Some(_)) => {}
            Poll::Pending => pool.settle(origin, connection, body),
        }
    }

    fn late(&mut self) {
        let timeouts = self.upstream.timeouts;
        let (late, ms) = match self.awaited {
            Awaited::FirstToken => (Late::FirstToken, timeouts.first_token_ms),
            Awaited::NextToken | Awaited::End => (Late::BetweenTokens, timeouts.between_tokens_ms),
        };
        self.cut(|callee| callee.late(late, ms));
    }

    /// Nothing more will come. Where the model had stopped, its answer is whole all the same.
    fn cut(&mut self, failure: impl FnOnce(&Callee) -> Failure) {
        let whole = self.decoder.end(&mut self.deltas).is_ok();
        self.wire = None;
        self.end = Some(if whole { Ok(()) } else { Err(failure(&self.upstream.callee)) });
    }

    fn fail(&mut self, failure: Failure) {
        self.wire = None;
        self.end = Some(Err(failure));
    }
}
