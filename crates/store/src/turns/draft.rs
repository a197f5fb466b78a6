//! What a turn would be answered with, without becoming one: nothing is written, and nobody finds it later.

use rusqlite::Connection;

use super::{
    Admit, Started,
    admit::{choose_config, lane_of},
    plan::resolve,
    start::{Place, counters, cut, past},
};
use crate::{Store, error::Result, vault::Vault, walk::Tree, writer::Reply};

impl Store {
    /// As it would start now, whatever its lane is doing. Refuses what [`Store::admit`] refuses, a busy lane aside.
    pub fn draft(&self, ask: Admit) -> Reply<Started> {
        let vault = self.inner.vault.clone();
        self.inner.readers.read(move |conn| draft(conn, &vault, ask))
    }
}

fn draft(conn: &Connection, vault: &Vault, ask: Admit) -> Result<Started> {
    let (session, mut lane) = lane_of(conn, &ask)?;
    let config = Some(choose_config(conn, vault, &ask, lane.config.as_ref())?);
    let plan = resolve(conn, &ask, session, &lane)?;
    let tree = Tree { conn, project: &ask.project, session };
    let place = Place::below(tree, lane.head.take(), &plan.parent)?;
    let own = counters(&plan.input);
    let cut = cut(place.before, own.tokens, &ask.options, lane.system.as_deref(), config.as_ref());
    let past = past(tree, &tree.window(place.base, cut)?)?;
    Ok(Started {
        session: session.clone(),
        project: ask.project,
        turn: ask.turn,
        kind: plan.kind,
        free: false,
        epoch: 1,
        attempts: 0,
        waited_at: None,
        config,
        options: ask.options,
        session_system: lane.system,
        past: Ok(past),
        input: plan.input.into_iter().map(|message| message.message).collect(),
        created_at: ask.now,
        started_at: ask.now,
    })
}
