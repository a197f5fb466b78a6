//! The search index as SQLite keeps it: what becomes of it when the file is made anew, and what it costs.

use std::path::Path;

use rusqlite::{Connection, params};
use session::time::Time;
use store::{Faults, HitList, Order, Page, Store};
use tokio::time::Instant;

/// Rowids tie the index to its messages, and SQLite promises to keep them only where they are named.
#[test]
fn a_vacuumed_file_and_a_copy_of_it_find_the_same() {
    let dir = tempfile::tempdir().unwrap();
    prepared(dir.path(), 3, 10);
    let conn = Connection::open(dir.path().join(store::FILE)).unwrap();
    conn.execute("DELETE FROM chat_messages WHERE number = 2", []).unwrap();
    indexed(dir.path());
    let copy = tempfile::tempdir().unwrap();
    conn.execute("VACUUM INTO ?", [copy.path().join(store::FILE).to_str()]).unwrap();
    conn.execute("VACUUM", []).unwrap();
    drop(conn);
    for dir in [dir, copy] {
        let store = Store::open(dir.path(), None, Faults::default()).unwrap().0;
        let found = search(&store, "needle7", 100);
        let mut cursors: Vec<String> = found.hits.iter().map(|hit| hit.cursor()).collect();
        cursors.sort();
        assert_eq!(cursors, ["message:m0-7", "message:m1-7", "message:m2-7"]);
        assert!(found.hits.iter().all(|hit| hit.snippet.iter().any(|piece| piece.hit && piece.text == "needle7")));
        drop(store);
        assert_eq!(store::check(dir.path()).unwrap(), [""; 0]);
    }
}

/// `TURNWISE_TEST_LONG=1 cargo test -p store --test search -- --nocapture`
#[test]
fn what_a_search_of_100_000_messages_costs() {
    let (sessions, each) = if std::env::var("TURNWISE_TEST_LONG").is_ok() { (1000, 100) } else { (10, 20) };
    let messages = sessions * each;
    let dir = tempfile::tempdir().unwrap();
    prepared(dir.path(), sessions, each);
    let before = size(dir.path());
    let (took, longest) = indexed(dir.path());
    println!(
        "{messages} messages: indexed in {took:.1} s, {:.0} µs each, {:.1} ms the longest stride, {} bytes each beside {}",
        took * 1e6 / messages as f64,
        longest * 1e3,
        (size(dir.path()) - before) / messages as u64,
        before / messages as u64,
    );
    let store = Store::open(dir.path(), None, Faults::default()).unwrap().0;
    for q in [
        "needle7",
        "w0",
        "w0 w1 w2",
        "w1999",
        "w1",
        "w10",
        "w12",
        "w123",
        "天地",
        "天",
        "天地玄黄",
        "天 w0 地",
        "没有这个词",
        "天地w1",
    ] {
        let mut times: Vec<f64> = (0..7)
            .map(|_| {
                let begun = Instant::now();
                search(&store, q, 20);
                begun.elapsed().as_secs_f64() * 1e3
            })
            .collect();
        let first = times[0];
        times.sort_by(f64::total_cmp);
        let found = search(&store, q, 20);
        println!(
            "{q}: {:.1} ms, the first {first:.1} ms; {} hits, more: {}",
            times[3],
            found.hits.len(),
            found.has_more
        );
    }
    assert!(!search(&store, "needle7", 20).hits.is_empty());
}

fn search(store: &Store, q: &str, limit: u32) -> HitList {
    let page = Page { limit, after: None, before: None, order: Order::Desc };
    store.search("p".parse().unwrap(), q.into(), page, Time::from_ms(1_800_000_000_000)).wait().unwrap()
}

/// Sessions with messages, half of them Chinese, written past the store: a thousand times faster.
fn prepared(dir: &Path, sessions: usize, each: usize) {
    let (store, closing) = Store::open(dir, None, Faults::default()).unwrap();
    drop(store);
    closing.wait();
    let mut conn = Connection::open(dir.join(store::FILE)).unwrap();
    let tx = conn.transaction().unwrap();
    let mut dice = Dice(1);
    for session in 0..sessions {
        let at = Time::from_ms(1_700_000_000_000 + session as i64 * 60_000).to_string();
        let id = format!("s{session}");
        tx.execute(
            "INSERT INTO chat_sessions (project_id, id, title, created_at, active_at) VALUES ('p', ?1, ?2, ?3, ?3)",
            params![id, dice.text(6), at],
        )
        .unwrap();
        for number in 0..each {
            let words = dice.below(150);
            tx.prepare_cached(
                "INSERT INTO chat_messages (project_id, id, session_id, turn_id, number, place, role, content, tokens, timestamp)
                 VALUES ('p', ?1, ?2, ?3, ?4, 0, ?5, ?6, 1, ?7)",
            )
            .unwrap()
            .execute(params![
                format!("m{session}-{number}"),
                id,
                format!("t{session}-{number}"),
                number,
                if number % 2 == 0 { "user" } else { "assistant" },
                format!("{} needle{number}", dice.text(words)),
                at,
            ])
            .unwrap();
        }
    }
    tx.commit().unwrap();
}

/// Gives the seconds it took, and those of the longest stride.
fn indexed(dir: &Path) -> (f64, f64) {
    let (store, closing) = Store::open(dir, None, Faults::default()).unwrap();
    let begun = Instant::now();
    let mut longest = 0f64;
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let commits = store.stats().commit_seconds();
    let mut before = commits;
    while runtime.block_on(store.index_some(64)).unwrap() > 0 {
        longest = longest.max(store.stats().commit_seconds() - before);
        before = store.stats().commit_seconds();
    }
    let conn = Connection::open(dir.join(store::FILE)).unwrap();
    let pieces: u32 =
        conn.query_row("SELECT count(DISTINCT segid) FROM search_messages_idx", [], |row| row.get(0)).unwrap();
    assert!(pieces < 40, "{pieces} pieces: merging does not keep up");
    println!("{:.1} s in {} transactions; {pieces} pieces", before - commits, store.stats().commits());
    let took = begun.elapsed().as_secs_f64();
    drop(store);
    closing.wait();
    (took, longest)
}

fn size(dir: &Path) -> u64 {
    let conn = Connection::open(dir.join(store::FILE)).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(conn);
    std::fs::metadata(dir.join(store::FILE)).unwrap().len()
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    /// The word of this rank is chosen about as often as in a language: the product of rank and frequency is constant.
    fn rank(&mut self, n: u32) -> u32 {
        f64::from(n).powf(self.below(1 << 20) as f64 / f64::from(1 << 20)) as u32 - 1
    }

    fn text(&mut self, words: u64) -> String {
        if self.below(2) == 0 {
            return (0..words).map(|_| format!("w{} ", self.rank(20_000))).collect();
        }
        let common: Vec<char> = "天地玄黄宇宙洪荒日月盈昃辰宿列张".chars().collect();
        let character =
            |n: u32| common.get(n as usize).copied().unwrap_or_else(|| char::from_u32(0x4e00 + n * 7 % 5000).unwrap());
        let mut text = String::new();
        for _ in 0..words {
            let rank = self.rank(20_000);
            text.push(character(rank % 3000));
            text.push(character((rank + 1 + rank / 3000) % 3000));
            if self.below(8) == 0 {
                text.push('，');
            }
        }
        text
    }
}
