//! Killed around what is done beside the turns: keys made and revoked, old data thrown away, what was said indexed and
//! deleted.

use http::Method;
use serde_json::json;
use upstream::Script;

use crate::support::{Home, Lab, Setup, eventually, turn_id};

const MOMENTS: [&str; 2] = ["before_commit", "after_commit"];

/// What `turnwise keys` prints; `None` when it fails.
async fn keys(home: &Home, command: &[&str]) -> Option<String> {
    let ran = Setup::new(home).run(&[&["keys"], command].concat()).await;
    let printed = String::from_utf8(ran.stdout).unwrap().trim().to_owned();
    assert!(ran.status.success() || printed.is_empty(), "nothing is claimed: {printed}");
    ran.status.success().then_some(printed)
}

/// Ids of the keys of that name.
async fn named(home: &Home, name: &str) -> Vec<String> {
    let list = keys(home, &["list"]).await.unwrap();
    let lines = list.lines().filter(|line| line.contains(&format!("  {name}  ")));
    lines.map(|line| line.split("  ").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn keys_survive_a_kill_around_their_making() {
    let mut lab = Lab::start().await;
    let first = keys(&lab.home, &["create"]).await.unwrap();
    for moment in MOMENTS {
        lab.restart_with_faults(&format!("create_key.{moment}=kill")).await;
        assert_eq!(keys(&lab.home, &["create", "--name", moment]).await, None);
        lab.server.killed_itself().await;
        lab.restart().await;
        lab.client.get("/sessions").await.error(401, "api_key_required");
        lab.client.key(&first).get("/sessions").await.expect(200);
        let made = named(&lab.home, moment).await;
        assert_eq!(made.len(), usize::from(moment == "after_commit"), "{made:?}");
        let again = keys(&lab.home, &["create", "--name", moment]).await.unwrap();
        lab.client.key(&again).get("/sessions").await.expect(200);
    }
}

#[tokio::test]
async fn keys_survive_a_kill_around_their_revocation() {
    let mut lab = Lab::start().await;
    let stays = keys(&lab.home, &["create"]).await.unwrap();
    let revoked = keys(&lab.home, &["create", "--name", "revoked"]).await.unwrap();
    let id = named(&lab.home, "revoked").await.pop().unwrap();
    keys(&lab.home, &["revoke", &id]).await.unwrap();
    for moment in MOMENTS {
        let key = keys(&lab.home, &["create", "--name", moment]).await.unwrap();
        let id = named(&lab.home, moment).await.pop().unwrap();
        lab.restart_with_faults(&format!("revoke_key.{moment}=kill")).await;
        assert_eq!(keys(&lab.home, &["revoke", &id]).await, None);
        lab.server.killed_itself().await;
        lab.restart().await;
        lab.client.key(&stays).get("/sessions").await.expect(200);
        lab.client.key(&revoked).get("/sessions").await.error(401, "invalid_api_key");
        let works = lab.client.key(&key).get("/sessions").await.status;
        assert_eq!(works, if moment == "after_commit" { 401 } else { 200 });
        keys(&lab.home, &["revoke", &id]).await.unwrap();
        lab.client.key(&key).get("/sessions").await.error(401, "invalid_api_key");
    }
}

/// Everything that may go goes when the server starts.
const KEEP_NOTHING: [&str; 6] = ["--deleted-days", "0", "--events-hours", "0", "--idempotency-hours", "0"];
/// Of a deleted session: its segments and messages, its turns, itself; then there is nothing left.
const STRIDES: u32 = 4;

#[tokio::test]
async fn what_is_kept_survives_a_kill_around_the_purge_of_the_rest() {
    let mut lab = Lab::start().await;
    for (moment, stride) in MOMENTS.into_iter().flat_map(|moment| (1..=STRIDES).map(move |stride| (moment, stride))) {
        let point = format!("purge.{moment}:{stride}");
        eprintln!("{point}");
        let (kept, gone) = (format!("kept-{moment}-{stride}"), format!("gone-{moment}-{stride}"));
        let mut turns = Vec::new();
        for session in [&kept, &gone] {
            lab.session(session).await;
            for message in ["one", "two"] {
                turns.push(turn_id(&lab.chat(session, message).await));
            }
        }
        let (said, said_there) = (lab.messages(&kept).await, lab.messages(&gone).await);
        let ended = lab.ended(&turns[1]).await;
        lab.client.delete(&format!("/sessions/{gone}")).await.expect(204);
        lab.server.terminate();
        lab.server.exit().await;
        Setup::new(&lab.home).args(&KEEP_NOTHING).faults(&format!("{point}=kill")).spawn().killed_itself().await;

        lab.restart().await;
        assert_eq!((lab.messages(&kept).await, lab.ended(&turns[1]).await), (said, ended), "{point}");
        lab.client.get(&format!("/sessions/{gone}")).await.error(404, "session_not_found");
        lab.client.get(&format!("/turns/{}", turns[3])).await.error(404, "turn_not_found");
        let restored = lab.client.post(&format!("/sessions/{gone}/restore"), &json!({})).await;
        // Whole, or not at all.
        let begun = stride > 1 || moment == "after_commit";
        assert_eq!(restored.status, if begun { 404 } else { 200 }, "{point}: {}", restored.text());
        if !begun {
            assert_eq!(lab.messages(&gone).await, said_there);
            lab.client.delete(&format!("/sessions/{gone}")).await.expect(204);
        }

        lab.server.terminate();
        lab.server.exit().await;
        let purging = Setup::new(&lab.home).args(&KEEP_NOTHING).start().await;
        for (table, of) in [
            ("chat_messages", "session_id"),
            ("chat_turns", "session_id"),
            ("chat_sessions", "id"),
            ("chat_segments", "1"),
        ] {
            let left = match of {
                "1" => format!("SELECT count(*) FROM {table}"),
                column => format!("SELECT count(*) FROM {table} WHERE {column} = '{gone}'"),
            };
            eventually(&left, async || (lab.home.number(&left) == 0).then_some(())).await;
        }
        purging.kill();
        lab.restart().await;
    }
}

#[tokio::test]
async fn what_was_said_is_found_after_a_kill_around_its_indexing() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("an answer"));
    lab.client.post("/sessions", &json!({"id": "s", "title": "no hit by itself"})).await.expect(201);
    let points = ["index.before_commit", "index.after_commit", "merge_index.before_commit", "merge_index.after_commit"];
    for (n, point) in points.into_iter().enumerate() {
        eprintln!("{point}");
        // Nothing is left to do before the message comes.
        let done = "SELECT messages = (SELECT coalesce(max(rowid), 0) FROM chat_messages)
                    AND sessions = (SELECT max(rowid) FROM chat_sessions) FROM search_progress";
        eventually("the index", async || (lab.home.number(done) == 1).then_some(())).await;
        lab.restart_with_faults(&format!("{point}=kill")).await;
        let word = format!("nonce{n}");
        lab.send("s", &word).await;
        lab.server.killed_itself().await;
        lab.restart().await;
        let found = async || {
            let list = lab.client.get(&format!("/search?q={word}")).await.expect(200);
            let hits = list["data"].as_array().unwrap().len();
            (hits > 0).then_some(hits)
        };
        assert_eq!(eventually("the index", found).await, 1, "{point}");
        let ended = "SELECT count(*) FROM chat_turns WHERE status = 'running'";
        eventually("the answer", async || (lab.home.number(ended) == 0).then_some(())).await;
    }
}

#[tokio::test]
async fn a_session_keeps_a_title_after_a_kill_around_its_making() {
    let mut lab = Lab::start().await;
    for moment in MOMENTS {
        lab.restart_with_faults(&format!("title_made.{moment}=kill")).await;
        lab.upstream.respond(|request| match request.messages().first() {
            Some((role, _)) if role == "system" => Script::text("Made by the model"),
            _ => Script::text("an answer"),
        });
        lab.client.post("/sessions", &json!({"id": moment, "auto_title": "model"})).await.expect(201);
        lab.send(moment, "Its first line").await;
        lab.server.killed_itself().await;
        lab.restart().await;
        let title = lab.client.get(&format!("/sessions/{moment}")).await.expect(200)["title"].clone();
        assert_eq!(title, if moment == "after_commit" { "Made by the model" } else { "Its first line" });
        // The title is worth no second call, and nothing of the conversation hung on it.
        let said: Vec<String> = lab.messages(moment).await.into_iter().map(|(_, text)| text).collect();
        assert_eq!(said, ["Its first line", "an answer"]);
    }
}

#[tokio::test]
async fn what_is_deleted_is_there_whole_or_gone_after_a_kill_around_its_deletion() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|_| Script::text("an answer"));
    for moment in MOMENTS {
        lab.session(moment).await;
        let turn = turn_id(&lab.chat(moment, "a question").await);
        let (item, response) =
            (format!("/v1/conversations/conv_{moment}/items/msg_{turn}_0"), format!("/v1/responses/resp_{turn}"));
        let gone = moment == "after_commit";
        for (point, path, code) in [
            (format!("delete_said.{moment}=kill"), &item, "item_not_found"),
            (format!("delete_response.{moment}=kill"), &response, "response_not_found"),
        ] {
            lab.restart_with_faults(&point).await;
            let delete = lab.client.request(Method::DELETE, path).body(Default::default()).unwrap();
            lab.client.try_send(delete).await.expect_err("nothing is claimed");
            lab.server.killed_itself().await;
            lab.restart().await;
            if !gone {
                lab.client.get(path).await.expect(200);
                lab.client.delete(path).await.expect(200);
            }
            lab.client.get(path).await.error(404, code);
            lab.client.delete(path).await.error(404, code);
        }
        let names: Vec<String> = lab.events(&turn).await.into_iter().map(|event| event.name).collect();
        assert_eq!(names, ["turn.completed"], "the log went with the answer");
        lab.chat(moment, "and now?").await;
        let sent = lab.prompts().pop().unwrap();
        assert_eq!(sent.into_iter().map(|(_, text)| text).collect::<Vec<_>>(), ["a question", "and now?"]);
    }
}
