//! What a running turn has told: gives its events their numbers, shows them, and stores them in segments.

use std::{sync::Arc, time::Duration};

use session::event::{Event, EventId};
use store::{Fence, Segment};
use tokio::time::Instant;

use crate::{
    Durability, Inner,
    live::{Live, Shown},
};

/// After the store failed, for lack of room perhaps.
const PATIENCE: Duration = Duration::from_secs(1);

pub(crate) struct Journal<'a> {
    inner: &'a Inner,
    live: Arc<Live>,
    pub fence: Fence,
    /// The number of the last event.
    seq: u32,
    /// Numbered events that no segment holds yet.
    unstored: Vec<Event>,
    unstored_bytes: usize,
    /// The segment on its way to the store.
    storing: Option<Storing>,
    /// When what waits to be stored has waited long enough.
    store_at: Option<Instant>,
    /// The store failed a moment ago: what follows waits for `store_at`, however much it is.
    failed: bool,
}

struct Storing {
    reply: store::Reply<()>,
    events: Vec<Event>,
    last_seq: u32,
}

/// Another owner has the turn.
#[derive(Debug)]
pub(crate) struct Lost;

/// What is left to be written with the turn's end.
pub(crate) struct Rest {
    pub segment: Option<Segment>,
    /// To be shown once it is stored.
    pub unshown: Vec<Shown>,
    /// The final event's number.
    pub last_seq: u32,
}

impl<'a> Journal<'a> {
    pub(crate) fn new(inner: &'a Inner, live: Arc<Live>, fence: Fence) -> Journal<'a> {
        Journal {
            inner,
            live,
            fence,
            seq: 0,
            unstored: Vec::new(),
            unstored_bytes: 0,
            storing: None,
            store_at: None,
            failed: false,
        }
    }

    fn is_strict(&self) -> bool {
        self.inner.settings.durability == Durability::Strict && self.is_kept()
    }

    fn is_kept(&self) -> bool {
        self.live.aside.is_none()
    }

    /// Gives the events their numbers. They are shown now, or, where nothing may be shown that a crash could take
    /// back, once they are stored.
    pub(crate) fn tell(&mut self, events: Vec<Event>) {
        if !self.is_strict() {
            self.live.publish(&self.inner.feed, self.numbered(self.seq + 1, &events));
        }
        self.seq += events.len() as u32;
        if !self.is_kept() {
            return;
        }
        self.unstored_bytes += events.iter().map(bytes_of).sum::<usize>();
        self.unstored.extend(events);
        if self.failed || self.unstored_bytes == 0 && !self.is_strict() {
            return;
        }
        let at_once = self.is_strict() || self.unstored_bytes >= self.inner.settings.segment_bytes;
        let due = if at_once { Instant::now() } else { self.inner.tick_in(self.inner.settings.segment_every) };
        self.store_at = Some(self.store_at.map_or(due, |at| at.min(due)));
    }

    fn numbered(&self, first: u32, events: &[Event]) -> Vec<Shown> {
        let shown = |(event, seq): (&Event, u32)| Shown {
            id: EventId::new(self.fence.epoch, seq),
            event: Arc::new(event.clone()),
            turn: None,
        };
        events.iter().zip(first..).map(shown).collect()
    }

    /// When [`Journal::store`] has something to do.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.store_at.filter(|_| self.storing.is_none())
    }

    /// Sends what has waited long enough to the store.
    pub(crate) fn store(&mut self, attempts: u32, prompt_hash: Option<[u8; 32]>) {
        if self.due().is_none_or(|at| Instant::now() < at) {
            return;
        }
        let events = std::mem::take(&mut self.unstored);
        self.unstored_bytes = 0;
        self.store_at = None;
        let segment = Segment { first_seq: self.seq + 1 - events.len() as u32, events: events.clone() };
        let now = self.inner.clock.now();
        let reply = self.inner.store.segment(self.fence.clone(), segment, attempts, prompt_hash, now);
        self.storing = Some(Storing { reply, events, last_seq: self.seq });
    }

    /// Waits for the segment on its way, for ever when there is none. Safe to drop and call again.
    pub(crate) async fn stored(&mut self) -> Result<(), Lost> {
        let Some(storing) = &mut self.storing else { return std::future::pending().await };
        let result = (&mut storing.reply).await;
        let Some(Storing { events, last_seq, .. }) = self.storing.take() else { return Ok(()) };
        match result {
            Ok(()) => {
                self.failed = false;
                if self.is_strict() {
                    let first = last_seq + 1 - events.len() as u32;
                    self.live.publish(&self.inner.feed, self.numbered(first, &events));
                }
                self.live.stored(EventId::new(self.fence.epoch, last_seq));
                Ok(())
            }
            Err(store::Error::Lost) => Err(Lost),
            Err(error) => {
                tracing::warn!(turn_id = %self.fence.turn, %error, "a segment was not stored; it is tried again");
                let later = std::mem::replace(&mut self.unstored, events);
                self.unstored.extend(later);
                self.unstored_bytes = self.unstored.iter().map(bytes_of).sum();
                self.store_at = Some(Instant::now() + PATIENCE);
                self.failed = true;
                Ok(())
            }
        }
    }

    /// The last events are told: what of it all is still to be stored.
    pub(crate) async fn close(&mut self) -> Result<Rest, Lost> {
        if self.storing.is_some() {
            self.stored().await?;
        }
        let events = std::mem::take(&mut self.unstored);
        let first_seq = self.seq + 1 - events.len() as u32;
        let unshown = if self.is_strict() { self.numbered(first_seq, &events) } else { Vec::new() };
        let segment = (!events.is_empty()).then_some(Segment { first_seq, events });
        Ok(Rest { segment, unshown, last_seq: self.seq + 1 })
    }
}

/// What makes a segment worth storing: something said. A turn of which nothing was said is simply run again.
fn bytes_of(event: &Event) -> usize {
    match event {
        Event::Text { text, .. } | Event::Reasoning { text, .. } | Event::Refusal { text, .. } => text.len(),
        Event::ToolCall { arguments, name, .. } => 1 + arguments.len() + name.as_ref().map_or(0, String::len),
        Event::Queued { .. } | Event::Started { .. } | Event::PartDone { .. } | Event::Snapshot(_) | Event::Ended => 0,
    }
}
