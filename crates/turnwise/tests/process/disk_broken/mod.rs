//! A disk that fails to sync or to write: the server claims nothing that it is not sure of, takes no more writes, goes
//! on reading, and after a restart everything that was acknowledged is there.

use std::{
    path::PathBuf,
    process::Command,
    sync::{Arc, Mutex},
    time::Duration,
};

use http::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use upstream::{Script, Step, Upstream};

use crate::support::{Client, Home, Server, Setup, eventually, soon, turn_id};

/// Below the server's files, between it and the system: `shim.c`.
struct Disk {
    shim: PathBuf,
    syncs: PathBuf,
    writes: PathBuf,
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    Sync,
    Write,
}

impl Disk {
    fn new(home: &Home) -> Disk {
        let at = |name: &str| home.path().join(name);
        let disk = Disk { shim: at("shim.so"), syncs: at("failing-syncs"), writes: at("failing-writes") };
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/process/disk_broken/shim.c");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&disk.shim).arg(source).output();
        let built = built.expect("there is a C compiler, or SQLite could not have been built");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        disk
    }

    async fn start(&self, home: &Home, upstream: &Upstream) -> Server {
        let variables = [("LD_PRELOAD", &self.shim), ("FAILING_SYNCS", &self.syncs), ("FAILING_WRITES", &self.writes)];
        let setup = variables
            .iter()
            .fold(Setup::new(home), |setup, (name, path)| setup.env(name, path.to_str().unwrap()))
            .args(&["--backoff-ms", "5"]);
        let server = setup.start().await;
        let config = |id: &str, fields: Value| {
            let mut config = json!({"id": id, "name": id});
            config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            config
        };
        let fast = config("fast", json!({"provider": "echo", "params": {"tokens_per_second": 0}}));
        let up = json!({"provider": "openai", "base_url": upstream.base_url(), "model": "m", "default": true});
        for config in [fast, config("up", up)] {
            server.client().post("/configs", &config).await.expect(201);
        }
        server
    }

    /// From now on, for files whose path ends so.
    fn fail(&self, fault: Fault, end: &str) {
        // In one step: nobody may see an empty file.
        let half = self.shim.with_extension("half");
        std::fs::write(&half, end).unwrap();
        let control = match fault {
            Fault::Sync => &self.syncs,
            Fault::Write => &self.writes,
        };
        std::fs::rename(half, control).unwrap();
    }

    fn heal(&self) {
        for control in [&self.syncs, &self.writes] {
            let _ = std::fs::remove_file(control);
        }
    }
}

/// A message that was sent, and the turn that acknowledged it.
#[derive(Debug, Clone)]
struct Sent {
    session: String,
    message: String,
    turn: Option<String>,
}

/// Sends one message after another, until one is not acknowledged.
async fn send_until_refused(client: Client, session: String, log: Arc<Mutex<Vec<Sent>>>) {
    client.post("/sessions", &json!({"id": session})).await.expect(201);
    for n in 0.. {
        let message = format!("{session} says {n}");
        let body = json!({"session_id": session, "message": message, "config_id": "fast", "wait": false});
        let answer = client.post("/chat", &body).await;
        if answer.status == 429 {
            continue;
        }
        let turn = (answer.status == 202).then(|| turn_id(&answer.json()));
        let refused = turn.is_none();
        log.lock().unwrap().push(Sent { session: session.clone(), message, turn });
        if refused {
            // Of the commit that failed nobody knows what became; what came after was not begun.
            match answer.status {
                500 => answer.error(500, "internal_error"),
                _ => answer.error(503, "storage_closed"),
            };
            return;
        }
    }
}

/// Everything that writes is refused, and the same way.
async fn takes_no_writes(client: &Client, turn: &str) {
    let retry = format!("/turns/{turn}/retry");
    for (method, path, body) in [
        (Method::POST, "/chat", json!({"session_id": "s0", "message": "are you there?"})),
        (Method::POST, "/chat", json!({"message": "in a new session", "stream": true})),
        (Method::POST, retry.as_str(), json!({})),
        (Method::POST, "/sessions", json!({"id": "new"})),
        (Method::PATCH, "/sessions/s0", json!({"title": "new"})),
        (Method::POST, "/sessions/s0/fork", json!({"turn_id": turn})),
        (Method::POST, "/sessions/s0/resume", json!({})),
        (Method::POST, "/configs", json!({"name": "new", "provider": "echo"})),
        (Method::DELETE, "/configs/fast", json!({})),
        (Method::DELETE, "/sessions/s0", json!({})),
    ] {
        let answer = client.send(client.json(method.clone(), path, &body)).await;
        println!("{method} {path}: {}", answer.status);
        answer.error(503, "storage_closed");
        assert!(answer.headers.contains_key("retry-after"), "{method} {path}");
    }
    client.get("/ready").await.error(503, "storage_closed");
}

async fn reads_go_on(client: &Client, acknowledged: &[Sent]) {
    client.get("/health").await.expect(200);
    let metrics = client.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    assert!(metrics.text().contains("status=\"5xx\""), "{}", metrics.text());
    for path in ["/sessions", "/sessions/s0", "/sessions/s0/messages", "/configs", "/search?q=says"] {
        client.get(path).await.expect(200);
    }
    for sent in acknowledged {
        client.get(&format!("/turns/{}", sent.turn.as_ref().unwrap())).await.expect(200);
    }
}

/// I1: what was acknowledged is there, once, in its words, and comes to its end; what was not is there once at most.
async fn all_is_there(home: &Home, client: &Client, log: &[Sent]) {
    for sent in log {
        if let Some(turn) = &sent.turn {
            let events = client.follow(&format!("/turns/{turn}/events")).await.rest().await;
            assert_eq!(events.last().unwrap().name, "turn.completed", "{sent:?}");
        }
        let query = format!(
            "SELECT count(*) FROM chat_messages WHERE role = 'user' AND session_id = '{}' AND content = '{}'",
            sent.session, sent.message
        );
        let all_ended = "SELECT count(*) FROM chat_turns WHERE status IN ('running', 'queued')";
        eventually("every turn to end", async || (home.number(all_ended) == 0).then_some(())).await;
        let times = home.number(&query);
        assert!(times == 1 || (times == 0 && sent.turn.is_none()), "{sent:?} is there {times} times");
    }
    assert_eq!(home.sqlite3(&[], "PRAGMA integrity_check").trim(), "ok");
}

async fn survives(fault: Fault, file: &str) {
    let home = Home::new();
    let upstream = Arc::new(Upstream::start().await);
    upstream.respond(|request| match request.last_user_message().as_str() {
        "first" => Script::deltas(["the beginning ", "the end"]).at(1, Step::gate("half")),
        _ => Script::text("an answer"),
    });
    let disk = Disk::new(&home);
    let mut server = disk.start(&home, &upstream).await;
    let client = server.client();

    // One turn is in the middle of its answer, and somebody waits for the one behind it.
    client.post("/sessions", &json!({"id": "slow"})).await.expect(201);
    let first = json!({"session_id": "slow", "message": "first", "stream": true});
    let mut stream = client.post_stream("/chat", &first).await;
    let first = turn_id(&stream.until("message.delta").await[0].data);
    let segment = format!("SELECT count(*) FROM chat_segments WHERE turn_id = '{first}'");
    eventually("a stored segment", async || (home.number(&segment) > 0).then_some(())).await;
    let (second, waiting) = (json!({"session_id": "slow", "message": "second"}), client.clone());
    let second = tokio::spawn(async move { waiting.post("/chat", &second).await });
    let queue =
        async || client.get("/sessions/slow").await.expect(200)["queue"][0]["turn_id"].as_str().map(str::to_owned);
    let second_turn = eventually("the second turn to wait", queue).await;

    // Others send as fast as they can, and then the disk fails for a moment.
    let log = Arc::new(Mutex::new(Vec::new()));
    let mut senders = JoinSet::new();
    for n in 0..4 {
        senders.spawn(send_until_refused(client.clone(), format!("s{n}"), log.clone()));
    }
    eventually("some messages", async || (log.lock().unwrap().len() >= 20).then_some(())).await;
    disk.fail(fault, file);
    soon("everybody to be refused", senders.join_all()).await;
    disk.heal();

    // It is not tried again: a second sync would say that all is well.
    let mut log = std::mem::take(&mut *log.lock().unwrap());
    let acknowledged: Vec<Sent> = log.iter().filter(|sent| sent.turn.is_some()).cloned().collect();
    let ended = acknowledged[0].turn.clone().unwrap();
    takes_no_writes(&client, &ended).await;
    reads_go_on(&client, &acknowledged).await;

    // What cannot be stored is not said to have ended, and nobody waits for it in vain.
    upstream.open("half");
    let rest = soon("the end of the stream", stream.rest()).await;
    assert!(rest.iter().all(|event| !event.is_final()), "{rest:#?}");
    let refused = soon("an answer to who waited", second).await.unwrap().error(503, "storage_closed");
    assert_eq!(refused["turn_id"], second_turn.as_str());
    client.post(&format!("/turns/{first}/cancel"), &json!({})).await.error(503, "storage_closed");
    assert_eq!(client.get(&format!("/turns/{first}")).await.expect(200)["status"], "running");
    server.terminate();
    assert_eq!(server.exit_within(Duration::from_secs(10)).await.code(), Some(0));

    let server = Setup::new(&home).start().await;
    let client = server.client();
    client.get("/ready").await.expect(200);
    log.push(Sent { session: "slow".into(), message: "second".into(), turn: Some(second_turn) });
    all_is_there(&home, &client, &log).await;
    let first = client.get(&format!("/turns/{first}")).await.expect(200);
    assert_eq!((&first["status"], &first["reason"]), (&json!("incomplete"), &json!("interrupted")));
    assert_eq!(first["message"]["content"], "the beginning ");
    client.post("/chat", &json!({"session_id": "s0", "message": "and now?"})).await.expect(200);
}

#[tokio::test]
async fn after_a_failed_sync_of_a_commit_nothing_more_is_written_and_nothing_acknowledged_is_lost() {
    survives(Fault::Sync, "turnwise.db-wal").await;
}

#[tokio::test]
async fn after_a_failed_write_of_a_commit_nothing_more_is_written_and_nothing_acknowledged_is_lost() {
    survives(Fault::Write, "turnwise.db-wal").await;
}

#[tokio::test]
async fn after_a_failed_sync_of_the_database_nothing_more_is_written_and_nothing_acknowledged_is_lost() {
    survives(Fault::Sync, "turnwise.db").await;
}
