//! `cargo xtask test-artifacts`: every place where artifacts can be, on emulators of the clouds and
//! on servers of files.
//!
//! First the conformance suite on each, then official clients through the server's proxy, in parts,
//! and around the server, `artifacts` and `gc` beside it. A backend that is not there or runs no case is a failure, never a gap.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::emulators::{Emulator, azure_uri, make_container};
use crate::file_servers::{self, Sshd};
use crate::server::Server;
use crate::tally::Tally;
use crate::{built, process, venv};

/// Tells the test program which storage to run the suite on.
const STORAGE_VARIABLE: &str = "RUNLEDGER_TEST_ARTIFACTS";

const CONTAINER: &str = "runledger";

/// What to run.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Args {
    /// Run this backend only; can be given more than once
    #[arg(long, value_enum)]
    backend: Vec<Backend>,
    /// Leave out the sessions of MLflow clients
    #[arg(long)]
    suite_only: bool,
}

/// A place for artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// A directory
    Local,
    /// S3, on moto
    S3,
    /// Azure Blob Storage, on Azurite
    Azure,
    /// Google Cloud Storage, on moto: its XML is S3's
    Gcs,
    /// `WebHDFS`, on a server of ours
    Hdfs,
    /// FTP, on pyftpdlib
    Ftp,
    /// FTP without machine-readable lists, on pyftpdlib
    FtpOld,
    /// SFTP, on OpenSSH
    Sftp,
    /// The proxy of another server, which is ours
    Http,
}

/// The emulators, and the settings under which clients find them.
#[derive(Debug)]
struct World {
    variables: Vec<(&'static str, String)>,
    ftp: (Emulator, String),
    ftp_old: (Emulator, String),
    sshd: Sshd,
    proxy: Server,
    _emulators: [Emulator; 3],
}

impl Backend {
    fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::S3 => "s3",
            Self::Azure => "azure",
            Self::Gcs => "gcs",
            Self::Hdfs => "hdfs",
            Self::Ftp => "ftp",
            Self::FtpOld => "ftp-old",
            Self::Sftp => "sftp",
            Self::Http => "http",
        }
    }

    /// A location in it; nothing for a directory of the test's own.
    fn uri(self, world: &World) -> Result<Option<String>> {
        Ok(Some(match self {
            Self::Local => return Ok(None),
            Self::S3 => format!("s3://{CONTAINER}/it"),
            Self::Azure => azure_uri(CONTAINER),
            Self::Gcs => format!("gs://{CONTAINER}/it"),
            Self::Hdfs => "hdfs://namenode/it".to_owned(),
            Self::Ftp => world.ftp.1.clone(),
            Self::FtpOld => world.ftp_old.1.clone(),
            Self::Sftp => world.sshd.uri()?,
            Self::Http => format!(
                "{}/api/2.0/mlflow-artifacts/artifacts/it",
                world.proxy.url()
            ),
        }))
    }

    /// Whether clients can send parts to it themselves. Google's URLs are signed with an account,
    /// which an emulator has not.
    fn takes_parts(self) -> bool {
        matches!(self, Self::S3 | Self::Azure)
    }
}

/// Runs everything on the chosen backends.
pub(crate) fn run(args: &Args) -> Result<()> {
    let backends = if args.backend.is_empty() {
        Backend::value_variants().to_vec()
    } else {
        args.backend.clone()
    };
    let folder = tempfile::Builder::new()
        .prefix("runledger-artifacts-")
        .tempdir()?;
    let binary = built::binary()?;
    let world = World::start(&binary, folder.path())?;
    let mut rows = Vec::new();
    for backend in &backends {
        rows.push((backend.name(), suite(*backend, &world)?));
    }
    println!("backend   passed  failed");
    let mut failed = 0;
    for (name, counts) in &rows {
        println!("{name:8} {:>7} {:>7}", counts.0, counts.1);
        failed += counts.1;
    }
    if failed > 0 {
        bail!("{failed} cases failed");
    }
    if args.suite_only {
        return Ok(());
    }
    let mut tally = Tally::default();
    for backend in backends {
        sessions(backend, &world, &binary, folder.path(), &mut tally)?;
    }
    tally.finish("test-artifacts", folder)
}

impl World {
    fn start(binary: &Path, folder: &Path) -> Result<Self> {
        let environment = venv::CLOUDS.ensure()?;
        let moto = Emulator::moto(&environment, &folder.join("moto.log"))?;
        let azurite = Emulator::azurite(folder, &folder.join("azurite.log"))?;
        let hdfs = file_servers::webhdfs(folder)?;
        let sshd = Sshd::start(folder)?;
        let variables = vec![
            ("AWS_ACCESS_KEY_ID", "test".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "test".to_owned()),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("MLFLOW_S3_ENDPOINT_URL", moto.url()),
            (
                "AZURE_STORAGE_CONNECTION_STRING",
                azurite.connection_string(),
            ),
            ("STORAGE_EMULATOR_HOST", moto.url()),
            ("RUNLEDGER_WEBHDFS_URL", hdfs.url()),
            ("HOME", sshd.home.display().to_string()),
        ];
        make_container(&environment, CONTAINER, &variables)?;
        let place = folder.join("other");
        std::fs::create_dir_all(&place)?;
        let database = format!("sqlite:///{}", place.join("other.db").display());
        let files = place.join("files").display().to_string();
        let flags = ["--artifacts-destination", &files];
        let log = place.join("other.log");
        Ok(Self {
            ftp: file_servers::ftp(folder, false)?,
            ftp_old: file_servers::ftp(folder, true)?,
            sshd,
            proxy: Server::start_where(binary, &database, &place, log, &flags, &variables)?,
            variables,
            _emulators: [moto, azurite, hdfs],
        })
    }
}

/// Runs the suite; returns how many cases passed and failed.
fn suite(backend: Backend, world: &World) -> Result<(usize, usize)> {
    let mut command = built::test("crates/artifacts", "conformance")?;
    command.env_remove(STORAGE_VARIABLE);
    if let Some(uri) = backend.uri(world)? {
        command.env(STORAGE_VARIABLE, uri);
        command.envs(world.variables.iter().cloned());
    }
    println!("$ {} on {}", process::shown(&command), backend.name());
    let output = command.stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (passed, failed) = counts(&text);
    if passed + failed == 0 || (!output.status.success() && failed == 0) {
        println!("{}", process::last_lines(&text, 40));
        bail!("the suite on `{}` broke off", backend.name());
    }
    if failed > 0 {
        let reasons = text
            .split_once("\nfailures:")
            .map_or("", |(_, reasons)| reasons);
        println!("{reasons}");
    }
    Ok((passed, failed))
}

/// Counts the lines `test [kind] name ... outcome`; a case that is left out counts as failed.
fn counts(text: &str) -> (usize, usize) {
    let outcomes = text.lines().filter_map(|line| {
        let (_, outcome) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
        Some(outcome.trim() == "ok")
    });
    let outcomes: Vec<bool> = outcomes.collect();
    let passed = outcomes.iter().filter(|passed| **passed).count();
    (passed, outcomes.len() - passed)
}

/// Sessions of official clients: through the proxy, in parts, and around the server.
fn sessions(
    backend: Backend,
    world: &World,
    binary: &Path,
    folder: &Path,
    tally: &mut Tally,
) -> Result<()> {
    let newest = venv::MLFLOW_3_17.ensure()?;
    let oldest = venv::MLFLOW_2_17.ensure()?;
    let name = backend.name();
    let place = folder.join(name);
    std::fs::create_dir_all(&place)?;
    let destination = backend
        .uri(world)?
        .unwrap_or_else(|| place.join("files").display().to_string());
    let start = |log: &str, flags: &[&str]| {
        let database = format!("sqlite:///{}", place.join(format!("{log}.db")).display());
        let log = place.join(format!("{log}.log"));
        Server::start_where(binary, &database, &place, log, flags, &world.variables)
    };
    let mut client = |environment: &Path, url: &str, what: &str, flags: &[&str]| {
        let mut command = venv::script(environment, "artifacts/clients.py");
        command
            .args(["--url", url, "--subject"])
            .arg(format!("{name} {what}"))
            .args(flags);
        let version = environment
            .file_name()
            .unwrap_or_default()
            .to_string_lossy();
        tally.program(&mut command, &place.join(format!("{what}-{version}.err")))
    };

    let proxy = start("proxy", &["--artifacts-destination", &destination])?;
    let parts = if backend.takes_parts() {
        "expected"
    } else {
        "refused"
    };
    for environment in [&newest, &oldest] {
        client(
            environment,
            &proxy.url(),
            "through the proxy",
            &["--models"],
        )?;
        client(
            environment,
            &proxy.url(),
            "in parts",
            &["--multipart", parts],
        )?;
    }
    for program in ["commands", "collected"] {
        let mut command = venv::script(&newest, &format!("artifacts/{program}.py"));
        command
            .args(["--url", &proxy.url(), "--subject", name])
            .arg("--store")
            .arg(format!("sqlite:///{}", place.join("proxy.db").display()))
            .args(["--destination", &destination])
            .arg("--runledger")
            .arg(binary)
            .envs(world.variables.iter().cloned());
        tally.program(&mut command, &place.join(format!("{program}.err")))?;
    }
    proxy.stop()?;

    if backend == Backend::S3 {
        let clouds = [venv::CLOUDS.ensure()?, venv::CLOUDS_2_17.ensure()?];
        let root = format!("{destination}/direct");
        let flags = ["--no-serve-artifacts", "--default-artifact-root", &root];
        let around = start("around", &flags)?;
        for environment in &clouds {
            let mut command = venv::script(environment, "artifacts/clients.py");
            direct(&mut command, world, &around.url());
            let version = environment
                .file_name()
                .unwrap_or_default()
                .to_string_lossy();
            tally.program(&mut command, &place.join(format!("around-{version}.err")))?;
        }
        around.stop()?;
    }
    Ok(())
}

/// A client that reaches S3 itself.
fn direct(command: &mut Command, world: &World, url: &str) {
    command
        .args(["--url", url, "--subject", "s3 around the server"])
        .envs(world.variables.iter().cloned());
}

#[cfg(test)]
mod tests {
    use super::counts;

    #[test]
    fn a_case_that_is_left_out_is_no_success() {
        let text = "test [s3] a ... ok\ntest [s3] b ... FAILED\ntest c ... ignored\n\
                    test result: FAILED. 1 passed\n";
        assert_eq!(counts(text), (1, 2));
    }
}
