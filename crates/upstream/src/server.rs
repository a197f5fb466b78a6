//! The handle that tests hold, and the accept loop behind it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpSocket},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};

use crate::{
    connection,
    gates::Gates,
    log::{Exchange, Log, State},
    render::{self, Rendered},
    request::Request,
    script::Script,
};

/// How long a `wait_…` waits before it panics.
const PATIENCE: Duration = Duration::from_secs(60);
const BACKLOG: u32 = 4096;

/// Runs on the runtime that starts it. Dropping it stops it.
pub struct Upstream {
    shared: Arc<Shared>,
    addr: SocketAddr,
    running: Mutex<Option<Running>>,
}

struct Running {
    stop: oneshot::Sender<()>,
    accepting: JoinHandle<()>,
}

type Respond = Arc<dyn Fn(&Request) -> Script + Send + Sync>;

pub(crate) struct Shared {
    pub log: Arc<Log>,
    pub gates: Gates,
    respond: RwLock<Respond>,
    models: RwLock<Script>,
}

/// Starting and stopping.
impl Upstream {
    pub async fn start() -> Upstream {
        Upstream::start_on(0).await
    }

    /// On a given port of 127.0.0.1; 0 takes a free one.
    pub async fn start_on(port: u16) -> Upstream {
        let listener = listen(port);
        let addr = listener.local_addr().expect("a listening socket has an address");
        let shared = Arc::new(Shared {
            log: Arc::new(Log::new()),
            gates: Gates::default(),
            respond: RwLock::new(Arc::new(echo)),
            models: RwLock::new(Script::models(&["model-small", "model-large"])),
        });
        let upstream = Upstream { shared, addr, running: Mutex::new(None) };
        upstream.run(listener);
        upstream
    }

    /// Closes the port and every connection. Returns when they are closed.
    pub async fn stop(&self) {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(Running { stop, accepting }) = running else { return };
        let _ = stop.send(());
        let _ = accepting.await;
    }

    /// Listens again on the same port after [`Upstream::stop`], with script, log and gates as they were.
    pub async fn restart(&self) {
        self.stop().await;
        self.run(listen(self.addr.port()));
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// What a client of chat completions is given: `http://127.0.0.1:PORT/v1`.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.addr)
    }

    fn run(&self, listener: TcpListener) {
        let (stop, stopped) = oneshot::channel();
        let accepting = tokio::spawn(accept(listener, self.shared.clone(), stopped));
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(Running { stop, accepting });
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let running = self.running.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(running) = running {
            running.accepting.abort();
        }
    }
}

/// Scripts and gates.
impl Upstream {
    /// Picks the script of every request from now on, the list of models aside.
    pub fn respond(&self, pick: impl Fn(&Request) -> Script + Send + Sync + 'static) {
        *self.shared.respond.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(pick);
    }

    /// One script for each of the next requests; the last one for all that follow.
    pub fn respond_each(&self, scripts: impl IntoIterator<Item = Script>) {
        let scripts = Vec::from_iter(scripts);
        let first = self.shared.log.read(|state| state.received) + 1;
        self.respond(move |request| scripts[(request.number - first).min(scripts.len() - 1)].clone());
    }

    pub fn respond_to_models(&self, script: Script) {
        *self.shared.models.write().unwrap_or_else(PoisonError::into_inner) = script;
    }

    /// Lets everyone through the gate, now and later.
    pub fn open(&self, gate: &str) {
        self.shared.gates.open(gate);
    }

    /// Lets that many through the gate, those that wait first.
    pub fn let_through(&self, gate: &str, scripts: usize) {
        self.shared.gates.let_through(gate, scripts);
    }
}

/// What happened.
impl Upstream {
    /// The POST requests so far, in the order they arrived.
    pub fn requests(&self) -> Vec<Exchange> {
        self.exchanges(|request| request.method == http::Method::POST)
    }

    /// Everything else that was asked: lists of models.
    pub fn lookups(&self) -> Vec<Exchange> {
        self.exchanges(|request| request.method != http::Method::POST)
    }

    /// How many POST requests arrived.
    pub fn received(&self) -> usize {
        self.shared.log.read(|state| state.received)
    }

    /// How many scripts stand at that gate now.
    pub fn waiting_at_gate(&self, gate: &str) -> usize {
        self.shared.log.read(|state| at_gate(state, gate))
    }

    /// Keeps counting, but no requests from now on: a benchmark's would fill the memory.
    pub fn forget_requests(&self) {
        self.shared.log.forget();
    }

    /// Waits until that many POST requests have arrived since the start; like every wait here, panics after a minute.
    pub async fn wait_for_requests(&self, n: usize) {
        self.wait(&format!("{n} requests"), |state| state.received >= n).await;
    }

    /// Waits until that many scripts ran to their end.
    pub async fn wait_for_completed(&self, n: usize) {
        self.wait(&format!("{n} completed requests"), |state| state.completed >= n).await;
    }

    /// Waits until that many clients left in the middle.
    pub async fn wait_for_left(&self, n: usize) {
        self.wait(&format!("{n} clients that left"), |state| state.left >= n).await;
    }

    /// Waits until that many scripts stand at the gate at once.
    pub async fn wait_at_gate(&self, gate: &str, n: usize) {
        self.wait(&format!("{n} scripts at gate {gate}"), |state| at_gate(state, gate) >= n).await;
    }

    async fn wait(&self, what: &str, ready: impl FnMut(&State) -> bool) {
        if timeout(PATIENCE, self.shared.log.wait(ready)).await.is_ok() {
            return;
        }
        let (received, completed, left) = self.shared.log.read(|state| (state.received, state.completed, state.left));
        panic!("waited in vain for {what}: {received} received, {completed} completed, {left} left");
    }

    fn exchanges(&self, wanted: impl Fn(&Request) -> bool) -> Vec<Exchange> {
        self.shared
            .log
            .read(|state| state.exchanges.iter().filter(|exchange| wanted(&exchange.request)).cloned().collect())
    }
}

impl Shared {
    pub(crate) fn script(&self, request: &Request) -> Arc<Rendered> {
        if request.is_model_list() {
            return render::script(&self.models.read().unwrap_or_else(PoisonError::into_inner), request);
        }
        let respond = self.respond.read().unwrap_or_else(PoisonError::into_inner).clone();
        render::script(&respond(request), request)
    }
}

fn echo(request: &Request) -> Script {
    if !request.is_completion() {
        return Script::error(404, "not_found", "no such route");
    }
    Script::text(&format!("You said: {}", request.last_user_message()))
}

fn at_gate(state: &State, gate: &str) -> usize {
    state.at_gate.get(gate).copied().unwrap_or(0)
}

fn listen(port: u16) -> TcpListener {
    let socket = TcpSocket::new_v4().expect("a socket can be made");
    socket.set_reuseaddr(true).expect("SO_REUSEADDR can be set");
    socket.bind((Ipv4Addr::LOCALHOST, port).into()).expect("the port is free");
    socket.listen(BACKLOG).expect("a bound socket can listen")
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(connections.spawn(connection::serve(stream, shared.clone()))),
                // Out of file descriptors: some will be closed.
                Err(_) => sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = &mut stopped => break,
        }
    }
    drop(listener);
    connections.shutdown().await;
}
