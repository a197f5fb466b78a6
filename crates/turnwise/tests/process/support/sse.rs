//! Server-sent events, down to their bytes.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::wait::soon;

/// One event as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: String,
    pub name: String,
    pub data: Value,
    /// Its bytes, the empty line behind it included.
    pub raw: String,
}

impl Event {
    pub fn is_final(&self) -> bool {
        ["turn.completed", "turn.failed", "turn.cancelled", "turn.incomplete"].contains(&self.name.as_str())
    }

    /// Reads strictly: the three lines that the API promises, in their order.
    fn parse(raw: &str) -> Event {
        let lines: Vec<&str> = raw.trim_end_matches('\n').split('\n').collect();
        let [id, name, data] = lines.as_slice() else { panic!("an event has three lines: {raw:?}") };
        let field = |line: &str, field: &str| {
            line.strip_prefix(field).unwrap_or_else(|| panic!("{field:?} begins {line:?}")).to_owned()
        };
        let data = serde_json::from_str(&field(data, "data: ")).unwrap_or_else(|error| panic!("{raw:?}: {error}"));
        Event { id: field(id, "id: "), name: field(name, "event: "), data, raw: raw.to_owned() }
    }
}

/// The bytes of events, one behind the other.
pub fn bytes(events: &[Event]) -> String {
    events.iter().map(|event| event.raw.as_str()).collect()
}

/// What the message deltas say.
pub fn text(events: &[Event]) -> String {
    let deltas = events.iter().filter(|event| event.name == "message.delta");
    deltas.map(|event| event.data["text"].as_str().unwrap()).collect()
}

/// An open stream.
pub struct Stream {
    body: Incoming,
    buffer: Vec<u8>,
    ended: bool,
}

impl Stream {
    pub(super) fn new(body: Incoming) -> Stream {
        Stream { body, buffer: Vec::new(), ended: false }
    }

    /// The next event; `None` when the stream ended properly. An error when it was cut.
    pub async fn try_next(&mut self) -> Result<Option<Event>, hyper::Error> {
        Ok(self.try_next_raw().await?.map(|raw| Event::parse(&raw)))
    }

    /// The bytes of the next event, whatever its lines are.
    pub async fn try_next_raw(&mut self) -> Result<Option<String>, hyper::Error> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|window| window == b"\n\n") {
                let raw = String::from_utf8(self.buffer.drain(..at + 2).collect()).unwrap();
                if raw.starts_with(':') {
                    continue;
                }
                return Ok(Some(raw));
            }
            if self.ended {
                assert!(self.buffer.is_empty(), "the stream ended inside an event: {:?}", self.buffer);
                return Ok(None);
            }
            match self.frame().await? {
                Some(bytes) => self.buffer.extend_from_slice(&bytes),
                None => self.ended = true,
            }
        }
    }

    async fn frame(&mut self) -> Result<Option<Bytes>, hyper::Error> {
        loop {
            let Some(frame) = soon("bytes of a stream", self.body.frame()).await else { return Ok(None) };
            if let Ok(bytes) = frame?.into_data() {
                return Ok(Some(bytes));
            }
        }
    }

    pub async fn next(&mut self) -> Option<Event> {
        self.try_next().await.expect("the stream is not cut")
    }

    /// The events up to the first of that name, it included.
    pub async fn until(&mut self, name: &str) -> Vec<Event> {
        self.until_some(name, |event| event.name == name).await
    }

    /// The events up to the first that is `wanted`, it included.
    pub async fn until_some(&mut self, what: &str, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut events = Vec::new();
        loop {
            let Some(event) = self.next().await else { panic!("the stream ended without {what}: {events:#?}") };
            let found = wanted(&event);
            events.push(event);
            if found {
                return events;
            }
        }
    }

    /// The first so many events.
    pub async fn take(&mut self, count: usize) -> Vec<Event> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("there are as many events"));
        }
        events
    }

    /// Everything to the proper end.
    pub async fn rest(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Everything until the server dies or ends the stream.
    pub async fn until_cut(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Ok(Some(event)) = self.try_next().await {
            events.push(event);
        }
        events
    }
}
