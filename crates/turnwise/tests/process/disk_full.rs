//! No room on the disk: said so, nothing acknowledged is lost, and it works again when there is room.

use std::{
    ffi::CString,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
};

use serde_json::json;
use upstream::{Script, Step};

use crate::support::{Client, Home, Setup, eventually, turn_id};

/// A file system of that size, unmounted when it is dropped.
struct Small(PathBuf);

impl Small {
    /// `None` where mounting is not permitted.
    fn mount(at: PathBuf, mebibytes: u32) -> Option<Small> {
        std::fs::create_dir_all(&at).unwrap();
        if let Err(error) = tmpfs(&at, mebibytes, 0) {
            println!("not shown: mounting a tmpfs is not permitted ({error})");
            return None;
        }
        Some(Small(at))
    }

    fn grow(&self, mebibytes: u32) {
        tmpfs(&self.0, mebibytes, libc::MS_REMOUNT).unwrap();
    }

    /// Takes all the room that there is; dropping the guard gives it back.
    fn fill(&self) -> Ballast {
        let path = self.0.join("ballast");
        let mut file = File::create(&path).unwrap();
        let mut piece = vec![7; 64 << 10];
        while !piece.is_empty() {
            if file.write_all(&piece).is_err() {
                piece.truncate(piece.len() / 2);
            }
        }
        Ballast(path)
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // SAFETY: the pointer is to a NUL-terminated string that outlives the call.
        unsafe { libc::umount2(c_path(&self.0).as_ptr(), libc::MNT_DETACH) };
    }
}

struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn tmpfs(at: &Path, mebibytes: u32, flags: libc::c_ulong) -> std::io::Result<()> {
    let (kind, target) = (c"tmpfs", c_path(at));
    let options = CString::new(format!("size={mebibytes}m")).unwrap();
    // SAFETY: all pointers are to NUL-terminated strings that outlive the call.
    let done = unsafe { libc::mount(kind.as_ptr(), target.as_ptr(), kind.as_ptr(), flags, options.as_ptr().cast()) };
    if done == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn c_path(path: &Path) -> CString {
    CString::new(path.to_str().unwrap()).unwrap()
}

fn words(n: usize) -> String {
    format!("{n} {}", "x".repeat(64 << 10))
}

/// Sends until there is no room for more, which has to be said in so many words.
async fn fill(client: &Client, acknowledged: &mut Vec<String>) {
    loop {
        let body = json!({"session_id": "s", "message": words(acknowledged.len()), "wait": false});
        let answer = client.post("/chat", &body).await;
        if answer.status != 202 {
            assert_eq!(answer.error(507, "storage_full")["type"], "server_error");
            return;
        }
        acknowledged.push(turn_id(&answer.json()));
        assert!(acknowledged.len() < 1000, "8 MiB are full at some time");
    }
}

#[tokio::test]
async fn a_full_disk_is_a_507_and_loses_nothing_that_was_acknowledged() {
    let home = Home::new();
    let Some(disk) = Small::mount(home.path().join("disk"), 8) else { return };
    // The turn that runs cannot end without room, so the queue fills as well.
    let setup = Setup::new(&home).data(disk.0.join("data")).args(&["--queue-max", "1000"]);
    let server = setup.start().await;
    let client = server.client();
    let fast =
        json!({"id": "fast", "name": "f", "provider": "echo", "params": {"tokens_per_second": 0}, "default": true});
    client.post("/configs", &fast).await.expect(201);
    client.post("/sessions", &json!({"id": "s"})).await.expect(201);

    let mut acknowledged = Vec::new();
    fill(&client, &mut acknowledged).await;
    assert!(acknowledged.len() > 10, "{}", acknowledged.len());
    // Not even the room that the database has kept for itself lasts for ever.
    let ballast = disk.fill();
    fill(&client, &mut acknowledged).await;
    // Reading goes on.
    client.get("/sessions/s/messages").await.expect(200);
    client.get("/health").await.expect(200);

    // No room, and then a crash as well.
    server.kill();
    drop(ballast);
    disk.grow(64);
    let server = setup.start().await;
    let client = server.client();
    for (n, turn) in acknowledged.iter().enumerate() {
        let turn = client.get(&format!("/turns/{turn}")).await.expect(200);
        let input = match turn["input"].as_str() {
            Some(waiting) => waiting.to_owned(),
            None => {
                let path =
                    format!("/sessions/s/messages?branch={}&limit=2&order=desc", turn["turn_id"].as_str().unwrap());
                let list = client.get(&path).await.expect(200);
                let asked = list["data"].as_array().unwrap().iter().find(|message| message["role"] == "user");
                asked.unwrap()["content"].as_str().unwrap().to_owned()
            }
        };
        assert!(input == words(n), "message {n} is {:?}…", &input[..20.min(input.len())]);
    }
    let last = acknowledged.last().unwrap();
    let events = client.follow(&format!("/turns/{last}/events")).await.rest().await;
    assert_eq!(events.last().unwrap().name, "turn.completed", "the whole queue runs when there is room");
}

#[tokio::test]
async fn an_answer_waits_for_room_and_the_server_works_again_when_there_is_some() {
    let home = Home::new();
    let Some(disk) = Small::mount(home.path().join("disk"), 6) else { return };
    let upstream = upstream::Upstream::start().await;
    // More than the message that there is no room for: what fits into blocks that the log already has does not wait.
    upstream.respond(|_| Script::deltas(["the ".repeat(40_000), "end".into()]).at(1, Step::gate("half")));
    let mut server = Setup::new(&home).data(disk.0.join("data")).start().await;
    let client = server.client();
    let config = json!({
        "id": "up", "name": "up", "provider": "openai", "base_url": upstream.base_url(), "model": "m", "default": true,
    });
    client.post("/configs", &config).await.expect(201);
    let mut stream = client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let turn = turn_id(&stream.until("message.delta").await[0].data);
    upstream.wait_at_gate("half", 1).await;
    let ballast = disk.fill();
    let large = json!({"message": "x".repeat(100_000), "wait": false});
    client.post("/chat", &large).await.error(507, "storage_full");
    upstream.open("half");
    let waits = async || home.log().contains("it is tried again").then_some(());
    eventually("the end of the turn to wait for room", waits).await;
    assert_eq!(client.get(&format!("/turns/{turn}")).await.expect(200)["status"], "running");

    drop(ballast);
    let events = stream.rest().await;
    let last = events.last().unwrap();
    assert_eq!(last.name, "turn.completed");
    assert!(last.data["message"]["content"].as_str().unwrap().ends_with("the end"));
    client.post("/chat", &json!({"message": "and now?"})).await.expect(200);
    client.get("/ready").await.expect(200);
    server.terminate();
    assert_eq!(server.exit().await.code(), Some(0));
}
