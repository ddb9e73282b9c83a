//! A private `PostgreSQL`: the C locale, UTF-8, everything else as it comes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::account::Account;
use super::guard::{PASSWORD, PASSWORD_IN_URL, Recipe, USER};
use super::programs::Programs;
use crate::process;

/// Test cases run side by side, and each store has a pool.
const CONNECTIONS: &str = "max_connections=300";

pub(super) struct Postgres(pub(super) Programs);

impl Recipe for Postgres {
    fn make(&self, folder: &Path, account: Account) -> Result<()> {
        let secret = folder.join("password");
        fs::write(&secret, PASSWORD).context("cannot write the password")?;
        account.own(&secret)?;
        let mut command = Command::new(&self.0.make);
        command
            .arg("--pgdata")
            .arg(folder.join("data"))
            .args(["--username", USER, "--pwfile"])
            .arg(secret)
            .args(["--auth", "scram-sha-256"])
            .args(["--locale", "C", "--encoding", "UTF8"])
            // What is made here need not survive a power cut; the server itself does sync.
            .arg("--no-sync")
            .current_dir(folder);
        account.lend(&mut command);
        process::output(&mut command)?;
        Ok(())
    }

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.0.serve);
        command
            .arg("-D")
            .arg(folder.join("data"))
            .args(["-h", "127.0.0.1", "-p", &port.to_string()])
            .args(["-c", CONNECTIONS, "-c", "unix_socket_directories="]);
        command
    }

    fn answers(&self, port: u16) -> bool {
        Command::new(self.0.serve.with_file_name("pg_isready"))
            .args([
                "--quiet",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])
            .stdin(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }

    fn url(&self, port: u16) -> String {
        format!("postgresql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port}/postgres")
    }
}
