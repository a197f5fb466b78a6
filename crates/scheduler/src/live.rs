//! A turn that has not ended, as its watchers see it: the events so far, and a way to ask it to stop.
//!
//! The log is bounded. Once events are stored they may leave memory, and a watcher that is further behind than that
//! reads them from the store. A watcher reads at its own pace and can neither slow the turn nor stop it.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use session::{
    event::{Event, EventId},
    id::{ProjectId, SessionId, TurnId},
    run::Stop,
};
use store::Turn;
use tokio::sync::{Notify, futures::Notified, watch};

use crate::feed::{Feed, Notice};

/// Bytes of text kept in memory of a turn's stored events.
const LOG_BYTES_MAX: usize = 256 << 10;

/// An event with its number; the last one comes with the ended turn.
#[derive(Debug, Clone)]
pub struct Shown {
    pub id: EventId,
    pub event: Arc<Event>,
    pub turn: Option<Arc<Turn>>,
}

#[derive(Debug)]
pub struct Live {
    pub project: ProjectId,
    pub session: SessionId,
    pub turn: TurnId,
    /// Of a turn that is not stored, how it stood when it started.
    pub aside: Option<Box<Turn>>,
    log: Mutex<Log>,
    changed: Notify,
    /// Apart from `changed`, so that who waits for the end alone is not woken before.
    ended: Notify,
    stop: watch::Sender<Option<Stop>>,
}

/// For what a turn waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Waits {
    /// For its place in the lane; a free turn does not.
    pub in_lane: bool,
    /// For the end of the turn that it continues.
    pub parent: Option<TurnId>,
}

#[derive(Debug, Default)]
struct Log {
    /// `None` once the turn has started.
    waits: Option<Waits>,
    events: VecDeque<Shown>,
    bytes: usize,
    /// Everything up to here is in the store.
    stored: EventId,
    /// Everything up to here has left memory.
    dropped: EventId,
    over: bool,
}

/// What a watcher finds behind its cursor.
pub(crate) enum Behind {
    Events(Vec<Shown>),
    /// Nothing yet.
    Nothing,
    /// Nothing, and nothing will come.
    Over,
    /// Some of it is only in the store.
    InStore,
}

impl Live {
    pub(crate) fn new(project: ProjectId, session: SessionId, turn: TurnId) -> Arc<Live> {
        Live::make(project, session, turn, None)
    }

    pub(crate) fn aside(turn: Turn, project: &ProjectId) -> Arc<Live> {
        Live::make(project.clone(), turn.session.clone(), turn.id.clone(), Some(Box::new(turn)))
    }

    fn make(project: ProjectId, session: SessionId, turn: TurnId, aside: Option<Box<Turn>>) -> Arc<Live> {
        Arc::new(Live {
            project,
            session,
            turn,
            aside,
            log: Mutex::default(),
            changed: Notify::new(),
            ended: Notify::new(),
            stop: watch::Sender::new(None),
        })
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows events to every watcher, and to the feed at the same moment, so that what is seen here and the feed's
    /// cursor always agree. The feed hears of stored turns alone.
    pub(crate) fn publish(&self, feed: &Feed, events: impl IntoIterator<Item = Shown>) {
        self.show(self.log(), feed, events);
    }

    fn show(&self, mut log: MutexGuard<'_, Log>, feed: &Feed, events: impl IntoIterator<Item = Shown>) {
        let logged = events.into_iter().inspect(|shown| {
            log.bytes += weight(&shown.event);
            log.over |= shown.turn.is_some();
            log.events.push_back(shown.clone());
        });
        match &self.aside {
            Some(_) => logged.for_each(drop),
            None => feed.push_all(
                &self.project,
                logged.map(|shown| Notice::Turn { session: self.session.clone(), turn: self.turn.clone(), shown }),
            ),
        }
        self.tell(log);
    }

    fn tell(&self, log: MutexGuard<'_, Log>) {
        let over = log.over;
        drop(log);
        self.changed.notify_waiters();
        if over {
            self.ended.notify_waiters();
        }
    }

    /// Shows that the turn waits. It may have started before its sender came to say so, and then this was shown.
    pub(crate) fn queued(&self, feed: &Feed, position: u32, waits: Waits) {
        let mut log = self.log();
        if log.events.is_empty() {
            log.waits = Some(waits);
            self.show(log, feed, [waiting(position)]);
        }
    }

    /// The turn runs from now on; `waited_at` is its place while it waited.
    pub(crate) fn started(&self, feed: &Feed, waited_at: Option<u32>) {
        let mut log = self.log();
        log.waits = None;
        if log.events.is_empty() {
            self.show(log, feed, waited_at.map(waiting));
        }
    }

    pub(crate) fn waits(&self) -> Option<Waits> {
        self.log().waits.clone()
    }

    /// The events up to `id` are durable and may leave memory.
    pub(crate) fn stored(&self, id: EventId) {
        let mut log = self.log();
        log.stored = log.stored.max(id);
        while log.bytes > LOG_BYTES_MAX {
            let stored = log.stored;
            let Some(first) = log.events.pop_front_if(|first| first.id <= stored) else { return };
            log.bytes -= weight(&first.event);
            log.dropped = first.id;
        }
    }

    /// The turn ended elsewhere or was left: watchers look in the store.
    pub(crate) fn abandon(&self) {
        let mut log = self.log();
        log.over = true;
        self.tell(log);
    }

    pub(crate) fn behind(&self, cursor: EventId) -> Behind {
        let log = self.log();
        if cursor < log.dropped {
            return Behind::InStore;
        }
        let from = log.events.partition_point(|shown| shown.id <= cursor);
        if from < log.events.len() {
            return Behind::Events(log.events.range(from..).cloned().collect());
        }
        if log.over { Behind::Over } else { Behind::Nothing }
    }

    /// The events in memory, the id up to which they have left it, and the feed's cursor, all of one moment.
    pub(crate) fn so_far(&self, feed: &Feed) -> (Vec<Shown>, EventId, String) {
        let log = self.log();
        (log.events.iter().cloned().collect(), log.dropped, feed.cursor(&self.project))
    }

    /// The next change after this call: it counts from here, not from the first time that it is waited for.
    pub(crate) fn change(&self) -> Notified<'_> {
        self.changed.notified()
    }

    /// Waits until nothing more will come, and gives the turn as it ended, if it ended here.
    pub(crate) async fn end(&self) -> Option<Arc<Turn>> {
        let ended = self.ended.notified();
        if !self.log().over {
            ended.await;
        }
        self.log().events.back()?.turn.clone()
    }

    /// Asks the turn's owner to end it. The first reason stands.
    pub(crate) fn stop(&self, why: Stop) {
        self.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            if first {
                *stop = Some(why);
            }
            first
        });
    }

    pub(crate) fn stops(&self) -> watch::Receiver<Option<Stop>> {
        self.stop.subscribe()
    }
}

/// What a watcher is told first of a turn that waits.
fn waiting(position: u32) -> Shown {
    Shown { id: EventId::new(0, 1), event: Arc::new(Event::Queued { position }), turn: None }
}

fn weight(event: &Event) -> usize {
    let text = match event {
        Event::Text { text, .. } | Event::Reasoning { text, .. } | Event::Refusal { text, .. } => text.len(),
        Event::ToolCall { arguments, .. } => arguments.len(),
        Event::Snapshot(snapshot) => snapshot.text.len() + snapshot.reasoning.len(),
        Event::Queued { .. } | Event::Started { .. } | Event::PartDone { .. } | Event::Ended => 0,
    };
    text + size_of::<Shown>()
}

/// Every turn of this process that has not ended.
#[derive(Debug, Default)]
pub(crate) struct Lives(Mutex<HashMap<(ProjectId, TurnId), Arc<Live>>>);

impl Lives {
    fn map(&self) -> MutexGuard<'_, HashMap<(ProjectId, TurnId), Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, live: Arc<Live>) {
        self.map().insert((live.project.clone(), live.turn.clone()), live);
    }

    pub(crate) fn get(&self, project: &ProjectId, turn: &TurnId) -> Option<Arc<Live>> {
        self.map().get(&(project.clone(), turn.clone())).cloned()
    }

    pub(crate) fn remove(&self, live: &Live) {
        self.map().remove(&(live.project.clone(), live.turn.clone()));
    }

    pub(crate) fn all(&self) -> Vec<Arc<Live>> {
        self.map().values().cloned().collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.map().len()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn a_change_between_the_question_and_the_wait_is_not_missed() {
        let live = Live::new("p".parse().unwrap(), "s".parse().unwrap(), "t".parse().unwrap());
        let change = live.change();
        live.abandon();
        assert!(change.now_or_never().is_some());
    }

    #[test]
    fn that_a_turn_waited_is_shown_once_and_first_whoever_comes_first() {
        let feed = Feed::new("boot".into());
        for starts_early in [false, true] {
            let live = Live::new("p".parse().unwrap(), "s".parse().unwrap(), "t".parse().unwrap());
            let told = || live.queued(&feed, 2, Waits { in_lane: true, parent: None });
            let starts = || {
                live.started(&feed, Some(2));
                let event = Arc::new(Event::Started { model: "m".into(), attempt: 1 });
                live.publish(&feed, [Shown { id: EventId::new(1, 1), event, turn: None }]);
            };
            if starts_early {
                starts();
                told();
            } else {
                told();
                assert!(live.waits().is_some());
                starts();
            }
            let (events, ..) = live.so_far(&feed);
            assert_eq!(*events[0].event, Event::Queued { position: 2 });
            assert_eq!(events.iter().map(|shown| shown.id.to_string()).collect::<Vec<_>>(), ["0.1", "1.1"]);
            assert!(live.waits().is_none());
        }
    }
}
