//! Where the commands run: a directory of their own with a store of one kind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use runledger::Client;
use tempfile::TempDir;

/// What the tracking URI names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Folder,
    Database,
    Server,
}

/// A directory with a store.
pub(crate) struct World {
    pub(crate) kind: Kind,
    pub(crate) uri: String,
    directory: TempDir,
    server: Option<Child>,
}

impl World {
    /// One of each kind.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        [Kind::Folder, Kind::Database, Kind::Server]
            .into_iter()
            .map(Self::of)
    }

    pub(crate) fn of(kind: Kind) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut world = Self {
            kind,
            uri: match kind {
                Kind::Folder => "./mlruns".to_owned(),
                Kind::Database | Kind::Server => "sqlite:///t.db".to_owned(),
            },
            directory,
            server: None,
        };
        if kind == Kind::Server {
            world.serve(&[]);
        }
        world
    }

    /// Starts a server on the store, which the world is asked through from now on.
    pub(crate) fn serve(&mut self, more: &[&str]) {
        let arguments = ["server", "--port", "0", "--backend-store-uri", &self.uri];
        let mut child = self
            .command(&[&arguments[..], more].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().unwrap().unwrap();
        let address = first.split("listens on ").nth(1).unwrap();
        address.clone_into(&mut self.uri);
        self.server = Some(child);
    }

    /// Asks the store without the commands.
    pub(crate) fn ask<T>(&self, ask: impl AsyncFnOnce(Client) -> T) -> T {
        let path = self.path();
        let uri = match self.kind {
            Kind::Folder => path.join("mlruns").display().to_string(),
            Kind::Database => format!("sqlite:///{}", path.join("t.db").display()),
            Kind::Server => self.uri.clone(),
        };
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async { ask(Client::open(&uri).await.unwrap()).await })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The program in this world, without other variables that it reads.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_runledger"));
        command.current_dir(self.path()).args(arguments);
        for (name, _) in std::env::vars_os() {
            if name
                .to_str()
                .is_some_and(|name| name.starts_with("MLFLOW_") || name == "RUST_LOG")
            {
                command.env_remove(name);
            }
        }
        command
            .env("MLFLOW_TRACKING_URI", &self.uri)
            .env("RUNLEDGER_CACHE_DIR", self.path().join("cache"))
            .env("USER", "ada")
            .env_remove("LOGNAME");
        command
    }

    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// What a command that goes well prints.
    pub(crate) fn ok(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            output.status.success(),
            "{:?} {arguments:?}: {said}",
            self.kind
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// The id of a new run of this name that is running.
    pub(crate) fn run(&self, experiment: &str, name: &str) -> String {
        let create = ["runs", "create", "-x", experiment, "--status", "running"];
        let id = self.ok(&[&create[..], &["--run-name", name]].concat());
        id.trim().to_owned()
    }

    /// The one line of a command that fails with this exit code.
    pub(crate) fn fails(&self, arguments: &[&str], code: i32) -> String {
        let output = self.output(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{:?} {arguments:?}: {said}",
            self.kind
        );
        assert!(output.stdout.is_empty(), "{arguments:?}");
        assert!(said.starts_with("error: "), "{arguments:?}: {said}");
        if code == 1 {
            assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
        }
        said
    }

    /// The text without the names of this world.
    pub(crate) fn anywhere(&self, text: &str) -> String {
        let path = self.path().canonicalize().unwrap();
        let path = path.to_str().unwrap();
        let text = match self.kind {
            Kind::Folder => text.replace(&format!("file://{path}/mlruns"), "ROOT"),
            Kind::Database => text.replace(&format!("{path}/mlruns"), "ROOT"),
            Kind::Server => text.replace("mlflow-artifacts:", "ROOT"),
        };
        super::snapshot::steady(&text)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}
