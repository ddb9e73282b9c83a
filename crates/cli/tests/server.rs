//! The program as a user starts it.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// The program, without variables of the environment that it reads.
fn runledger(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runledger"));
    command.current_dir(directory).args(arguments);
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| name.starts_with("MLFLOW_") || name == "RUST_LOG")
        {
            command.env_remove(name);
        }
    }
    command
}

struct Running {
    child: Child,
    address: SocketAddr,
    greeting: Vec<String>,
    directory: TempDir,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    fn start_in(directory: TempDir, arguments: &[&str]) -> Self {
        let all = [arguments, &["--port", "0"]].concat();
        let mut child = runledger(directory.path(), &all)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = Vec::new();
        for line in stdout.lines() {
            let line = line.unwrap();
            let is_last = line.contains("artifacts in:");
            greeting.push(line);
            if is_last {
                break;
            }
        }
        let address = greeting[0]
            .split("http://")
            .nth(1)
            .unwrap()
            .split('/')
            .next()
            .unwrap();
        Self {
            address: address.parse().unwrap(),
            child,
            greeting,
            directory,
        }
    }

    fn get(&self, path: &str) -> String {
        self.ask("GET", path)
    }

    fn ask(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let request =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn stop(mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only a test that failed has left it running.
        let _ = self.child.kill();
    }
}

fn output(arguments: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    runledger(directory.path(), arguments).output().unwrap()
}

fn one_error_line(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("error: "), "{text}");
    text
}

#[test]
fn it_says_where_it_is_serves_and_ends_in_order() {
    let running = Running::start(&["server"]);
    let greeting = running.greeting.join("\n");
    assert!(greeting.contains("./mlruns"), "{greeting}");
    assert!(greeting.contains("mlflow-artifacts:/"), "{greeting}");
    assert!(running.get("/health").ends_with("OK"));
    let made = |name: &str| running.directory.path().join(name).exists();
    assert!(!made("mlruns") && !made("mlflow.db") && !made("mlartifacts"));
    let page = running.get("/api/2.0/mlflow/experiments/get?experiment_id=0");
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("\"Default\""), "{page}");
    assert!(!made("mlruns"), "a read makes nothing");
    assert_eq!(running.stop("-TERM"), Some(0));
}

#[test]
fn a_database_that_is_there_is_used_without_flags() {
    let first = Running::start(&["server", "--backend-store-uri", "sqlite:///mlflow.db"]);
    assert!(first.directory.path().join("mlflow.db").exists());
    assert!(
        first
            .get("/api/2.0/mlflow/experiments/get?experiment_id=0")
            .starts_with("HTTP/1.1 200")
    );
    assert_eq!(first.stop("-TERM"), Some(0));
}

#[test]
fn the_page_is_served_as_it_says_of_itself() {
    let running = Running::start(&["server", "--static-prefix", "/ml"]);
    let page = running.get("/ml/");
    let expected = runledger_ui::find("").unwrap();
    for line in [
        format!("etag: {}\r\n", expected.etag),
        format!(
            "content-security-policy: {}\r\n",
            runledger_ui::CONTENT_SECURITY_POLICY
        ),
        "cache-control: no-cache\r\n".to_owned(),
    ] {
        assert!(page.contains(&line), "{line}");
    }
    assert!(running.get("/ml").contains("location: /ml/\r\n"));
    assert_eq!(running.stop("-TERM"), Some(0));
}

#[test]
fn an_interrupt_ends_it_in_order_too() {
    assert_eq!(Running::start(&["ui"]).stop("-INT"), Some(0));
}

#[test]
fn artifacts_only_needs_no_database() {
    let running = Running::start(&["server", "--artifacts-only"]);
    assert!(
        running
            .get("/api/2.0/mlflow-artifacts/artifacts")
            .starts_with("HTTP/1.1 200")
    );
    assert!(
        running
            .get("/api/2.0/mlflow/experiments/get?experiment_id=0")
            .starts_with("HTTP/1.1 503")
    );
    assert!(!running.directory.path().join("mlflow.db").exists());
    assert_eq!(running.stop("-TERM"), Some(0));
}

#[test]
fn read_only_is_announced_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let made = runledger(directory.path(), &["db", "upgrade", "sqlite:///mlflow.db"]).status();
    assert!(made.unwrap().success());
    let running = Running::start_in(directory, &["server", "--read-only"]);
    let greeting = running.greeting.join("\n");
    assert!(greeting.contains("read only"), "{greeting}");
    let api = "/api/2.0/mlflow/experiments";
    let found = running.get(&format!("{api}/search?max_results=1"));
    assert!(found.starts_with("HTTP/1.1 200"), "{found}");
    let refused = running.ask("POST", &format!("{api}/create"));
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    assert_eq!(running.stop("-TERM"), Some(0));
}

#[test]
fn a_variable_of_the_pool_is_checked() {
    let directory = tempfile::tempdir().unwrap();
    let output = runledger(directory.path(), &["server", "--port", "0"])
        .env("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", "many")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let line = one_error_line(&output);
    assert!(line.contains("POOL_SIZE is 'many'"), "{line}");
}

#[test]
fn a_port_in_use_is_one_clear_line() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let output = output(&["server", "--port", &port]);
    assert_eq!(output.status.code(), Some(1));
    let line = one_error_line(&output);
    assert!(line.contains(&port) && line.contains("--port"), "{line}");
}

#[test]
fn a_bad_database_is_one_clear_line_without_its_password() {
    let uri = "mssql://me:secret@db/x";
    let output = output(&["server", "--port", "0", "--backend-store-uri", uri]);
    assert_eq!(output.status.code(), Some(1));
    let line = one_error_line(&output);
    assert!(line.contains("@db/x") && !line.contains("secret"), "{line}");
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for arguments in [
        &["server", "--no-such-flag"][..],
        &["server", "--port", "x"],
        &["server", "--app-name", "basic-auth"],
        &["server", "--static-prefix", "no-slash", "--port", "0"],
        &["no-such-command"],
    ] {
        assert_eq!(output(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
