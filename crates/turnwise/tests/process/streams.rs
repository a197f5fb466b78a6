//! Streams cut and resumed, watched twice, replayed: always the same bytes.

use serde_json::json;
use upstream::{Script, Step};

use crate::support::{Client, Event, Lab, Stream, bytes, text, turn_id};

fn long_answer() -> Script {
    Script::deltas(["你好", ", wor", "ld: ", "event", "s\n\ndata: x", " end"]).reasoning("let me think").tool_call(
        "call_1",
        "look",
        r#"{"q":"\u4f60 and more words"}"#,
    )
}

async fn resume(client: &Client, turn: &str, last: &str) -> Stream {
    client.with("last-event-id", last).follow(&format!("/turns/{turn}/events")).await
}

#[tokio::test]
async fn a_stream_cut_after_every_event_and_resumed_equals_the_uncut_one_after_the_end() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| long_answer());
    let mut live = lab.client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let uncut = live.rest().await;
    assert!(uncut.len() > 8, "{uncut:#?}");
    assert_eq!(text(&uncut), "你好, world: events\n\ndata: x end");
    let turn = turn_id(&uncut[0].data);

    for cut in 0..uncut.len() {
        let last = &uncut[cut].id;
        let rest = resume(&lab.client, &turn, last).await.rest().await;
        assert_eq!(bytes(&uncut[..=cut]) + &bytes(&rest), bytes(&uncut), "cut after {last}");
        let rest = lab.client.follow(&format!("/turns/{turn}/events?after={last}")).await.rest().await;
        assert_eq!(bytes(&rest), bytes(&uncut[cut + 1..]), "?after={last}");
    }
    assert_eq!(bytes(&lab.events(&turn).await), bytes(&uncut), "a replay from the start");
}

#[tokio::test]
async fn a_stream_cut_after_every_event_while_it_runs_equals_the_uncut_one() {
    let lab = Lab::start().await;
    let pieces: Vec<String> = (0..12).map(|n| format!("piece {n} ")).collect();
    let script = (1..pieces.len()).fold(Script::deltas(&pieces), |script, at| script.at(at, Step::gate("next")));
    lab.upstream.respond(move |_| script.clone());
    let mut uncut = lab.client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let mut seen = uncut.until("message.delta").await;
    let turn = turn_id(&seen[0].data);

    // After each event another client comes, takes one event, leaves, and comes again.
    let mut cut_often: Vec<Event> = Vec::new();
    let mut last = "0.0".to_owned();
    for _ in 1..pieces.len() {
        while cut_often.len() < seen.len() {
            let event = resume(&lab.client, &turn, &last).await.next().await.unwrap();
            last = event.id.clone();
            cut_often.push(event);
        }
        lab.upstream.wait_at_gate("next", 1).await;
        lab.upstream.let_through("next", 1);
        seen.extend(uncut.until("message.delta").await);
    }
    seen.extend(uncut.rest().await);
    while !cut_often.last().is_some_and(Event::is_final) {
        let event = resume(&lab.client, &turn, &last).await.next().await.unwrap();
        last = event.id.clone();
        cut_often.push(event);
    }
    assert_eq!(bytes(&cut_often), bytes(&seen));
    assert_eq!(text(&seen), pieces.concat());
}

#[tokio::test]
async fn every_watcher_of_a_running_turn_sees_the_same_whenever_it_comes() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["a", "b", "c", "d"]).at(2, Step::gate("half")));
    let mut first = lab.client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let mut seen = first.until("message.delta").await;
    let turn = turn_id(&seen[0].data);
    lab.upstream.wait_at_gate("half", 1).await;
    let mut late = lab.client.follow(&format!("/turns/{turn}/events")).await;
    let mut leaves = lab.client.follow(&format!("/turns/{turn}/events")).await;
    leaves.next().await.unwrap();
    drop(leaves);
    lab.upstream.open("half");

    seen.extend(first.rest().await);
    assert_eq!(bytes(&late.rest().await), bytes(&seen));
    assert_eq!(bytes(&lab.events(&turn).await), bytes(&seen));
}

#[tokio::test]
async fn a_stream_cut_at_any_byte_loses_nothing() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["你好", "世界"]));
    let answer = lab.client.post("/chat", &json!({"message": "hi"})).await.expect(200);
    let turn = turn_id(&answer);
    let uncut = bytes(&lab.events(&turn).await);

    for cut in (0..uncut.len()).step_by(if crate::support::at_length() { 1 } else { 29 }) {
        let mut socket = tokio::net::TcpStream::connect(lab.client.addr()).await.unwrap();
        let host = lab.client.addr();
        // HTTP/1.0 has no chunks: what comes behind the head are the bytes of the stream.
        let request = format!("GET /turns/{turn}/events HTTP/1.0\r\nhost: {host}\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        let body = loop {
            assert!(socket.read_buf(&mut received).await.unwrap() > 0, "the stream is long enough");
            let head = received.windows(4).position(|window| window == b"\r\n\r\n").map(|at| at + 4);
            if let Some(head) = head.filter(|head| received.len() >= head + cut) {
                break received[head..head + cut].to_vec();
            }
        };
        drop(socket);
        // What a client has of whole events is what counts; the torn one comes again.
        let whole = body.windows(2).rposition(|window| window == b"\n\n").map_or(0, |at| at + 2);
        let kept = String::from_utf8(body[..whole].to_vec()).unwrap();
        let last = kept.lines().filter_map(|line| line.strip_prefix("id: ")).next_back();
        let rest = resume(&lab.client, &turn, last.unwrap_or("0.0")).await.rest().await;
        assert_eq!(kept + &bytes(&rest), uncut, "cut at byte {cut}");
    }
}

#[tokio::test]
async fn a_replay_after_a_restart_equals_what_was_streamed() {
    let mut lab = Lab::start().await;
    lab.upstream.respond(|request| match request.last_user_message().as_str() {
        "blocks" => Script::deltas(["x"]).before_head(Step::gate("go")),
        _ => long_answer(),
    });
    lab.session("s").await;
    // The second one waits in the queue first, so that its stream begins there.
    let first = json!({"session_id": "s", "message": "blocks", "stream": true});
    let mut first = lab.client.post_stream("/chat", &first).await;
    let mut seen_first = first.take(1).await;
    let second = json!({"session_id": "s", "message": "hi", "stream": true});
    let mut second = lab.client.post_stream("/chat", &second).await;
    let mut seen_second = second.take(1).await;
    assert_eq!(seen_second[0].name, "turn.queued");
    assert_eq!(seen_second[0].data["position"], 0);
    lab.upstream.open("go");
    seen_first.extend(first.rest().await);
    seen_second.extend(second.rest().await);

    lab.crash().await;
    for seen in [seen_first, seen_second] {
        let turn = turn_id(&seen[0].data);
        assert_eq!(bytes(&lab.events(&turn).await), bytes(&seen));
        let middle = seen.len() / 2;
        let rest = resume(&lab.client, &turn, &seen[middle].id).await.rest().await;
        assert_eq!(bytes(&rest), bytes(&seen[middle + 1..]));
    }
}

#[tokio::test]
async fn cursors_that_are_none_are_refused_and_one_beyond_the_end_ends_at_once() {
    let lab = Lab::start().await;
    let answer = lab.client.post("/chat", &json!({"message": "hi"})).await.expect(200);
    let path = format!("/turns/{}/events", turn_id(&answer));
    for bad in ["x", "1", "1.", ".1", "1.x", "-1.1", "1.-1", "1.1.1", "4294967296.1", "1.99999999999", "1,1"] {
        let error = lab.client.with("last-event-id", bad).get(&path).await.error(400, "invalid_cursor");
        assert_eq!(error["param"], "last-event-id", "{bad}");
        let error = lab.client.get(&format!("{path}?after={bad}")).await.error(400, "invalid_cursor");
        assert_eq!(error["param"], "after", "{bad}");
    }
    for beyond in ["1.9999", "9.1", "4294967295.4294967295"] {
        assert_eq!(lab.client.with("last-event-id", beyond).follow(&path).await.rest().await, [], "{beyond}");
    }
    let all = lab.client.follow(&path).await.rest().await;
    let last = &all.last().unwrap().id;
    assert_eq!(lab.client.with("last-event-id", last).follow(&path).await.rest().await, []);
    // The header stands above the query: a browser repeats the old address.
    let resumed = lab.client.with("last-event-id", last).follow(&format!("{path}?after=0.0")).await.rest().await;
    assert_eq!(resumed, []);
}

#[tokio::test]
async fn a_client_that_leaves_stops_its_turn_only_when_it_said_so() {
    let lab = Lab::start().await;
    lab.upstream.respond(|_| Script::deltas(["some", "thing"]).at(1, Step::gate("go")));
    for (on_disconnect, status) in [("cancel", "cancelled"), ("continue", "completed")] {
        let body = json!({"message": "hi", "stream": true, "on_disconnect": on_disconnect});
        let mut stream = lab.client.post_stream("/chat", &body).await;
        let turn = turn_id(&stream.until("message.delta").await[0].data);
        let mut watcher = lab.client.follow(&format!("/turns/{turn}/events")).await;
        watcher.until("message.delta").await;
        drop(stream);
        if status == "completed" {
            lab.upstream.let_through("go", 1);
        }
        let ended = watcher.rest().await.pop().unwrap();
        assert_eq!(ended.data["status"], status);
    }
    lab.upstream.wait_for_left(1).await;
}

#[tokio::test]
async fn strict_durability_shows_the_same_events() {
    let lab = Lab::with(&["--durability", "strict"]).await;
    lab.upstream.respond(|_| long_answer());
    let mut live = lab.client.post_stream("/chat", &json!({"message": "hi", "stream": true})).await;
    let seen = live.rest().await;
    assert_eq!(text(&seen), "你好, world: events\n\ndata: x end");
    assert_eq!(bytes(&lab.events(&turn_id(&seen[0].data)).await), bytes(&seen));
}
