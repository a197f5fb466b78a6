//! A stretch of a turn's events as stored: text and boundaries, not JSON per delta.
//!
//! Each event is a tag byte, then its numbers and texts, each text behind its length. Numbers are LEB128. Offsets are
//! not stored: an event's offset is where the text of its kind has come to, so decoding begins at the turn's first
//! segment or is told where it stands.

use crate::event::{Event, PartKind, ReasoningKind, Snapshot};

#[derive(Debug, thiserror::Error)]
#[error("a stored segment is damaged at byte {at}")]
pub struct Damaged {
    at: usize,
}

/// How many characters of each kind came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Offsets {
    text: u64,
    reasoning: u64,
    refusal: u64,
}

pub fn encode(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    for event in events {
        match event {
            Event::Queued { position } => {
                out.push(b'q');
                number(&mut out, (*position).into());
            }
            Event::Started { model, attempt } => {
                out.push(b's');
                number(&mut out, (*attempt).into());
                text(&mut out, model);
            }
            Event::Text { text: piece, .. } => {
                out.push(b't');
                text(&mut out, piece);
            }
            Event::Reasoning { text: piece, kind, .. } => {
                out.push(if *kind == ReasoningKind::Text { b'r' } else { b'y' });
                text(&mut out, piece);
            }
            Event::Refusal { text: piece, .. } => {
                out.push(b'x');
                text(&mut out, piece);
            }
            Event::ToolCall { index, id, name, arguments } => {
                out.push(b'c');
                number(&mut out, (*index).into());
                optional(&mut out, id.as_deref());
                optional(&mut out, name.as_deref());
                text(&mut out, arguments);
            }
            Event::PartDone { kind, index } => {
                out.push(b'd');
                number(&mut out, *kind as u64);
                number(&mut out, (*index).into());
            }
            Event::Snapshot(snapshot) => {
                out.push(b'n');
                text(&mut out, &serde_json::to_string(snapshot).unwrap_or_default());
            }
            Event::Ended => out.push(b'e'),
        }
    }
    out
}

/// The events of a segment; `offsets` moves on past them.
pub fn decode(bytes: &[u8], offsets: &mut Offsets) -> Result<Vec<Event>, Damaged> {
    let mut reader = Reader { bytes, at: 0 };
    let mut events = Vec::new();
    while let Some(&tag) = bytes.get(reader.at) {
        reader.at += 1;
        events.push(reader.event(tag, offsets)?);
    }
    Ok(events)
}

fn number(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn text(out: &mut Vec<u8>, text: &str) {
    number(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn optional(out: &mut Vec<u8>, value: Option<&str>) {
    out.push(value.is_some().into());
    if let Some(value) = value {
        text(out, value);
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn event(&mut self, tag: u8, offsets: &mut Offsets) -> Result<Event, Damaged> {
        Ok(match tag {
            b'q' => Event::Queued { position: self.small()? },
            b's' => {
                let attempt = self.small()?;
                Event::Started { model: self.text()?, attempt }
            }
            b't' => {
                let (text, offset) = self.piece(&mut offsets.text)?;
                Event::Text { text, offset }
            }
            b'r' | b'y' => {
                let (text, offset) = self.piece(&mut offsets.reasoning)?;
                let kind = if tag == b'r' { ReasoningKind::Text } else { ReasoningKind::Summary };
                Event::Reasoning { text, offset, kind }
            }
            b'x' => {
                let (text, offset) = self.piece(&mut offsets.refusal)?;
                Event::Refusal { text, offset }
            }
            b'c' => Event::ToolCall {
                index: self.small()?,
                id: self.optional()?,
                name: self.optional()?,
                arguments: self.text()?,
            },
            b'd' => {
                let kind = *PartKind::ALL.get(self.small()? as usize).ok_or(Damaged { at: self.at })?;
                Event::PartDone { kind, index: self.small()? }
            }
            b'n' => {
                let snapshot: Snapshot = serde_json::from_str(&self.text()?).map_err(|_| Damaged { at: self.at })?;
                let chars = |text: &str| text.chars().count() as u64;
                *offsets = Offsets {
                    text: chars(&snapshot.text),
                    reasoning: chars(&snapshot.reasoning),
                    refusal: chars(&snapshot.refusal),
                };
                Event::Snapshot(snapshot)
            }
            b'e' => Event::Ended,
            _ => return Err(Damaged { at: self.at }),
        })
    }

    fn piece(&mut self, chars: &mut u64) -> Result<(String, u64), Damaged> {
        let text = self.text()?;
        let offset = *chars;
        *chars += text.chars().count() as u64;
        Ok((text, offset))
    }

    fn number(&mut self) -> Result<u64, Damaged> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.bytes.get(self.at).ok_or(Damaged { at: self.at })?;
            self.at += 1;
            n |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(Damaged { at: self.at })
    }

    fn small(&mut self) -> Result<u32, Damaged> {
        u32::try_from(self.number()?).map_err(|_| Damaged { at: self.at })
    }

    fn text(&mut self) -> Result<String, Damaged> {
        let damaged = Damaged { at: self.at };
        let len = usize::try_from(self.number()?).map_err(|_| Damaged { at: self.at })?;
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len()).ok_or(damaged)?;
        let text = std::str::from_utf8(&self.bytes[self.at..end]).map_err(|_| Damaged { at: self.at })?;
        self.at = end;
        Ok(text.to_owned())
    }

    fn optional(&mut self) -> Result<Option<String>, Damaged> {
        let present = self.number()? != 0;
        if present { self.text().map(Some) } else { Ok(None) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{answer::Answer, event::Delta};

    fn delta() -> impl Strategy<Value = Delta> {
        let small = || prop::option::of("[a-z]{0,5}");
        prop_oneof![
            ".{0,20}".prop_map(Delta::Text),
            (".{0,20}", any::<bool>()).prop_map(|(text, plain)| Delta::Reasoning {
                text,
                kind: if plain { ReasoningKind::Text } else { ReasoningKind::Summary },
            }),
            ".{0,20}".prop_map(Delta::Refusal),
            (0u32..4, small(), small(), ".{0,20}").prop_map(|(index, id, name, arguments)| Delta::ToolCall {
                index,
                id,
                name,
                arguments
            }),
        ]
    }

    proptest! {
        /// Whatever is said, and however it is cut into segments, the stored events are those that were shown.
        #[test]
        fn segments_give_back_the_events(deltas in prop::collection::vec((delta(), any::<bool>()), 0..40)) {
            let mut answer = Answer::default();
            let mut shown = vec![Event::Started { model: "m".into(), attempt: 1 }];
            let mut segments = vec![encode(&shown)];
            for (delta, cut) in deltas {
                answer.push(delta);
                if cut {
                    let events = answer.take_events();
                    segments.push(encode(&events));
                    shown.extend(events);
                }
            }
            answer.close();
            let last = answer.take_events();
            segments.push(encode(&last));
            shown.extend(last);

            let mut offsets = Offsets::default();
            let mut stored = Vec::new();
            for segment in &segments {
                stored.extend(decode(segment, &mut offsets).unwrap());
            }
            prop_assert_eq!(stored, shown);
        }

        #[test]
        fn damaged_bytes_are_an_error_not_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(&bytes, &mut Offsets::default());
        }
    }

    #[test]
    fn a_snapshot_sets_the_offsets() {
        let snapshot = Snapshot { text: "你好".into(), ..Snapshot::default() };
        let events = [Event::Snapshot(snapshot), Event::Text { text: "!".into(), offset: 2 }, Event::Ended];
        assert_eq!(decode(&encode(&events), &mut Offsets::default()).unwrap(), events);
    }
}
