//! What a verb costs does not depend on how long its session has become. Counted in the steps of SQLite's own machine,
//! not in time.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use session::{
    lane::{IfBusy, Place},
    message::Message,
    time::Time,
    title::AutoTitle,
    turn::{Outcome, Status, Usage},
};

use super::*;

#[test]
fn a_long_session_costs_no_more_than_a_short_one() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::new(dir.path());
    lab.grow("short", 60, Status::Completed);
    lab.grow("long", 5000, Status::Completed);
    lab.compare("long");
}

#[test]
fn failed_turns_in_a_row_cost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let lab = Lab::new(dir.path());
    lab.grow("short", 60, Status::Completed);
    lab.grow("failing", 30, Status::Completed);
    lab.grow_from("failing", 30, 3000, Status::Failed);
    lab.compare("failing");
}

/// Its name, and what it does in a session.
type Verb<'a> = (&'a str, &'a dyn Fn(&str));

struct Lab {
    store: Store,
    steps: Arc<AtomicU64>,
}

impl Lab {
    fn new(dir: &Path) -> Lab {
        let steps = Arc::<AtomicU64>::default();
        let counted = |mut conn: Connection| {
            let steps = steps.clone();
            conn.progress_handler(1, Some(move || steps.fetch_add(1, Relaxed) == u64::MAX)).unwrap();
            conn
        };
        let path = dir.join(FILE);
        let conn = counted(open_writer(&path).unwrap());
        migrate::run(&conn).unwrap();
        let views = reader::Views::default();
        let (readers, _) = reader::Readers::start(vec![counted(open_reader(&path).unwrap())], &views).unwrap();
        let (stats, lock) = (Stats::default(), Arc::new(lock::take(&dir.join("lock")).unwrap()));
        let beside = open_writer(&path).unwrap();
        let (checkpoints, _) =
            checkpoint::Checkpoints::start(beside, &path, stats.clone(), views, lock.clone()).unwrap();
        let (writer, _) = writer::Writer::start(conn, Faults::default(), stats.clone(), checkpoints, lock).unwrap();
        let vault = Vault::open(None, &dir.join("secret.key")).unwrap();
        let store = Store {
            inner: Arc::new(Inner {
                writer,
                readers,
                vault,
                recent: recent::Recent::default(),
                stats,
                dir: dir.to_owned(),
            }),
        };
        let config = serde_json::from_str(r#"{"name": "c", "provider": "echo", "model": "m"}"#).unwrap();
        let change = ConfigChange { config, origin: None, key: None, make_default: false, titles: None };
        store.create_config(id("p"), id("c"), change, None, now()).wait().unwrap();
        Lab { store, steps }
    }

    fn grow(&self, session: &str, turns: usize, status: Status) {
        let new = NewSession {
            id: id(session),
            title: None,
            auto_title: AutoTitle::FirstLine,
            config: None,
            system: None,
            metadata: serde_json::json!({}),
            on_failure: session::lane::OnFailure::Continue,
        };
        self.store.create_session(id("p"), new, None, now()).wait().unwrap();
        self.grow_from(session, 0, turns, status);
    }

    fn grow_from(&self, session: &str, from: usize, turns: usize, status: Status) {
        // Nothing waits for an answer, so that many verbs share a commit.
        for some in (from..from + turns).collect::<Vec<_>>().chunks(1000) {
            let sent: Vec<_> = some
                .iter()
                .map(|n| {
                    let turn = format!("{session}-{n}");
                    (self.store.admit(ask(session, &turn)), self.store.finish(end(session, &turn, status)))
                })
                .collect();
            for (admitted, finished) in sent {
                assert!(matches!(admitted.wait().unwrap(), Admitted::Started(_)));
                finished.wait().unwrap();
            }
        }
    }

    /// Each verb in the short session and in the other. Some steps more are for links that lead far back, and for turns
    /// of one message, which fill a page with more turns; a cost that grew with the session would be fifty times as much.
    fn compare(&self, other: &str) {
        let page = |order, after: Option<String>| Page { limit: 20, after, before: None, order };
        let middle = |session: &str| Some(format!("{session}-30-u"));
        let verbs: [Verb<'_>; 9] = [
            ("admit and start", &|session| {
                drop(self.store.admit(ask(session, &format!("{session}-x"))).wait().unwrap())
            }),
            ("prompt", &|session| {
                drop(self.store.prompt(id("p"), id(&format!("{session}-x"))).wait().unwrap().unwrap())
            }),
            ("finish", &|session| {
                let end = end(session, &format!("{session}-x"), Status::Completed);
                drop(self.store.finish(end).wait().unwrap());
            }),
            ("session", &|session| drop(self.store.session(id("p"), id(session)).wait().unwrap().unwrap())),
            ("first page", &|session| {
                drop(self.store.path(id("p"), id(session), None, page(Order::Asc, None)).wait().unwrap());
            }),
            ("last page", &|session| {
                drop(self.store.path(id("p"), id(session), None, page(Order::Desc, None)).wait().unwrap());
            }),
            ("a page within", &|session| {
                drop(self.store.path(id("p"), id(session), None, page(Order::Asc, middle(session))).wait().unwrap());
            }),
            ("a page back", &|session| {
                drop(self.store.path(id("p"), id(session), None, page(Order::Desc, middle(session))).wait().unwrap());
            }),
            ("turns", &|session| {
                let after = Some(format!("{session}-30"));
                drop(self.store.turns(id("p"), id(session), page(Order::Asc, after)).wait().unwrap());
                drop(self.store.turns(id("p"), id(session), page(Order::Desc, None)).wait().unwrap());
            }),
        ];
        for (name, verb) in verbs {
            let cost = |session: &str| {
                let before = self.steps.load(Relaxed);
                verb(session);
                self.steps.load(Relaxed) - before
            };
            let (short, long) = (cost("short"), cost(other));
            assert!(short > 10, "{name}: {short} steps: is anything counted?");
            assert!(long < short * 3, "{name}: {short} steps in a short session, {long} in a long one");
        }
    }
}

fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no id"))
}

fn now() -> Time {
    Time::from_ms(1_763_850_000_000)
}

fn ask(session: &str, turn: &str) -> Admit {
    let message = InputMessage { id: id(&format!("{turn}-u")), message: Message::user("u"), tokens: 1 };
    Admit {
        project: id("p"),
        turn: id(turn),
        session: SessionRef::Existing(id(session)),
        input: Input::Messages(vec![message]),
        parent: Parent::Head,
        options: Default::default(),
        metadata: None,
        request: None,
        config: None,
        if_busy: IfBusy::Queue,
        free: false,
        place: Place::Back,
        queue_max: 10,
        key: None,
        owner: id("me"),
        now: now(),
    }
}

fn end(session: &str, turn: &str, status: Status) -> Finish {
    let answer = (status == Status::Completed).then(|| Message::assistant("a"));
    Finish {
        fence: Fence { project: id("p"), turn: id(turn), epoch: 1, owner: id("me") },
        session: id(session),
        outcome: Outcome {
            status,
            reason: None,
            finish: None,
            answer,
            model: None,
            usage: Usage::default(),
            error: None,
        },
        answer_id: id(&format!("{turn}-a")),
        answer_tokens: 1,
        rest: None,
        last_seq: 1,
        attempts: 1,
        first_token_ms: None,
        prompt_hash: None,
        interrupted: false,
        hold_ms: 0,
        go_on: true,
        now: now(),
    }
}
