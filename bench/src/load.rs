//! Closed loops: every caller sends its next request when the last one is answered.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::Method;
use http_body_util::BodyExt;
use tokio::task::JoinSet;

use crate::{
    client::Client,
    scripts::{self, TOKEN_MARK},
    server::{Server, send_body},
};

/// One session of the server, or one direct caller of the upstream.
pub struct Caller {
    client: Client,
    path: &'static str,
    body: Bytes,
}

#[derive(Clone, Copy)]
pub enum Until {
    Time(Duration),
    /// So many requests of each caller.
    Requests(u64),
}

/// Latencies in nanoseconds.
pub struct Load {
    pub total: Histogram<u64>,
    pub first_token: Histogram<u64>,
    pub requests: u64,
    /// Marks of tokens seen.
    pub tokens: u64,
    pub elapsed: Duration,
}

impl Caller {
    /// Callers with a new session each.
    pub async fn of_server(server: &Server, name: &str, count: usize, stream: bool) -> Result<Vec<Caller>> {
        let mut callers = Vec::new();
        for number in 0..count {
            let session = format!("{name}-{number}");
            let mut client = server.client().await?;
            client.post("/sessions", &serde_json::json!({ "id": session })).await?;
            callers.push(Caller { client, path: "/chat", body: send_body(&session, stream).to_string().into() });
        }
        Ok(callers)
    }

    pub async fn of_upstream(addr: SocketAddr, count: usize, stream: bool) -> Result<Vec<Caller>> {
        let body = Bytes::from(scripts::direct_body(stream).to_string());
        let mut callers = Vec::new();
        for _ in 0..count {
            let client = Client::connect(addr).await?;
            callers.push(Caller { client, path: "/v1/chat/completions", body: body.clone() });
        }
        Ok(callers)
    }

    async fn call(&mut self, load: &Mutex<Load>) -> Result<()> {
        let begun = Instant::now();
        let mut body = self.client.send(Method::POST, self.path, self.body.clone()).await?.into_body();
        let mut tokens = 0;
        let mut first_token = None;
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            tokens += data.iter().filter(|&&byte| byte == TOKEN_MARK).count() as u64;
            if tokens > 0 {
                first_token.get_or_insert_with(|| begun.elapsed());
            }
        }
        let mut load = load.lock().unwrap_or_else(PoisonError::into_inner);
        load.total.saturating_record(nanos(begun.elapsed()));
        if let Some(elapsed) = first_token {
            load.first_token.saturating_record(nanos(elapsed));
        }
        load.requests += 1;
        load.tokens += tokens;
        Ok(())
    }
}

/// Starts the callers evenly over `spread`, so that they do not move in step.
pub async fn run(callers: Vec<Caller>, until: Until, spread: Duration) -> Result<(Vec<Caller>, Load)> {
    let begun = Instant::now();
    let step = spread / callers.len().max(1) as u32;
    // Shared, because a histogram is a few hundred KiB; everything here is on one thread.
    let load = Arc::new(Mutex::new(Load::new()?));
    let mut tasks = JoinSet::new();
    for (number, mut caller) in callers.into_iter().enumerate() {
        let load = load.clone();
        tasks.spawn(async move {
            if !step.is_zero() {
                tokio::time::sleep(step * number as u32).await;
            }
            let mut requests = 0;
            while !until.reached(begun, requests) {
                caller.call(&load).await?;
                requests += 1;
            }
            anyhow::Ok(caller)
        });
    }
    let mut callers = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        callers.push(ended??);
    }
    let mut all = Load::new()?;
    all.add(&load.lock().unwrap_or_else(PoisonError::into_inner))?;
    all.elapsed = begun.elapsed();
    ensure!(all.requests > 0, "nothing was answered in time");
    Ok((callers, all))
}

impl Until {
    fn reached(self, begun: Instant, requests: u64) -> bool {
        match self {
            Until::Time(time) => begun.elapsed() >= time,
            Until::Requests(wanted) => requests >= wanted,
        }
    }
}

impl Load {
    pub fn new() -> Result<Load> {
        let histogram = Histogram::new_with_max(nanos(Duration::from_secs(300)), 3)?;
        Ok(Load { total: histogram.clone(), first_token: histogram, requests: 0, tokens: 0, elapsed: Duration::ZERO })
    }

    pub fn add(&mut self, other: &Load) -> Result<()> {
        self.total.add(&other.total)?;
        self.first_token.add(&other.first_token)?;
        self.requests += other.requests;
        self.tokens += other.tokens;
        self.elapsed += other.elapsed;
        Ok(())
    }

    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64()
    }
}

pub fn millis(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    histogram.value_at_quantile(quantile) as f64 / 1e6
}

fn nanos(time: Duration) -> u64 {
    time.as_nanos() as u64
}
