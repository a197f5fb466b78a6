//! What is SQLite's own: its files, their lock, their versions, and a disk that is full.

use std::{
    collections::VecDeque,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use rusqlite::Connection;
use secrecy::ExposeSecret;
use session::{
    config::Config,
    id::TurnId,
    lane::{IfBusy, Place},
    message::Message,
    time::Time,
    turn::{Outcome, Status, Usage},
};
use store::{
    Admit, Admitted, Closing, ConfigChange, Error, Faults, Fence, Finish, Finished, Input, InputMessage, OpenError,
    Order, Page, Parent, SessionRef, Store,
};

#[test]
fn one_data_directory_has_one_server() {
    let dir = tempfile::tempdir().unwrap();
    let (store, closing) = open(dir.path());
    let refused = Store::open(dir.path(), None, Faults::default()).err().unwrap();
    let OpenError::Lock(_) = refused else { panic!("{refused}") };
    assert!(refused.to_string().contains(&std::process::id().to_string()), "{refused}");
    drop(store);
    closing.wait();
    let (store, _closing) = open(dir.path());
    assert!(store.ready().wait().is_ok());
}

#[test]
fn the_directory_stays_taken_until_everything_is_committed() {
    let dir = tempfile::tempdir().unwrap();
    let (store, closing) = open(dir.path());
    for n in 0..200 {
        drop(store.admit(ask(&format!("s{n}"), &format!("t{n}"), "hello")));
    }
    drop(store);
    // Refused or opened, but never opened while something is still being written.
    if let Ok((early, _)) = Store::open(dir.path(), None, Faults::default()) {
        assert_eq!(turns(&early), 200);
        return;
    }
    closing.wait();
    assert_eq!(turns(&open(dir.path()).0), 200);
}

#[test]
fn data_of_a_later_version_is_refused_and_of_an_earlier_one_brought_up() {
    let dir = tempfile::tempdir().unwrap();
    close(open(dir.path()));
    let set_version = |version: i64| {
        Connection::open(file(dir.path())).unwrap().pragma_update(None, "user_version", version).unwrap();
    };
    let current: i64 =
        Connection::open(file(dir.path())).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    set_version(current + 1);
    let refused = Store::open(dir.path(), None, Faults::default()).err().unwrap().to_string();
    assert!(refused.contains("later version of turnwise"), "{refused}");
    assert!(refused.contains("turnwise.db"), "{refused}");
    assert!(store::check(dir.path()).unwrap_err().to_string().contains("schema"), "doctor says so too");
    set_version(-1);
    let refused = Store::open(dir.path(), None, Faults::default()).err().unwrap().to_string();
    assert!(refused.contains("not of turnwise"), "{refused}");
    set_version(current);
    close(open(dir.path()));

    let empty = tempfile::tempdir().unwrap();
    Connection::open(file(empty.path())).unwrap().execute_batch("CREATE TABLE other (x); DROP TABLE other").unwrap();
    assert!(store::check(empty.path()).unwrap_err().to_string().contains("start the server once"));
    close(open(empty.path()));
    assert!(store::check(empty.path()).unwrap().is_empty());
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(file(dir.path()), "not a database, but long enough to be looked at".repeat(100)).unwrap();
    let refused = Store::open(dir.path(), None, Faults::default()).err().unwrap().to_string();
    assert!(refused.contains("not a database"), "{refused}");
}

#[test]
fn the_files_are_their_owners_alone() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let (store, _closing) = open(dir.path());
    store.admit(ask("s", "t", "hello")).wait().unwrap();
    for name in [store::FILE, "turnwise.db-wal", "turnwise.db-shm", "secret.key"] {
        let mode = std::fs::metadata(dir.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
}

#[test]
fn a_key_stands_in_no_file() {
    const KEY: &str = "sk-canary-0123456789";
    let dir = tempfile::tempdir().unwrap();
    let (store, closing) = open(dir.path());
    let change = |origin: &str| ConfigChange {
        config: config(),
        origin: Some(origin.into()),
        key: Some(Some(KEY.into())),
        make_default: true,
        titles: None,
    };
    store.create_config(id("p"), id("d"), change("https://a"), None, now()).wait().unwrap();
    store.change_config(id("p"), id("d"), 1, change("https://b"), now()).wait().unwrap();
    let Admitted::Started(started) = store.admit(ask("s", "t", "hello")).wait().unwrap() else { panic!() };
    assert_eq!(started.config.as_ref().unwrap().key.as_ref().unwrap().secret.expose_secret(), KEY);
    assert!(!format!("{started:?}").contains(KEY));
    let looked_at = || {
        let files = std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).map(|path| assert_absent(&path, KEY)).count()
    };
    assert!(looked_at() >= 4, "while it is open");
    drop(store);
    closing.wait();
    assert!(looked_at() >= 3, "and afterwards");
}

/// 120 MB of sends; gives the most pages that the log had.
fn load(store: &Store) -> u64 {
    let text = "x".repeat(20_000);
    let mut most = 0;
    for n in 0..60 {
        let sent: Vec<_> =
            (0..100).map(|m| store.admit(ask(&format!("s{n}-{m}"), &format!("t{n}-{m}"), &text))).collect();
        sent.into_iter().for_each(|sent| drop(sent.wait().unwrap()));
        most = most.max(store.stats().wal_pages());
    }
    most
}

#[test]
fn the_log_stays_short_under_load_and_is_gone_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let (store, closing) = open(dir.path());
    let most = load(&store);
    let size = std::fs::metadata(file(dir.path())).unwrap().len();
    assert!(size > 100 << 20, "{size} bytes are too few to tell");
    // At 16,000 the writer would have been held up; it has brought the log to its end before, on its way.
    assert!((1..16_000).contains(&most), "{most} pages");
    drop(store);
    closing.wait();
    assert_eq!(std::fs::metadata(dir.path().join("turnwise.db-wal")).map_or(0, |meta| meta.len()), 0);
    assert!(store::check(dir.path()).unwrap().is_empty());
}

#[test]
fn the_log_stays_short_while_there_is_always_somebody_who_reads() {
    let dir = tempfile::tempdir().unwrap();
    let (store, closing) = open(dir.path());
    say(&store, 0, &"x".repeat(16_000_000)).unwrap();
    let most = std::thread::scope(|scope| {
        let loading = scope.spawn(|| load(&store));
        let read = || {
            let page = Page { limit: 100, after: None, before: None, order: Order::Asc };
            store.path(id("p"), id("s0"), None, page)
        };
        let mut reads = VecDeque::from_iter([read(), read(), read(), read()]);
        while !loading.is_finished() {
            let found = reads.pop_front().unwrap().wait().unwrap();
            assert!(!found.messages.is_empty());
            reads.push_back(read());
        }
        loading.join().unwrap()
    });
    // What one commit may bring beyond the 16,000 at which nobody reads.
    assert!((1..18_000).contains(&most), "{most} pages");
    drop(store);
    closing.wait();
}

#[test]
fn a_commit_is_synced_without_the_times_of_its_file() {
    let flags = option_env!("LIBSQLITE3_FLAGS").unwrap_or_default();
    assert!(flags.contains("-DHAVE_FDATASYNC=1"), "{flags:?}: build from the checkout, for its .cargo/config.toml");
}

#[test]
fn a_full_disk_is_told_and_nothing_acknowledged_is_lost() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (store, closing) = open(disk.path());
    let ballast = disk.path().join("ballast");
    // Room enough, once it is gone, for what stands in the log to be copied into the database's file.
    std::fs::write(&ballast, vec![0; 5 << 19]).unwrap();
    let text = "x".repeat(10_000);
    let mut acknowledged = Vec::new();
    let full = loop {
        match say(&store, acknowledged.len(), &text) {
            Ok(finished) => acknowledged.push(finished.turn.id),
            Err(error) => break error,
        }
        assert!(acknowledged.len() < 1000, "4 MB hold less");
    };
    assert!(matches!(full, Error::Full), "{full}");
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    assert!(store.ready().wait().is_ok(), "it can still be read");
    let intact = |store: &Store| {
        for turn in &acknowledged {
            let found = store.turn(id("p"), turn.clone()).wait().unwrap().unwrap();
            assert_eq!(found.answer.unwrap().message.content.text(), text);
        }
    };
    intact(&store);
    let many: Vec<_> =
        (0..20).map(|n| store.admit(ask(&format!("f{n}"), &format!("f{n}"), &text.repeat(20)))).collect();
    let many: Vec<_> = many.into_iter().map(|sent| sent.wait()).collect();
    assert!(many.iter().any(|sent| matches!(sent, Err(Error::Full))), "nor do many at once fit");

    std::fs::remove_file(&ballast).unwrap();
    say(&store, 2000, &text).unwrap();
    drop(store);
    closing.wait();
    let (store, closing) = open(disk.path());
    intact(&store);
    say(&store, 2001, &text).unwrap();
    close((store, closing));
    assert!(store::check(disk.path()).unwrap().is_empty());
}

/// A directory with 4 MB.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<SmallDisk> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "tmpfs"]).arg(dir.path()).output();
        match mounted {
            Ok(output) if output.status.success() => Some(SmallDisk(dir)),
            refused => {
                println!("not tested: a small file system cannot be mounted here ({refused:?})");
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn open(dir: &Path) -> (Store, Closing) {
    let (store, closing) = Store::open(dir, None, Faults::default()).unwrap();
    if store.config(id("p"), id("c")).wait().unwrap().is_none() {
        let change = ConfigChange { config: config(), origin: None, key: None, make_default: false, titles: None };
        store.create_config(id("p"), id("c"), change, None, now()).wait().unwrap();
    }
    (store, closing)
}

fn close((store, closing): (Store, Closing)) {
    drop(store);
    closing.wait();
}

fn file(dir: &Path) -> PathBuf {
    dir.join(store::FILE)
}

fn assert_absent(path: &Path, secret: &str) {
    let bytes = std::fs::read(path).unwrap();
    let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
    assert!(!found, "{} holds it", path.display());
}

fn turns(store: &Store) -> u64 {
    let conn = Connection::open(file(store.dir())).unwrap();
    conn.query_row("SELECT count(*) FROM chat_turns", [], |row| row.get(0)).unwrap()
}

/// A whole turn in a session of its own.
fn say(store: &Store, n: usize, text: &str) -> Result<Finished, Error> {
    let turn: TurnId = id(&format!("t{n}"));
    store.admit(ask(&format!("s{n}"), turn.as_str(), text)).wait()?;
    let outcome = Outcome {
        status: Status::Completed,
        reason: None,
        finish: None,
        answer: Some(Message::assistant(text)),
        model: None,
        usage: Usage::default(),
        error: None,
    };
    let finish = Finish {
        fence: Fence { project: id("p"), turn, epoch: 1, owner: id("me") },
        session: id(&format!("s{n}")),
        outcome,
        answer_id: id(&format!("a{n}")),
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
    };
    store.finish(finish).wait()
}

fn ask(session: &str, turn: &str, text: &str) -> Admit {
    let message = InputMessage { id: id(&format!("u-{turn}")), message: Message::user(text), tokens: 1 };
    Admit {
        project: id("p"),
        turn: id(turn),
        session: SessionRef::New(id(session)),
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

fn id<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no id"))
}

fn config() -> Config {
    serde_json::from_str(r#"{"name": "c", "provider": "echo", "model": "m"}"#).unwrap()
}

fn now() -> Time {
    Time::from_ms(1_763_850_000_000)
}
