//! Streamed answers: the server's CPU per 1,000 tokens, at a model's pace and as fast as they come.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::{
    Bench,
    load::{self, Caller, Load, Until, millis},
    proxy::Proxy,
    report::{Report, Target},
    scripts,
    server::Server,
};

const TOKENS_PER_SECOND: f64 = 40.0;

pub async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    let server = bench.server().await?;
    let proxy = bench.proxy()?;
    for &sessions in bench.pick::<&[usize]>(&[64, 256], &[64]) {
        let tokens = bench.pick(200, 40);
        bench.upstream.respond(scripts::tokens(tokens, Some(TOKENS_PER_SECOND)));
        let spread = Duration::from_secs(1);
        paced(bench, report, (&server, &proxy), sessions, tokens, spread).await?;

        bench.upstream.respond(scripts::tokens(tokens, None));
        unthrottled(bench, report, (&server, &proxy), sessions, tokens).await?;
    }
    Ok(())
}

async fn paced(
    bench: &Bench,
    report: &mut Report,
    (server, proxy): (&Server, &Proxy),
    sessions: usize,
    tokens: usize,
    spread: Duration,
) -> Result<()> {
    let direct = Caller::of_upstream(bench.upstream.addr(), sessions, true).await?;
    let (_, direct) = load::run(direct, Until::Requests(1), spread).await?;
    let passed = passed(proxy, sessions, tokens, Until::Requests(1), spread).await?;
    let until = Until::Requests(bench.pick(2, 1));
    let (load, cpu) = streamed(server, &format!("paced-{sessions}"), sessions, tokens, until, spread).await?;

    let what = format!("{sessions} streams at {TOKENS_PER_SECOND} tokens/s");
    let ideal = scripts::duration(tokens - 1, TOKENS_PER_SECOND).as_secs_f64() * 1e3;
    report_cpu(report, &what, per_thousand_tokens(cpu, &load, tokens), passed);
    report
        .row(format!("first token, {what}, p50"), millis(&load.first_token, 0.5), "ms")
        .direct(millis(&direct.first_token, 0.5));
    report
        .row(format!("whole answer, {what}, p50"), millis(&load.total, 0.5), "ms")
        .direct(millis(&direct.total, 0.5))
        .note(format!("the upstream takes {ideal:.0} ms"));
    Ok(())
}

async fn unthrottled(
    bench: &Bench,
    report: &mut Report,
    (server, proxy): (&Server, &Proxy),
    sessions: usize,
    tokens: usize,
) -> Result<()> {
    let until = Until::Time(bench.seconds(4.0, 0.5));
    let direct = Caller::of_upstream(bench.upstream.addr(), sessions, true).await?;
    let (_, direct) = load::run(direct, until, Duration::ZERO).await?;
    let passed = passed(proxy, sessions, tokens, until, Duration::ZERO).await?;
    let (load, cpu) = streamed(server, &format!("fast-{sessions}"), sessions, tokens, until, Duration::ZERO).await?;

    let what = format!("{sessions} streams unthrottled");
    report_cpu(report, &what, per_thousand_tokens(cpu, &load, tokens), passed);
    report
        .row(format!("tokens, {what}"), load.rate() * tokens as f64, "tokens/s")
        .direct(direct.rate() * tokens as f64);
    Ok(())
}

fn report_cpu(report: &mut Report, what: &str, own: f64, passed: f64) {
    report
        .row(format!("server CPU per 1,000 tokens, {what}"), own, "ms")
        .proxy(passed)
        .target(Target::AtMost(12.0))
        .note(format!("{:.2} times the proxy's", own / passed));
}

/// The proxy's CPU for the same load, in milliseconds per 1,000 tokens.
async fn passed(proxy: &Proxy, sessions: usize, tokens: usize, until: Until, spread: Duration) -> Result<f64> {
    let callers = Caller::of_upstream(proxy.addr, sessions, true).await?;
    let before = proxy.process.cpu()?;
    let (_, load) = load::run(callers, until, spread).await?;
    Ok(per_thousand_tokens(proxy.process.cpu()? - before, &load, tokens))
}

async fn streamed(
    server: &Server,
    name: &str,
    sessions: usize,
    tokens: usize,
    until: Until,
    spread: Duration,
) -> Result<(Load, Duration)> {
    let callers = Caller::of_server(server, name, sessions, true).await?;
    let before = server.process.cpu()?;
    let (_, load) = load::run(callers, until, spread).await?;
    let cpu = server.process.cpu()? - before;
    // Once as deltas, once in the final event.
    let expected = load.requests * tokens as u64 * 2;
    ensure!(load.tokens >= expected, "of {expected} tokens, deltas and final events carried only {}", load.tokens);
    Ok((load, cpu))
}

fn per_thousand_tokens(cpu: Duration, load: &Load, tokens: usize) -> f64 {
    cpu.as_secs_f64() * 1e3 / (load.requests as f64 * tokens as f64 / 1e3)
}
