//! A server with a fake upstream behind it as the default config.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use upstream::Upstream;

use super::{Client, Event, Home, Server, Setup, within};

/// The fields are dropped in this order: the server goes before its upstream and its data.
pub struct Lab {
    pub server: Server,
    pub client: Client,
    pub upstream: Arc<Upstream>,
    pub home: Home,
    arguments: Vec<String>,
}

impl Lab {
    pub async fn start() -> Lab {
        Lab::with(&[]).await
    }

    /// With more arguments for `serve`.
    pub async fn with(arguments: &[&str]) -> Lab {
        Lab::begin(arguments, |setup| setup).await
    }

    /// With a limit on open files.
    pub async fn with_files(files: u64) -> Lab {
        Lab::begin(&[], |setup| setup.files(files)).await
    }

    async fn begin(arguments: &[&str], more: impl for<'a> FnOnce(Setup<'a>) -> Setup<'a>) -> Lab {
        let home = Home::new();
        let arguments = [&["--backoff-ms", "5"], arguments].concat();
        let upstream = Arc::new(Upstream::start().await);
        let server = more(Setup::new(&home).args(&arguments)).start().await;
        let client = server.client();
        let arguments = arguments.iter().map(|&argument| argument.to_owned()).collect();
        let lab = Lab { server, client, upstream, home, arguments };
        lab.config("up", json!({"default": true})).await;
        lab
    }

    /// A config that calls the fake upstream, with these fields besides or instead.
    pub async fn config(&self, id: &str, fields: Value) -> Value {
        let mut config = json!({
            "id": id, "name": id, "provider": "openai", "base_url": self.upstream.base_url(), "model": "model-small",
        });
        config.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.client.post("/configs", &config).await.expect(201)
    }

    /// A config's timeouts, all four, with some of them set.
    pub fn timeouts(fields: Value) -> Value {
        let mut timeouts =
            json!({"connect_ms": 20_000, "first_token_ms": 20_000, "between_tokens_ms": 20_000, "turn_ms": 20_000});
        timeouts.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        json!({ "timeouts": timeouts })
    }

    pub async fn session(&self, id: &str) {
        self.client.post("/sessions", &json!({"id": id})).await.expect(201);
    }

    /// Sends a message and waits for the answer.
    pub async fn chat(&self, session: &str, message: &str) -> Value {
        self.client.post("/chat", &json!({"session_id": session, "message": message})).await.expect(200)
    }

    /// Sends a message and waits until it is stored; gives the turn's id.
    pub async fn send(&self, session: &str, message: &str) -> String {
        let body = json!({"session_id": session, "message": message, "wait": false});
        turn_id(&self.client.post("/chat", &body).await.expect(202))
    }

    pub async fn turn(&self, turn: &str) -> Value {
        self.client.get(&format!("/turns/{turn}")).await.expect(200)
    }

    /// The turn, once it has ended.
    pub async fn ended(&self, turn: &str) -> Value {
        self.events(turn).await.pop().unwrap().data
    }

    /// All events of a turn, waiting for its end.
    pub async fn events(&self, turn: &str) -> Vec<Event> {
        let mut stream = self.client.follow(&format!("/turns/{turn}/events")).await;
        let events = stream.rest().await;
        assert!(events.last().is_some_and(Event::is_final), "a stream ends with its final event: {events:#?}");
        events
    }

    /// Role and text of a session's messages, as the API shows them.
    pub async fn messages(&self, session: &str) -> Vec<(String, String)> {
        let list = self.client.get(&format!("/sessions/{session}/messages?limit=100")).await.expect(200);
        said(&list["data"])
    }

    /// The message lists of the upstream's requests, in the order they came.
    pub fn prompts(&self) -> Vec<Vec<(String, String)>> {
        self.upstream.requests().iter().map(|exchange| exchange.request.messages()).collect()
    }

    /// Whether what a turn's prompt shows is to the byte what was sent.
    pub async fn prompt_is_exact(&self, turn: &str) -> bool {
        self.client.get(&format!("/turns/{turn}/prompt")).await.expect(200)["exact"] == true
    }

    /// Waits until a turn has at least one stored segment.
    pub async fn wait_for_segment(&self, turn: &str) {
        let query = format!("SELECT count(*) FROM chat_segments WHERE turn_id = '{turn}'");
        within(Duration::from_secs(10), "a stored segment", async || (self.home.number(&query) > 0).then_some(()))
            .await;
    }

    /// `kill -9` and a new start on the same data.
    pub async fn crash(&mut self) {
        self.server.signal(libc::SIGKILL);
        self.server.exit().await;
        self.restart().await;
    }

    /// A new start after the server's end.
    pub async fn restart(&mut self) {
        self.start_again(None).await;
    }

    /// Ends the server, and starts the one with stop-points.
    pub async fn restart_with_faults(&mut self, points: &str) {
        if !self.server.has_exited() {
            self.server.terminate();
            self.server.exit().await;
        }
        self.start_again(Some(points)).await;
    }

    async fn start_again(&mut self, points: Option<&str>) {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        let setup = Setup::new(&self.home).args(&arguments);
        let setup = points.into_iter().fold(setup, Setup::faults);
        self.server = setup.start().await;
        self.client = self.server.client();
    }
}

pub fn turn_id(answer: &Value) -> String {
    answer["turn_id"].as_str().unwrap_or_else(|| panic!("no turn_id in {answer}")).to_owned()
}

/// Role and text of messages.
pub fn said(messages: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    messages.as_array().unwrap().iter().map(|message| (text(&message["role"]), text(&message["content"]))).collect()
}
