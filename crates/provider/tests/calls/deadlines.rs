//! Every wait has an end.

use provider::Target;
use session::turn::FailureCode;
use tokio::net::TcpListener;
use upstream::{Script, Step, Upstream};

use crate::helpers::*;

fn impatient(base_url: &str) -> Target {
    let mut target = target(base_url);
    target.timeouts.first_token_ms = 200;
    target.timeouts.between_tokens_ms = 200;
    target
}

async fn late(script: Script) -> (Answer, Upstream) {
    let upstream = Upstream::start().await;
    upstream.respond(move |_| script.clone());
    let answer = ask(&providers(), &impatient(&upstream.base_url())).await;
    upstream.wait_for_left(1).await;
    (answer, upstream)
}

#[tokio::test]
async fn hanging_before_the_head() {
    let (answer, _upstream) = late(Script::text("a").before_head(Step::Hang)).await;
    let failure = answer.failed();
    assert_eq!(failure.code, FailureCode::UpstreamTimeout);
    assert!(failure.message.contains("within 200 ms") && failure.message.contains("first_token_ms"));
}

#[tokio::test]
async fn hanging_after_the_head() {
    let (answer, _upstream) = late(Script::text("a").at(0, Step::Hang)).await;
    assert!(answer.failed().message.contains("first_token_ms"));
}

#[tokio::test]
async fn a_role_and_comments_are_no_token() {
    let role = "data: {\"model\":\"m\",\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
    let mut script = Script::sse().then(Step::body(role));
    for _ in 0..20 {
        script = script.then(Step::pause_ms(20)).then(Step::comment("keep-alive"));
    }
    let (answer, _upstream) = late(script.then(Step::body(said("too late")))).await;
    assert!(answer.failed().message.contains("first_token_ms"));
}

#[tokio::test]
async fn hanging_between_tokens_keeps_what_was_said() {
    let (answer, _upstream) = late(Script::deltas(["Hel", "lo"]).at(1, Step::Hang)).await;
    assert_eq!(answer.text(), "Hel");
    let failure = answer.failed();
    assert_eq!(failure.code, FailureCode::UpstreamTimeout);
    assert!(failure.message.contains("between_tokens_ms"), "{}", failure.message);
}

#[tokio::test]
async fn comments_between_tokens_are_signs_of_life() {
    let mut script = Script::sse().then(Step::body(said("Hel")));
    for _ in 0..6 {
        script = script.then(Step::pause_ms(50)).then(Step::comment("OPENROUTER PROCESSING"));
    }
    let script = script.then(Step::body(said("lo"))).then(Step::body(STOP));
    let upstream = Upstream::start().await;
    upstream.respond(move |_| script.clone());
    assert_eq!(ask(&providers(), &impatient(&upstream.base_url())).await.whole().text(), "Hello");
}

#[tokio::test]
async fn an_answer_that_is_whole_does_not_wait_for_its_end_mark() {
    let script = Script::sse().then(Step::body(said("whole"))).then(Step::body(STOP)).then(Step::Hang);
    let (answer, _upstream) = late(script).await;
    assert_eq!(answer.whole().text(), "whole");
}

#[tokio::test]
async fn connecting_has_a_deadline() {
    // TCP is taken by the backlog; TLS gets no answer.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut target = target(&format!("https://{}", silent.local_addr().unwrap()));
    target.timeouts.connect_ms = 100;
    let failure = ask(&providers(), &target).await.failed();
    assert_eq!(failure.code, FailureCode::UpstreamTimeout);
    assert!(failure.message.contains("connect_ms"), "{}", failure.message);
}

#[tokio::test]
async fn absurd_deadlines_are_survived() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::text("a"));
    let mut target = target(&upstream.base_url());
    for ms in
        [&mut target.timeouts.connect_ms, &mut target.timeouts.first_token_ms, &mut target.timeouts.between_tokens_ms]
    {
        *ms = u64::MAX;
    }
    assert_eq!(ask(&providers(), &target).await.whole().text(), "a");
}
