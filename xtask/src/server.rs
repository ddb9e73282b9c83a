//! A server process for tasks that talk to one: `runledger server`, or Python MLflow's.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::{process, venv};

const POLL: Duration = Duration::from_millis(20);
/// Python MLflow takes ten seconds where nothing else runs.
const START_LIMIT: Duration = Duration::from_mins(2);
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// A running server. It is killed when dropped; [`Server::stop`] ends it as a user would.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Server {
    /// Starts `binary` on a free port with this database and its artifacts in `folder`, and waits until it is healthy.
    pub(crate) fn start(binary: &Path, uri: &str, folder: &Path, log: PathBuf) -> Result<Self> {
        Self::start_with(binary, uri, folder, log, &[])
    }

    /// As [`Self::start`], with more flags.
    pub(crate) fn start_with(
        binary: &Path,
        uri: &str,
        folder: &Path,
        log: PathBuf,
        flags: &[&str],
    ) -> Result<Self> {
        Self::start_where(binary, uri, folder, log, flags, &[])
    }

    /// As [`Self::start_with`], with variables of the environment.
    pub(crate) fn start_where(
        binary: &Path,
        uri: &str,
        folder: &Path,
        log: PathBuf,
        flags: &[&str],
        variables: &[(&str, String)],
    ) -> Result<Self> {
        let mut command = Command::new(binary);
        command.arg("server").envs(variables.iter().cloned());
        Self::spawn(&mut command, uri, folder, log, flags)
    }

    /// Starts the server of Python MLflow, with so many workers, as [`Self::start`] does ours.
    pub(crate) fn start_mlflow(
        environment: &Path,
        uri: &str,
        folder: &Path,
        log: PathBuf,
        workers: u8,
    ) -> Result<Self> {
        let mut command = Command::new(venv::python(environment));
        command.args(["-m", "mlflow", "server", "--workers", &workers.to_string()]);
        // Six processes for jobs that no test starts.
        command.env("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false");
        // Of releases that ask for it.
        command.env("MLFLOW_ALLOW_FILE_STORE", "true");
        Self::spawn(&mut command, uri, folder, log, &[])
    }

    fn spawn(
        command: &mut Command,
        uri: &str,
        folder: &Path,
        log: PathBuf,
        flags: &[&str],
    ) -> Result<Self> {
        let output =
            File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let address = free_address()?;
        if !flags.contains(&"--artifacts-destination") {
            command
                .arg("--artifacts-destination")
                .arg(folder.join("artifacts"));
        }
        let child = command
            .args(["--host", "127.0.0.1", "--port", &address.port().to_string()])
            .args(["--backend-store-uri", uri])
            .args(flags)
            // A server's own surroundings must not change what is tested.
            .env_remove("MLFLOW_TRACKING_URI")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // With the workers that it starts.
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        let mut server = Self {
            child,
            address,
            log,
        };
        server.wait_until_healthy()?;
        Ok(server)
    }

    /// The address for clients.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Asks the server to end (SIGTERM), and fails unless it does so in time and with exit code 0.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = self.pid().context("the server has no process id")?;
        kill_process(pid, Signal::TERM).context("cannot signal the server")?;
        let began = Instant::now();
        while began.elapsed() < STOP_LIMIT {
            if let Some(status) = self.child.try_wait()? {
                if !status.success() {
                    bail!(
                        "the server ended with {status} when asked to stop\n{}",
                        self.log_end()
                    );
                }
                return Ok(());
            }
            sleep(POLL);
        }
        bail!(
            "the server did not stop within {STOP_LIMIT:?}\n{}",
            self.log_end()
        );
    }

    fn pid(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
    }

    fn wait_until_healthy(&mut self) -> Result<()> {
        let began = Instant::now();
        while began.elapsed() < START_LIMIT {
            if healthy(self.address) {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended at once: {status}\n{}", self.log_end());
            }
            sleep(POLL);
        }
        bail!(
            "the server is not healthy after {START_LIMIT:?}\n{}",
            self.log_end()
        );
    }

    fn log_end(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        process::last_lines(&text, 20)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its number may be another process's once it has ended.
        if let (Ok(None), Some(pid)) = (self.child.try_wait(), self.pid()) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

fn healthy(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        write!(
            stream,
            "GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
        )?;
        let mut answer = String::new();
        stream.take(4096).read_to_string(&mut answer)?;
        Ok(answer)
    };
    ask().is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}
