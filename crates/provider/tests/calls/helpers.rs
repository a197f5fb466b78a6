//! What the tests have in common: a target, a prompt, and a reply read to its end.

use provider::{Providers, Reply, Settings, Target};
use session::{
    config::Timeouts,
    event::Delta,
    history::Prompt,
    message::Message,
    turn::{Failure, Finish, Options, Usage},
};
use upstream::{Script, Upstream};

pub const MODEL: &str = "model-small";

pub fn providers() -> Providers {
    Providers::new(settings()).unwrap()
}

pub fn settings() -> Settings {
    Settings { system_roots: false, ..Settings::default() }
}

/// Deadlines that no test is to reach.
pub fn target(base_url: &str) -> Target {
    let timeouts = Timeouts { connect_ms: 20_000, first_token_ms: 20_000, between_tokens_ms: 20_000, turn_ms: 20_000 };
    Target { timeouts, ..Target::new("openai", Some(base_url)).with_key("sk-secret-key") }
}

pub fn prompt() -> Prompt {
    let messages = vec![Message::user("hi")];
    let messages = messages.into_iter().map(Into::into).collect();
    Prompt { model: MODEL.into(), messages, params: Default::default(), options: Options::default() }
}

pub fn call(providers: &Providers, target: &Target) -> Reply {
    providers.call(target, MODEL, providers.body(target, &prompt()).unwrap())
}

#[derive(Debug, Default)]
pub struct Answer {
    pub deltas: Vec<Delta>,
    pub failure: Option<Failure>,
}

impl Answer {
    pub fn text(&self) -> String {
        let text = |delta: &Delta| match delta {
            Delta::Text(text) => Some(text.clone()),
            _ => None,
        };
        self.deltas.iter().filter_map(text).collect()
    }

    pub fn usage(&self) -> Option<Usage> {
        self.deltas.iter().find_map(|delta| match delta {
            Delta::Usage(usage) => Some(*usage),
            _ => None,
        })
    }

    /// `Finish` comes last, and once.
    pub fn finish(&self) -> Option<Finish> {
        let finishes: Vec<usize> =
            (0..self.deltas.len()).filter(|&i| matches!(self.deltas[i], Delta::Finish(_))).collect();
        match (finishes.as_slice(), self.deltas.last()) {
            ([], _) => None,
            ([_], Some(Delta::Finish(finish))) => Some(*finish),
            _ => panic!("{:?}", self.deltas),
        }
    }

    /// Of an answer that came to its end.
    pub fn whole(self) -> Self {
        assert_eq!(self.failure, None);
        assert!(self.finish().is_some(), "{:?}", self.deltas);
        self
    }

    pub fn failed(self) -> Failure {
        assert_eq!(self.finish(), None);
        self.failure.unwrap()
    }
}

pub async fn read(mut reply: Reply) -> Answer {
    let mut answer = Answer::default();
    while let Some(next) = reply.next().await {
        assert_eq!(answer.failure, None, "a failure is the last thing");
        match next {
            Ok(delta) => answer.deltas.push(delta),
            Err(failure) => answer.failure = Some(failure),
        }
    }
    assert!(reply.next().await.is_none(), "None stays None");
    answer
}

pub async fn ask(providers: &Providers, target: &Target) -> Answer {
    read(call(providers, target)).await
}

/// One call that is answered by a script.
pub async fn answered(script: Script) -> Answer {
    let upstream = Upstream::start().await;
    upstream.respond(move |_| script.clone());
    ask(&providers(), &target(&upstream.base_url())).await
}

/// One call that is answered by a stream of these bytes.
pub async fn streamed(body: impl AsRef<[u8]>) -> Answer {
    answered(Script::sse().then(upstream::Step::body(body))).await
}

/// A chunk of text, as a server-sent event.
pub fn said(text: &str) -> String {
    format!("data: {}\n\n", serde_json::json!({"model": MODEL, "choices": [{"index": 0, "delta": {"content": text}}]}))
}

pub const STOP: &str = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub const DONE: &str = "data: [DONE]\n\n";
