//! What is sent.

use provider::Target;
use session::{message::Message, turn::FailureCode};
use upstream::{Script, Upstream};

use crate::helpers::*;

#[tokio::test]
async fn a_request_has_these_headers_and_this_body() {
    let upstream = Upstream::start().await;
    let (providers, target) = (providers(), target(&upstream.base_url()));
    ask(&providers, &target).await.whole();
    let sent = &upstream.requests()[0].request;
    assert_eq!(sent.path, "/v1/chat/completions");
    assert_eq!(sent.body, providers.body(&target, &prompt()).unwrap());
    let mut headers: Vec<String> = sent
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .map(|line| line.replace(&upstream.addr().to_string(), "UPSTREAM"))
        .collect();
    headers.sort();
    insta::assert_snapshot!(headers.join("\n"), @"
    accept-encoding: identity
    accept: application/json, text/event-stream
    authorization: Bearer sk-secret-key
    content-length: 121
    content-type: application/json
    host: UPSTREAM
    user-agent: turnwise/0.1.0
    ");
}

#[tokio::test]
async fn no_key_no_header() {
    let upstream = Upstream::start().await;
    ask(&providers(), &Target { key: None, ..target(&upstream.base_url()) }).await.whole();
    assert!(!upstream.requests()[0].request.headers.contains_key("authorization"));
}

#[tokio::test]
async fn a_key_that_no_header_can_hold_is_not_shown() {
    let upstream = Upstream::start().await;
    let failure = ask(&providers(), &target(&upstream.base_url()).with_key("sk-secret\n")).await.failed();
    assert_eq!(failure.code, FailureCode::UpstreamKeyRejected);
    assert!(!failure.message.contains("secret"));
    assert_eq!(upstream.received(), 0);
}

#[tokio::test]
async fn a_vendor_without_a_key_is_not_called() {
    let failure = ask(&providers(), &Target::new("deepseek", None)).await.failed();
    assert_eq!(failure.code, FailureCode::ConfigKeyMissing);
    assert!(failure.message.contains("api.deepseek.com"), "{}", failure.message);
}

#[tokio::test]
async fn what_cannot_be_called_is_said_and_not_tried_again() {
    let providers = providers();
    for (target, says) in [
        (Target::new("nobody", None), "\"nobody\" is not known"),
        (Target::new("scripted", None), "not known"),
        (Target::new("openai", Some("ftp://a")), "base_url must begin with"),
        (Target::new("openai", Some("http://user:pw@a")), "user or password"),
    ] {
        let failure = providers.body(&target, &prompt()).unwrap_err();
        assert_eq!(failure.code, FailureCode::UpstreamRejected);
        assert!(failure.message.contains(says), "{}", failure.message);
        let called = read(providers.call(&target, MODEL, "{}".into())).await.failed();
        assert_eq!(called.message, failure.message);
    }
}

#[tokio::test]
async fn a_body_is_always_the_same() {
    let providers = providers();
    let target = Target::new("deepseek", None).with_key("k");
    let mut prompt = prompt();
    prompt.messages.insert(0, Message::system("s").into());
    for (i, name) in ["z", "a", "m"].into_iter().enumerate() {
        prompt.params.insert(name.into(), i.into());
    }
    let first = providers.body(&target, &prompt).unwrap();
    assert_eq!(first, providers.body(&target, &prompt.clone()).unwrap());
    assert!(serde_json::from_slice::<serde_json::Value>(&first).is_ok());
}

#[tokio::test]
async fn a_large_body_arrives_whole() {
    let upstream = Upstream::start().await;
    upstream.respond(|request| Script::text(&request.body.len().to_string()));
    let (providers, target) = (providers(), target(&upstream.base_url()));
    let mut prompt = prompt();
    prompt.messages = vec![Message::user(&"好".repeat(1_000_000)).into()];
    let body = providers.body(&target, &prompt).unwrap();
    let bytes = body.len().to_string();
    assert_eq!(read(providers.call(&target, MODEL, body)).await.whole().text(), bytes);
}
