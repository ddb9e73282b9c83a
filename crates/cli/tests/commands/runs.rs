//! `runledger runs` in every kind of store.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::experiments::create;
use super::snapshot;
use super::world::{Kind, World};

/// A run of this name with a loss, newer than those before it.
fn run(world: &World, experiment: &str, name: &str, loss: &str, more: &[&str]) -> String {
    // Start times are milliseconds.
    thread::sleep(Duration::from_millis(2));
    let id = world.run(experiment, name);
    let loss = format!("loss={loss}");
    let arguments = [
        &["runs", "log", "--run-id", &id, "-m", &loss, "--step", "3"],
        more,
    ]
    .concat();
    world.ok(&arguments);
    id
}

fn session(world: &World, commands: &[Vec<&str>]) -> String {
    let mut text = String::new();
    for command in commands {
        let shown: Vec<_> = command.iter().map(|word| quoted(word)).collect();
        text.extend(["$ runledger ", &shown.join(" "), "\n"]);
        text.push_str(&world.ok(command));
    }
    world.anywhere(&text)
}

fn quoted(word: &str) -> String {
    if word.contains(' ') {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}

#[test]
fn runs_are_made_found_and_shown_alike_everywhere() {
    for world in World::all() {
        let x = create(&world, "digits");
        let deep = run(
            &world,
            &x,
            "deep",
            "0.25",
            &["-p", "depth=7", "-m", "acc=0.875"],
        );
        let more = ["-p", "depth=3", "-t", "team=vision", "-m", "acc=0.75"];
        let flat = run(&world, &x, "flat", "0.5", &more);
        world.ok(&["runs", "update", "--run-id", &deep, "--status", "finished"]);
        let last = run(&world, &x, "last", "nan", &[]);
        world.ok(&["runs", "update", "--run-id", &last, "--status", "FAILED"]);
        let by_loss = [
            "--filter-string",
            "params.depth != '9'",
            "--order-by",
            "metrics.loss DESC",
        ];
        let text = session(
            &world,
            &[
                vec!["runs", "list", "-x", &x],
                [&["runs", "search", "-n", "digits"][..], &by_loss].concat(),
                vec![
                    "runs",
                    "search",
                    "--columns",
                    "metrics.acc,user_id",
                    "--max-results",
                    "2",
                ],
                vec!["runs", "describe", "--run-id", &flat],
                vec!["runs", "compare", &deep, &flat],
                vec!["runs", "compare", &deep, &flat, "--differing"],
                vec!["runs", "describe", "--run-id", &deep, "--json"],
                vec!["runs", "delete", "--run-id", &deep],
                vec!["runs", "list", "-x", &x, "--view", "deleted_only"],
                vec!["runs", "restore", "--run-id", &deep],
            ],
        );
        let text = text.replace(&x, "1");
        // Only a server has pages.
        let text: String = text
            .lines()
            .filter(|line| !line.starts_with("  Page"))
            .fold(String::new(), |all, line| all + line + "\n");
        snapshot::assert("runs", &text);
    }
}

#[test]
fn what_was_logged_is_there() {
    for world in World::all() {
        let x = create(&world, "e");
        let parent = run(&world, &x, "parent", "1", &[]);
        let made = world.ok(&[
            "runs",
            "create",
            "-n",
            "e",
            "--run-name",
            "child",
            "--description",
            "a b",
            "-t",
            "k=v=w",
            "--parent-run-id",
            &parent,
            "--status",
            "killed",
            "--json",
        ]);
        let made: Value = serde_json::from_str(&made).unwrap();
        let run = &made["run"];
        assert_eq!(run["info"]["status"], "KILLED");
        assert!(run["info"]["end_time"].is_i64(), "{run}");
        assert_eq!(run["info"]["user_id"], "ada");
        let tag = |key: &str| {
            let tags = run["data"]["tags"].as_array().unwrap();
            let tag = tags.iter().find(|tag| tag["key"] == key).unwrap();
            tag["value"].as_str().unwrap().to_owned()
        };
        assert_eq!(tag("mlflow.parentRunId"), parent);
        assert_eq!(tag("mlflow.note.content"), "a b");
        assert_eq!(tag("k"), "v=w");
        let log = [
            "runs",
            "log",
            "--run-id",
            &parent,
            "-m",
            "a/b=-inf",
            "-m",
            "x=2",
            "--step",
            "-1",
            "--timestamp",
            "5",
            "-p",
            "empty=",
            "--json",
        ];
        let logged: Value = serde_json::from_str(&world.ok(&log)).unwrap();
        let metrics = logged["run"]["data"]["metrics"].as_array().unwrap();
        let x = metrics.iter().find(|metric| metric["key"] == "x").unwrap();
        assert_eq!(
            (&x["value"], &x["step"], &x["timestamp"]),
            (&2.0.into(), &(-1).into(), &5.into())
        );
        let text = world.ok(&["runs", "describe", "--run-id", &parent]);
        assert!(text.contains("a/b") && text.contains("empty"), "{text}");
    }
}

#[test]
fn the_environment_names_the_experiment_and_the_run() {
    let world = World::of(Kind::Database);
    create(&world, "e");
    let output = world
        .command(&["runs", "create"])
        .env("MLFLOW_EXPERIMENT_NAME", "e")
        .output()
        .unwrap();
    let id = String::from_utf8(output.stdout).unwrap();
    let logged = world
        .command(&["runs", "log", "-m", "a=1"])
        .env("MLFLOW_RUN_ID", id.trim())
        .status()
        .unwrap();
    assert!(logged.success());
    let said = world.fails(&["runs", "create"], 2);
    assert!(said.contains("--experiment-name"), "{said}");
}

#[test]
fn a_mistake_is_one_line_that_says_what_to_do() {
    for world in World::all() {
        let x = create(&world, "e");
        let id = run(&world, &x, "r", "1", &["-p", "p=1"]);
        let missing = world.fails(&["runs", "describe", "--run-id", "no"], 1);
        assert!(missing.contains("runs search"), "{missing}");
        let changed = world.fails(&["runs", "log", "--run-id", &id, "-p", "p=2"], 1);
        assert!(changed.contains("another name"), "{changed}");
        world.fails(&["runs", "log", "--run-id", &id, "-m", "m=x"], 2);
        world.fails(&["runs", "log", "--run-id", &id, "-p", "nothing"], 2);
        world.fails(&["runs", "log", "--run-id", &id], 2);
        world.fails(&["runs", "log", "--run-id", &id, "-p", "a&b=1"], 2);
        world.fails(
            &["runs", "update", "--run-id", &id, "--status", "asleep"],
            2,
        );
        world.fails(&["runs", "search", "--filter", "metrics.loss <"], 2);
        world.fails(&["runs", "search", "--columns", "metrics"], 2);
        world.fails(&["runs", "search", "-x", "777"], 1);
        world.fails(&["runs", "compare", &id], 2);
        world.ok(&["runs", "delete", "--run-id", &id]);
        let deleted = world.fails(&["runs", "log", "--run-id", &id, "-m", "m=1"], 1);
        assert!(deleted.contains("runs restore"), "{deleted}");
        world.ok(&["experiments", "delete", "-x", &x]);
        let deleted = world.fails(&["runs", "create", "-x", &x], 1);
        assert!(deleted.contains("experiments restore"), "{deleted}");
    }
}

#[test]
fn what_differs_is_told_by_values_and_numbers_are_whole_in_a_pipe() {
    for world in World::all() {
        let x = create(&world, "e");
        let same = ["-m", "same=nan"];
        let one = run(&world, &x, "one", "0.123456789", &same);
        let two = run(&world, &x, "two", "0.123456788", &same);
        let found = world.ok(&["runs", "compare", &one, &two, "--differing"]);
        assert!(
            found.contains("0.123456789") && found.contains("0.123456788"),
            "{found}"
        );
        assert!(!found.contains("same"), "{found}");
        let found = world.ok(&["runs", "search", "-x", &x, "--columns", "metrics.loss"]);
        assert!(found.contains("0.123456789"), "{found}");
        let found = world.ok(&["runs", "describe", "--run-id", &one]);
        assert!(found.contains("0.123456789"), "{found}");
    }
}

#[test]
fn a_search_says_that_there_are_more() {
    for world in World::all() {
        let x = create(&world, "e");
        run(&world, &x, "one", "1", &[]);
        run(&world, &x, "two", "2", &[]);
        for what in ["experiments", "runs"] {
            for json in [&[][..], &["--json"]] {
                let arguments = [&[what, "search", "--max-results", "1"][..], json].concat();
                let said = String::from_utf8(world.output(&arguments).stderr).unwrap();
                assert!(said.contains(&format!("more {what}")), "{said}");
                let arguments = [&[what, "search", "--max-results", "2"][..], json].concat();
                let output = world.output(&arguments);
                assert!(output.stderr.is_empty(), "{:?}", output.stderr);
            }
        }
    }
}

#[test]
fn only_a_server_has_pages() {
    for world in World::all() {
        let x = create(&world, "e");
        let id = run(&world, &x, "r", "1", &[]);
        let link = ["runs", "link", "--run-id", &id];
        if world.kind == Kind::Server {
            let page = world.ok(&link);
            assert_eq!(page, format!("{}/#/experiments/{x}/runs/{id}\n", world.uri));
        } else {
            let said = world.fails(&link, 1);
            assert!(said.contains("runledger server"), "{said}");
        }
    }
}

#[test]
fn a_server_that_is_away_is_one_line_soon() {
    let world = World::of(Kind::Folder);
    let uri = "http://ada:secret@127.0.0.1:9";
    let output = world
        .command(&["runs", "list", "--tracking-uri", uri])
        .env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains("127.0.0.1:9") && !said.contains("secret"),
        "{said}"
    );
}
