use serde_json::json;

use crate::rig::Server;

#[tokio::test]
async fn a_conversation_is_downloaded_under_the_name_of_its_session() {
    let server = Server::start().await;
    let title = "../\"a\"\r\nset-cookie: b";
    let made = server.post("/sessions", json!({"id": "s_1", "title": title.replace("\r\n", " ")})).await;
    made.expect(201);
    server.chat("s_1", "你好").await.expect(200);
    for (format, file, kind) in [
        ("", "s_1.json", "application/json"),
        ("?format=json", "s_1.json", "application/json"),
        ("?format=markdown", "s_1.md", "text/markdown; charset=utf-8"),
    ] {
        let answer = server.get(&format!("/sessions/s_1/export{format}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{file}\""));
        assert_eq!(answer.header("content-type"), kind);
        assert!(answer.text().contains("你好"));
    }
}
