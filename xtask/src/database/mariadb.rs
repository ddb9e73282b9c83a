//! A private `MariaDB`: utf8mb4, everything else as it comes.

use std::fs;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use super::account::Account;
use super::guard::{PASSWORD, PASSWORD_IN_URL, Recipe, USER};
use super::programs::Programs;
use crate::process;

/// Version of the protocol that a server greets with, in the fifth byte; an error packet has 255 there.
const GREETING: u8 = 10;

pub(super) struct Mariadb(pub(super) Programs);

impl Recipe for Mariadb {
    fn make(&self, folder: &Path, account: Account) -> Result<()> {
        let mut command = Command::new(&self.0.make);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", folder.join("data").display()))
            .args([
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
                "--skip-name-resolve",
            ])
            .current_dir(folder);
        account.lend(&mut command);
        process::output(&mut command)?;
        let users = folder.join("users.sql");
        let statements = format!(
            "create user '{USER}'@'127.0.0.1' identified by '{PASSWORD}';\n\
             grant all privileges on *.* to '{USER}'@'127.0.0.1' with grant option;\n"
        );
        fs::write(&users, statements).context("cannot write the users")?;
        account.own(&users)
    }

    fn command(&self, folder: &Path, port: u16) -> Command {
        let mut command = Command::new(&self.0.serve);
        command
            .arg("--no-defaults")
            .arg(format!("--datadir={}", folder.join("data").display()))
            .arg(format!(
                "--init-file={}",
                folder.join("users.sql").display()
            ))
            .arg(format!("--port={port}"))
            .args([
                "--bind-address=127.0.0.1",
                "--skip-name-resolve",
                // Below the folder of the data, which keeps the path short enough for a socket.
                "--socket=socket",
                "--pid-file=pid",
                "--character-set-server=utf8mb4",
                "--max-connections=300",
            ]);
        command
    }

    fn answers(&self, port: u16) -> bool {
        let greeting = || -> std::io::Result<u8> {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let limit = Duration::from_secs(1);
            let mut stream = TcpStream::connect_timeout(&address, limit)?;
            stream.set_read_timeout(Some(limit))?;
            let mut start = [0; 5];
            stream.read_exact(&mut start)?;
            Ok(start[4])
        };
        greeting().is_ok_and(|version| version == GREETING)
    }

    fn url(&self, port: u16) -> String {
        format!("mysql://{USER}:{PASSWORD_IN_URL}@127.0.0.1:{port}/mysql")
    }
}
