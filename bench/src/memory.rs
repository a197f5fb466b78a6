//! Memory of live streams: each has shown a first token and waits for its upstream.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use http::Method;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::json;
use tokio::{
    sync::Semaphore,
    task::JoinSet,
    time::{sleep, timeout},
};

use crate::{
    Bench,
    client::Client,
    report::{Report, Target},
    scripts::{self, TOKEN_MARK},
    server::Server,
};

const OPENING_AT_ONCE: usize = 64;
const OPEN_MAX: Duration = Duration::from_secs(120);
const END_MAX: Duration = Duration::from_secs(60);

/// The client is kept, or the connection would close.
struct Live {
    _client: Client,
    body: Incoming,
}

pub async fn measure(bench: &Bench, report: &mut Report) -> Result<()> {
    for streams in bench.pick([1000, 5000], [100, 200]) {
        let server = bench.server().await?;
        let kib = per_stream(bench, &server, streams).await.with_context(|| format!("{streams} live streams"))?;
        let row = report.row(format!("memory per live stream, {streams} streams"), kib, "KiB");
        if streams == 5000 {
            row.target(Target::AtMost(40.0));
        }
    }
    Ok(())
}

async fn per_stream(bench: &Bench, server: &Server, streams: usize) -> Result<f64> {
    // What is made once (caches, buffers, a first session) is not a stream's.
    bench.upstream.respond(scripts::short_answer());
    for _ in 0..20 {
        server.client().await?.post("/chat", &json!({"message": scripts::MESSAGE, "config_id": "bench"})).await?;
    }
    sleep(Duration::from_millis(500)).await;
    let before = server.process.rss_kib()?;

    let gate = format!("memory-{streams}");
    bench.upstream.respond(scripts::held(&gate));
    let live = timeout(OPEN_MAX, open(server, streams)).await.context("opening them took too long")??;
    sleep(Duration::from_millis(500)).await;
    let with_streams = server.process.rss_kib()?;
    let held = bench.upstream.waiting_at_gate(&gate);

    bench.upstream.open(&gate);
    timeout(END_MAX, end(live)).await.context("ending them took too long")??;
    if held < streams {
        bail!("only {held} of them had a call open upstream");
    }
    Ok((with_streams as f64 - before as f64) / streams as f64)
}

async fn open(server: &Server, streams: usize) -> Result<Vec<Live>> {
    let opening = Arc::new(Semaphore::new(OPENING_AT_ONCE));
    let addr = server.addr;
    let mut tasks = JoinSet::new();
    for _ in 0..streams {
        let opening = opening.clone();
        tasks.spawn(async move {
            let _permit = opening.acquire().await?;
            let mut client = Client::connect(addr).await?;
            let send = json!({"message": scripts::MESSAGE, "config_id": "bench", "stream": true});
            let response = client.send(Method::POST, "/chat", send.to_string().into()).await?;
            let mut live = Live { _client: client, body: response.into_body() };
            live.read_first_token().await?;
            anyhow::Ok(live)
        });
    }
    let mut live = Vec::new();
    while let Some(opened) = tasks.join_next().await {
        live.push(opened??);
    }
    Ok(live)
}

async fn end(live: Vec<Live>) -> Result<()> {
    for stream in live {
        stream.body.collect().await?;
    }
    Ok(())
}

impl Live {
    async fn read_first_token(&mut self) -> Result<()> {
        while let Some(frame) = self.body.frame().await {
            if frame?.data_ref().is_some_and(|data| data.contains(&TOKEN_MARK)) {
                return Ok(());
            }
        }
        bail!("a stream ended before its first token")
    }
}
