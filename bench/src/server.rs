//! The server under measurement: a child process on its own core, with its own data directory.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::Path,
    process::Command,
    sync::mpsc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{client::Client, process::Process};

/// What the servers say on stderr, in the directory that holds their data directories.
pub const LOG: &str = "bench-server.log";
const START_MAX: Duration = Duration::from_secs(30);

pub struct Server {
    pub addr: SocketAddr,
    pub process: Process,
    /// Removed when the server is dropped.
    dir: TempDir,
}

impl Server {
    pub async fn start(binary: &Path, base: &Path, core: usize, upstream: &str) -> Result<Server> {
        fs::create_dir_all(base)?;
        let dir = tempfile::Builder::new().prefix("bench-").tempdir_in(base)?;
        let addr = free_addr()?;
        let log = fs::File::options().create(true).append(true).open(base.join(LOG))?;
        let mut command = Command::new(binary);
        command.args(["serve", "--listen", &addr.to_string(), "--data"]).arg(dir.path().join("data"));
        let process = Process::start(command.current_dir(dir.path()).stderr(log), core)?;
        let mut server = Server { addr, process, dir };
        server.set_up(upstream).await.context("starting the server")?;
        Ok(server)
    }

    /// The directory whose disk the server writes to.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub async fn client(&self) -> Result<Client> {
        Client::connect(self.addr).await
    }

    /// The sum of a counter over its labels, if the server has it.
    pub async fn counter(&self, name: &str) -> Result<Option<f64>> {
        let metrics = self.client().await?.get("/metrics").await?;
        let lines = metrics.lines().filter_map(|line| line.strip_prefix(name));
        let values = lines.filter(|rest| rest.starts_with(['{', ' '])).filter_map(|rest| rest.rsplit(' ').next());
        let values = Vec::from_iter(values.filter_map(|value| value.parse::<f64>().ok()));
        Ok(if values.is_empty() { None } else { Some(values.iter().sum()) })
    }

    async fn set_up(&mut self, upstream: &str) -> Result<()> {
        self.wait_for_ready_line()?;
        self.wait_until_ready().await?;
        let config = json!({
            "id": "bench", "name": "bench", "provider": "openai", "base_url": upstream,
            "api_key": "sk-bench", "model": "bench",
        });
        self.client().await?.post("/configs", &config).await.context("making the config")?;
        Ok(())
    }

    fn wait_for_ready_line(&mut self) -> Result<()> {
        let stdout = self.process.stdout()?;
        let (send, ready) = mpsc::channel();
        // Goes on reading to the end, so that the server never blocks on a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if line.contains("http://") {
                    let _ = send.send(());
                }
            }
        });
        ready.recv_timeout(START_MAX).context("the server printed no address")
    }

    async fn wait_until_ready(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            let answer = async { self.client().await?.get("/ready").await }.await;
            match answer {
                Ok(_) => return Ok(()),
                Err(error) if begun.elapsed() > START_MAX => return Err(error.context("waiting for GET /ready")),
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    }
}

fn free_addr() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The body of one send to a session.
pub fn send_body(session: &str, stream: bool) -> Value {
    json!({"message": crate::scripts::MESSAGE, "session_id": session, "config_id": "bench", "stream": stream})
}
