//! Named points at which scripts wait until the test lets them go on.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

#[derive(Default)]
pub(crate) struct Gates(Mutex<HashMap<String, Arc<Semaphore>>>);

impl Gates {
    pub(crate) async fn pass(&self, name: &str) {
        // An open gate is a closed semaphore: acquiring fails at once, for everyone, for good.
        if let Ok(permit) = self.gate(name).acquire().await {
            permit.forget();
        }
    }

    pub(crate) fn open(&self, name: &str) {
        self.gate(name).close();
    }

    pub(crate) fn let_through(&self, name: &str, scripts: usize) {
        self.gate(name).add_permits(scripts);
    }

    fn gate(&self, name: &str) -> Arc<Semaphore> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(name.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(0))).clone()
    }
}
