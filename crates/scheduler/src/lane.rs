//! A session's lane: runs its turns one after another for as long as there are any. A free turn runs the same way, as a
//! lane of one.

use std::{sync::Arc, time::Duration};

use session::{
    id::{ProjectId, SessionId, TurnId},
    time::Time,
    turn::{Failure, FailureCode},
};
use store::{Fence, Finish, NextUp, Started};

use crate::{Inner, live::Live, run};

impl Inner {
    /// Carries a lane on from a started turn, as a task of its own.
    pub(crate) fn spawn_lane(self: &Arc<Self>, first: NextUp, project: ProjectId, session: SessionId) {
        if matches!(first, NextUp::Nothing) {
            return;
        }
        let inner = self.clone();
        self.tasks.spawn(async move { inner.lane(first, project, session).await });
    }

    async fn lane(self: Arc<Self>, first: NextUp, project: ProjectId, session: SessionId) {
        let mut next = first;
        loop {
            next = match next {
                NextUp::Nothing => return,
                NextUp::Wait(until) => self.wait_and_start(until, &project, &session).await,
                NextUp::Started(started) => {
                    let (turn, free) = (started.turn.clone(), started.free);
                    match self.run_turn(started).await {
                        Some(next) => next,
                        None => return self.leave(&project, &session, &turn, free),
                    }
                }
            };
        }
    }

    /// The turn that ran was left to somebody else, and so is what waits for it, its lane's queue above all: their
    /// watchers look in the store.
    fn leave(&self, project: &ProjectId, session: &SessionId, turn: &TurnId, free: bool) {
        for live in self.lives.all() {
            let left =
                live.waits().is_some_and(|waits| (waits.in_lane && !free) || waits.parent.as_ref() == Some(turn));
            if left && live.project == *project && live.session == *session {
                self.lives.remove(&live);
                live.abandon();
            }
        }
    }

    /// What a turn's end has started beside the lane, each as a task of its own.
    pub(crate) fn spawn_free(self: &Arc<Self>, started: Vec<Started>) {
        for started in started {
            let (project, session) = (started.project.clone(), started.session.clone());
            self.spawn_lane(NextUp::Started(Box::new(started)), project, session);
        }
    }

    async fn wait_and_start(&self, until: Time, project: &ProjectId, session: &SessionId) -> NextUp {
        let ms = until.since(self.clock.now());
        tokio::select! {
            biased;
            () = self.draining.cancelled() => return NextUp::Nothing,
            () = tokio::time::sleep(Duration::from_millis(ms)) => {}
        }
        self.start_next(project, session).await
    }

    pub(crate) async fn start_next(&self, project: &ProjectId, session: &SessionId) -> NextUp {
        let next = self.store.start_next(project.clone(), session.clone(), self.owner.clone(), self.clock.now());
        next.await.unwrap_or_else(|error| {
            tracing::error!(session_id = %session, %error, "a lane could not go on; the next send or start takes it up");
            NextUp::Nothing
        })
    }

    async fn run_turn(self: &Arc<Self>, mut started: Box<Started>) -> Option<NextUp> {
        let live = self.live_of(&started);
        live.started(&self.feed, started.waited_at);
        if started.waited_at.is_some() {
            self.queue_changed(&live);
        }
        let next = match run::run(self, live.clone(), &mut started).await {
            Ok(next) => next,
            Err(_) => self.give_up(&live, &started).await,
        };
        self.lives.remove(&live);
        next
    }

    fn live_of(&self, started: &Started) -> Arc<Live> {
        self.lives.get(&started.project, &started.turn).unwrap_or_else(|| {
            let live = Live::new(started.project.clone(), started.session.clone(), started.turn.clone());
            self.lives.insert(live.clone());
            live
        })
    }

    /// A panic ends the one turn that it happened in.
    async fn give_up(self: &Arc<Self>, live: &Live, started: &Started) -> Option<NextUp> {
        tracing::error!(turn_id = %started.turn, session_id = %started.session, "a turn panicked");
        let stored = self.store.events(started.project.clone(), started.turn.clone(), Default::default()).await;
        let said: Vec<_> = stored.ok().flatten().map(|found| found.events).unwrap_or_default();
        let last_seq = said.iter().filter(|e| e.id.epoch == started.epoch).map(|e| e.id.seq).max().unwrap_or(0);
        let answer = session::answer::from_events(said.iter().map(|stored| &stored.event)).message();
        let mut outcome = run::failed(Failure::new(
            FailureCode::Internal,
            "Turnwise failed while it ran this turn. Your message is kept: retry the turn.",
        ));
        let answer_tokens = answer.as_ref().map_or(0, session::tokens::of_message);
        outcome.answer = answer;
        let finish = Finish {
            fence: Fence {
                project: started.project.clone(),
                turn: started.turn.clone(),
                epoch: started.epoch,
                owner: self.owner.clone(),
            },
            session: started.session.clone(),
            outcome,
            answer_id: self.clock.id(),
            answer_tokens,
            rest: None,
            // Beyond every number that may have been shown.
            last_seq: last_seq.saturating_add(1_000_000),
            attempts: started.attempts + 1,
            first_token_ms: None,
            prompt_hash: None,
            interrupted: false,
            hold_ms: 0,
            go_on: !self.draining.is_cancelled(),
            now: self.clock.now(),
        };
        match self.store.finish(finish).await {
            Ok(finished) => {
                self.ended(live, finished.turn);
                self.spawn_free(finished.children);
                Some(finished.next)
            }
            Err(error) => {
                tracing::error!(turn_id = %started.turn, %error, "a panicked turn could not be ended");
                live.abandon();
                None
            }
        }
    }
}
