//! `cargo xtask database-guard`: makes a private database server, holds it until its input ends, and
//! takes it away.
//!
//! It is a process of its own so that nothing stays behind when a task is interrupted or killed: the
//! pipe from the task ends with the task.

use std::fs;
use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::account::Account;
use super::{Kind, mariadb, postgres, programs};
use crate::process;

/// The name of the task, which is not for people.
pub(crate) const NAME: &str = "database-guard";

/// How often something that another process will change is looked at.
const POLL: Duration = Duration::from_millis(50);

const START_LIMIT: Duration = Duration::from_mins(1);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// Another program can take a free port before the server does.
const ATTEMPTS: usize = 5;

/// User of a private server, who may do everything.
pub(super) const USER: &str = "runledger";

/// The user's password: what must be escaped in a URL is part of what is tested.
pub(super) const PASSWORD: &str = "open/s@me";
pub(super) const PASSWORD_IN_URL: &str = "open%2Fs%40me";

/// The command line.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to start
    kind: Kind,
}

/// How a kind of server is made and recognised.
pub(super) trait Recipe {
    /// Makes the files of a new server in `folder`.
    fn make(&self, folder: &Path, account: Account) -> Result<()>;

    /// The command that runs it at this port of 127.0.0.1.
    fn command(&self, folder: &Path, port: u16) -> Command;

    /// Whether it takes connections.
    fn answers(&self, port: u16) -> bool;

    /// Its URL.
    fn url(&self, port: u16) -> String;
}

/// Makes a server, prints its URL, and waits for the end of the input.
pub(crate) fn run(args: &Args) -> Result<()> {
    let programs = programs::find(args.kind)
        .with_context(|| format!("{} is not installed", args.kind.title()))?;
    let recipe: Box<dyn Recipe> = match args.kind {
        Kind::Postgres => Box::new(postgres::Postgres(programs)),
        Kind::Mariadb => Box::new(mariadb::Mariadb(programs)),
    };
    let account = Account::of(args.kind)?;
    let folder = tempfile::Builder::new()
        .prefix("runledger-database-")
        .tempdir()?;
    account.own(folder.path())?;
    recipe.make(folder.path(), account)?;
    let mut server = start(recipe.as_ref(), folder.path(), account)?;
    let ended = hold(recipe.as_ref(), &mut server, folder.path());
    drop(server);
    folder.close().context("cannot remove the server's files")?;
    ended
}

/// A running server. It is stopped when dropped.
#[derive(Debug)]
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Err(error) = stop(&mut self.child) {
            eprintln!("warning: a private database server may still run: {error:#}");
        }
    }
}

/// Starts the server at a free port, and waits until it answers there.
fn start(recipe: &dyn Recipe, folder: &Path, account: Account) -> Result<Server> {
    for _ in 0..ATTEMPTS {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| listener.local_addr())
            .context("no free port")?
            .port();
        let log = fs::File::create(log(folder))?;
        let mut command = recipe.command(folder, port);
        account.lend(&mut command);
        let child = command
            .current_dir(folder)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start `{}`", process::shown(&command)))?;
        let mut server = Server { child, port };
        if answers(recipe, &mut server)? {
            return Ok(server);
        }
    }
    bail!("the server ends at once\n{}", log_end(folder));
}

/// Waits until the server answers; false if it ends instead.
fn answers(recipe: &dyn Recipe, server: &mut Server) -> Result<bool> {
    let began = Instant::now();
    while began.elapsed() < START_LIMIT {
        let answered = recipe.answers(server.port);
        // Looked at last: somebody else's server may be the one that answered.
        if server.child.try_wait()?.is_some() {
            return Ok(false);
        }
        if answered {
            return Ok(true);
        }
        thread::sleep(POLL);
    }
    bail!("the server does not answer after {START_LIMIT:?}");
}

/// Prints the URL and returns when the input ends; an error if the server ends first.
fn hold(recipe: &dyn Recipe, server: &mut Server, folder: &Path) -> Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", recipe.url(server.port))?;
    output.flush()?;
    drop(output);
    let (sender, ended) = mpsc::channel();
    thread::spawn(move || {
        // Whatever ends the reading: nobody is there any more.
        let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
        let _ = sender.send(());
    });
    while ended.recv_timeout(POLL) == Err(RecvTimeoutError::Timeout) {
        if let Some(status) = server.child.try_wait()? {
            bail!(
                "the database server ended by itself: {status}\n{}",
                log_end(folder)
            );
        }
    }
    Ok(())
}

/// Ends the server without looking after its data.
fn stop(server: &mut Child) -> Result<()> {
    if server.try_wait()?.is_some() {
        return Ok(());
    }
    // PostgreSQL takes its processes along and writes nothing; MariaDB shuts down.
    kill_process(Pid::from_child(server), Signal::QUIT).context("cannot signal the server")?;
    let began = Instant::now();
    while began.elapsed() < STOP_LIMIT {
        if server.try_wait()?.is_some() {
            return Ok(());
        }
        thread::sleep(POLL);
    }
    server.kill()?;
    server.wait()?;
    Ok(())
}

fn log(folder: &Path) -> std::path::PathBuf {
    folder.join("server.log")
}

fn log_end(folder: &Path) -> String {
    let text = fs::read(log(folder)).unwrap_or_default();
    process::last_lines(&String::from_utf8_lossy(&text), 20)
}
