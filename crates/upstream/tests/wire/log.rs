//! Gates, the log, stopping and starting again.

use tokio::net::TcpStream;
use upstream::{Outcome, Script, Step, Upstream};

use crate::client::{Client, user};

#[tokio::test]
async fn a_gate_decides_the_order() {
    let upstream = Upstream::start().await;
    upstream.respond(|request| Script::deltas(["a", "b"]).at(1, Step::gate(request.last_user_message())));
    let (mut first, mut second) = (Client::connect(&upstream).await, Client::connect(&upstream).await);
    first.send(&user("first", true)).await;
    second.send(&user("second", true)).await;
    first.read_until("\"a\"").await;
    second.read_until("\"a\"").await;
    upstream.wait_at_gate("first", 1).await;
    upstream.wait_at_gate("second", 1).await;

    upstream.open("second");
    second.read_until("[DONE]").await;
    upstream.wait_for_completed(1).await;
    let outcomes = |upstream: &Upstream| {
        let ends = upstream.requests().into_iter().map(|end| (end.request.last_user_message(), end.outcome));
        let mut ends = Vec::from_iter(ends);
        ends.sort_by(|one, other| one.0.cmp(&other.0));
        ends
    };
    assert_eq!(outcomes(&upstream), [("first".into(), Outcome::Open), ("second".into(), Outcome::Completed)]);

    upstream.open("first");
    first.read_until("[DONE]").await;
    upstream.wait_for_completed(2).await;
    assert_eq!(upstream.waiting_at_gate("first"), 0);
}

#[tokio::test]
async fn a_gate_can_let_some_through() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::text("x").before_head(Step::gate("turnstile")));
    let mut clients = Vec::new();
    for n in 1..=3 {
        let mut client = Client::connect(&upstream).await;
        client.send(&user("q", false)).await;
        upstream.wait_at_gate("turnstile", n).await;
        clients.push(client);
    }
    upstream.let_through("turnstile", 2);
    upstream.wait_for_completed(2).await;
    assert_eq!(upstream.waiting_at_gate("turnstile"), 1);
}

#[tokio::test]
async fn a_client_that_leaves_is_noticed_while_the_script_waits() {
    let upstream = Upstream::start().await;
    for (n, wait) in [Step::Hang, Step::gate("never"), Step::pause_ms(3_600_000)].into_iter().enumerate() {
        upstream.respond(move |_| Script::deltas(["a", "b"]).at(1, wait.clone()));
        let mut client = Client::connect(&upstream).await;
        client.send(&user("q", true)).await;
        client.read_until("\"a\"").await;
        drop(client);
        upstream.wait_for_left(n + 1).await;
    }
    let requests = upstream.requests();
    assert!(requests.iter().all(|request| request.outcome == Outcome::ClientLeft && request.ended.is_some()));
    assert_eq!(upstream.waiting_at_gate("never"), 0);
}

#[tokio::test]
async fn stopped_it_refuses_and_restarted_it_answers() {
    let upstream = Upstream::start().await;
    upstream.respond(|_| Script::text("x").then(Step::Hang));
    let mut client = Client::connect(&upstream).await;
    client.send(&user("q", true)).await;
    client.read_until("[DONE]").await;

    upstream.stop().await;
    let _ = client.read_to_end().await;
    assert_eq!(upstream.requests()[0].outcome, Outcome::Stopped);
    assert!(TcpStream::connect(upstream.addr()).await.is_err());

    upstream.restart().await;
    let mut client = Client::connect(&upstream).await;
    client.send(&user("q", true)).await;
    client.read_until("[DONE]").await;
    assert_eq!(upstream.requests()[1].request.number, 2);
}

#[tokio::test]
async fn dropped_it_closes_its_port() {
    let upstream = Upstream::start().await;
    let addr = upstream.addr();
    let mut client = Client::connect(&upstream).await;
    drop(upstream);
    let _ = client.read_to_end().await;
    assert!(TcpStream::connect(addr).await.is_err());
}

#[tokio::test]
async fn forgotten_requests_are_still_counted() {
    let upstream = Upstream::start().await;
    upstream.forget_requests();
    let mut client = Client::connect(&upstream).await;
    client.send(&user("q", false)).await;
    client.read_whole().await;
    upstream.wait_for_completed(1).await;
    assert!(upstream.requests().is_empty());
}
