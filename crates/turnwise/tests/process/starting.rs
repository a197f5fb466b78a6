//! The first minute: a fresh directory, the first message, and a second server in its place.

use serde_json::json;

use crate::support::{Home, Server, Setup, eventually};

#[tokio::test]
async fn the_first_message_on_a_fresh_directory_is_answered_by_the_echo() {
    let home = Home::new();
    let server = Server::start(&home).await;
    let answer = server.client().post("/chat", &json!({"message": "hi"})).await.expect(200);

    assert_eq!(answer["status"], "completed");
    assert_eq!(answer["config_id"], "echo");
    assert_eq!(answer["finish"], "stop");
    assert_eq!(answer["error"], json!(null));
    let message = &answer["message"];
    assert!(message["content"].as_str().unwrap().starts_with("hi\n\n"), "{message}");
    assert_eq!(message["role"], "assistant");
    assert_eq!(message["session_id"], answer["session_id"]);
    assert_eq!(message["turn_id"], answer["turn_id"]);
    for field in ["queued_ms", "first_token_ms", "total_ms"] {
        assert!(answer["timing"][field].is_u64(), "{field}: {answer}");
    }
    for field in ["prompt_tokens", "completion_tokens", "cached_tokens", "reasoning_tokens"] {
        assert!(answer["usage"][field].is_u64(), "{field}: {answer}");
    }
}

#[tokio::test]
async fn a_conversation_is_there_again_after_a_restart() {
    let home = Home::new();
    let server = Server::start(&home).await;
    server.client().post("/sessions", &json!({"id": "session_a"})).await.expect(201);
    let first = json!({"session_id": "session_a", "message": "one"});
    server.client().post("/chat", &first).await.expect(200);
    server.kill();

    let server = Server::start(&home).await;
    let list = server.client().get("/sessions/session_a/messages").await.expect(200);
    let roles: Vec<&str> = list["data"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant"]);
    let second = json!({"session_id": "session_a", "message": "two"});
    let answer = server.client().post("/chat", &second).await.expect(200);
    let text = answer["message"]["content"].as_str().unwrap();
    assert!(text.contains("I received 2 earlier messages"), "{text}");
}

#[tokio::test]
async fn a_second_server_on_the_same_directory_is_refused_with_the_holders_pid() {
    let home = Home::new();
    let first = Server::start(&home).await;
    let mut second = Setup::new(&home).spawn();
    let exit = second.exit().await;

    assert!(!exit.success());
    let said = format!("process {} already serves this data directory", first.pid());
    assert!(home.log().contains(&said), "{}", home.log());
    first.client().get("/ready").await.expect(200);
}

#[tokio::test]
async fn the_directory_is_free_again_at_once_after_a_kill() {
    let home = Home::new();
    Server::start(&home).await.kill();
    Server::start(&home).await.client().get("/ready").await.expect(200);
}

#[tokio::test]
async fn a_port_that_is_taken_is_said_so() {
    let (home, other) = (Home::new(), Home::new());
    let first = Server::start(&home).await;
    let mut second = Setup::new(&other).listen(&first.addr().to_string()).spawn();
    assert!(!second.exit().await.success());
    assert!(other.log().contains(&format!("listening on {}", first.addr())), "{}", other.log());
}

#[tokio::test]
async fn a_signal_right_after_the_ready_line_stops_the_server_in_good_order() {
    for _ in 0..5 {
        let home = Home::new();
        let mut server = Server::start(&home).await;
        server.terminate();
        let exit = server.exit().await;
        assert_eq!(exit.code(), Some(0), "{exit}");
    }
}

#[tokio::test]
async fn the_admin_socket_is_there_when_the_server_says_that_it_is_ready() {
    let home = Home::new();
    let _server = Server::start(&home).await;
    let listed = Setup::new(&home).run(&["keys", "list"]).await;
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
}

#[tokio::test]
async fn unknown_data_of_a_later_version_is_left_alone() {
    let home = Home::new();
    Server::start(&home).await.kill();
    let database = home.data().join("turnwise.db");
    let raised = std::process::Command::new("sqlite3").arg(&database).arg("PRAGMA user_version = 9999").status();
    assert!(raised.unwrap().success());

    let mut server = Setup::new(&home).spawn();
    assert!(!server.exit().await.success());
    let refused = async || home.log().contains("written by a later version of turnwise").then_some(());
    eventually("the reason in the log", refused).await;
}
