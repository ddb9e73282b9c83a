//! `runledger db` as a user runs it.

#![expect(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

const URI: &str = "sqlite:///t.db";

fn db(directory: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runledger"));
    command.current_dir(directory).arg("db").args(arguments);
    command.env_remove("MLFLOW_BACKEND_STORE_URI");
    command.output().unwrap()
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn an_upgrade_makes_the_schema_and_then_has_nothing_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    let made = db(at, &["upgrade", URI]);
    assert_eq!(made.status.code(), Some(0), "{}", stderr(&made));
    let again = db(at, &["upgrade", URI]);
    assert!(stdout(&again).contains("already"), "{}", stdout(&again));
    let planned = db(at, &["upgrade", "--dry-run", URI]);
    let planned = stdout(&planned);
    assert!(planned.contains("Nothing was changed."), "{planned}");
}

#[test]
fn check_answers_by_its_exit_code() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    std::fs::write(at.join("t.db"), []).unwrap();
    let empty = db(at, &["check", URI]);
    assert_eq!(empty.status.code(), Some(1));
    let words = stdout(&empty);
    assert!(
        words.contains("`runledger db upgrade sqlite:///t.db`"),
        "{words}"
    );
    db(at, &["upgrade", URI]);
    assert_eq!(db(at, &["check", URI]).status.code(), Some(0));
}

#[test]
fn current_says_the_same_as_json() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    db(at, &["upgrade", URI]);
    let json = db(at, &["current", "--json", URI]);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["up_to_date"], true);
    assert_eq!(json["steps_behind"], 0);
    let revision = json["revision"].as_str().unwrap();
    assert_eq!(json["newest"], revision);
    let plain = db(at, &["current", URI]);
    assert!(stdout(&plain).starts_with(&format!("{revision} (newest)")));
}

#[test]
fn a_database_that_is_not_there_is_an_error_and_is_not_made() {
    let directory = tempfile::tempdir().unwrap();
    for command in ["check", "current"] {
        let output = db(directory.path(), &[command, URI]);
        assert_eq!(output.status.code(), Some(1));
        assert!(
            stderr(&output).starts_with("error: "),
            "{}",
            stderr(&output)
        );
    }
    assert!(!directory.path().join("t.db").exists());
}

#[test]
fn a_uri_that_cannot_be_used_is_a_usage_error_without_its_password() {
    let directory = tempfile::tempdir().unwrap();
    let bad = "postgresql://me:secret@h/d?sslmode=maybe";
    let output = db(directory.path(), &["upgrade", bad]);
    assert_eq!(output.status.code(), Some(2));
    let words = stderr(&output);
    assert!(
        words.contains("sslmode") && !words.contains("secret"),
        "{words}"
    );
    assert_eq!(db(directory.path(), &["upgrade"]).status.code(), Some(2));
}

#[test]
fn the_environment_can_name_the_database() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_runledger"))
        .current_dir(directory.path())
        .args(["db", "upgrade"])
        .env("MLFLOW_BACKEND_STORE_URI", URI)
        .status()
        .unwrap();
    assert!(output.success());
    assert!(directory.path().join("t.db").exists());
}
