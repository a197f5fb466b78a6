//! What an upstream must not do, and does.

use provider::{Providers, Settings};
use session::{
    event::Delta,
    turn::{FailureCode, Finish},
};
use upstream::{Outcome, Script, Step, Upstream, gzip, gzip_bomb};

use crate::helpers::*;

#[tokio::test]
async fn a_web_page_is_not_an_answer() {
    for html in ["<!DOCTYPE html><html><body>Welcome</body></html>", "\n\n  <html></html>"] {
        let failure = answered(Script::status(200).body("text/html", html)).await.failed();
        assert_eq!(failure.code, FailureCode::UpstreamError);
        assert!(failure.message.contains("web page") && failure.message.contains("base_url"), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    let error = r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#;
    let plain = Script::status(200).body("application/json", error);
    let wrong_type = Script::status(200).body("text/event-stream", error);
    let streamed = Script::sse().then(Step::data(error));
    let named = Script::sse().then(Step::event("error", error));
    for script in [plain, wrong_type, streamed, named] {
        let failure = answered(script).await.failed();
        assert_eq!(failure.code, FailureCode::UpstreamRejected);
        assert!(failure.message.ends_with("It said: Insufficient Balance"), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_error_after_tokens_keeps_them_and_one_after_the_end_is_nothing() {
    let error = "data: {\"error\":{\"message\":\"boom\",\"code\":500}}\n\n";
    let broken = streamed([&said("Hel"), error, &said("lo")].concat()).await;
    assert_eq!(broken.text(), "Hel");
    assert_eq!(broken.failed().code, FailureCode::UpstreamError);
    let whole = streamed([&said("Hel"), STOP, error, "data: garbage\n\n"].concat()).await.whole();
    assert_eq!(whole.text(), "Hel");
}

#[tokio::test]
async fn a_malformed_chunk_is_a_failure_and_not_a_gap() {
    for bad in ["data: {\"choices\":[{\"delta\":{\"content\":\"x\n\n", "data: garbage\n\n", "data: {\"choices\":3}\n\n"]
    {
        let answer = streamed([&said("a"), bad, &said("b"), STOP, DONE].concat()).await;
        assert_eq!(answer.text(), "a");
        let failure = answer.failed();
        assert_eq!(failure.code, FailureCode::UpstreamError, "{bad}");
        assert!(failure.message.contains("no chat completion"), "{}", failure.message);
    }
}

#[tokio::test]
async fn an_end_mark_stands_in_for_a_finish_reason() {
    for after in ["", "data: garbage\n\n", &said("b")] {
        let answer = streamed([&said("a"), DONE, after].concat()).await.whole();
        assert_eq!((answer.text().as_str(), answer.finish()), ("a", Some(Finish::Stop)));
    }
    let answer = streamed(said("a")).await;
    assert_eq!(answer.text(), "a");
    let failure = answer.failed();
    assert_eq!(failure.code, FailureCode::UpstreamError);
    assert!(failure.message.contains("broke off"), "{}", failure.message);
    assert!(streamed("").await.failed().message.contains("broke off"));
}

#[tokio::test]
async fn of_two_finish_reasons_the_first_stands() {
    let answer = answered(Script::text("a b").finishes(&["length", "stop"])).await.whole();
    assert_eq!(answer.finish(), Some(Finish::Length));
    let unheard_of = answered(Script::text("a").finish("tired")).await.whole();
    assert_eq!(unheard_of.finish(), Some(Finish::Stop));
}

#[tokio::test]
async fn no_usage_is_no_usage() {
    assert_eq!(answered(Script::text("a b").no_usage()).await.whole().usage(), None);
    let usage = answered(Script::text("a").openai_usage(10, 5, 4, 3)).await.whole().usage().unwrap();
    assert_eq!(
        (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens, usage.reasoning_tokens),
        (10, 5, 4, 3)
    );
}

#[tokio::test]
async fn a_line_of_100_mb_ends_the_connection_early() {
    let upstream = Upstream::start().await;
    let line = Step::Repeat(vec![b'x'; 64 * 1024].into(), 1600);
    upstream.respond(move |_| Script::sse().then(Step::body("data: {\"")).then(line.clone()));
    let failure = ask(&providers(), &target(&upstream.base_url())).await.failed();
    assert_eq!(failure.code, FailureCode::UpstreamError);
    assert!(failure.message.contains("8388608 bytes"), "{}", failure.message);
    upstream.wait_for_left(1).await;
    assert!(upstream.requests()[0].bytes_sent < 40_000_000);
}

#[tokio::test]
async fn an_answer_without_end_is_read_as_far_as_it_is_wanted() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::sse().then(Step::Repeat(said("x").into(), u64::MAX)));
    let mut reply = call(&providers(), &target(&upstream.base_url()));
    for _ in 0..10_000 {
        reply.next().await.unwrap().unwrap();
    }
    drop(reply);
    upstream.wait_for_left(1).await;
}

#[tokio::test]
async fn noise_without_end_does_not_put_off_the_first_token() {
    for noise in [": waiting\n\n", "\n", "data: {\"choices\":[]}\n\n"] {
        let upstream = Upstream::start().await;
        upstream.respond(|_| Script::sse().then(Step::Repeat(noise.repeat(100).into(), u64::MAX)));
        let mut target = target(&upstream.base_url());
        target.timeouts.first_token_ms = 100;
        assert_eq!(ask(&providers(), &target).await.failed().code, FailureCode::UpstreamTimeout);
        upstream.wait_for_left(1).await;
    }
}

#[tokio::test]
async fn unknown_events_and_fields_are_dropped() {
    let stream = [
        "event: ping\ndata: {\"type\":\"ping\"}\n\n",
        "event: metadata\ndata: not even json\n\n",
        "data: {\"object\":\"chat.completion.heartbeat\"}\n\n",
        "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"another choice\"}}]}\n\n",
        "unknown: field\nid: 7\nretry: 10\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\",\"audio\":{\"x\":[]}}}],\"more\":[1,{}]}\n\n",
        STOP,
    ];
    let answer = streamed(stream.concat()).await.whole();
    assert_eq!(answer.deltas, [Delta::Text("a".into()), Delta::Finish(Finish::Stop)]);
}

#[tokio::test]
async fn a_cut_keeps_what_was_said() {
    let answer = || Script::deltas(["Hel", "l", "ö wörld"]);
    let cuts = [
        ("before the finish reason", answer().cut_inside("\"finish_reason\":\"stop\"", Step::Close)),
        ("reset", answer().cut_inside("rld", Step::Reset)),
        ("inside a character", answer().cut_inside("ö", Step::Close)),
        ("inside a data line", answer().cut_inside("ta: {\"choices\":[{\"delta\":{\"content\":\"ö", Step::Close)),
    ];
    for (name, script) in cuts {
        let answer = answered(script).await;
        assert!("Hellö wörld".starts_with(&answer.text()), "{name}: {}", answer.text());
        let failure = answer.failed();
        assert_eq!(failure.code, FailureCode::UpstreamError, "{name}");
        assert!(failure.message.contains("broke off"), "{name}: {}", failure.message);
    }
}

#[tokio::test]
async fn a_cut_after_the_finish_reason_takes_nothing() {
    for ending in [Step::Close, Step::Reset] {
        let script =
            Script::sse().then(Step::body(said("whole"))).then(Step::body(STOP)).then(Step::Flush).then(ending);
        let upstream = Upstream::start().await;
        upstream.respond(move |_| script.clone());
        let answer = ask(&providers(), &target(&upstream.base_url())).await;
        // A reset may overtake what was sent before it.
        if answer.failure.is_none() {
            assert_eq!(answer.whole().text(), "whole");
        }
    }
}

#[tokio::test]
async fn half_a_chunk_at_the_end_of_an_unframed_stream_is_a_cut() {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let body = [&said("Hel"), &said("lo")[..30]].concat();
    let script = Script::raw().then(Step::raw([head, &body].concat())).then(Step::Close);
    let answer = answered(script).await;
    assert_eq!(answer.text(), "Hel");
    assert!(answer.failed().message.contains("broke off"));
}

#[tokio::test]
async fn strings_that_are_none_are_made_ones() {
    let chunk = |content: &[u8]| [b"data: {\"choices\":[{\"delta\":{\"content\":\"", content, b"\"}}]}\n\n"].concat();
    let stream = [
        chunk(br"nul\u0000 end"),
        chunk(br"lone \ud83d and \ude00"),
        chunk(b"broken \xf0\x9f utf-8"),
        chunk(br"\r\n\u2028\u0085 data: x\n\nevent: y\ndata: [DONE]\n\n"),
        chunk(br"\u0000"),
        STOP.as_bytes().to_vec(),
    ];
    let answer = streamed(stream.concat()).await.whole();
    assert_eq!(
        answer.text(),
        "nul endlone \u{fffd} and \u{fffd}broken \u{fffd} utf-8\r\n\u{2028}\u{85} data: x\n\nevent: y\ndata: [DONE]\n\n"
    );
}

#[tokio::test]
async fn tool_arguments_may_be_cut_anywhere() {
    let arguments = r#"{"a":"\n\\\u00e9 \"é\" 😀"}"#;
    let cuts: Vec<usize> = (1..arguments.len()).filter(|&at| arguments.is_char_boundary(at)).collect();
    let script = Script::text("").tool_call_split("c1", "f", arguments, &cuts).tool_call("c2", "g", "{}");
    let answer = answered(script).await.whole();
    let mut calls = vec![String::new(); 2];
    for delta in &answer.deltas {
        if let Delta::ToolCall { index, arguments, .. } = delta {
            calls[*index as usize] += arguments;
        }
    }
    assert_eq!(calls, [arguments, "{}"]);
    assert_eq!(answer.finish(), Some(Finish::ToolCalls));
}

#[tokio::test]
async fn an_answer_that_does_not_stream_is_taken_whole() {
    let body = serde_json::json!({
        "id": "x", "object": "chat.completion", "model": "m",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "Hello", "reasoning_content": "hm",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    });
    for content_type in ["application/json", "text/event-stream", "text/plain"] {
        let answer = answered(Script::status(200).body(content_type, format!("\n\n{body}\n"))).await.whole();
        assert_eq!(answer.text(), "Hello");
        assert_eq!(answer.deltas.len(), 6, "{:?}", answer.deltas);
        assert_eq!(answer.finish(), Some(Finish::ToolCalls));
    }
    let failure = answered(Script::status(200).body("application/json", "{\"hello\":\"world\"}")).await.failed();
    assert!(failure.message.contains("no chat completion"), "{}", failure.message);
    assert!(answered(Script::status(200).body("application/json", "{\"hello\":")).await.failure.is_some());
}

#[tokio::test]
async fn a_wrong_content_type_does_not_matter() {
    for content_type in ["text/plain", "application/json", "application/octet-stream", "text/html; charset=gbk"] {
        let script = Script::text("a b").header("content-type", content_type);
        assert_eq!(answered(script).await.whole().text(), "a b", "{content_type}");
    }
}

#[tokio::test]
async fn what_is_compressed_is_refused_unread() {
    for body in [gzip(said("a").as_bytes()), gzip_bomb(100_000_000)] {
        let script = Script::status(200).body("text/event-stream", body).header("content-encoding", "gzip");
        let failure = answered(script).await.failed();
        assert_eq!(failure.code, FailureCode::UpstreamError);
        assert!(failure.message.contains("compressed its answer (gzip)"), "{}", failure.message);
    }
    let script = Script::text("a").header("content-encoding", "identity");
    assert_eq!(answered(script).await.whole().text(), "a");
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Upstream::start().await;
    let location = format!("http://{}/latest/meta-data?key=sk-secret-key", elsewhere.addr());
    for status in [301, 302, 307, 308] {
        let failure = answered(Script::status(status).header("location", &location)).await.failed();
        assert_eq!(failure.code, FailureCode::UpstreamRejected);
        assert!(failure.message.contains(&format!("redirects to http://{} ", elsewhere.addr())), "{}", failure.message);
        assert!(!failure.message.contains("meta-data") && !failure.message.contains("secret"));
    }
    assert_eq!(elsewhere.received(), 0);
}

#[tokio::test]
async fn heads_have_a_limit() {
    let flood = (0..1000).fold(Script::text("a"), |script, i| script.header(&format!("x-{i}"), "y"));
    let wide = Script::text("a").header("x", &"y".repeat(1_000_000));
    for script in [flood, wide] {
        assert_eq!(answered(script).await.failed().code, FailureCode::UpstreamError);
    }
    let failure = answered(Script::raw().then(Step::raw("SSH-2.0-OpenSSH_9.2\r\n"))).await.failed();
    assert!(failure.message.contains("not HTTP"), "{}", failure.message);
}

#[tokio::test]
async fn a_hundred_thousand_tiny_chunks() {
    let upstream = Upstream::start().await;
    let tiny = Step::Repeat(said("x").into(), 100_000);
    upstream.respond(move |_| Script::sse().then(tiny.clone()).then(Step::body(DONE)));
    let answer = ask(&providers(), &target(&upstream.base_url())).await.whole();
    assert_eq!(answer.text().len(), 100_000);
    assert_eq!(upstream.requests()[0].outcome, Outcome::Completed);
}

#[tokio::test]
async fn the_limit_on_an_event_is_a_setting() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::deltas(["x".repeat(2000)]));
    let providers = Providers::new(Settings { event_bytes_max: 1000, ..settings() }).unwrap();
    assert!(ask(&providers, &target(&upstream.base_url())).await.failed().message.contains("1000 bytes"));
}
