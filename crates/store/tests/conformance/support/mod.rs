//! An engine with an empty database, and the few words in which the stories are told.

mod words;

use std::{ops::Deref, path::Path};

use rusqlite::Connection;
use session::{config::Config, time::Time};
use store::{Admit, Admitted, Closing, ConfigChange, Faults, Finish, Finished, Retention, Started, Store, Turn};
use tempfile::TempDir;

pub use words::*;

/// The engines, each with how to get an empty database of it.
const ENGINES: &[fn() -> Box<dyn Place>] = &[|| Box::new(Sqlite { dir: tempfile::tempdir().unwrap() })];

/// Somewhere that a store can be opened, closed and opened again.
pub trait Place: Sync {
    fn open(&self) -> (Store, Closing);
    /// What a query of the database's own language gives, a line per row.
    fn query(&self, sql: &str) -> Vec<String>;
    /// Changes something behind the store's back; the error's text when the database does not let it.
    fn execute(&self, sql: &str) -> Result<usize, String>;
    fn tables(&self) -> Vec<String>;
}

struct Sqlite {
    dir: TempDir,
}

impl Sqlite {
    fn file(&self) -> std::path::PathBuf {
        Path::new(self.dir.path()).join(store::FILE)
    }
}

impl Place for Sqlite {
    fn open(&self) -> (Store, Closing) {
        Store::open(self.dir.path(), None, Faults::default()).unwrap()
    }

    fn query(&self, sql: &str) -> Vec<String> {
        let conn = Connection::open(self.file()).unwrap();
        let mut statement = conn.prepare(sql).unwrap();
        let columns = statement.column_count();
        let line = |row: &rusqlite::Row<'_>| {
            let cells: Vec<String> = (0..columns).map(|at| cell(row.get_ref(at).unwrap())).collect();
            Ok(cells.join("|"))
        };
        let lines: rusqlite::Result<_> = statement.query_map([], line).unwrap().collect();
        lines.unwrap()
    }

    fn execute(&self, sql: &str) -> Result<usize, String> {
        Connection::open(self.file()).unwrap().execute(sql, []).map_err(|error| error.to_string())
    }

    /// Without the search index, which is made from the others.
    fn tables(&self) -> Vec<String> {
        self.query("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'search%' ORDER BY name")
    }
}

fn cell(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "-".into(),
        ValueRef::Integer(n) => n.to_string(),
        ValueRef::Real(n) => n.to_string(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        ValueRef::Blob(bytes) => format!("{bytes:02x?}"),
    }
}

/// Tells the story on each engine: a store with a project `p` and a default config `c`.
pub fn on_every_engine(story: impl Fn(&mut Lab)) {
    for engine in ENGINES {
        let mut lab = Lab::new(engine());
        lab.add_config(&project(), "c", config());
        story(&mut lab);
    }
}

/// A store in its place.
pub struct Lab {
    place: Box<dyn Place>,
    open: Option<(Store, Closing)>,
}

impl Deref for Lab {
    type Target = Store;
    fn deref(&self) -> &Store {
        &self.open.as_ref().unwrap().0
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.close();
    }
}

impl Lab {
    fn new(place: Box<dyn Place>) -> Lab {
        let open = Some(place.open());
        Lab { place, open }
    }

    fn close(&mut self) {
        if let Some((store, closing)) = self.open.take() {
            drop(store);
            closing.wait();
        }
    }

    pub fn reopen(&mut self) {
        self.close();
        self.open = Some(self.place.open());
    }

    pub fn query(&self, sql: &str) -> Vec<String> {
        self.place.query(sql)
    }

    pub fn execute(&self, sql: &str) -> Result<usize, String> {
        self.place.execute(sql)
    }

    /// Everything that is stored, a line per row.
    pub fn dump(&self) -> Vec<String> {
        self.dump_where("true")
    }

    pub fn dump_of(&self, project: &str) -> Vec<String> {
        self.dump_where(&format!("project_id = '{project}'"))
    }

    fn dump_where(&self, condition: &str) -> Vec<String> {
        let rows = |table: String| {
            let column = if table == "projects" { condition.replace("project_id", "id") } else { condition.to_owned() };
            let mut lines = self.query(&format!("SELECT * FROM {table} WHERE {column}"));
            lines.sort();
            lines.into_iter().map(move |line| format!("{table}: {line}"))
        };
        self.place.tables().into_iter().flat_map(rows).collect()
    }

    /// `SELECT role, content` of a session, as the user's document does it: without an order.
    pub fn said(&self, session: &str) -> Vec<String> {
        self.query(&format!("SELECT role, content FROM chat_messages WHERE session_id = '{session}'"))
    }

    pub fn add_config(&self, project: &session::id::ProjectId, name: &str, config: Config) {
        let change = ConfigChange { config, origin: None, key: None, make_default: false, titles: None };
        self.create_config(project.clone(), id(name), change, None, now()).wait().unwrap();
    }

    pub fn add_session(&self, name: &str) {
        self.create_session(project(), new_session(name), None, now()).wait().unwrap();
    }

    /// Sends, and finds the lane free.
    pub fn start(&self, ask: Admit) -> Started {
        match self.admit(ask).wait().unwrap() {
            Admitted::Started(started) => *started,
            other => panic!("{other:?}"),
        }
    }

    /// Sends, and gives the position in the queue.
    pub fn queue_up(&self, ask: Admit) -> u32 {
        match self.admit(ask).wait().unwrap() {
            Admitted::Queued { position, .. } => position,
            other => panic!("{other:?}"),
        }
    }

    pub fn end(&self, finish: Finish) -> Finished {
        self.finish(finish).wait().unwrap()
    }

    /// A whole turn: `turn` is its id, its question is `u-<turn>` and its answer `a-<turn>`.
    pub fn say(&self, session: &str, turn: &str) -> Finished {
        let started = self.start(ask(session, turn));
        self.end(finish(&started, completed(&format!("a-{turn}"))))
    }

    pub fn read_turn(&self, turn: &str) -> Turn {
        self.turn(project(), id(turn)).wait().unwrap().unwrap_or_else(|| panic!("no turn {turn}"))
    }

    pub fn queue_of(&self, session: &str) -> Vec<String> {
        let queue = self.queue(project(), id(session)).wait().unwrap();
        queue.into_iter().map(|turn| turn.id.to_string()).collect()
    }

    /// Purges until nothing goes any more; gives the number of rows.
    pub fn purge_all(&self, keep: Retention, now: Time) -> usize {
        let mut all = 0;
        loop {
            match self.purge(keep, now).wait().unwrap() {
                0 => return all,
                gone => all += gone,
            }
        }
    }
}
