//! One watcher of one turn: every event behind its cursor, in order, from memory and, where that has gone, the store.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use session::{
    event::{Event, EventId},
    id::{ProjectId, TurnId},
    run::Stop,
};
use store::{Found, Store};
use tokio_util::sync::CancellationToken;

use crate::live::{Behind, Live, Shown};

/// How often the store is asked about a turn that runs elsewhere.
const POLL: Duration = Duration::from_millis(250);

pub struct Watch {
    store: Store,
    project: ProjectId,
    turn: TurnId,
    cursor: EventId,
    live: Option<Arc<Live>>,
    /// From the store, not yet given out.
    backlog: VecDeque<Shown>,
    over: bool,
    /// Of a turn that is not stored.
    only: Option<OnlyWatcher>,
}

/// Whoever watches a turn that nothing is kept of is the only one who wants it.
struct OnlyWatcher {
    live: Arc<Live>,
    draining: CancellationToken,
}

impl OnlyWatcher {
    /// Why the turn will not end: nobody takes it up.
    fn left(&self) -> store::Error {
        if self.draining.is_cancelled() {
            return store::Error::Closed("the server is shutting down; send it again in a moment".into());
        }
        store::Error::Failed("a turn that is not stored was given up".into())
    }
}

impl Drop for OnlyWatcher {
    fn drop(&mut self) {
        self.live.stop(Stop::Cancel);
    }
}

impl Watch {
    pub(crate) fn new(
        store: Store,
        project: ProjectId,
        turn: TurnId,
        after: EventId,
        live: Option<Arc<Live>>,
    ) -> Watch {
        Watch { store, project, turn, cursor: after, live, backlog: VecDeque::new(), over: false, only: None }
    }

    pub(crate) fn aside(store: Store, live: Arc<Live>, draining: CancellationToken) -> Watch {
        let only = Some(OnlyWatcher { live: live.clone(), draining });
        let (project, turn) = (live.project.clone(), live.turn.clone());
        Watch { only, ..Watch::new(store, project, turn, EventId::START, Some(live)) }
    }

    pub fn turn(&self) -> &TurnId {
        &self.turn
    }

    /// The next events, as many as there are; `None` after the final one. Safe to drop and call again.
    pub async fn next(&mut self) -> Option<store::Result<Vec<Shown>>> {
        loop {
            if !self.backlog.is_empty() {
                let events: Vec<Shown> = self.backlog.drain(..).collect();
                return Some(Ok(self.give(events)));
            }
            if self.over {
                return None;
            }
            let Some(live) = self.live.clone() else {
                // An end that cannot be stored will not come; it is looked for once more after that is known.
                let closed = self.store.closed();
                match (self.look_in_store().await, closed) {
                    (Ok(true), _) => {}
                    (Ok(false), None) => tokio::time::sleep(POLL).await,
                    (Ok(false), Some(error)) | (Err(error), _) => {
                        self.over = true;
                        return Some(Err(error));
                    }
                }
                continue;
            };
            let change = live.change();
            match live.behind(self.cursor) {
                Behind::Events(events) => return Some(Ok(self.give(events))),
                Behind::Nothing => change.await,
                Behind::InStore => {
                    if let Err(error) = self.look_in_store().await {
                        self.over = true;
                        return Some(Err(error));
                    }
                }
                Behind::Over => match &self.only {
                    Some(only) => {
                        self.over = true;
                        return Some(Err(only.left()));
                    }
                    None => self.live = None,
                },
            }
        }
    }

    /// The end of the turn.
    pub async fn end(mut self) -> store::Result<Arc<store::Turn>> {
        if let Some(live) = &self.live
            && let Some(turn) = live.end().await
        {
            return Ok(turn);
        }
        while let Some(events) = self.next().await {
            if let Some(turn) = events?.into_iter().find_map(|shown| shown.turn) {
                return Ok(turn);
            }
        }
        let found = self.store.turn(self.project, self.turn).await?;
        found.map(Arc::new).ok_or(store::Error::TurnNotFound)
    }

    fn give(&mut self, events: Vec<Shown>) -> Vec<Shown> {
        if let Some(last) = events.last() {
            self.cursor = last.id;
            self.over |= last.turn.is_some();
        }
        events
    }

    /// Fills the backlog; true when there is something new, or there is nothing more to come.
    async fn look_in_store(&mut self) -> store::Result<bool> {
        let found = self.store.events(self.project.clone(), self.turn.clone(), self.cursor).await?;
        let Found { turn, events } = found.ok_or(store::Error::TurnNotFound)?;
        let ended = turn.status.is_final();
        let turn = Arc::new(turn);
        self.backlog = events
            .into_iter()
            .map(|stored| Shown {
                id: stored.id,
                turn: (stored.event == Event::Ended).then(|| turn.clone()),
                event: Arc::new(stored.event),
            })
            .collect();
        self.over |= ended && self.backlog.is_empty();
        Ok(self.over || !self.backlog.is_empty())
    }
}
