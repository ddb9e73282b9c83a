//! `runledger doctor`, `completions` and `man`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::world::{Kind, World};

fn doctor(world: &World, arguments: &[&str], pairs: &[(&str, &str)]) -> (Option<i32>, Value) {
    let arguments = [&["doctor", "--json"], arguments].concat();
    let mut command = world.command(&arguments);
    let output = command.envs(pairs.iter().copied()).output().unwrap();
    (
        output.status.code(),
        serde_json::from_slice(&output.stdout).unwrap(),
    )
}

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found.unwrap_or_else(|| panic!("{name}: {report:#}"))
}

#[test]
fn all_is_well_where_all_is_well() {
    for world in World::all() {
        world.ok(&["experiments", "create", "-n", "e"]);
        let (code, report) = doctor(&world, &[], &[]);
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(report["ok"], true);
        for check in report["checks"].as_array().unwrap() {
            assert_eq!(check["state"], "ok", "{report:#}");
        }
        match world.kind {
            Kind::Folder => {}
            Kind::Database => {
                let schema = check(&report, "schema")["detail"].as_str().unwrap();
                assert!(schema.contains("newest"), "{schema}");
            }
            Kind::Server => {
                let server = check(&report, "tracking")["detail"].as_str().unwrap();
                assert!(server.contains("MLflow 3."), "{server}");
                check(&report, "clock");
            }
        }
        let left = std::process::Command::new("find")
            .args([world.path().to_str().unwrap(), "-name", "runledger-doctor*"])
            .output()
            .unwrap();
        assert!(left.stdout.is_empty(), "the file is removed");
        let (_, report) = doctor(&world, &["--no-write"], &[]);
        assert_eq!(check(&report, "artifacts")["state"], "skipped");
    }
}

/// All files and folders of a world but its cache, with what is in them.
fn tree(world: &World) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut ahead = vec![world.path().to_owned()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path == world.path().join("cache") {
                continue;
            }
            if path.is_dir() {
                ahead.push(path.clone());
                found.insert(path, None);
            } else {
                let content = fs::read(&path).unwrap();
                found.insert(path, Some(content));
            }
        }
    }
    found
}

#[test]
fn a_store_that_is_not_there_yet_stays_so() {
    let world = World::of(Kind::Folder);
    let (code, report) = doctor(&world, &[], &[]);
    assert_eq!(code, Some(0), "{report:#}");
    let artifacts = check(&report, "artifacts");
    assert_eq!(artifacts["state"], "ok", "{report:#}");
    assert_eq!(tree(&world), BTreeMap::new());
    world.ok(&["runs", "create", "-x", "0"]);
    let before = tree(&world);
    doctor(&world, &[], &[]);
    assert_eq!(tree(&world), before);
}

#[test]
fn a_missing_store_behind_a_server_stays_so() {
    for more in [&[][..], &["--no-serve-artifacts"]] {
        let mut world = World::of(Kind::Folder);
        world.serve(more);
        let (code, report) = doctor(&world, &[], &[]);
        assert_eq!(code, Some(0), "{report:#}");
        let state = if more.is_empty() { "ok" } else { "warning" };
        assert_eq!(check(&report, "artifacts")["state"], state, "{report:#}");
        assert_eq!(tree(&world), BTreeMap::new(), "{report:#}");
        world.ok(&["runs", "create", "-x", "0"]);
    }
}

#[test]
fn output_that_cannot_be_written_is_no_success() {
    let world = World::of(Kind::Folder);
    world.ok(&["experiments", "create", "-n", "e"]);
    for arguments in [
        &["doctor", "--json"][..],
        &["doctor"],
        &["export", "archive", "-x", "0", "--json"],
        &["artifacts", "list", "-u", "archive", "--json"],
    ] {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let mut command = world.command(arguments);
        let output = command.stdout(full.unwrap()).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
    // Nobody reads: what is wrong is in the exit code all the same.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let arguments = ["doctor", "--tracking-uri", "sqlite:///no.db"];
    let output = world.command(&arguments).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_wrong_is_an_exit_code() {
    let world = World::of(Kind::Folder);
    let away = ["--tracking-uri", "http://ada:secret@127.0.0.1:9"];
    let (code, report) = doctor(&world, &away, &[("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")]);
    assert_eq!((code, &report["ok"]), (Some(1), &Value::from(false)));
    assert!(!report.to_string().contains("secret"), "{report:#}");
    let (code, report) = doctor(&world, &["--tracking-uri", "sqlite:///no.db"], &[]);
    assert_eq!(code, Some(1), "{report:#}");
    assert!(!world.path().join("no.db").exists());
    // An artifact root that cannot be written: a file is in its place.
    world.ok(&["experiments", "create", "-n", "e"]);
    let default = world.ok(&["experiments", "get", "-x", "0", "--json"]);
    let default: Value = serde_json::from_str(&default).unwrap();
    let root = default["experiment"]["artifact_location"].as_str().unwrap();
    let root = root.strip_prefix("file://").unwrap();
    let meta = std::fs::read_to_string(format!("{root}/meta.yaml")).unwrap();
    std::fs::write(world.path().join("file"), "").unwrap();
    let file = world.path().join("file/below");
    let meta = meta.replace(root, file.to_str().unwrap());
    std::fs::write(format!("{root}/meta.yaml"), meta).unwrap();
    let (code, report) = doctor(&world, &[], &[]);
    assert_eq!(code, Some(1), "{report:#}");
    assert_eq!(check(&report, "artifacts")["state"], "error");
}

#[test]
fn the_environment_is_shown_without_secrets() {
    let world = World::of(Kind::Folder);
    let pairs = [
        ("MLFLOW_TRACKING_PASSWORD", "hidden1"),
        ("AWS_SECRET_ACCESS_KEY", "hidden2"),
        ("MLFLOW_EXPERIMENT_NAME", "seen"),
    ];
    let (_, report) = doctor(&world, &[], &pairs);
    let environment = &report["environment"];
    assert_eq!(environment["MLFLOW_EXPERIMENT_NAME"], "seen");
    assert_eq!(environment["AWS_SECRET_ACCESS_KEY"], "***");
    assert!(!report.to_string().contains("hidden"));
    let output = world.command(&["doctor"]).envs(pairs).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("MLFLOW_TRACKING_PASSWORD=***"), "{text}");
    let (_, report) = doctor(&world, &["--mask-envs"], &pairs);
    assert_eq!(report["environment"]["MLFLOW_EXPERIMENT_NAME"], "***");
}

#[test]
fn completions_know_every_command() {
    let world = World::of(Kind::Folder);
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = world.ok(&["completions", shell]);
        for word in ["experiments", "compare", "doctor"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    world.fails(&["completions", "csh"], 2);
    let script = world.ok(&["completions", "bash"]);
    std::fs::write(world.path().join("script"), script).unwrap();
    // As bash asks for what follows `runledger runs com`.
    let asked = "source ./script; COMP_WORDS=(runledger runs com); COMP_CWORD=2; \
                 _runledger runledger com runs; echo \"${COMPREPLY[@]}\"";
    let bash = std::process::Command::new("bash")
        .args(["-c", asked])
        .current_dir(world.path())
        .output()
        .unwrap();
    let said = String::from_utf8(bash.stdout).unwrap();
    assert_eq!(
        said.trim(),
        "compare",
        "{:?}",
        String::from_utf8(bash.stderr)
    );
}

#[test]
fn every_command_has_a_manual_page() {
    let world = World::of(Kind::Folder);
    let page = world.ok(&["man"]);
    assert!(page.contains(".TH runledger 1"), "{page}");
    let said = world.ok(&["man", "pages"]);
    let count = std::fs::read_dir(world.path().join("pages"))
        .unwrap()
        .count();
    assert_eq!(said, format!("{count} pages are in pages.\n"));
    let page = world.path().join("pages/runledger-runs-compare.1");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("\\-\\-differing"), "{page}");
}
