//! At most so many upstream calls of one config at once. Waiting turns go first come first served; since a session has
//! one running turn, that is fair between sessions.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use session::id::{ConfigId, ProjectId};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

#[derive(Debug, Default)]
pub(crate) struct Gates(Mutex<HashMap<(ProjectId, ConfigId), Gate>>);

#[derive(Debug)]
struct Gate {
    limit: u32,
    places: Arc<Semaphore>,
}

impl Gates {
    /// Waits for a place; `None` when the config has no limit. A changed limit holds for calls from then on.
    pub(crate) async fn enter(
        &self,
        project: &ProjectId,
        config: &ConfigId,
        limit: Option<u32>,
    ) -> Option<OwnedSemaphorePermit> {
        let limit = limit?.max(1);
        let gate = {
            let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let fresh = || Gate { limit, places: Arc::new(Semaphore::new(limit as usize)) };
            let gate = gates.entry((project.clone(), config.clone())).or_insert_with(fresh);
            if gate.limit != limit {
                *gate = fresh();
            }
            gate.places.clone()
        };
        gate.acquire_owned().await.ok()
    }
}
