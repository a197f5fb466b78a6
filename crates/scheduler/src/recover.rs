//! Back after a crash: running turns whose owner is gone are ended or run again, and idle lanes with a queue go on.

use session::{
    id::{ProjectId, TurnId},
    tokens,
};
use store::{NextUp, Takeover};

use crate::{
    Scheduler,
    live::{Live, Waits},
};

/// Owners that a turn of which nothing was stored may have, one after another.
const EPOCHS_MAX: u32 = 3;

/// What was found.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// Turns that run again.
    pub again: usize,
    /// Turns that ended with what was stored of them.
    pub interrupted: usize,
    /// Lanes that go on with their queue.
    pub lanes: usize,
    /// Free turns that need not wait any more.
    pub free: usize,
}

impl Scheduler {
    /// Call once, before the first request is served.
    pub async fn recover(&self) -> store::Result<Recovered> {
        let inner = &self.0;
        let mut recovered = Recovered::default();
        let lanes = inner.store.queued_lanes().await?;
        for (project, session) in lanes.clone() {
            for turn in inner.store.queue(project.clone(), session.clone()).await? {
                let live = Live::new(project.clone(), session.clone(), turn.id);
                inner.lives.insert(live.clone());
                let position = turn.queued_at_place.unwrap_or_default();
                live.queued(&inner.feed, position, Waits { in_lane: !turn.free, parent: turn.parent });
            }
        }
        for (project, turn) in inner.store.orphans(inner.owner.clone()).await? {
            self.take_over(project, turn, &mut recovered).await?;
        }
        for (project, session) in lanes {
            let now = inner.clock.now();
            let free = inner.store.start_free(project.clone(), session.clone(), inner.owner.clone(), now).await?;
            recovered.free += free.len();
            inner.spawn_free(free);
            let next = inner.store.start_next(project.clone(), session.clone(), inner.owner.clone(), now).await?;
            recovered.lanes += usize::from(matches!(next, NextUp::Started(_)));
            inner.spawn_lane(next, project, session);
        }
        Ok(recovered)
    }

    async fn take_over(&self, project: ProjectId, turn: TurnId, recovered: &mut Recovered) -> store::Result<()> {
        let inner = &self.0;
        let taken = inner.store.take_over(
            project.clone(),
            turn,
            inner.owner.clone(),
            EPOCHS_MAX,
            inner.clock.id(),
            tokens::of_message,
            inner.clock.now(),
        );
        match taken.await? {
            Takeover::Nothing => {}
            Takeover::Again(started) => {
                recovered.again += 1;
                let session = started.session.clone();
                inner.spawn_lane(NextUp::Started(started), project, session);
            }
            Takeover::Ended(ended) => {
                recovered.interrupted += 1;
                inner.stats.turn_ended(&ended.turn);
                let session = ended.turn.session.clone();
                recovered.lanes += usize::from(matches!(ended.next, NextUp::Started(_)));
                recovered.free += ended.children.len();
                inner.spawn_free(ended.children);
                inner.spawn_lane(ended.next, project, session);
            }
        }
        Ok(())
    }
}
