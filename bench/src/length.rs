//! What a turn costs in short and in long sessions: it must not grow.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::Method;
use http_body_util::BodyExt;
use serde_json::json;
use tokio::time::sleep;

use crate::{
    Bench,
    client::Client,
    load::millis,
    process::{Io, Process},
    report::{Report, Target, median},
    scripts,
    server::{Server, send_body},
};

const ROUNDS: usize = 5;
/// Short enough that a session of 10 messages is still a short one afterwards.
const TURNS_PER_SESSION: usize = 5;
const BUILD_MAX: Duration = Duration::from_secs(90);
const SETTLE_MAX: Duration = Duration::from_secs(5);
const STATEMENTS: &str = "turnwise_store_statements_total";
/// Times what the shortest sessions need.
const GROWTH_MAX: f64 = 1.10;

/// Sessions of about the same length, and what turns in them cost, round by round.
struct Case {
    messages: usize,
    sessions: Vec<Bytes>,
    latency: Histogram<u64>,
    written: Vec<f64>,
    wchar: Vec<f64>,
    statements: Vec<f64>,
}

pub async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    bench.upstream.respond(scripts::short_answer());
    let server = bench.server().await?;
    let mut client = server.client().await?;
    let short_sessions = bench.pick(8, 4);
    let mut cases = Vec::new();
    for wanted in bench.pick([10, 1_000, 10_000], [10, 100, 400]) {
        let count = if cases.is_empty() { short_sessions } else { 1 };
        cases.push(Case::new(build(&mut client, wanted, count).await?)?);
    }
    for round in 0..bench.pick(ROUNDS, 3) {
        // The shortest sessions are made afresh, or they would not stay short.
        if round > 0 {
            cases[0].sessions = build(&mut client, cases[0].messages, short_sessions).await?.0;
        }
        for case in &mut cases {
            case.run(&server, &mut client, short_sessions * TURNS_PER_SESSION).await?;
        }
    }
    tell(report, &cases, bench.quick);
    Ok(())
}

/// Sends to new sessions of that many messages, and how many they have: a slow server's are shorter than asked. Made
/// through the API alone, so that the sessions are what clients would have made.
async fn build(client: &mut Client, messages: usize, sessions: usize) -> Result<(Vec<Bytes>, usize)> {
    let begun = Instant::now();
    let mut sends = Vec::new();
    let mut turns = 0;
    for _ in 0..sessions {
        let session = client.post("/sessions", &json!({"config_id": "bench"})).await?;
        let id = session["id"].as_str().context("a new session has an id")?;
        let body = Bytes::from(send_body(id, false).to_string());
        turns = 0;
        while turns < messages / 2 && begun.elapsed() < BUILD_MAX {
            send(client, &body).await?;
            turns += 1;
        }
        sends.push(body);
    }
    Ok((sends, turns * 2))
}

async fn send(client: &mut Client, body: &Bytes) -> Result<()> {
    let response = client.send(Method::POST, "/chat", body.clone()).await?;
    response.into_body().collect().await?;
    Ok(())
}

impl Case {
    fn new((sessions, messages): (Vec<Bytes>, usize)) -> Result<Case> {
        Ok(Case {
            messages,
            sessions,
            latency: Histogram::new_with_max(60_000_000_000, 3)?,
            written: Vec::new(),
            wchar: Vec::new(),
            statements: Vec::new(),
        })
    }

    async fn run(&mut self, server: &Server, client: &mut Client, turns: usize) -> Result<()> {
        let before = settled(&server.process).await?;
        let statements_before = server.counter(STATEMENTS).await?;
        for turn in 0..turns {
            let begun = Instant::now();
            send(client, &self.sessions[turn % self.sessions.len()]).await?;
            self.latency.saturating_record(begun.elapsed().as_nanos() as u64);
        }
        let statements = server.counter(STATEMENTS).await?;
        let after = settled(&server.process).await?;

        let per_turn = |after: u64, before: u64| (after - before) as f64 / turns as f64;
        self.written.push(per_turn(after.write_bytes, before.write_bytes));
        self.wchar.push(per_turn(after.wchar, before.wchar));
        if let (Some(before), Some(after)) = (statements_before, statements) {
            self.statements.push((after - before) / turns as f64);
        }
        Ok(())
    }
}

/// The figures once nothing is written any more: a checkpoint's writes belong to the turns before it.
async fn settled(process: &Process) -> Result<Io> {
    const QUIET: Duration = Duration::from_millis(300);
    let begun = Instant::now();
    let mut io = process.io()?;
    loop {
        sleep(QUIET).await;
        let now = process.io()?;
        if now.write_bytes == io.write_bytes || begun.elapsed() > SETTLE_MAX {
            return Ok(now);
        }
        io = now;
    }
}

fn tell(report: &mut Report, cases: &[Case], quick: bool) {
    let Some((shortest, longer)) = cases.split_first() else { return };
    let on_disk = shortest.written.iter().any(|&bytes| bytes > 0.0);
    for case in cases {
        let messages = case.messages;
        let (latency, first) = (millis(&case.latency, 0.5), millis(&shortest.latency, 0.5));
        let row = report.row(format!("turn latency at {messages} messages, p50"), latency, "ms");
        if messages != shortest.messages {
            row.target(Target::AtMost(first * GROWTH_MAX)).note(growth(latency, first));
        }
    }
    let written = |case: &Case| median(if on_disk { case.written.clone() } else { case.wchar.clone() });
    for case in cases {
        let name = format!("bytes written per turn at {} messages", case.messages);
        let row = report.row(name, written(case), "bytes");
        row.note(format!("{:.0} given to write calls", median(case.wchar.clone())));
    }
    for case in cases.iter().filter(|case| !case.statements.is_empty()) {
        let name = format!("statements per turn at {} messages", case.messages);
        report.row(name, median(case.statements.clone()), "");
    }
    let Some(longest) = longer.last() else { return };
    let statements = |case: &Case| median(case.statements.clone());
    must_not_grow(report, "statements", longest.messages, statements(longest), statements(shortest));
    // A quick run's few turns may or may not meet a checkpoint.
    if !quick {
        must_not_grow(report, "bytes written", longest.messages, written(longest), written(shortest));
    }
}

fn must_not_grow(report: &mut Report, what: &str, messages: usize, value: f64, shortest: f64) {
    if value > shortest * GROWTH_MAX {
        let growth = growth(value, shortest);
        report.failures.push(format!("{what} per turn at {messages} messages: {value:.1} ({growth})"));
    }
}

fn growth(value: f64, first: f64) -> String {
    format!("{:+.1} % against the shortest", (value / first - 1.0) * 100.0)
}
