//! Titles that a model makes, seen from outside: they come through the feed, and nothing waits for them.

use serde_json::{Value, json};
use upstream::{Request, Script, Step};

use crate::support::{Event, Lab, Stream, eventually, turn_id};

fn is_title(request: &Request) -> bool {
    request
        .messages()
        .first()
        .is_some_and(|(role, text)| role == "system" && text.starts_with("You name conversations."))
}

/// Answers a title call with `title`, and everything else with `ok`.
fn titled(lab: &Lab, title: Script) {
    lab.upstream.respond(move |request| if is_title(request) { title.clone() } else { Script::text("ok") });
}

async fn session(lab: &Lab, fields: Value) {
    let mut session = json!({"id": "s", "auto_title": "model"});
    session.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    lab.client.post("/sessions", &session).await.expect(201);
}

async fn title(lab: &Lab) -> Value {
    lab.client.get("/sessions/s?limit=0").await.expect(200)["title"].clone()
}

async fn updated(feed: &mut Stream) -> Event {
    feed.until_some("session.updated", |event| event.name == "session.updated").await.pop().unwrap()
}

/// Models that were asked for a title.
fn asked(lab: &Lab) -> Vec<String> {
    let requests = lab.upstream.requests();
    let titles = requests.iter().filter(|exchange| is_title(&exchange.request));
    titles.map(|exchange| exchange.request.model().to_owned()).collect()
}

#[tokio::test]
async fn a_title_comes_through_the_feed() {
    let lab = Lab::start().await;
    titled(&lab, Script::text("**京都之行**。"));
    session(&lab, json!({})).await;
    let mut feed = lab.client.follow("/events").await;
    lab.chat("s", "什么时候去京都好？").await;
    let told = updated(&mut feed).await;
    assert_eq!((&told.data["session_id"], &told.data["session"]["title"]), (&json!("s"), &json!("京都之行")));
    assert_eq!(title(&lab).await, "京都之行");
    assert_eq!(lab.messages("s").await.len(), 2, "nothing else of it is stored");
    lab.chat("s", "more").await;
    assert_eq!((asked(&lab).len(), lab.upstream.received()), (1, 3));
    let metrics = lab.client.get("/metrics").await.text();
    assert!(metrics.contains("turnwise_titles_total{outcome=\"made\"} 1"), "{metrics}");
}

#[tokio::test]
async fn sessions_that_do_not_ask_for_one_cost_no_call() {
    let lab = Lab::start().await;
    lab.session("plain").await;
    lab.chat("plain", "one").await;
    lab.client.post("/chat", &json!({"message": "two"})).await.expect(200);
    session(&lab, json!({"config_id": "echo"})).await;
    lab.chat("s", "to the echo").await;
    eventually("the echo's title to be left alone", async || {
        let metrics = lab.client.get("/metrics").await.text();
        metrics.contains("turnwise_titles_total{outcome=\"skipped\"} 1").then_some(())
    })
    .await;
    assert_eq!((lab.upstream.received(), title(&lab).await), (2, json!("to the echo")));
}

#[tokio::test]
async fn a_name_given_while_the_model_thinks_stands() {
    let lab = Lab::start().await;
    titled(&lab, Script::text("A title").before_head(Step::gate("title")));
    session(&lab, json!({})).await;
    lab.chat("s", "one").await;
    lab.upstream.wait_at_gate("title", 1).await;
    lab.client.patch("/sessions/s", &json!({"title": "Mine"})).await.expect(200);
    lab.upstream.open("title");
    eventually("the title to come too late", async || {
        let metrics = lab.client.get("/metrics").await.text();
        metrics.contains("turnwise_titles_total{outcome=\"unwanted\"} 1").then_some(())
    })
    .await;
    assert_eq!(title(&lab).await, "Mine");
}

#[tokio::test]
async fn a_title_call_that_hangs_delays_no_turn() {
    let lab = Lab::start().await;
    lab.client.patch("/configs/up", &json!({"max_concurrency": 1})).await.expect(200);
    titled(&lab, Script::sse().then(Step::Hang));
    session(&lab, json!({})).await;
    lab.chat("s", "one").await;
    eventually("the title call", async || (asked(&lab).len() == 1).then_some(())).await;
    let next = lab.chat("s", "two").await;
    assert_eq!(next["status"], "completed");
    assert!(next["timing"]["total_ms"].as_u64().unwrap() < 10_000, "{next}");
    assert_eq!((asked(&lab).len(), title(&lab).await), (1, json!("one")));
}

#[tokio::test]
async fn the_config_for_titles_makes_them() {
    let lab = Lab::start().await;
    let made = lab.config("small", json!({"model": "model-titles", "titles": true})).await;
    assert_eq!((&made["titles"], &made["default"]), (&json!(true), &json!(false)));
    titled(&lab, Script::text("A title"));
    session(&lab, json!({})).await;
    let mut feed = lab.client.follow("/events").await;
    let first = lab.chat("s", "one").await;
    assert_eq!(updated(&mut feed).await.data["session"]["title"], "A title");
    assert_eq!(first["config_id"], "up");
    assert_eq!(asked(&lab), ["model-titles"]);

    let list = lab.client.get("/configs").await.expect(200);
    let makers = list["data"].as_array().unwrap().iter().filter(|config| config["titles"] == true).count();
    assert_eq!(makers, 1);
    lab.client.patch("/configs/small", &json!({"titles": false})).await.expect(200);
    lab.client.patch("/sessions/s", &json!({"title": null})).await.expect(200);
    let again = turn_id(&lab.chat("s", "two").await);
    lab.ended(&again).await;
    updated(&mut feed).await;
    assert_eq!(updated(&mut feed).await.data["session"]["title"], "A title");
    assert_eq!(asked(&lab), ["model-titles", "model-small"], "without one the session's own does");
}
