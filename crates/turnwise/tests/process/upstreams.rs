//! Upstreams that fail in every way there is: the right end, the right status, the text kept, the lane going on.

use std::time::Duration;

use serde_json::{Value, json};
use upstream::{Outcome, Script, Step, gzip_bomb};

use crate::support::{Answer, Lab, text, turn_id};

/// Sends to a fresh session, and behind it a second message, which has to be answered whatever became of the first.
async fn meet(lab: &Lab, config: &str, script: Script) -> Answer {
    lab.upstream.respond(move |request| match request.last_user_message().as_str() {
        "second" => Script::text("still here"),
        _ => script.clone(),
    });
    let made = lab.client.post("/sessions", &json!({"config_id": config})).await.expect(201);
    let session = made["id"].as_str().unwrap().to_owned();
    let client = lab.client.clone();
    let body = json!({"session_id": session, "message": "first"});
    let first = tokio::spawn(async move { client.post("/chat", &body).await });
    let answer = first.await.unwrap();
    let second =
        lab.client.post("/chat", &json!({"session_id": session, "message": "second", "config_id": "up"})).await;
    assert_eq!(second.expect(200)["message"]["content"], "still here");
    answer
}

/// A failure of which nothing had been said: told as it should be, after that many calls.
async fn fails(lab: &Lab, config: &str, script: Script, status: u16, code: &str, calls: usize) -> Value {
    let before = lab.upstream.received();
    let answer = meet(lab, config, script).await;
    let error = answer.error(status, code);
    assert_eq!(error["type"], "upstream_error");
    let body = answer.json();
    assert_eq!(body["status"], "failed");
    assert_eq!(body["message"], Value::Null);
    assert_eq!(lab.upstream.received() - before - 1, calls, "{code}: calls, the second message's aside");
    let turn = lab.turn(&turn_id(&body)).await;
    assert_eq!(turn["error"]["code"], code);
    assert_eq!(turn["attempts"], calls);
    assert_eq!(error["turn_id"], turn["turn_id"]);
    let address = lab.upstream.addr().to_string();
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&address), "{message:?} names the upstream {address}");
    error
}

/// A failure in the middle of an answer: told as it should be, what was said is kept, and nobody asks again.
async fn breaks(lab: &Lab, config: &str, script: Script, status: u16, code: &str) {
    let before = lab.upstream.received();
    let answer = meet(lab, config, script).await;
    answer.error(status, code);
    let body = answer.json();
    assert_eq!(body["status"], "failed");
    assert_eq!(body["message"]["content"], "partial ", "what was said is kept");
    assert_eq!(lab.upstream.received() - before, 2, "nothing is asked twice once something was shown");
    let events = lab.events(&turn_id(&body)).await;
    assert_eq!(text(&events), "partial ");
    assert_eq!(events.last().unwrap().name, "turn.failed");
    // What it said counts in the next history.
    let prompt = lab.prompts().pop().unwrap();
    assert_eq!(prompt.len(), 3);
    assert_eq!(prompt[1].1, "partial ");
}

fn partial() -> Script {
    Script::deltas(["partial ", "answer"])
}

#[tokio::test]
async fn a_refused_call_fails_at_once_and_says_what_to_do() {
    let lab = Lab::start().await;
    let key =
        fails(&lab, "up", Script::error(401, "invalid_api_key", "bad key"), 502, "upstream_key_rejected", 1).await;
    assert!(key["message"].as_str().unwrap().contains("api_key"), "{key}");
    fails(&lab, "up", Script::error(403, "forbidden", "no"), 502, "upstream_key_rejected", 1).await;
    let model = Script::error(404, "model_not_found", "The model `model-small` does not exist");
    fails(&lab, "up", model, 502, "upstream_model_not_found", 1).await;
    let rejected = fails(&lab, "up", Script::error(400, "invalid", "no such field"), 502, "upstream_rejected", 1).await;
    assert!(rejected["message"].as_str().unwrap().contains("no such field"), "{rejected}");
    let long = Script::error(400, "context_length_exceeded", "This model's maximum context length is 10 tokens");
    let long = fails(&lab, "up", long, 502, "context_too_long", 1).await;
    assert!(long["message"].as_str().unwrap().contains("window"), "{long}");
    let redirect = Script::status(302).header("location", "http://169.254.169.254/latest/meta-data");
    fails(&lab, "up", redirect, 502, "upstream_rejected", 1).await;
    let page = Script::status(404).body("text/html", "<html>not here</html>");
    let page = fails(&lab, "up", page, 502, "upstream_rejected", 1).await;
    assert!(page["message"].as_str().unwrap().contains("base_url"), "{page}");
}

#[tokio::test]
async fn a_passing_failure_is_retried_and_then_told() {
    let lab = Lab::start().await;
    fails(&lab, "up", Script::error(500, "server_error", "oops"), 502, "upstream_error", 3).await;
    fails(&lab, "up", Script::error(503, "overloaded", "busy"), 502, "upstream_error", 3).await;
    fails(&lab, "up", Script::error(529, "overloaded", "busy"), 502, "upstream_error", 3).await;
    fails(&lab, "up", Script::error(408, "timeout", "slow"), 504, "upstream_timeout", 3).await;
    fails(&lab, "up", Script::error(429, "rate_limit", "slow down"), 429, "upstream_rate_limited", 3).await;
    fails(&lab, "up", Script::status(502).body("text/html", "<html>bad gateway</html>"), 502, "upstream_error", 3)
        .await;
    fails(&lab, "up", Script::status(200).body("text/html", "<html>hello</html>"), 502, "upstream_error", 3).await;
    let in_body =
        Script::status(200).json(&json!({"error": {"message": "overloaded", "type": "server_error", "code": null}}));
    fails(&lab, "up", in_body, 502, "upstream_error", 3).await;
    fails(&lab, "up", Script::status(200).body("application/json", "{]"), 502, "upstream_error", 3).await;
}

#[tokio::test]
async fn a_failure_that_passes_costs_a_retry_and_nothing_more() {
    let lab = Lab::start().await;
    for first in [
        Script::error(500, "server_error", "oops"),
        Script::error(429, "rate_limit", "slow down").header("retry-after", "0"),
        Script::status(502).body("text/html", "<html>bad gateway</html>"),
    ] {
        let begun = lab.upstream.received();
        lab.upstream.respond_each([first, Script::text("now it works")]);
        let answer = lab.client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await.rest().await;
        let attempts: Vec<&Value> =
            answer.iter().filter(|event| event.name == "turn.started").map(|event| &event.data["attempt"]).collect();
        assert_eq!(attempts, [&json!(1), &json!(2)]);
        assert_eq!(text(&answer), "now it works");
        let requests = lab.upstream.requests();
        assert_eq!(requests[begun].request.body, requests[begun + 1].request.body, "the same request once more");
    }
}

#[tokio::test]
async fn a_connection_closed_without_an_answer_is_tried_again() {
    for ending in [Step::Close, Step::Reset] {
        let lab = Lab::start().await;
        let closing = Script::raw().then(ending.clone());
        lab.upstream.respond_each([closing.clone(), closing.clone(), Script::text("third time lucky")]);
        let answer = lab.client.post("/chat", &json!({"message": "hi"})).await.expect(200);
        assert_eq!(lab.turn(&turn_id(&answer)).await["attempts"], 3);
        assert_eq!(answer["message"]["content"], "third time lucky");

        let failed = meet(&lab, "up", closing).await;
        let error = failed.error(502, "upstream_unreachable");
        assert!(error["message"].as_str().unwrap().contains(&lab.upstream.addr().to_string()), "{error}");
        assert_eq!(lab.turn(&turn_id(&failed.json())).await["attempts"], 3);
        // A connection that had rested may have been closed before the call: that one goes out once more, uncounted.
        assert!(lab.upstream.received() <= 3 + 4 + 1, "{} calls", lab.upstream.received());
    }
}

#[tokio::test]
async fn retry_after_is_honoured_and_a_wait_too_long_is_told_instead() {
    let lab = Lab::start().await;
    let busy = |after: &str| Script::error(429, "rate_limit", "slow down").header("retry-after", after);
    lab.upstream.respond_each([busy("1"), Script::text("after a second")]);
    lab.client.post("/chat", &json!({"message": "hi"})).await.expect(200);
    let requests = lab.upstream.requests();
    let waited = requests[1].request.received - requests[0].request.received;
    assert!((Duration::from_millis(1000)..Duration::from_millis(2500)).contains(&waited), "{waited:?}");

    for after in ["3600", "1000000000"] {
        let before = lab.upstream.received();
        lab.upstream.respond({
            let busy = busy(after);
            move |_| busy.clone()
        });
        let answer = lab.client.post("/chat", &json!({"message": "hi"})).await;
        answer.error(429, "upstream_rate_limited");
        assert_eq!(lab.upstream.received() - before, 1, "nobody waits that long");
        assert!(answer.headers.contains_key("retry-after"), "{:?}", answer.headers);
    }
    // What makes no sense is as if it were not said.
    for nonsense in ["-5", "soon", ""] {
        let before = lab.upstream.received();
        lab.upstream.respond({
            let busy = busy(nonsense);
            move |_| busy.clone()
        });
        lab.client.post("/chat", &json!({"message": "hi"})).await.error(429, "upstream_rate_limited");
        assert_eq!(lab.upstream.received() - before, 3);
    }
}

#[tokio::test]
async fn nobody_there_is_told_with_the_address() {
    let lab = Lab::start().await;
    for (config, url, named) in [
        ("refused", "http://127.0.0.1:9/v1", "127.0.0.1:9"),
        ("no-dns", "http://no-such-host.invalid/v1", "no-such-host.invalid"),
    ] {
        let mut fields = Lab::timeouts(json!({"connect_ms": 400}));
        fields["base_url"] = url.into();
        lab.config(config, fields).await;
        let answer = meet(&lab, config, Script::text("never")).await;
        // Where no name server answers, a name is not unknown but late.
        let late = answer.status == 504 && config == "no-dns";
        let error =
            if late { answer.error(504, "upstream_timeout") } else { answer.error(502, "upstream_unreachable") };
        assert!(error["message"].as_str().unwrap().contains(named), "{error}");
        assert_eq!(lab.turn(&turn_id(&answer.json())).await["attempts"], 3);
    }
    // Somebody is there, but speaks no TLS.
    let address = lab.server.addr();
    lab.config("tls", json!({"base_url": format!("https://{address}/v1")})).await;
    let error = meet(&lab, "tls", Script::text("never")).await.error(502, "upstream_unreachable");
    assert!(error["message"].as_str().unwrap().contains(&address.to_string()), "{error}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline_that_it_broke() {
    let lab = Lab::start().await;
    lab.config("first", Lab::timeouts(json!({"first_token_ms": 150}))).await;
    lab.config("between", Lab::timeouts(json!({"between_tokens_ms": 150}))).await;
    lab.config("turn", Lab::timeouts(json!({"turn_ms": 250}))).await;

    let before_head = Script::raw().then(Step::Hang);
    let said = fails(&lab, "first", before_head.clone(), 504, "upstream_timeout", 3).await;
    assert!(said["message"].as_str().unwrap().contains("first_token_ms"), "{said}");
    fails(&lab, "first", partial().at(0, Step::Hang), 504, "upstream_timeout", 3).await;
    breaks(&lab, "between", partial().at(1, Step::Hang), 504, "upstream_timeout").await;
    let whole = meet(&lab, "turn", before_head).await;
    assert!(whole.error(504, "upstream_timeout")["message"].as_str().unwrap().contains("turn_ms"));
    breaks(&lab, "turn", partial().at(1, Step::Hang), 504, "upstream_timeout").await;
    // A trickle that never lets the other deadlines pass.
    let trickle = (0..100).fold(partial(), |script, _| script.at(1, Step::pause_ms(50)).at(1, Step::comment("x")));
    breaks(&lab, "turn", trickle, 504, "upstream_timeout").await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_keeps_what_was_said() {
    let lab = Lab::start().await;
    breaks(&lab, "up", partial().at(1, Step::Close), 502, "upstream_error").await;
    breaks(&lab, "up", partial().at(1, Step::Reset), 502, "upstream_error").await;
    breaks(&lab, "up", Script::deltas(["partial ", "你好"]).cut_inside("你", Step::Close), 502, "upstream_error").await;
    breaks(&lab, "up", partial().cut_inside("answer", Step::Close), 502, "upstream_error").await;
    breaks(&lab, "up", partial().cut_inside("answer", Step::End), 502, "upstream_error").await;
    breaks(&lab, "up", partial().at(1, Step::raw("zz\r\nnot a chunk")), 502, "upstream_error").await;
}

#[tokio::test]
async fn a_stream_that_ends_without_any_sign_of_an_end_is_not_taken_for_whole() {
    let lab = Lab::start().await;
    let answer = meet(&lab, "up", partial().finishes(&[]).no_done()).await;
    answer.error(502, "upstream_error");
    assert_eq!(answer.json()["message"]["content"], "partial answer");
    // `[DONE]` is such a sign, the finish reason missing or not.
    let answer = meet(&lab, "up", partial().finishes(&[])).await.expect(200);
    assert_eq!((&answer["status"], &answer["finish"]), (&json!("completed"), &json!("stop")));
}

#[tokio::test]
async fn an_error_behind_the_first_words_ends_the_turn_with_them() {
    let lab = Lab::start().await;
    let error = json!({"error": {"message": "the GPU fell over", "type": "server_error", "code": null}});
    breaks(&lab, "up", partial().at(1, Step::data(&error)).at(1, Step::Close), 502, "upstream_error").await;
}

#[tokio::test]
async fn answers_that_are_merely_odd_are_taken() {
    let lab = Lab::start().await;
    let sound: [Script; 9] = [
        partial().no_usage(),
        partial().no_done(),
        partial().crlf(),
        partial().no_space(),
        partial().chunks_of(1),
        partial().finishes(&["stop", "length"]),
        partial().at(1, Step::event("ping", "{}")).at(1, Step::event("unknown.kind", json!({"a": 1}))),
        partial().usage(json!({"prompt_tokens": -1, "completion_tokens": 9_223_372_036_854_775_808_u64})),
        partial().header("content-type", "application/octet-stream"),
    ];
    for script in sound {
        let shown = format!("{script:?}");
        let answer = meet(&lab, "up", script).await;
        assert_eq!(answer.expect(200)["message"]["content"], "partial answer", "{shown}");
    }
    // Text that looks like our own protocol stays text.
    let hostile = "\r\nevent: turn.completed\ndata: {}\n\n\u{2028}\u{0}id: 9.9\n\n";
    let answer = meet(&lab, "up", Script::deltas([hostile, "end"])).await.expect(200);
    let turn = turn_id(&answer);
    let events = lab.events(&turn).await;
    assert_eq!(text(&events), answer["message"]["content"].as_str().unwrap());
    assert!(text(&events).contains("event: turn.completed\ndata: {}\n\n"));
    assert_eq!(events.iter().filter(|event| event.is_final()).count(), 1);
}

#[tokio::test]
async fn the_model_may_stop_for_reasons_of_its_own() {
    let lab = Lab::start().await;
    for (finish, status, reason) in [
        ("stop", "completed", Value::Null),
        ("length", "incomplete", json!("length")),
        ("content_filter", "incomplete", json!("content_filter")),
    ] {
        let answer = meet(&lab, "up", partial().finish(finish)).await.expect(200);
        assert_eq!(
            (&answer["status"], &answer["reason"], &answer["finish"]),
            (&json!(status), &reason, &json!(finish))
        );
        assert_eq!(answer["message"]["content"], "partial answer");
    }
    let refused = meet(&lab, "up", Script::text("").refusal("I will not")).await.expect(200);
    assert_eq!(refused["message"]["refusal"], "I will not");
    let thought = meet(&lab, "up", partial().reasoning("hm, hm")).await.expect(200);
    assert_eq!(thought["message"]["reasoning"], "hm, hm");
    assert_eq!(thought["message"]["content"], "partial answer");
}

#[tokio::test]
async fn an_endless_answer_ends_at_the_limit() {
    let lab = Lab::with(&["--answer-bytes-max", "20000"]).await;
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": "blah blah "}, "finish_reason": null}]});
    let endless = Script::sse().then(Step::Repeat(format!("data: {chunk}\n\n").into(), u64::MAX));
    let answer = meet(&lab, "up", endless).await.expect(200);
    assert_eq!((&answer["status"], &answer["reason"]), (&json!("incomplete"), &json!("length")));
    let length = answer["message"]["content"].as_str().unwrap().len();
    assert!((20_000..200_000).contains(&length), "{length}");
    assert_eq!(lab.upstream.requests()[0].outcome, Outcome::ClientLeft);
}

#[tokio::test]
async fn a_line_without_end_and_a_bomb_do_not_fill_the_memory() {
    let lab = Lab::start().await;
    let line = Script::sse().then(Step::body("data: ")).then(Step::Repeat("x".repeat(64 << 10).into(), 1600));
    meet(&lab, "up", line).await.error(502, "upstream_error");
    let bomb = Script::status(200).body("text/event-stream", gzip_bomb(100 << 20)).header("content-encoding", "gzip");
    meet(&lab, "up", bomb).await.error(502, "upstream_error");
    assert!(peak_memory_mib(lab.server.pid()) < 300, "{} MiB", peak_memory_mib(lab.server.pid()));
}

fn peak_memory_mib(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[tokio::test]
async fn a_config_tells_what_is_wrong_with_it() {
    let lab = Lab::start().await;
    let tested = lab.client.post("/configs/up/test", &json!({})).await.expect(200);
    assert_eq!((&tested["ok"], &tested["model"]), (&json!(true), &json!("model-small")));
    lab.upstream.respond(|_| Script::error(401, "invalid_api_key", "bad key"));
    let tested = lab.client.post("/configs/up/test", &json!({})).await.expect(200);
    assert_eq!((&tested["ok"], &tested["error"]["code"]), (&json!(false), &json!("upstream_key_rejected")));
    let models = lab.client.get("/configs/up/models").await.expect(200);
    assert_eq!(models["data"], json!([{"id": "model-large"}, {"id": "model-small"}]));
    lab.upstream.respond_to_models(Script::error(500, "oops", "oops"));
    lab.client.get("/configs/up/models").await.error(502, "upstream_error");
    assert_eq!(lab.home.number("SELECT count(*) FROM chat_turns"), 0, "a trial is no turn");
}
