//! The providers that need no network, and lists of models.

use provider::{
    Providers, Target,
    scripted::{Gate, Scripted, State, Step},
};
use session::{
    event::Delta,
    message::Message,
    turn::{FailureCode, Finish},
};
use upstream::{Script, Upstream};

use crate::helpers::*;

#[tokio::test]
async fn the_echo_answers() {
    let (providers, target) = (providers(), Target::new("echo", None));
    let mut prompt = prompt();
    prompt.model = "echo".into();
    prompt.messages = [Message::user("a"), Message::assistant("b"), Message::user("回声")].map(Into::into).into();
    prompt.params.insert("tokens_per_second".into(), 0.into());
    let body = providers.body(&target, &prompt).unwrap();
    let answer = read(providers.call(&target, "echo", body)).await.whole();
    assert!(answer.text().starts_with("回声\n\n这是内置的回声。此前我收到了 2 条消息。"), "{}", answer.text());
    assert_eq!(answer.deltas[0], Delta::Model("echo".into()));
    assert_eq!(answer.usage().unwrap().completion_tokens as usize, answer.deltas.len() - 3);
    assert_eq!(providers.models(&target).await.unwrap(), ["echo"]);
    let broken = read(providers.call(&target, "echo", "{".into())).await.failed();
    assert_eq!(broken.code, FailureCode::Internal);
}

#[tokio::test]
async fn the_scripted_model_does_as_it_is_told() {
    let (scripted, gate) = (Scripted::default(), Gate::default());
    let providers = Providers::with_scripted(scripted.clone());
    let target = Target::new("scripted", None);
    assert!(providers.knows("scripted") && providers.knows("echo") && !providers.knows("nobody"));

    scripted.then([Step::text("Hel"), Step::Wait(gate.clone()), Step::text("lo"), Step::stop()]);
    scripted.then([Step::fail(FailureCode::UpstreamRateLimited)]);
    scripted.then([Step::Hang]);
    let waiting = tokio::spawn(read(call(&providers, &target)));
    gate.reached(1).await;
    assert_eq!(scripted.calls()[0].state, State::Open);
    gate.open();
    assert_eq!(waiting.await.unwrap().whole().text(), "Hello");

    assert_eq!(ask(&providers, &target).await.failed().code, FailureCode::UpstreamRateLimited);
    let hanging = call(&providers, &target);
    assert_eq!(scripted.calls()[2].state, State::Open);
    drop(hanging);
    scripted.ended(3).await;

    scripted.otherwise(|call| vec![Step::text(&format!("{}/{}", call.number, call.attempt)), Step::stop()]);
    assert_eq!(ask(&providers, &target).await.whole().text(), "4/4");
    scripted.called(4).await;
    let calls = scripted.calls();
    let states: Vec<State> = calls.iter().map(|call| call.state).collect();
    assert_eq!(states, [State::Ended, State::Ended, State::Dropped, State::Ended]);
    assert_eq!(calls[3].messages(), [("user".to_owned(), "hi".to_owned())]);
    assert_eq!(calls[3].model, MODEL);
}

#[tokio::test]
async fn an_unscripted_call_is_answered() {
    let providers = Providers::with_scripted(Scripted::default());
    let answer = ask(&providers, &Target::new("scripted", None)).await.whole();
    assert_eq!((answer.text().as_str(), answer.finish()), ("ok", Some(Finish::Stop)));
}

#[tokio::test]
async fn models_are_listed() {
    let upstream = Upstream::start().await;
    let (providers, target) = (providers(), target(&upstream.base_url()));
    assert_eq!(providers.models(&target).await.unwrap(), ["model-large", "model-small"]);
    assert_eq!(upstream.lookups()[0].request.path, "/v1/models");
    let bare = serde_json::json!([{"id": "b"}, {"id": "a"}, {"id": "a"}, {"id": "x\ny"}, {"id": "z".repeat(500)}]);
    upstream.respond_to_models(Script::status(200).json(&bare));
    assert_eq!(providers.models(&target).await.unwrap(), ["a", "b"]);
    for (script, code) in [
        (Script::error(401, "invalid_api_key", "no"), FailureCode::UpstreamKeyRejected),
        (Script::status(404), FailureCode::UpstreamRejected),
        (Script::status(200).body("text/html", "<html>"), FailureCode::UpstreamError),
        (Script::sse().then(upstream::Step::Hang), FailureCode::UpstreamTimeout),
    ] {
        upstream.respond_to_models(script);
        let mut target = target.clone();
        target.timeouts.first_token_ms = 200;
        let failure = providers.models(&target).await.unwrap_err();
        assert_eq!(failure.code, code);
        assert!(failure.code != FailureCode::UpstreamRejected || failure.message.contains("/v1/models does not exist"));
    }
}
