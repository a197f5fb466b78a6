//! Turns that are not streamed: what the server adds to a call's latency, how many it makes durable, and at what CPU.

use std::time::Duration;

use anyhow::Result;

use crate::{
    Bench, disk,
    load::{self, Caller, Load, Until, millis},
    proxy::Proxy,
    report::{Report, Target, median},
    scripts,
    server::Server,
};

const VERBS: &str = "turnwise_store_verbs_total";
const COMMITS: &str = "turnwise_store_commits_total";
const ROUNDS: usize = 3;
/// Turns that fill every session's window first, so that all measured ones carry the same history.
const WARM_UP_TURNS: u64 = 12;

/// Direct calls and turns in turns, so that what disturbs the machine disturbs both.
struct Rounds {
    direct: Load,
    turns: Load,
    rates: Vec<f64>,
    cpu_micros: Vec<f64>,
    /// Of the proxy, for each call.
    proxy_micros: Vec<f64>,
    busy: Vec<f64>,
    /// Storage verbs in a transaction.
    verbs: Vec<f64>,
    two_commits_ms: Vec<f64>,
}

pub async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    bench.upstream.respond(scripts::short_answer());
    let server = bench.server().await?;
    let proxy = bench.proxy()?;
    for &sessions in bench.pick::<&[usize]>(&[1, 64, 256], &[1, 64]) {
        let rounds = rounds(bench, &server, &proxy, sessions).await?;
        latency(report, sessions, &rounds);
        if sessions == 1 {
            beyond_commits(report, &rounds);
        } else {
            rate_and_cpu(report, sessions, &rounds);
        }
    }
    Ok(())
}

async fn rounds(bench: &Bench, server: &Server, proxy: &Proxy, sessions: usize) -> Result<Rounds> {
    let callers = Caller::of_server(server, &format!("turns-{sessions}"), sessions, false).await?;
    let (mut callers, _) = load::run(callers, Until::Requests(WARM_UP_TURNS), Duration::ZERO).await?;
    let mut direct_callers = Caller::of_upstream(bench.upstream.addr(), sessions, false).await?;
    let mut proxy_callers = Caller::of_upstream(proxy.addr, sessions, false).await?;

    let mut rounds = Rounds::new()?;
    for _ in 0..ROUNDS {
        let until = Until::Time(bench.seconds(1.0, 0.3));
        let (back, direct) = load::run(direct_callers, until, Duration::ZERO).await?;
        direct_callers = back;

        let before = proxy.process.cpu()?;
        let (back, passed) = load::run(proxy_callers, until, Duration::ZERO).await?;
        let cpu = (proxy.process.cpu()? - before).as_secs_f64();
        proxy_callers = back;
        rounds.proxy_micros.push(cpu * 1e6 / passed.requests as f64);

        let (verbs, commits) = (server.counter(VERBS).await?, server.counter(COMMITS).await?);
        let before = server.process.cpu()?;
        let until = Until::Time(bench.seconds(2.5, 0.5));
        let (back, turns) = load::run(callers, until, Duration::ZERO).await?;
        let cpu = (server.process.cpu()? - before).as_secs_f64();
        callers = back;
        let verbs = server.counter(VERBS).await?.zip(verbs).map(|(after, before)| after - before);
        let commits = server.counter(COMMITS).await?.zip(commits).map(|(after, before)| after - before);
        rounds.verbs.extend(verbs.zip(commits).map(|(verbs, commits)| verbs / commits));

        rounds.direct.add(&direct)?;
        rounds.turns.add(&turns)?;
        rounds.rates.push(turns.rate());
        rounds.cpu_micros.push(cpu * 1e6 / turns.requests as f64);
        rounds.busy.push(cpu / turns.elapsed.as_secs_f64());
        if sessions == 1 {
            let pairs = disk::two_commits(server.dir(), bench.pick(200, 50))?;
            rounds.two_commits_ms.extend(pairs.iter().map(|pair| pair.as_secs_f64() * 1e3));
        }
    }
    Ok(rounds)
}

impl Rounds {
    fn new() -> Result<Rounds> {
        Ok(Rounds {
            direct: Load::new()?,
            turns: Load::new()?,
            rates: Vec::new(),
            cpu_micros: Vec::new(),
            proxy_micros: Vec::new(),
            busy: Vec::new(),
            verbs: Vec::new(),
            two_commits_ms: Vec::new(),
        })
    }
}

fn latency(report: &mut Report, sessions: usize, rounds: &Rounds) {
    let sessions = if sessions == 1 { "1 session".into() } else { format!("{sessions} sessions") };
    for (name, quantile) in [("p50", 0.5), ("p95", 0.95), ("p99", 0.99)] {
        let (turn, direct) = (millis(&rounds.turns.total, quantile), millis(&rounds.direct.total, quantile));
        report
            .row(format!("turn latency, {sessions}, {name}"), turn, "ms")
            .direct(direct)
            .note(format!("adds {:.3} ms", turn - direct));
    }
}

fn beyond_commits(report: &mut Report, rounds: &Rounds) {
    let two_commits = median(rounds.two_commits_ms.clone());
    let added = millis(&rounds.turns.total, 0.5) - millis(&rounds.direct.total, 0.5);
    report.row("two durable commits of this disk (2 × 8 KiB), p50", two_commits, "ms");
    report
        .row("added beyond two durable commits, 1 session, p50", added - two_commits, "ms")
        .target(Target::AtMost(0.6));
    report
        .row("server CPU per durable turn, 1 session", median(rounds.cpu_micros.clone()), "µs")
        .proxy(median(rounds.proxy_micros.clone()));
}

fn rate_and_cpu(report: &mut Report, sessions: usize, rounds: &Rounds) {
    let (busy, verbs) = (median(rounds.busy.clone()) * 100.0, median(rounds.verbs.clone()));
    let busy = format!("server core {busy:.0} % busy, {verbs:.1} storage verbs a commit");
    let rate = report.row(format!("durable turns, {sessions} sessions"), median(rounds.rates.clone()), "turns/s");
    rate.direct(rounds.direct.rate()).target(Target::AtLeast(4000.0)).note(busy);
    let cpu = median(rounds.cpu_micros.clone());
    let cpu = report
        .row(format!("server CPU per durable turn, {sessions} sessions"), cpu, "µs")
        .proxy(median(rounds.proxy_micros.clone()));
    if sessions == 64 {
        cpu.target(Target::AtMost(150.0));
    }
}
