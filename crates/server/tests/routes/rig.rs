//! A whole server without its socket, and short ways to ask it something.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use provider::{Providers, scripted::Scripted};
use scheduler::{Clock, EnvKeys, Scheduler, Settings};
use serde_json::{Value, json};
use server::{
    app::{App, Bounds, Dialect},
    auth::Auth,
    metrics::Metrics,
    rim::{Rim, rim},
    router::router,
    sse::{KEEP_ALIVE, Streams},
};
use session::time::Time;
use sha2::{Digest, Sha256};
use store::{Closing, Faults, NewKey, Store};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

pub const CLOCK: Clock = Clock {
    now: || {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Time::from_ms(since.as_millis() as i64)
    },
    uuid: uuid::Uuid::now_v7,
    chance: || 0.5,
};

pub struct Server {
    router: Router,
    pub scripted: Scripted,
    pub store: Store,
    auth: Auth,
    _dir: tempfile::TempDir,
    _closing: Closing,
}

impl Server {
    /// With the config `c`, which is the default one and calls the scripted model.
    pub async fn start() -> Server {
        Server::with(EnvKeys::default()).await
    }

    pub async fn with(env_keys: EnvKeys) -> Server {
        let dir = tempfile::tempdir().unwrap();
        let (store, closing) = Store::open(dir.path(), None, Faults::default()).unwrap();
        let scripted = Scripted::default();
        let mut settings = Settings { env_keys, ..Settings::default() };
        settings.limits.backoff_ms = 1;
        let scheduler = Scheduler::new(store.clone(), Providers::with_scripted(scripted.clone()), settings, CLOCK);
        let auth = Auth::new(store.clone()).await.unwrap();
        let metrics = Arc::new(Metrics::new(scheduler.stats(), store.stats()));
        let open = metrics.streams_open.clone();
        let streams = Streams { keep_alive: KEEP_ALIVE, stop: CancellationToken::new(), open };
        let app = App::new(scheduler, auth.clone(), metrics.clone(), streams, Bounds::default(), Dialect::default());
        let router = rim(router(app), Rim::default(), metrics);
        let server = Server { router, scripted, store, auth, _dir: dir, _closing: closing };
        server
            .post("/configs", json!({"id": "c", "name": "c", "provider": "scripted", "model": "m"}))
            .await
            .expect(201);
        server
    }

    /// Makes an API key for a project; from then on requests need one.
    pub async fn key(&self, project: &str) -> String {
        let id: session::id::KeyId = CLOCK.id();
        let key = format!("tw_{id}");
        let hash = Sha256::digest(key.as_bytes()).into();
        let project = project.parse().unwrap();
        self.store.create_key(NewKey { project, id, name: "test".into(), hash, now: CLOCK.now() }).await.unwrap();
        self.auth.keys_changed().await.unwrap();
        key
    }

    /// Revokes a key that [`Server::key`] made, without a word to the running server.
    pub async fn revoke(&self, key: &str) {
        let id = key.strip_prefix("tw_").unwrap().parse().unwrap();
        self.store.revoke_key(id, CLOCK.now()).await.unwrap();
    }

    pub async fn ask(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        self.send(request(method, path, headers, body)).await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (head, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        Answer { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.ask(Method::GET, path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, &[], Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, &[], Some(body)).await
    }

    /// Sends a message to a session and waits for the answer.
    pub async fn chat(&self, session: &str, message: &str) -> Answer {
        self.post("/chat", json!({"session_id": session, "message": message})).await
    }

    pub async fn session(&self, id: &str) -> Value {
        self.post("/sessions", json!({ "id": id })).await.expect(201)
    }

    /// The body of an answer, as it comes; nothing is waited for behind its head.
    pub async fn open(&self, path: &str, body: Value) -> Body {
        let answer = self.router.clone().oneshot(request(Method::POST, path, &[], Some(body))).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.into_body()
    }

    /// An event stream, as it comes.
    pub async fn follow(&self, path: &str) -> Events {
        let answer = self.router.clone().oneshot(request(Method::GET, path, &[], None)).await.unwrap();
        assert_eq!(answer.status(), 200);
        Events { body: answer.into_body(), text: String::new() }
    }
}

fn request(method: Method, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("host", "localhost");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    match body {
        Some(body) => request.header("content-type", "application/json").body(body.to_string().into()).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The body of an answer with that status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Of a refusal, what stands in the one envelope.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str, param: &str) {
        let error = self.expect(status)["error"].clone();
        let found = (error["code"].as_str().unwrap(), error["param"].as_str().unwrap_or_default());
        assert_eq!(found, (code, param), "{error}");
    }
}

pub struct Events {
    body: Body,
    text: String,
}

impl Events {
    /// Name and data of the next event.
    pub async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
                let (name, data) = (field("event: "), field("data: "));
                self.text = rest.to_owned();
                if let Some((name, data)) = name.zip(data) {
                    return (name, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let next = tokio::time::timeout(Duration::from_secs(10), self.body.frame());
            let bytes = next.await.expect("an event within 10 s").unwrap().unwrap().into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// The data of the next event of that name.
    pub async fn named(&mut self, name: &str) -> Value {
        loop {
            let (found, data) = self.next().await;
            if found == name {
                return data;
            }
        }
    }
}
