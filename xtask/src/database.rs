//! Database servers for tests: private ones in a temporary folder, or those that the environment
//! names.
//!
//! A private server is held by a second process ([`guard`]), which ends with the one that asked for
//! it, however that ends, and then takes the server and its folder away. Where its programs are
//! missing they are installed, or the task fails: no store is skipped in silence.

mod account;
pub(crate) mod guard;
mod mariadb;
mod postgres;
mod programs;

use std::env;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

/// A kind of database server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// `PostgreSQL`
    Postgres,
    /// `MariaDB`
    Mariadb,
}

impl Kind {
    /// The server's own name.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::Mariadb => "MariaDB",
        }
    }

    /// The environment variable with the URL of a server to use instead of a private one.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "RUNLEDGER_TEST_POSTGRES_URL",
            Self::Mariadb => "RUNLEDGER_TEST_MYSQL_URL",
        }
    }

    /// The scheme that both we and Python understand, with the driver that our environments have.
    fn scheme(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql+psycopg2",
            Self::Mariadb => "mysql+pymysql",
        }
    }
}

/// The command line of `cargo xtask database`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// What to start
    kind: Kind,
}

/// Starts a private server, prints its URL, and keeps it until this program is stopped or its input ends.
pub(crate) fn run(args: &Args) -> Result<()> {
    let database = Database::private(args.kind)?;
    println!("{}={}", args.kind.variable(), database.url());
    println!("stop it with Ctrl-C");
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}

/// A running database server.
#[derive(Debug)]
pub(crate) struct Database {
    kind: Kind,
    url: String,
    /// Keeps a private server alive.
    _guard: Option<Guard>,
}

impl Database {
    /// The server that the environment names, else a private one.
    pub(crate) fn start(kind: Kind) -> Result<Self> {
        match env::var(kind.variable()) {
            Ok(url) if !url.is_empty() => {
                println!("{}: the one that {} names", kind.title(), kind.variable());
                Ok(Self {
                    kind,
                    url,
                    _guard: None,
                })
            }
            _ => Self::private(kind),
        }
    }

    fn private(kind: Kind) -> Result<Self> {
        programs::ensure(kind)?;
        let (guard, url) = Guard::spawn(kind)?;
        Ok(Self {
            kind,
            url,
            _guard: Some(guard),
        })
    }

    /// The URL for whoever makes databases, user and password included.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URI of one of its databases, as MLflow's users write it.
    pub(crate) fn uri(&self, database: &str) -> Result<String> {
        with_database(&self.url, self.kind.scheme(), database)
            .with_context(|| format!("{} is no URL of a database server", self.kind.variable()))
    }
}

/// The URL with another scheme and database; its options stay.
fn with_database(url: &str, scheme: &str, database: &str) -> Option<String> {
    let (_, rest) = url.split_once("://")?;
    let (place, options) = match rest.split_once('?') {
        Some((place, options)) => (place, format!("?{options}")),
        None => (rest, String::new()),
    };
    let server = place.split_once('/').map_or(place, |(server, _)| server);
    Some(format!("{scheme}://{server}/{database}{options}"))
}

/// The process that holds a private server: it ends when its input does.
#[derive(Debug)]
struct Guard {
    child: Child,
}

impl Guard {
    /// Starts the process, and waits until its server can be used.
    fn spawn(kind: Kind) -> Result<(Self, String)> {
        let value = kind.to_possible_value().context("every kind has a name")?;
        let mut child = Command::new(env::current_exe().context("this program has no path")?)
            .args([guard::NAME, value.get_name()])
            // Ctrl-C must reach this process only, whose end is what the guard waits for.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the guard of a database server")?;
        let output = child.stdout.take().context("the output is a pipe")?;
        let guard = Self { child };
        let mut url = String::new();
        BufReader::new(output).read_line(&mut url)?;
        let url = url.trim_end().to_owned();
        if url.is_empty() {
            bail!("{} does not start: see above", kind.title());
        }
        Ok((guard, url))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Waiting for a process closes its input first.
        if let Err(error) = self.child.wait() {
            eprintln!("warning: a private database server may still run: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_takes_the_place_of_the_one_in_the_url() {
        for (url, expected) in [
            ("postgres://u:p%2F@h:1", "s://u:p%2F@h:1/d"),
            ("postgres://u@h:1/", "s://u@h:1/d"),
            (
                "postgresql://u@h/other?sslmode=disable",
                "s://u@h/d?sslmode=disable",
            ),
        ] {
            assert_eq!(with_database(url, "s", "d").as_deref(), Some(expected));
        }
        assert_eq!(with_database("nonsense", "s", "d"), None);
    }
}
