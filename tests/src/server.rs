//! A `runledger server` process, and the folder that outlives it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;

use crate::binary;
use crate::http::{Client, GUARD};

/// How often a condition that another process will make true is looked at.
const POLL: Duration = Duration::from_millis(5);

/// Waits until `condition` holds.
///
/// # Panics
/// If it does not within [`GUARD`].
pub fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let began = Instant::now();
    while !condition() {
        assert!(began.elapsed() < GUARD, "waited in vain: {what}");
        std::thread::sleep(POLL);
    }
}

/// A folder with a database and artifacts, for one server after the other.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    /// The store, if it is not the file in the folder.
    uri: Option<String>,
}

impl Home {
    /// A new, empty folder.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            folder: TempDir::new()?,
            uri: None,
        })
    }

    /// A new, empty folder for servers with another store: a URI of a database, or a path
    /// below the folder.
    pub fn on(uri: &str) -> io::Result<Self> {
        Ok(Self {
            uri: Some(uri.to_owned()),
            ..Self::new()?
        })
    }

    /// The folder itself. Nothing that a server serves lies directly in it.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The SQLite file.
    pub fn database(&self) -> PathBuf {
        self.path().join("runledger.db")
    }

    /// The folder that the artifact proxy serves.
    pub fn artifacts(&self) -> PathBuf {
        self.path().join("artifacts")
    }

    /// Starts a server and waits until it is healthy.
    pub fn start(&self) -> Server {
        self.start_with(|_| {})
    }

    /// Starts a server whose command was changed first, and waits until it is healthy.
    pub fn start_with(&self, change: impl FnOnce(&mut Command)) -> Server {
        let mut server = self.spawn_with(free_port(), change);
        server.healthy();
        server
    }

    /// Starts a server at a port that clients know, and waits until it is healthy.
    pub fn start_at(&self, port: u16) -> Server {
        let mut server = self.spawn_with(port, |_| {});
        server.healthy();
        server
    }

    /// Starts a server without waiting for anything.
    pub fn spawn(&self) -> Server {
        self.spawn_with(free_port(), |_| {})
    }

    fn spawn_with(&self, port: u16, change: impl FnOnce(&mut Command)) -> Server {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let file = || format!("sqlite:///{}", self.database().display());
        let mut command = Command::new(binary::runledger());
        command
            .args([
                "server",
                "--host",
                "127.0.0.1",
                "--port",
                &address.port().to_string(),
            ])
            .arg("--backend-store-uri")
            .arg(self.uri.clone().unwrap_or_else(file))
            .args([
                "--artifacts-destination",
                &self.artifacts().display().to_string(),
            ])
            .current_dir(self.path());
        change(&mut command);
        Server::spawn(command, address, self.path().join("server.log"))
    }
}

/// A running server. It is killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts a command that will listen at this address; what it prints goes to the end of `log`.
    ///
    /// # Panics
    /// If the command cannot be started.
    pub fn spawn(mut command: Command, address: SocketAddr, log: PathBuf) -> Self {
        let open =
            || -> io::Result<File> { OpenOptions::new().create(true).append(true).open(&log) };
        let (out, err) = (open().expect("a log file"), open().expect("a log file"));
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .expect("the server starts");
        Self {
            child,
            address,
            log,
        }
    }

    /// Waits until `/health` says so.
    ///
    /// # Panics
    /// If the process ends before, with the end of what it printed.
    pub fn healthy(&mut self) {
        let address = self.address;
        eventually("the server becomes healthy", || {
            if let Some(status) = self.child.try_wait().expect("a child of ours") {
                panic!("the server ended with {status}: {}", self.log());
            }
            Client::new(address)
                .get("/health")
                .is_ok_and(|answer| answer.status == 200)
        });
    }

    /// The address it listens at.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client with a connection of its own.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// The last 2,000 bytes of what this and earlier servers of the same home printed.
    pub fn log(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).into_owned()
    }

    /// Kills the process as `kill -9` does.
    pub fn kill(mut self) {
        self.child.kill().expect("a child of ours");
        self.child.wait().expect("a child of ours");
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a child of ours");
    }

    /// Waits for the end of the process, which somebody else must bring about.
    ///
    /// # Panics
    /// If it does not end within [`GUARD`].
    pub fn exit(mut self) -> ExitStatus {
        let mut status = None;
        eventually("the server ends", || {
            status = self.child.try_wait().expect("a child of ours");
            status.is_some()
        });
        status.expect("the loop ends with a status")
    }

    /// Whether the process still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a child of ours").is_none()
    }

    /// Resident memory in bytes: now, and at its highest so far.
    pub fn memory(&self) -> (u64, u64) {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id()))
            .expect("the process runs");
        let field = |name: &str| -> u64 {
            let line = text
                .lines()
                .find_map(|line| line.strip_prefix(name))
                .expect("a field of /proc/PID/status");
            line.trim()
                .trim_end_matches(" kB")
                .parse::<u64>()
                .expect("a number of KiB")
                * 1024
        };
        (field("VmRSS:"), field("VmHWM:"))
    }

    /// Takes a resource away from the running process.
    pub fn limit(&self, resource: Resource, most: u64) {
        let limit = Rlimit {
            current: Some(most),
            maximum: Some(most),
        };
        prlimit(Some(self.pid()), resource, limit).expect("a child of ours");
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only for a process that has already ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound address").port()
}
