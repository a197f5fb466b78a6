//! What clients do while the server may die: every verb of the store, everything that was acknowledged written down.

use std::sync::{Arc, Mutex};

use http::Method;
use serde_json::{Value, json};
use tokio::task::{JoinHandle, JoinSet};
use upstream::{Request, Script, Step, Upstream};

use crate::support::{Answer, Client, Event};

/// A message sent, and all that its client got to know of it.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    pub session: String,
    /// Unlike any other message; also its idempotency key.
    pub nonce: String,
    pub body: Value,
    /// `None`: the server died before it said so.
    pub turn: Option<String>,
    /// The request was refused in so many words.
    pub refused: bool,
    pub shown: Vec<Event>,
    /// A final answer that was given.
    pub ended: Option<Value>,
    /// The words that an acknowledged edit put in place; with `false`, it is not known whether it did.
    pub edited: Option<(String, bool)>,
    /// An acknowledged cancellation.
    pub cancelled: bool,
}

/// Everything that happened in a story.
#[derive(Debug, Default)]
pub struct Log {
    pub sent: Vec<Sent>,
    /// Sessions that were acknowledged.
    pub sessions: Vec<String>,
    /// Deleted, or perhaps deleted, and not known to be restored.
    pub perhaps_deleted: Vec<String>,
    /// Forks: the source's turn, the new session.
    pub forks: Vec<(String, String)>,
    pub configs: Vec<String>,
}

pub type Shared = Arc<Mutex<Log>>;

/// Each answer is unlike any other, and its first piece is large enough to be a segment by itself.
pub fn script(request: &Request) -> Script {
    let nonce = request.last_user_message();
    let pieces = answer_to(&nonce);
    let gated = nonce.ends_with("-m1");
    let script = Script::deltas(pieces);
    if gated { script.at(1, Step::gate(nonce)) } else { script }
}

pub fn answer_to(nonce: &str) -> [String; 3] {
    let long = format!("[{nonce}]").repeat(4096 / (nonce.len() + 2) + 1);
    [long, format!(" middle of {nonce}"), format!(" end of {nonce}")]
}

struct Teller {
    client: Client,
    session: String,
    log: Shared,
}

/// Tells the story in three sessions at once, to its end or the server's.
pub async fn tell(client: &Client, upstream: &Arc<Upstream>, round: &str) -> Log {
    let log = Shared::default();
    let mut tellers = JoinSet::new();
    for n in 0..3 {
        let session = format!("{round}-s{n}");
        let teller = Teller { client: client.clone(), session, log: log.clone() };
        let upstream = upstream.clone();
        tellers.spawn(async move {
            // An error is the server's death: the story ends there.
            let _ = teller.tell(n, &upstream).await;
        });
    }
    tellers.join_all().await;
    std::mem::take(&mut log.lock().unwrap())
}

impl Teller {
    async fn tell(&self, n: usize, upstream: &Arc<Upstream>) -> anyhow::Result<()> {
        let made = self.client.try_post("/sessions", &json!({"id": self.session})).await?;
        made.expect(201);
        self.log(|log| log.sessions.push(self.session.clone()));
        let config = format!("{}-config", self.session);
        let body = json!({"id": config, "name": "c", "provider": "echo"});
        self.client.try_post("/configs", &body).await?.expect(201);
        self.log(|log| log.configs.push(config.clone()));
        self.call(Method::PATCH, &format!("/configs/{config}"), json!({"name": "d"})).await?.expect(200);

        let (first, streaming) = self.stream("m1").await?;
        self.send("m2", json!({"wait": false})).await?;
        let third = self.send("m3", json!({"wait": false})).await?;
        let fourth = self.send("m4", json!({"wait": false})).await?;
        self.edit(third).await?;
        self.cancel(fourth).await?;
        let path = format!("/sessions/{}", self.session);
        self.call(Method::PATCH, &path, json!({"title": "renamed"})).await?.expect(200);
        self.call(Method::POST, &format!("{path}/resume"), json!({})).await?.expect(200);
        if n == 0 {
            self.send("m5", json!({"if_busy": "interrupt"})).await?;
        }
        upstream.open(&self.nonce("m1"));
        streaming.await?;
        self.send("m6", json!({})).await?;
        self.fork(first).await?;
        if n == 2 {
            self.delete_and_restore().await?;
        }
        Ok(())
    }

    fn log<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        change(&mut self.log.lock().unwrap())
    }

    fn nonce(&self, message: &str) -> String {
        format!("{}-{message}", self.session)
    }

    async fn call(&self, method: Method, path: &str, body: Value) -> anyhow::Result<Answer> {
        self.client.try_send(self.client.json(method, path, &body)).await
    }

    fn begin(&self, message: &str, more: Value) -> (usize, Client, Value) {
        let nonce = self.nonce(message);
        let mut body = json!({"session_id": self.session, "message": nonce});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let sent = Sent { session: self.session.clone(), nonce: nonce.clone(), body: body.clone(), ..Sent::default() };
        let at = self.log(|log| {
            log.sent.push(sent);
            log.sent.len() - 1
        });
        (at, self.client.once(&nonce), body)
    }

    /// Sends a message; gives its place in the log.
    async fn send(&self, message: &str, more: Value) -> anyhow::Result<usize> {
        let (at, client, body) = self.begin(message, more);
        let answer = client.try_post("/chat", &body).await?;
        let given = answer.json();
        self.log(|log| {
            let sent = &mut log.sent[at];
            sent.turn = given["turn_id"].as_str().map(str::to_owned);
            sent.refused = !matches!(answer.status, 200 | 202);
            sent.ended = (answer.status == 200).then_some(given);
        });
        Ok(at)
    }

    /// Sends a message and watches its turn on the side, to its end or the server's.
    async fn stream(&self, message: &str) -> anyhow::Result<(usize, JoinHandle<()>)> {
        let (at, client, mut body) = self.begin(message, json!({}));
        body["stream"] = true.into();
        let mut stream = client.try_stream(client.json(Method::POST, "/chat", &body)).await?;
        let log = self.log.clone();
        let show = move |event: Event| {
            let sent = &mut log.lock().unwrap().sent[at];
            sent.turn = event.data["turn_id"].as_str().map(str::to_owned);
            sent.ended = event.is_final().then(|| event.data.clone());
            sent.shown.push(event);
        };
        let first = stream.try_next().await?.ok_or_else(|| anyhow::anyhow!("the stream ended"))?;
        show(first);
        let watching = tokio::spawn(async move {
            while let Ok(Some(event)) = stream.try_next().await {
                show(event);
            }
        });
        Ok((at, watching))
    }

    async fn edit(&self, at: usize) -> anyhow::Result<()> {
        let sent = self.log(|log| log.sent[at].clone());
        let Some(turn) = sent.turn else { return Ok(()) };
        let words = format!("{}-edited", sent.nonce);
        self.log(|log| log.sent[at].edited = Some((words.clone(), false)));
        let answer = self.call(Method::PATCH, &format!("/turns/{turn}"), json!({"message": words})).await?;
        self.log(|log| {
            log.sent[at].edited = match answer.status {
                200 => Some((words, true)),
                _ => None,
            }
        });
        Ok(())
    }

    async fn cancel(&self, at: usize) -> anyhow::Result<()> {
        let Some(turn) = self.log(|log| log.sent[at].turn.clone()) else { return Ok(()) };
        let answer = self.call(Method::POST, &format!("/turns/{turn}/cancel"), json!({})).await?;
        let ended = answer.expect(200);
        self.log(|log| {
            log.sent[at].cancelled = ended["status"] == "cancelled";
            log.sent[at].ended = Some(ended);
        });
        Ok(())
    }

    async fn fork(&self, at: usize) -> anyhow::Result<()> {
        let Some(turn) = self.log(|log| log.sent[at].turn.clone()) else { return Ok(()) };
        let path = format!("/sessions/{}/fork", self.session);
        let made = self.call(Method::POST, &path, json!({"turn_id": turn})).await?.expect(201);
        self.log(|log| log.forks.push((turn, made["id"].as_str().unwrap().to_owned())));
        Ok(())
    }

    async fn delete_and_restore(&self) -> anyhow::Result<()> {
        let path = format!("/sessions/{}", self.session);
        self.log(|log| log.perhaps_deleted.push(self.session.clone()));
        self.call(Method::DELETE, &path, json!({})).await?.expect(204);
        self.call(Method::POST, &format!("{path}/restore"), json!({})).await?.expect(200);
        self.log(|log| log.perhaps_deleted.clear());
        let config = format!("{}-config", self.session);
        self.log(|log| log.configs.retain(|made| *made != config));
        self.call(Method::DELETE, &format!("/configs/{config}"), json!({})).await?.expect(204);
        Ok(())
    }
}
