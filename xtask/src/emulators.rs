//! Storages of the clouds on this machine, for tests: moto for S3 and Google's XML, Azurite for Azure.
//!
//! Each listens on a free port of this machine only, keeps everything in memory, and ends when it is
//! dropped.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::{cache, process, venv};

/// The emulator of Azure: the last release that runs on Node 20.
const AZURITE: &str = "azurite@3.35.0";

/// S3 on a directory, in Rust: the last release that our toolchain compiles.
const S3S_FS: &str = "s3s-fs";
const S3S_FS_VERSION: &str = "0.14.1";

/// Its account, which is the same everywhere.
const ACCOUNT: &str = "devstoreaccount1";
const ACCOUNT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

const START_LIMIT: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

/// A running emulator.
#[derive(Debug)]
pub(crate) struct Emulator {
    child: Child,
    address: SocketAddr,
}

impl Emulator {
    /// S3's protocol, and what Google's has in common with it.
    pub(crate) fn moto(environment: &Path, log: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut command = Command::new(environment.join("bin").join("moto_server"));
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        Self::start(&mut command, address, log)
    }

    /// Azure's Blob Storage.
    pub(crate) fn azurite(folder: &Path, log: &Path) -> Result<Self> {
        let program = azurite()?;
        let address = free_address()?;
        let mut command = Command::new("node");
        command
            .arg(program)
            .args(["--silent", "--disableTelemetry", "--inMemoryPersistence"])
            // The clients that come from PyPI are younger.
            .arg("--skipApiVersionCheck")
            .args(["--blobHost", "127.0.0.1", "--blobPort"])
            .arg(address.port().to_string())
            .args(["--queuePort", "0", "--tablePort", "0"])
            .current_dir(folder);
        Self::start(&mut command, address, log)
    }

    /// Starts a server, and waits until it listens.
    pub(crate) fn start(command: &mut Command, address: SocketAddr, log: &Path) -> Result<Self> {
        let output =
            File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(command)))?;
        let mut emulator = Self { child, address };
        let began = Instant::now();
        while TcpStream::connect_timeout(&address, POLL).is_err() {
            let ended = emulator.child.try_wait()?;
            if ended.is_some() || began.elapsed() > START_LIMIT {
                let text = std::fs::read_to_string(log).unwrap_or_default();
                bail!(
                    "`{}` does not listen\n{}",
                    process::shown(command),
                    process::last_lines(&text, 20)
                );
            }
            sleep(POLL);
        }
        Ok(emulator)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its address for clients of S3 and Google.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What clients of Azure are told.
    pub(crate) fn connection_string(&self) -> String {
        format!(
            "DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};\
             BlobEndpoint=http://{}/{ACCOUNT};",
            self.address
        )
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let (Ok(None), Some(pid)) = (self.child.try_wait(), pid) {
            let _ = kill_process_group(pid, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

/// A location in a container of Azurite's account.
pub(crate) fn azure_uri(container: &str) -> String {
    format!("wasbs://{container}@{ACCOUNT}.blob.core.windows.net/it")
}

/// Makes buckets and a container of one name, by the vendors' own clients.
pub(crate) fn make_container(
    environment: &Path,
    name: &str,
    variables: &[(&str, String)],
) -> Result<()> {
    let mut command = venv::script(environment, "artifacts/containers.py");
    command.arg(name).envs(variables.iter().cloned());
    process::output(&mut command)?;
    Ok(())
}

/// The program s3s-fs, compiled into the cache folder once.
pub(crate) fn s3s_fs() -> Result<PathBuf> {
    let name = format!("{S3S_FS}-{S3S_FS_VERSION}");
    let folder = cache::folder()?.join("tools").join(&name);
    let program = folder
        .join("bin")
        .join(format!("{S3S_FS}{}", std::env::consts::EXE_SUFFIX));
    let _lock = cache::lock(&name)?;
    if !program.exists() {
        let mut install = process::cargo(["install", S3S_FS, "--locked", "--features", "binary"]);
        install
            .args(["--version", S3S_FS_VERSION, "--root"])
            .arg(&folder);
        process::run(&mut install)?;
    }
    Ok(program)
}

/// Azurite's program, installed into the cache folder once.
fn azurite() -> Result<PathBuf> {
    let folder = cache::folder()?.join("tools").join(AZURITE);
    let program = folder.join("node_modules/azurite/dist/src/azurite.js");
    let _lock = cache::lock("azurite")?;
    if !program.exists() {
        std::fs::create_dir_all(&folder)?;
        process::run(
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
                .arg(AZURITE)
                .current_dir(&folder),
        )
        .context("npm is needed for Azure's emulator")?;
    }
    Ok(program)
}

pub(crate) fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}
