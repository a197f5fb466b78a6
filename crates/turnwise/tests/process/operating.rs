//! What an operator looks at.

use serde_json::{Value, json};

use crate::support::{Home, Lab, Server, Setup};

#[tokio::test]
async fn health_readiness_metrics_and_the_description_are_there() {
    let lab = Lab::start().await;
    lab.client.post("/chat", &json!({"message": "hi"})).await.expect(200);
    let client = &lab.client;
    assert_eq!(client.get("/health").await.expect(200)["status"], "ok");
    assert_eq!(client.get("/ready").await.expect(200)["status"], "ok");

    let metrics = client.get("/metrics").await;
    assert_eq!(metrics.status, 200);
    let text = metrics.text();
    assert!(text.ends_with("# EOF\n"), "OpenMetrics ends so");
    assert!(text.lines().any(|line| !line.starts_with('#') && line.contains("/chat")), "{text}");

    let api = client.get("/openapi.json").await.expect(200);
    for path in ["/chat", "/sessions", "/sessions/{id}/messages", "/turns/{id}/events", "/configs/{id}/test", "/events"]
    {
        assert!(api["paths"][path].is_object(), "{path}");
    }
    let docs = client.get("/docs").await;
    assert_eq!(docs.status, 200);
    assert!(docs.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    for answer in [metrics, docs] {
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert!(answer.headers.contains_key("x-request-id"));
    }
}

#[tokio::test]
async fn a_request_id_of_the_client_comes_back_and_stands_in_the_log() {
    let lab = Lab::start().await;
    let answer = lab.client.with("x-request-id", "my-request-7").get("/sessions").await;
    assert_eq!(answer.headers["x-request-id"], "my-request-7");
    crate::support::eventually("the id in the log", async || lab.home.log().contains("my-request-7").then_some(()))
        .await;
}

#[tokio::test]
async fn config_prints_the_effective_settings_without_secrets() {
    let home = Home::new();
    std::fs::write(home.path().join("turnwise.toml"), "queue_max = 5\nlog = \"warn\"\n").unwrap();
    let key = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";
    let setup =
        Setup::new(&home).env("TURNWISE_SECRET_KEY", key).env("TURNWISE_QUEUE_MAX", "6").args(&["--backoff-ms", "7"]);
    let printed = setup.run(&["config"]).await;
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let text = String::from_utf8(printed.stdout).unwrap();
    for line in
        ["queue_max = 6", "log = \"warn\"", "backoff_ms = 7", "secret_key = \"(hidden)\"", "shutdown_ms = 20000"]
    {
        assert!(text.lines().any(|printed| printed == line), "{line} in\n{text}");
    }
    assert!(!text.contains(key));
}

#[tokio::test]
async fn a_setting_that_does_not_exist_is_refused_with_the_nearest_one() {
    let home = Home::new();
    std::fs::write(home.path().join("turnwise.toml"), "queue_mx = 5\n").unwrap();
    let refused = Setup::new(&home).run(&["config"]).await;
    assert!(!refused.status.success());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("`queue_mx`") && said.contains("`queue_max`"), "{said}");
}

async fn doctor(setup: &Setup<'_>) -> (bool, String) {
    let output = setup.run(&["doctor"]).await;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), text)
}

#[tokio::test]
async fn the_doctor_looks_at_a_running_and_at_a_stopped_server() {
    let mut lab = Lab::start().await;
    let (well, said) = doctor(&Setup::new(&lab.home)).await;
    assert!(well, "{said}");
    for part in ["a server runs on this data directory", "the database is sound", "config up: model-small answers"] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
    lab.upstream.respond(|_| upstream::Script::error(401, "invalid_api_key", "no"));
    lab.server.terminate();
    lab.server.exit().await;
    let (well, said) = doctor(&Setup::new(&lab.home)).await;
    assert!(!well, "{said}");
    assert!(said.contains("the database is sound"), "{said}");
    let wrong: Vec<&str> = said.lines().filter(|line| line.starts_with("WRONG")).collect();
    assert!(matches!(wrong[..], [line] if line.contains("config up") && line.contains("api_key")), "{said}");
    lab.restart().await;
    lab.client.get("/ready").await.expect(200);
}

#[tokio::test]
async fn the_doctor_says_so_when_there_is_nothing_yet() {
    let home = Home::new();
    let (well, said) = doctor(&Setup::new(&home)).await;
    assert!(well, "{said}");
    assert!(said.contains("turnwise serve"), "{said}");
    assert!(!home.data().exists(), "it only looks");
}

#[tokio::test]
async fn the_doctor_sees_a_damaged_database_and_an_open_directory() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::new();
    Server::start(&home).await.kill();
    std::fs::set_permissions(home.data(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let (well, said) = doctor(&Setup::new(&home)).await;
    assert!(!well);
    assert!(said.contains("chmod go-rwx"), "{said}");

    std::fs::set_permissions(home.data(), std::fs::Permissions::from_mode(0o700)).unwrap();
    for name in ["turnwise.db-wal", "turnwise.db-shm"] {
        let _ = std::fs::remove_file(home.data().join(name));
    }
    std::fs::write(home.data().join("turnwise.db"), b"this is no database, and never was one").unwrap();
    let (well, said) = doctor(&Setup::new(&home)).await;
    assert!(!well, "{said}");
    assert!(said.contains("WRONG the database"), "{said}");
}

#[tokio::test]
async fn a_log_as_json_is_json_on_every_line() {
    let home = Home::new();
    let mut server = Setup::new(&home).args(&["--log-format", "json"]).start().await;
    server.client().post("/chat", &json!({"message": "hi"})).await.expect(200);
    server.terminate();
    assert_eq!(server.exit().await.code(), Some(0));
    let log = home.log();
    assert!(log.lines().count() > 2);
    for line in log.lines() {
        serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    }
}
