//! What clients do with turns and sessions that exist: watch, cancel, edit, resume, delete.

use std::{sync::Arc, time::Duration};

use session::{
    answer,
    event::{EventId, Snapshot},
    id::{ProjectId, SessionId, TurnId},
    message::{Content, Message, Role},
    run::Stop,
};
use store::{Cancelled, Edit, Found, NextUp, Said, Session, SessionChange, Source, StoredEvent, Turn};

use crate::{Inner, Notice, Scheduler, Watch};

/// A running or queued turn at one moment.
#[derive(Debug)]
pub struct Active {
    pub said: Snapshot,
    /// The last event in `said`.
    pub last: EventId,
    /// Where the feed stood at that moment.
    pub cursor: String,
}

impl Scheduler {
    /// The events of a turn behind `after`, from a running or an ended one.
    pub fn watch(&self, project: ProjectId, turn: TurnId, after: EventId) -> Watch {
        let live = self.0.lives.get(&project, &turn);
        Watch::new(self.0.store.clone(), project, turn, after, live)
    }

    /// What a turn that has not ended has said so far; `None` when it is not live here.
    pub async fn active(&self, project: &ProjectId, turn: &TurnId) -> store::Result<Option<Active>> {
        let Some(live) = self.0.lives.get(project, turn) else { return Ok(None) };
        let (events, dropped, cursor) = live.so_far(&self.0.feed);
        let mut said = answer::Answer::default();
        if dropped > EventId::START {
            let stored = self.0.store.events(project.clone(), turn.clone(), EventId::START).await?;
            let stored = stored.map(|found| found.events).unwrap_or_default();
            stored.iter().filter(|stored| stored.id <= dropped).for_each(|stored| said.replay(&stored.event));
        }
        events.iter().for_each(|shown| said.replay(&shown.event));
        let last = events.last().map_or(dropped, |last| last.id);
        Ok(Some(Active { said: said.snapshot(), last, cursor }))
    }

    /// A turn with every event of it so far: what is stored, and what a turn that is live here has shown since.
    pub async fn so_far(&self, project: ProjectId, turn: TurnId) -> store::Result<Option<Found>> {
        // Taken first, so that nothing is missing between the two.
        let live = self.0.lives.get(&project, &turn).map(|live| live.so_far(&self.0.feed).0).unwrap_or_default();
        let Some(mut found) = self.0.store.events(project, turn, EventId::START).await? else { return Ok(None) };
        let last = found.events.last().map_or(EventId::START, |last| last.id);
        let since = live.iter().filter(|shown| shown.id > last && shown.turn.is_none());
        found.events.extend(since.map(|shown| StoredEvent { id: shown.id, event: (*shown.event).clone() }));
        Ok(Some(found))
    }

    /// Idempotent: a turn that has ended is given back as it is.
    pub async fn cancel(&self, project: ProjectId, turn: TurnId) -> store::Result<Arc<Turn>> {
        let inner = self.0.clone();
        self.detached(async move { inner.cancel(project, turn).await }).await
    }

    /// As [`Scheduler::cancel`], for a caller that has left.
    pub fn cancel_detached(&self, project: ProjectId, turn: TurnId) {
        let inner = self.0.clone();
        self.0.tasks.spawn(async move {
            if let Err(error) = inner.cancel(project, turn.clone()).await {
                tracing::warn!(turn_id = %turn, %error, "a turn was not cancelled when its client left");
            }
        });
    }

    /// Changes a queued turn.
    pub async fn edit(
        &self,
        project: ProjectId,
        turn: TurnId,
        message: Option<Content>,
        position: Option<u32>,
    ) -> store::Result<Turn> {
        let message = message.map(|content| self.0.message(Message::new(Role::User, content)));
        let edited = self.0.store.edit(project.clone(), turn, Edit { message, position }).await?;
        self.0.notice_queue(&project, &edited.session);
        if position.is_some() {
            self.0.look_at_lane(&project, &edited.session);
        }
        Ok(edited)
    }

    /// Changes a session. A head that moves ends the wait for tool results, and the queue goes on.
    pub async fn change_session(
        &self,
        project: ProjectId,
        session: SessionId,
        change: SessionChange,
    ) -> store::Result<Session> {
        let inner = self.0.clone();
        self.detached(async move {
            let moves = change.head.is_some();
            let now = inner.clock.now();
            let changed = inner.store.change_session(project.clone(), session.clone(), change, now).await?;
            inner.feed.push(&project, Notice::SessionUpdated { session: session.clone() });
            if moves {
                let next = inner.start_next(&project, &session).await;
                inner.spawn_lane(next, project, session);
            }
            Ok(changed)
        })
        .await
    }

    /// Ends a pause and starts the queue.
    pub async fn resume(&self, project: ProjectId, session: SessionId) -> store::Result<()> {
        let inner = self.0.clone();
        self.detached(async move {
            let next = inner.store.resume(project.clone(), session.clone(), inner.owner.clone(), inner.clock.now());
            let next = next.await?;
            inner.notice_queue(&project, &session);
            inner.spawn_lane(next, project, session);
            Ok(())
        })
        .await
    }

    /// Hides a session, cancels what waits there, and stops what runs.
    pub async fn delete_session(&self, project: ProjectId, session: SessionId) -> store::Result<()> {
        let inner = self.0.clone();
        self.detached(async move {
            let deleted = inner.store.delete_session(project.clone(), session.clone(), inner.clock.now());
            let (running, cancelled) = deleted.await?;
            for turn in cancelled {
                if let Some(live) = inner.lives.get(&project, &turn.id) {
                    inner.ended(&live, turn);
                }
            }
            for live in running.iter().filter_map(|turn| inner.lives.get(&project, turn)) {
                live.stop(Stop::Cancel);
            }
            inner.feed.push(&project, Notice::SessionDeleted { session });
            Ok(())
        })
        .await
    }

    /// Erases something that was said in a session. Where the lane waited for the results of tool calls that are gone,
    /// its queue goes on.
    pub async fn delete_said(&self, project: ProjectId, session: SessionId, said: Said) -> store::Result<()> {
        let inner = self.0.clone();
        self.detached(async move {
            let of_answer = matches!(said.source, Source::Answer(_));
            let turn = inner.store.delete_said(project.clone(), session.clone(), said, inner.clock.now()).await?;
            let turn = Arc::new(turn);
            if of_answer {
                inner.feed.erase(&project, &turn);
            }
            inner.feed.push(&project, Notice::MessageDeleted { session: session.clone(), turn: turn.id.clone() });
            let calls_left = turn.answer.as_ref().is_some_and(|answer| !answer.message.tool_calls.is_empty());
            if of_answer && !calls_left {
                let next = inner.start_next(&project, &session).await;
                inner.spawn_lane(next, project, session);
            }
            Ok(())
        })
        .await
    }

    /// Deletes a turn as a response; one that has not ended is cancelled first.
    pub async fn delete_response(&self, project: ProjectId, turn: TurnId) -> store::Result<()> {
        let inner = self.0.clone();
        self.detached(async move {
            inner.cancel(project.clone(), turn.clone()).await?;
            let deleted = Arc::new(inner.store.delete_response(project.clone(), turn, inner.clock.now()).await?);
            if deleted.free {
                inner.feed.erase(&project, &deleted);
                let (session, turn) = (deleted.session.clone(), deleted.id.clone());
                inner.feed.push(&project, Notice::SessionUpdated { session: session.clone() });
                inner.feed.push(&project, Notice::MessageDeleted { session, turn });
            }
            Ok(())
        })
        .await
    }

    /// Tells the followers of the feed what became of a session.
    pub fn notice(&self, project: &ProjectId, notice: Notice) {
        self.0.feed.push(project, notice);
    }

    /// Runs on when its caller leaves.
    async fn detached<T: Send + 'static>(
        &self,
        work: impl Future<Output = store::Result<T>> + Send + 'static,
    ) -> store::Result<T> {
        let done = self.0.tasks.spawn(work);
        done.await.unwrap_or_else(|_| Err(store::Error::Failed("the request broke off".into())))
    }
}

impl Inner {
    /// Starts the lane's next turn if that is another one now, and need not wait as the one before it did.
    fn look_at_lane(self: &Arc<Self>, project: &ProjectId, session: &SessionId) {
        self.spawn_lane(NextUp::Wait(self.clock.now()), project.clone(), session.clone());
    }

    async fn cancel(self: &Arc<Self>, project: ProjectId, turn: TurnId) -> store::Result<Arc<Turn>> {
        match self.store.cancel(project.clone(), turn.clone(), self.clock.now()).await? {
            Cancelled::Before(turn) => Ok(Arc::new(turn)),
            Cancelled::Done(cancelled) => {
                if let Some(live) = self.lives.get(&project, &turn) {
                    self.ended(&live, cancelled.clone());
                    self.queue_changed(&live);
                }
                self.look_at_lane(&project, &cancelled.session);
                Ok(Arc::new(cancelled))
            }
            Cancelled::Running => {
                let live = self.lives.get(&project, &turn);
                if let Some(live) = &live {
                    live.stop(Stop::Cancel);
                }
                let watch = Watch::new(self.store.clone(), project.clone(), turn.clone(), EventId::START, live);
                match tokio::time::timeout(Duration::from_secs(10), watch.end()).await {
                    Ok(ended) => ended,
                    // It has stopped, and its end waits to be stored.
                    Err(_) => Err(store::Error::Overloaded),
                }
            }
        }
    }
}
