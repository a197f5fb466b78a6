//! At most so many upstream calls of one config at once. Waiting turns go first come first served; since a session has
//! one running turn, that is fair between sessions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use session::id::{ConfigId, ProjectId};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, futures::OwnedNotified};

#[derive(Debug, Default)]
pub(crate) struct Gates(Mutex<HashMap<(ProjectId, ConfigId), Gate>>);

#[derive(Debug, Clone)]
struct Gate {
    limit: u32,
    places: Arc<Semaphore>,
    /// Told when a turn has to wait.
    wanted: Arc<Notify>,
}

/// A place that nobody needed, taken for something that can as well be left undone.
#[derive(Debug)]
pub(crate) struct Spare {
    _place: Option<OwnedSemaphorePermit>,
    wanted: OwnedNotified,
}

impl Spare {
    /// Waits until a turn waits for the place.
    pub(crate) async fn wanted(self) {
        self.wanted.await;
    }
}

impl Gates {
    /// Waits for a place; `None` when the config has no limit. A changed limit holds for calls from then on.
    pub(crate) async fn enter(
        &self,
        project: &ProjectId,
        config: &ConfigId,
        limit: Option<u32>,
    ) -> Option<OwnedSemaphorePermit> {
        let gate = self.gate(project, config, limit?);
        if let Ok(place) = gate.places.clone().try_acquire_owned() {
            return Some(place);
        }
        gate.wanted.notify_waiters();
        gate.places.acquire_owned().await.ok()
    }

    /// A place, if there is one at once.
    pub(crate) fn spare(&self, project: &ProjectId, config: &ConfigId, limit: Option<u32>) -> Option<Spare> {
        let Some(limit) = limit else {
            return Some(Spare { _place: None, wanted: Arc::new(Notify::new()).notified_owned() });
        };
        let gate = self.gate(project, config, limit);
        // Listened for before the place is taken: no turn can ask for it unheard.
        let wanted = gate.wanted.notified_owned();
        let place = gate.places.try_acquire_owned().ok()?;
        Some(Spare { _place: Some(place), wanted })
    }

    fn gate(&self, project: &ProjectId, config: &ConfigId, limit: u32) -> Gate {
        let limit = limit.max(1);
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || {
            let places = Arc::new(Semaphore::new(limit as usize));
            Gate { limit, places, wanted: Arc::default() }
        };
        let gate = gates.entry((project.clone(), config.clone())).or_insert_with(fresh);
        if gate.limit != limit {
            *gate = fresh();
        }
        gate.clone()
    }
}
