//! The binary as a process: started, told to stop, killed.

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    os::unix::process::{CommandExt, ExitStatusExt},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::Duration,
};

use super::{
    Client, Home,
    wait::{PATIENCE, eventually, soon, within},
};

const READY: &str = "turnwise is ready on http://";

/// The binary with the named stop-points in it: tests and binary are built with the same features.
fn faults_binary() -> PathBuf {
    if !cfg!(feature = "faults") {
        panic!("built without stop-points: run `make test`, or add --features turnwise/faults");
    }
    env!("CARGO_BIN_EXE_turnwise").into()
}

/// How a process is started.
pub struct Setup<'a> {
    home: &'a Home,
    binary: PathBuf,
    data: PathBuf,
    listen: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
    files: Option<u64>,
}

impl<'a> Setup<'a> {
    pub fn new(home: &'a Home) -> Setup<'a> {
        Setup {
            home,
            binary: env!("CARGO_BIN_EXE_turnwise").into(),
            data: home.data(),
            listen: "127.0.0.1:0".into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            files: None,
        }
    }

    pub fn listen(mut self, address: &str) -> Self {
        self.listen = address.to_owned();
        self
    }

    pub fn data(mut self, data: PathBuf) -> Self {
        self.data = data;
        self
    }

    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|&argument| argument.to_owned()));
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a limit on open files.
    pub fn files(mut self, files: u64) -> Self {
        self.files = Some(files);
        self
    }

    /// Uses the binary with stop-points, and sets them.
    pub fn faults(mut self, points: &str) -> Self {
        self.binary = faults_binary();
        self.env("TURNWISE_FAULTS", points)
    }

    /// Runs another command than `serve` to its end.
    pub async fn run(&self, command: &[&str]) -> Output {
        let mut process = self.command();
        process.args(command).arg("--data").arg(&self.data).args(&self.arguments);
        // On another thread: the fake upstream that it may call lives on this one.
        let ran = tokio::task::spawn_blocking(move || process.output());
        soon(command, ran).await.unwrap().unwrap()
    }

    pub async fn start(&self) -> Server {
        let mut server = self.spawn();
        let line = server.first_line().await;
        let Some(address) = line.strip_prefix(READY) else {
            panic!("the server did not become ready; it said {line:?} and logged:\n{}", self.home.log());
        };
        server.addr = Some(address.trim().parse().unwrap());
        server
    }

    /// Starts a process that may or may not become ready.
    pub fn spawn(&self) -> Server {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.home.log_file()).unwrap();
        let child = self
            .command()
            .arg("serve")
            .args(["--data", self.data.to_str().unwrap(), "--listen", &self.listen])
            .args(&self.arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        Server { child, addr: None, log: self.home.log_file() }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        // Nothing of the machine's own settings: neither its variables nor a turnwise.toml where the tests run.
        command.env_clear().envs(self.variables.iter().map(|(name, value)| (name, value)));
        command.current_dir(self.home.path()).stdin(Stdio::null());
        if let Some(files) = self.files {
            let limit = libc::rlimit { rlim_cur: files, rlim_max: files };
            let set = move || match unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            };
            // SAFETY: between fork and exec it makes one system call, with a struct of its own.
            unsafe { command.pre_exec(set) };
        }
        command
    }
}

/// A running server. Killed when it is dropped; what it logged is shown when the test failed.
pub struct Server {
    child: Child,
    addr: Option<SocketAddr>,
    log: PathBuf,
}

impl Server {
    pub async fn start(home: &Home) -> Server {
        Setup::new(home).start().await
    }

    pub fn client(&self) -> Client {
        Client::new(self.addr())
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr.expect("the server became ready")
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn terminate(&self) {
        self.signal(libc::SIGTERM);
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: plain numbers; the child is ours and has not been waited for, so its pid is still its own.
        let sent = unsafe { libc::kill(self.child.id() as i32, signal) };
        assert_eq!(sent, 0, "the server takes signals");
    }

    /// `kill -9`, and waits until it is gone.
    pub fn kill(mut self) {
        self.end();
    }

    pub async fn exit(&mut self) -> ExitStatus {
        eventually("the server to exit", async || self.child.try_wait().unwrap()).await
    }

    pub async fn exit_within(&mut self, limit: Duration) -> ExitStatus {
        within(limit, "the server to exit", async || self.child.try_wait().unwrap()).await
    }

    /// Waits for the end that a stop-point brings.
    pub async fn killed_itself(&mut self) {
        assert_eq!(self.exit().await.signal(), Some(libc::SIGKILL), "the stop-point was reached");
    }

    pub fn has_exited(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    async fn first_line(&mut self) -> String {
        let out = self.child.stdout.take().unwrap();
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).map(|_| line)
        });
        soon("the server's first line", read).await.unwrap().unwrap()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            let last = &lines[lines.len().saturating_sub(60)..];
            eprintln!("--- the end of what the server logged (waited {PATIENCE:?} at most) ---\n{}", last.join("\n"));
        }
    }
}
