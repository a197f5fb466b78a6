//! What a refusal says: what does not fit, what would, and which field is at fault.

use serde_json::json;

use crate::rig::{Answer, Server};

fn message(answer: &Answer) -> String {
    answer.expect(400)["error"]["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_word_that_is_none_is_answered_with_those_that_are() {
    let server = Server::start().await;
    let table = [
        ("/chat", json!({"message": "x", "if_busy": "later"}), "if_busy", "Known here: queue, reject, interrupt."),
        ("/chat", json!({"message": "x", "on_disconnect": "wait"}), "on_disconnect", "Known here: continue, cancel."),
        ("/sessions", json!({"on_failure": "explode"}), "on_failure", "Known here: continue, pause."),
        ("/sessions", json!({"auto_title": "some"}), "auto_title", "Known here: first_line, model."),
        ("/sessions", json!({"auto_title": "modle"}), "auto_title", "Did you mean `model`?"),
    ];
    for (path, body, param, known) in table {
        let answer = server.post(path, body).await;
        answer.refused(400, "invalid_value", param);
        assert!(message(&answer).ends_with(known), "{}", message(&answer));
    }
}
