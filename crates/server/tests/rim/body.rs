use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body as AxumBody;
use axum::routing::post;
use axum::{Extension, Json, Router};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Request;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use server::body::{Body, Limits, OptionalBody, body_hash};

use crate::support::{around, post_json, send};

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Send {
    message: String,
    #[serde(default)]
    if_busy: IfBusy,
    #[serde(default)]
    parts: Vec<Part>,
    #[serde(default)]
    metadata: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum IfBusy {
    #[default]
    Queue,
    Reject,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Part {
    text: String,
}

#[tokio::test]
async fn a_sound_body_arrives() {
    let answer = post_json(&echo(), r#"{"message": "你好 \ud83d\ude00", "parts": [{"text": "a"}]}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["message"], "你好 😀");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_by_name_and_path() {
    let cases = [
        (r#"{"mesage": "x"}"#, "unknown_field", "mesage", "Did you mean `message`?"),
        (r#"{"message": "x", "zzz": 1}"#, "unknown_field", "zzz", "Known here: message, if_busy, parts, metadata."),
        (r#"{"message": "x", "parts": [{"text": "a"}, {"txt": "b"}]}"#, "unknown_field", "parts[1].txt", "`text`?"),
        (r#"{"a`, expected `b": 1}"#, "unknown_field", "a`, expected `b", "Known here: message"),
        (r#"{}"#, "missing_field", "message", "`message` is missing"),
        (r#"{"message": "x", "parts": [{}]}"#, "missing_field", "parts[0].text", "`text` is missing"),
        (r#"{"message": 5}"#, "invalid_value", "message", "integer `5`, expected a string"),
        (r#"{"message": "x", "if_busy": "quue"}"#, "invalid_value", "if_busy", "Did you mean `queue`?"),
        (r#"[]"#, "invalid_value", "", "does not fit"),
        (r#""text""#, "invalid_value", "", "expected an object"),
        (r#"{"message": "x", "message": "y"}"#, "duplicate_key", "message", "`message` stands twice"),
        (r#"{"message": "x", "metadata": {"k": 1, "\u006b": 2}}"#, "duplicate_key", "metadata.k", "stands twice"),
        (r#"{"message": "a\u0000b"}"#, "invalid_string", "message", "NUL"),
        (r#"{"message": "x", "metadata": {"k": ["ok", "\u0000"]}}"#, "invalid_string", "metadata.k[1]", "NUL"),
        (r#"{"message": "\ud800"}"#, "invalid_string", "", "surrogate"),
        (r#"{"message": "\ud800x"}"#, "invalid_string", "", "surrogate"),
        (r#"{"message": "\udc00"}"#, "invalid_string", "", "surrogate"),
        (r#"{"message": "\ud800\ud800"}"#, "invalid_string", "", "surrogate"),
        (r#"{"message": "x", "metadata": {"n": 1e999}}"#, "invalid_json", "", "number out of range"),
        (r#"{"message": "x"} {}"#, "invalid_json", "", "trailing characters"),
        (r#"{"message": "x""#, "invalid_json", "", "ends in the middle"),
        (r#"{'message': 1}"#, "invalid_json", "", "not JSON"),
        ("\u{feff}{}", "invalid_json", "", "not JSON"),
        (" ", "invalid_json", "", "ends in the middle"),
    ];
    let router = echo();
    for (body, code, param, message) in cases {
        let answer = post_json(&router, body).await;
        answer.refused(400, code, param);
        assert!(answer.error("message").contains(message), "{body}: {}", answer.error("message"));
    }
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_refused() {
    for bytes in [&b"{\"message\": \"\xff\"}"[..], b"{\"message\": \"\xed\xa0\x80\"}", b"{\"\xff\": 1}"] {
        post_json(&echo(), bytes.to_vec()).await.refused(400, "invalid_utf8", "");
    }
}

#[tokio::test]
async fn depth_counts_to_the_limit_and_no_further() {
    let nested = |depth: usize| {
        format!(r#"{{"message": "", "metadata": {{"k": {}{}}}}}"#, "[".repeat(depth - 2), "]".repeat(depth - 2))
    };
    assert_eq!(post_json(&echo(), nested(64)).await.status, 200);
    post_json(&echo(), nested(65)).await.refused(400, "body_too_deep", "");
    for open in ["[", "{\"a\":"] {
        let answer = post_json(&echo(), open.repeat(100_000)).await;
        answer.refused(400, "body_too_deep", "");
        assert!(answer.error("message").contains("json_depth_max = 64"));
    }
}

#[tokio::test]
async fn a_million_keys_are_read_and_a_doubled_one_among_them_is_found() {
    let mut keys: String = (0..300_000).map(|n| format!("\"{n}\":0,")).collect();
    let body = |keys: &str| format!(r#"{{"message": "", "metadata": {{{keys}"end": 0}}}}"#);
    assert_eq!(post_json(&echo(), body(&keys)).await.status, 200);
    keys.push_str("\"12345\":1,");
    post_json(&echo(), body(&keys)).await.refused(400, "duplicate_key", "metadata.12345");
}

#[tokio::test]
async fn only_json_in_utf8_and_uncompressed_is_taken() {
    let cases = [
        ("content-type", "application/json", true),
        ("content-type", "Application/JSON; charset=UTF-8", true),
        ("content-type", "application/json; charset=\"utf-8\"; x=y", true),
        ("content-type", "application/vnd.api+json", true),
        ("content-type", "application/json; charset=utf-16", false),
        ("content-type", "application/jsonp", false),
        ("content-type", "text/plain", false),
        ("content-type", "text/plain; application/json", false),
        ("content-type", "application/x-www-form-urlencoded", false),
        ("content-type", "", false),
        ("x-none", "", false),
    ];
    for (name, value, taken) in cases {
        let request = Request::post("/").header("host", "localhost").header(name, value);
        let answer = send(&echo(), request.body(r#"{"message": "x"}"#.into()).unwrap()).await;
        match taken {
            true => assert_eq!(answer.status, 200, "{value}"),
            false => answer.refused(415, "unsupported_media_type", "content-type"),
        }
    }
    for (coding, taken) in [("gzip", false), ("identity, gzip", false), ("br", false), ("identity", true)] {
        let request = Request::post("/").header("host", "localhost").header("content-type", "application/json");
        let request = request.header("content-encoding", coding).body(r#"{"message": "x"}"#.into()).unwrap();
        assert_eq!(send(&echo(), request).await.status, if taken { 200 } else { 415 }, "{coding}");
    }
}

#[tokio::test]
async fn no_body_is_an_error_only_where_one_is_needed() {
    let bare = || Request::post("/").header("host", "localhost").body(AxumBody::empty()).unwrap();
    send(&echo(), bare()).await.refused(400, "body_required", "");
    post_json(&echo(), streamed(vec![])).await.refused(400, "body_required", "");

    let optional = around(Router::new().route(
        "/",
        post(|OptionalBody { value, raw }: OptionalBody<Send>| async move {
            assert_eq!(value.message.is_empty(), raw.hash(&[]) == body_hash(&json!({}), &[]));
            Json(value)
        }),
    ));
    assert_eq!(send(&optional, bare()).await.json()["message"], "");
    assert_eq!(post_json(&optional, streamed(vec![])).await.status, 200);
    assert_eq!(post_json(&optional, r#"{"message": "x"}"#).await.json()["message"], "x");
    post_json(&optional, r#"{"massage": "x"}"#).await.refused(400, "unknown_field", "massage");
}

#[tokio::test]
async fn the_size_limit_counts_what_is_read_and_is_named() {
    let small = Limits { body_bytes_max: 100, ..Limits::default() };
    let router = limited(small);
    let fits = format!(r#"{{"message": "{}"}}"#, "x".repeat(85));
    assert_eq!(fits.len(), 100);
    assert_eq!(post_json(&router, fits.clone()).await.status, 200);
    assert_eq!(post_json(&router, streamed(fits.bytes().map(|byte| vec![byte]).collect())).await.status, 200);

    let large = fits.replace('x', "xx");
    for body in [AxumBody::from(large.clone()), streamed(vec![large.clone().into_bytes()])] {
        let answer = post_json(&router, body).await;
        answer.refused(413, "body_too_large", "");
        assert!(answer.error("message").contains("body_bytes_max = 100 bytes"));
    }
}

#[tokio::test]
async fn an_endless_body_is_refused_at_the_limit() {
    let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[b' '; 4096])));
    post_json(&echo(), AxumBody::from_stream(endless)).await.refused(413, "body_too_large", "");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_trickles_in_ends_with_a_408() {
    let trickle = stream::unfold((), |()| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Some((Ok::<_, Infallible>(Bytes::from_static(b" ")), ()))
    });
    let answer = post_json(&echo(), AxumBody::from_stream(trickle)).await;
    answer.refused(408, "body_timeout", "");
    assert!(answer.error("message").contains("body_timeout = 60s"));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_400() {
    let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
    post_json(&echo(), AxumBody::from_stream(broken)).await.refused(400, "body_incomplete", "");
}

#[tokio::test]
async fn an_answer_repeats_only_a_little_of_what_was_sent() {
    let long = "y".repeat(1 << 20);
    for body in [format!(r#"{{"{long}": 1}}"#), format!(r#"{{"message": "x", "parts": "{long}"}}"#)] {
        let answer = post_json(&echo(), body).await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.len() < 1000, "{} bytes", answer.body.len());
    }
}

#[test]
fn the_hash_is_of_the_value_and_not_of_its_spelling() {
    let hash = |text: &str| body_hash(&serde_json::from_str(text).unwrap(), &["stream", "wait"]);
    let base = hash(r#"{"a": 1, "b": {"x": [1, 2], "y": "ü"}}"#);
    assert_eq!(base, hash(r#"{"b":{"y":"\u00fc","x":[1,2]},"a":1}"#));
    assert_eq!(base, hash(r#"{"stream": true, "a": 1, "wait": false, "b": {"x": [1, 2], "y": "ü"}}"#));
    for other in [
        r#"{"a": 2, "b": {"x": [1, 2], "y": "ü"}}"#,
        r#"{"a": 1, "b": {"x": [2, 1], "y": "ü"}}"#,
        r#"{"a": 1, "b": {"x": [1, 2], "y": "ü", "stream": true}}"#,
        r#"{"a": "1", "b": {"x": [1, 2], "y": "ü"}}"#,
        r#"{"a": 1}"#,
    ] {
        assert_ne!(base, hash(other), "{other}");
    }
    assert_ne!(hash(r#"{"a": ["b,c"]}"#), hash(r#"{"a": ["b", "c"]}"#));
    assert_ne!(hash(r#"{"a": [[], []]}"#), hash(r#"{"a": [[[]]]}"#));
}

fn echo() -> Router {
    around(Router::new().route("/", post(|body: Body<Send>| async { Json(body.value) })))
}

fn limited(limits: Limits) -> Router {
    let handler = post(|body: Body<Send>| async { Json(body.value) });
    around(Router::new().route("/", handler.layer(Extension(limits))))
}

/// Sent without a length, a frame for each chunk.
fn streamed(chunks: Vec<Vec<u8>>) -> AxumBody {
    AxumBody::from_stream(stream::iter(chunks).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk))))
}
