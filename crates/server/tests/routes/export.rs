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
        let ending = file.rsplit('.').next().unwrap();
        let named = format!("attachment; filename=\"{file}\"; filename*=UTF-8''a%20set-cookie%20b.{ending}");
        assert_eq!(answer.header("content-disposition"), named);
        assert_eq!(answer.header("content-type"), kind);
        assert!(answer.text().contains("你好"));
    }
}

#[tokio::test]
async fn a_title_in_any_script_names_the_file() {
    let server = Server::start().await;
    for (id, title, named) in [
        ("zh", json!("北京 三日游"), "; filename*=UTF-8''%E5%8C%97%E4%BA%AC%20%E4%B8%89%E6%97%A5%E6%B8%B8.json"),
        ("dots", json!("../.."), ""),
        ("none", json!(null), ""),
    ] {
        server.post("/sessions", json!({"id": id, "title": title})).await.expect(201);
        let answer = server.get(&format!("/sessions/{id}/export")).await;
        assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"{id}.json\"{named}"));
    }
}
