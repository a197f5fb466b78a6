//! `turnwise serve`: opens the store, takes up what an earlier run left, and serves until it is told to stop.

use std::{io::Write, time::Duration};

use anyhow::{Context, bail};
use provider::Providers;
use scheduler::Scheduler;
use server::{
    app::App,
    auth::{Auth, default_project},
    guard::Guard,
    metrics::Metrics,
    rim::{Rim, rim},
    router::router,
    sse::{KEEP_ALIVE, Streams},
};
use store::{Faults, Retention, Store};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    time::Instant,
};
use tokio_util::sync::CancellationToken;

use crate::{
    admin,
    clock::CLOCK,
    files, log,
    options::{Options, Settings},
    seed,
};

/// For answers that are on their way when everything else has ended.
const LAST_BYTES: Duration = Duration::from_secs(2);
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// What was said can be found after at most this long, unless there is a lot to do.
const INDEX_EVERY: Duration = Duration::from_secs(1);
/// Messages indexed in one go.
const INDEX_STRIDE: u32 = 64;
/// Rests this many times as long as it worked: a send may wait for one stride, not for one after another.
const INDEX_REST: u32 = 19;
const INDEX_AFTER_FAILURE: Duration = Duration::from_secs(60);

pub fn run(options: Options) -> anyhow::Result<()> {
    let settings = options.resolve()?;
    let _log = log::init(&settings.log, settings.log_format)?;
    let faults = Faults::parse(&std::env::var("TURNWISE_FAULTS").unwrap_or_default());
    let (store, closing) = Store::open(&settings.data, settings.secret_key.as_ref(), faults)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(serve(settings, store));
    runtime.shutdown_timeout(Duration::from_secs(5));
    closing.wait();
    served
}

async fn serve(mut settings: Settings, store: Store) -> anyhow::Result<()> {
    settings.turns.env_keys = seed::env_keys(&settings.env_keys);
    let auth = Auth::new(store.clone()).await?;
    if !settings.listen.ip().is_loopback() && !auth.required() {
        bail!(
            "listening on {} would let anybody in: there is no API key yet. Make one with `turnwise keys create`, \
             or listen on 127.0.0.1",
            settings.listen
        );
    }
    seed::configs(&store, &default_project(), CLOCK).await?;
    let providers = Providers::new(share_files(&mut settings)?)?;
    let scheduler = Scheduler::new(store.clone(), providers, settings.turns.clone(), CLOCK);
    let recovered = scheduler
        .recover()
        .await
        .with_context(|| format!("taking up what an earlier run left in {}", settings.data.display()))?;
    tracing::info!(?recovered, "recovered");

    let listener =
        TcpListener::bind(settings.listen).await.with_context(|| format!("listening on {}", settings.listen))?;
    let address = listener.local_addr()?;
    // Before anybody is told that we are ready: who is told may at once send a signal, or come by the admin socket.
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let admin = admin::bind(&settings.data)?;
    let stop = server::accept::Stop::default();
    let streams_stop = CancellationToken::new();
    let metrics = std::sync::Arc::new(Metrics::new(scheduler.stats(), store.stats()));
    let streams = Streams { keep_alive: KEEP_ALIVE, stop: streams_stop.clone(), open: metrics.streams_open.clone() };
    let app = App::new(scheduler.clone(), auth.clone(), metrics.clone(), streams, settings.bounds, settings.dialect);
    let guard = Guard::new(&settings.allowed_hosts, &settings.allowed_origins)?;
    let routes = rim(router(app), Rim { guard, limits: settings.limits }, metrics.clone());

    let served = CancellationToken::new();
    let accepting = async {
        let open = metrics.connections_open.clone();
        settings.accept.serve(listener, routes, stop.clone(), open).await;
        served.cancel();
    };
    let admin = admin::serve(admin, &settings.data, scheduler.clone(), auth, stop.soft.clone());
    let purge = purge(store.clone(), settings.retention, stop.soft.clone());
    let index = index(store, stop.soft.clone());
    let stopping =
        stopping((terminate, interrupt), scheduler, settings.shutdown, stop.clone(), streams_stop, served.clone());
    announce(&address.to_string())?;
    let (_, admin, _, _, ()) = tokio::join!(accepting, admin, purge, index, stopping);
    admin
}

/// Bounds connections, of clients and to upstreams, by what the process may open.
fn share_files(settings: &mut Settings) -> anyhow::Result<provider::Settings> {
    let share = files::share().context("the limit on open files")?;
    let wanted = settings.accept.connections_max;
    settings.accept.connections_max = wanted.min(share.connections);
    if share.connections < wanted {
        tracing::warn!(
            connections_max = share.connections,
            wanted,
            "fewer connections at once than set, since few files may be open; raise that limit (ulimit -n, LimitNOFILE)"
        );
    }
    let upstreams = provider::Settings::default();
    Ok(provider::Settings { resting_max: upstreams.resting_max.min(share.resting), ..upstreams })
}

/// The one line on standard output: a program that started us waits for it.
fn announce(address: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "turnwise is ready on http://{address}")?;
    Ok(out.flush()?)
}

/// The first signal lets running turns come to their end, the second does not.
async fn stopping(
    (mut terminate, mut interrupt): (Signal, Signal),
    scheduler: Scheduler,
    patience: Duration,
    stop: server::accept::Stop,
    streams: CancellationToken,
    served: CancellationToken,
) {
    let mut next = async || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    next().await;
    tracing::info!(patience_ms = patience.as_millis() as u64, "stopping; a second signal stops at once");
    stop.soft.cancel();
    let gentle = scheduler.shutdown(patience);
    tokio::pin!(gentle);
    tokio::select! {
        () = &mut gentle => {}
        () = next() => {
            tracing::warn!("stopping at once");
            scheduler.hurry();
            gentle.await;
        }
    }
    // Every turn has shown its end by now; what still streams are followers of the feed.
    streams.cancel();
    let _ = tokio::time::timeout(LAST_BYTES, served.cancelled()).await;
    stop.hard.cancel();
}

async fn purge(store: Store, keep: Retention, stop: CancellationToken) {
    loop {
        loop {
            match store.purge(keep, CLOCK.now()).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "purging old data failed");
                    break;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(PURGE_EVERY) => {}
        }
    }
}

/// Keeps the search index up with what was written; looks only when something was.
async fn index(store: Store, stop: CancellationToken) {
    let mut seen = None;
    loop {
        let written = store.stats().verbs();
        let begun = Instant::now();
        let mut rest = INDEX_EVERY;
        if seen != Some(written) {
            match store.index_some(INDEX_STRIDE).await {
                Ok(0) => seen = Some(written),
                Ok(_) => rest = begun.elapsed() * INDEX_REST,
                Err(error) => {
                    tracing::warn!(%error, "indexing for the search failed");
                    rest = INDEX_AFTER_FAILURE;
                }
            }
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(rest) => {}
        }
    }
}
