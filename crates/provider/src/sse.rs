//! Cuts a byte stream into server-sent events, without copying what arrives whole.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream>. Lines end with CR LF, LF or
//! CR, wherever the chunks are cut. A byte-order mark is the caller's to take off. Unlike a browser, the last event
//! counts although no empty line follows it: several upstreams end with a bare `data: [DONE]`.

use bytes::{Buf, Bytes, BytesMut};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    /// Empty when the upstream gave none.
    pub name: Bytes,
    pub data: Bytes,
}

/// A line, or the lines of one event, that passed the limit in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TooLong;

pub(crate) struct Splitter {
    event_bytes_max: usize,
    chunk: Bytes,
    /// The beginning of a line whose end has not come.
    line: BytesMut,
    /// The last line ended with CR: an LF that follows belongs to it.
    after_cr: bool,
    name: Bytes,
    data: Data,
}

enum Data {
    None,
    Line(Bytes),
    Lines(BytesMut),
}

impl Splitter {
    pub fn new(event_bytes_max: usize) -> Self {
        Splitter {
            event_bytes_max,
            chunk: Bytes::new(),
            line: BytesMut::new(),
            after_cr: false,
            name: Bytes::new(),
            data: Data::None,
        }
    }

    /// To be called when `next` has given all that was in the chunk before.
    pub fn feed(&mut self, chunk: Bytes) {
        debug_assert!(self.chunk.is_empty());
        self.chunk = chunk;
    }

    /// The next whole event with data.
    pub fn next(&mut self) -> Result<Option<Event>, TooLong> {
        while let Some(line) = self.next_line()? {
            if !line.is_empty() {
                self.field(line)?;
            } else if let Some(event) = self.dispatch() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// The event that the stream ended in.
    pub fn end(&mut self) -> Result<Option<Event>, TooLong> {
        let line = self.line.split().freeze();
        if !line.is_empty() {
            self.field(line)?;
        }
        Ok(self.dispatch())
    }

    fn next_line(&mut self) -> Result<Option<Bytes>, TooLong> {
        if self.after_cr && !self.chunk.is_empty() {
            self.after_cr = false;
            if self.chunk[0] == b'\n' {
                self.chunk.advance(1);
            }
        }
        let Some(end) = memchr::memchr2(b'\n', b'\r', &self.chunk) else {
            self.fits(self.line.len() + self.chunk.len())?;
            self.line.extend_from_slice(&self.chunk);
            self.chunk.clear();
            return Ok(None);
        };
        self.fits(self.line.len() + end)?;
        let piece = self.chunk.split_to(end);
        self.after_cr = self.chunk[0] == b'\r';
        self.chunk.advance(1);
        if self.line.is_empty() {
            return Ok(Some(piece));
        }
        self.line.extend_from_slice(&piece);
        Ok(Some(self.line.split().freeze()))
    }

    fn field(&mut self, line: Bytes) -> Result<(), TooLong> {
        let colon = memchr::memchr(b':', &line);
        let mut value = line.slice(colon.map_or(line.len(), |at| at + 1)..);
        if value.first() == Some(&b' ') {
            value.advance(1);
        }
        match &line[..colon.unwrap_or(line.len())] {
            b"data" => self.add(value)?,
            b"event" => self.name = value,
            // A comment has no name before its colon. `id` and `retry` are of no use here, unknown fields of no meaning.
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, value: Bytes) -> Result<(), TooLong> {
        let mut lines = match std::mem::replace(&mut self.data, Data::None) {
            Data::None => {
                self.data = Data::Line(value);
                return Ok(());
            }
            Data::Line(first) => BytesMut::from(first),
            Data::Lines(lines) => lines,
        };
        self.fits(lines.len() + 1 + value.len())?;
        lines.extend_from_slice(b"\n");
        lines.extend_from_slice(&value);
        self.data = Data::Lines(lines);
        Ok(())
    }

    fn dispatch(&mut self) -> Option<Event> {
        let name = std::mem::take(&mut self.name);
        let data = match std::mem::replace(&mut self.data, Data::None) {
            Data::None => return None,
            Data::Line(line) => line,
            Data::Lines(lines) => lines.freeze(),
        };
        (!data.is_empty()).then_some(Event { name, data })
    }

    fn fits(&self, bytes: usize) -> Result<(), TooLong> {
        if bytes > self.event_bytes_max { Err(TooLong) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn events<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Vec<(String, String)> {
        let mut splitter = Splitter::new(1000);
        let mut all = Vec::new();
        for chunk in chunks {
            splitter.feed(Bytes::copy_from_slice(chunk));
            while let Some(event) = splitter.next().unwrap() {
                all.push(event);
            }
        }
        all.extend(splitter.end().unwrap());
        let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).unwrap();
        all.into_iter().map(|e| (text(e.name), text(e.data))).collect()
    }

    fn data(stream: &str) -> Vec<String> {
        events([stream.as_bytes()]).into_iter().map(|(_, data)| data).collect()
    }

    #[test]
    fn every_line_ending_ends_a_line() {
        for end in ["\n", "\r\n", "\r"] {
            assert_eq!(data(&["data: a", "", "data: b", "data: c", "", ""].join(end)), ["a", "b\nc"], "{end:?}");
        }
        assert_eq!(data("data: a\r\rdata: b\n\r\n"), ["a", "b"]);
    }

    #[test]
    fn only_one_space_after_the_colon_is_taken_off() {
        assert_eq!(data("data:a\n\ndata: b\n\ndata:  c\n\n"), ["a", "b", " c"]);
    }

    #[test]
    fn comments_unknown_fields_and_events_without_data_give_nothing() {
        assert_eq!(data(": keep-alive\n\nid: 1\nretry: 5\nfoo: bar\nevent: x\n\ndata\n\ndata:\n\ndata: a\n\n"), ["a"]);
    }

    #[test]
    fn a_name_is_forgotten_after_its_event() {
        let named = events([b"event: ping\ndata: 1\n\ndata: 2\n\n".as_slice()]);
        assert_eq!(named, [("ping".into(), "1".into()), ("".into(), "2".into())]);
    }

    #[test]
    fn the_last_event_needs_no_empty_line() {
        assert_eq!(data("data: a\n\ndata: [DONE]"), ["a", "[DONE]"]);
        assert_eq!(data("data: a\n\ndata: [DONE]\n"), ["a", "[DONE]"]);
    }

    #[test]
    fn text_that_looks_like_lines_is_text() {
        assert_eq!(data("data: \\n\\ndata: x\u{2028}event: y\u{85}\n\n"), ["\\n\\ndata: x\u{2028}event: y\u{85}"]);
    }

    #[test]
    fn a_line_and_an_event_have_a_limit() {
        let endless = |chunk: &[u8]| {
            let mut splitter = Splitter::new(1000);
            (0..200).find(|_| {
                splitter.feed(Bytes::copy_from_slice(chunk));
                splitter.next().is_err()
            })
        };
        assert_eq!(endless(b"0123456789"), Some(100));
        assert!(endless(b"data: 01234\n").is_some());
        assert!(endless(b"data: 01234\n\n").is_none());
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            3 => Just("data:".to_owned()),
            2 => Just("data: ".to_owned()),
            1 => Just("event: e".to_owned()),
            1 => Just(": comment".to_owned()),
            3 => Just("\n".to_owned()),
            2 => Just("\r\n".to_owned()),
            2 => Just("\r".to_owned()),
            4 => "[a-z:é😀 ]{0,6}",
        ];
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
    }

    /// What the specification says, line by line over the whole text.
    fn reference(stream: &[u8]) -> Vec<(String, String)> {
        let text = String::from_utf8(stream.to_vec()).unwrap().replace("\r\n", "\n").replace('\r', "\n");
        let (mut all, mut name, mut data) = (Vec::new(), String::new(), Vec::new());
        for line in text.split('\n').chain([""]) {
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "data" => data.push(value.to_owned()),
                "event" => name = value.to_owned(),
                "" if line.is_empty() => {
                    let (name, data) = (std::mem::take(&mut name), std::mem::take(&mut data).join("\n"));
                    if !data.is_empty() {
                        all.push((name, data));
                    }
                }
                _ => {}
            }
        }
        all
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference(stream in stream(), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20)) {
            let mut cuts: Vec<usize> = cuts.iter().map(|i| i.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort();
            let chunks = cuts.windows(2).map(|w| &stream[w[0]..w[1]]);
            prop_assert_eq!(events(chunks), reference(&stream));
            prop_assert_eq!(events(stream.chunks(1)), reference(&stream));
        }
    }
}
