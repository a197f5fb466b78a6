//! A turn that nothing is kept of: it runs as any other, with the same gates, deadlines and events, but no store hears
//! of it, nobody else can watch it, and it ends when its watcher leaves.

use std::sync::Arc;

use session::{
    history::{self, Prompt},
    id::TurnId,
    turn::{Status, Timing, Usage},
};
use store::{Admit, Finish, Parent, Started, Turn, Unread};

use crate::{Ask, Inner, Scheduler, Watch, live::Live, run};

pub struct Aside {
    /// As it stood when it started.
    pub turn: Turn,
    /// The only one there is: dropping it cancels the turn.
    pub watch: Watch,
}

impl Scheduler {
    /// Runs a turn aside from every lane, behind what its session or parent says now.
    pub async fn aside(&self, ask: Ask) -> store::Result<Aside> {
        let inner = self.0.clone();
        inner.refuse_while_draining()?;
        let turn: TurnId = inner.clock.id();
        let ask = inner.request(ask, &turn);
        let started = inner.store.draft(ask.clone()).await?;
        let turn = begun(ask, &started);
        let live = Live::aside(turn.clone(), &started.project);
        inner.lives.insert(live.clone());
        inner.stats.admitted();
        inner.tasks.spawn(inner.clone().run_aside(live.clone(), started));
        Ok(Aside { turn, watch: Watch::aside(inner.store.clone(), live, inner.draining.clone()) })
    }
}

impl Scheduler {
    /// What a turn would be answered with, if it started now.
    pub async fn draft(&self, ask: Ask) -> store::Result<Prompt> {
        let inner = &self.0;
        let draft = inner.store.draft(inner.request(ask, &inner.clock.id())).await?;
        let config = draft.config.ok_or(store::Error::ConfigNotFound)?;
        let Started { session_system, options, past, input, .. } = draft;
        let past = past.map_err(|Unread(why)| store::Error::Failed(why))?;
        Ok(history::assemble(&config.config, session_system.as_deref(), &options, past, input))
    }
}

impl Inner {
    async fn run_aside(self: Arc<Self>, live: Arc<Live>, mut started: Started) {
        if run::run(&self, live.clone(), &mut started).await.is_err() {
            tracing::error!(turn_id = %live.turn, "a turn that is not stored panicked");
            live.abandon();
        }
        self.lives.remove(&live);
    }
}

fn begun(ask: Admit, started: &Started) -> Turn {
    let (parent, parent_given) = match ask.parent {
        Parent::Head => (None, false),
        Parent::Root => (None, true),
        Parent::Turn(turn) => (Some(turn), true),
    };
    Turn {
        id: ask.turn,
        session: started.session.clone(),
        kind: ask.input.kind(),
        status: Status::Running,
        reason: None,
        finish: None,
        number: None,
        queued_at_place: None,
        parent,
        parent_given,
        free: false,
        epoch: started.epoch,
        owner: None,
        attempts: 0,
        config: started.config.as_ref().map(|config| config.id.clone()),
        config_revision: started.config.as_ref().map(|config| config.revision),
        model: None,
        answer: None,
        input: Vec::new(),
        asked: 0,
        options: started.options.clone(),
        metadata: ask.metadata,
        request: ask.request,
        usage: Usage::default(),
        timing: Timing::default(),
        error: None,
        last: None,
        response_deleted: false,
        created_at: started.created_at,
        started_at: Some(started.started_at),
        ended_at: None,
    }
}

/// The turn as storage would give it back.
pub(crate) fn ended(begun: &Turn, finish: Finish) -> Turn {
    let Finish { outcome, answer_id, now, .. } = finish;
    let answer = outcome.answer.map(|message| session::message::StoredMessage {
        id: answer_id,
        session_id: begun.session.clone(),
        turn_id: begun.id.clone(),
        message,
        timestamp: now,
    });
    Turn {
        status: outcome.status,
        reason: outcome.reason,
        finish: outcome.finish,
        attempts: finish.attempts,
        model: outcome.model,
        answer,
        usage: outcome.usage,
        timing: Timing { queued_ms: 0, first_token_ms: finish.first_token_ms, total_ms: now.since(begun.created_at) },
        error: outcome.error,
        last: Some(session::event::EventId::new(begun.epoch, finish.last_seq)),
        ended_at: Some(now),
        ..begun.clone()
    }
}
