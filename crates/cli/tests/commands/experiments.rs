//! `runledger experiments` in every kind of store.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::snapshot;
use super::world::{Kind, World};

/// Commands and what they print, as on a terminal.
fn session(world: &World, commands: &[&[&str]]) -> String {
    let mut text = String::new();
    for command in commands {
        let shown: Vec<_> = command
            .iter()
            .map(|word| {
                if word.contains(' ') {
                    format!("\"{word}\"")
                } else {
                    (*word).to_owned()
                }
            })
            .collect();
        text.extend(["$ runledger ", &shown.join(" "), "\n"]);
        text.push_str(&world.ok(command));
    }
    world.anywhere(&text)
}

/// The id of an experiment of this name, which folders and databases count
/// differently.
pub(crate) fn create(world: &World, name: &str) -> String {
    let made = world.ok(&["experiments", "create", "-n", name, "--json"]);
    let made: Value = serde_json::from_str(&made).unwrap();
    made["experiment"]["experiment_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[test]
fn experiments_are_made_found_and_changed_alike_everywhere() {
    for world in World::all() {
        let id = create(&world, "digits");
        let other = create(&world, "letters");
        let text = session(
            &world,
            &[
                &["experiments", "search", "--order-by", "name ASC"],
                &["experiments", "get", "-x", &id],
                &["experiments", "rename", "-x", &id, "--new-name", "numbers"],
                &["experiments", "get", "-n", "numbers", "--output", "json"],
                &["experiments", "delete", "-n", "letters"],
                &[
                    "experiments",
                    "list",
                    "--view",
                    "all",
                    "--order-by",
                    "name ASC",
                ],
                &["experiments", "list", "-v", "deleted_only", "--json"],
                &["experiments", "restore", "-n", "letters"],
                &["experiments", "search", "--filter", "name LIKE 'l%'"],
            ],
        );
        let ids = [(id.as_str(), "1"), (other.as_str(), "2")];
        let text = text.lines().fold(String::new(), |all, line| {
            all + &numbered(line, &ids) + "\n"
        });
        snapshot::assert("experiments", &text);
    }
}

/// A line with small numbers in the place of a folder's ids, which are random and
/// long.
fn numbered(line: &str, ids: &[(&str, &str)]) -> String {
    for (id, number) in [("ID", "ID"), ("0", "0")].iter().chain(ids) {
        if let Some(rest) = line.trim_start().strip_prefix(&format!("{id}  ")) {
            let rest = ids.iter().fold(rest.to_owned(), |rest, (id, number)| {
                rest.replace(id, number)
            });
            return format!("{number:>2}  {rest}");
        }
    }
    ids.iter().fold(line.to_owned(), |line, (id, number)| {
        line.replace(id, number)
    })
}

#[test]
fn tags_and_a_location_are_kept() {
    for world in World::all() {
        world.ok(&[
            "experiments",
            "create",
            "-n",
            "e",
            "-l",
            "s3://bucket/e",
            "-t",
            "team=a=b",
            "--tags",
            "owner=ada",
        ]);
        let text = world.ok(&["experiments", "get", "-n", "e"]);
        assert!(text.contains("Artifact Location  s3://bucket/e"), "{text}");
        assert!(text.contains("\nteam   a=b\n"), "{text}");
        let found = world.ok(&[
            "experiments",
            "search",
            "--filter-string",
            "tags.owner = 'ada'",
        ]);
        assert_eq!(found.lines().count(), 2, "{found}");
    }
}

#[test]
fn a_mistake_is_one_line_that_says_what_to_do() {
    for world in World::all() {
        world.ok(&["experiments", "create", "-n", "taken"]);
        let taken = world.fails(&["experiments", "create", "-n", "taken"], 1);
        assert!(taken.contains("choose another name"), "{taken}");
        let missing = world.fails(&["experiments", "get", "-x", "777"], 1);
        assert!(missing.contains("experiments search"), "{missing}");
        let missing = world.fails(&["experiments", "delete", "-n", "no"], 1);
        assert!(missing.contains("'no'"), "{missing}");
        let filter = world.fails(&["experiments", "search", "--filter", "nam = 'x'"], 2);
        assert!(filter.contains("'nam'"), "{filter}");
        world.fails(&["experiments", "get", "-x", "one"], 2);
        world.fails(&["experiments", "get"], 2);
        world.fails(&["experiments", "get", "-x", "0", "-n", "Default"], 2);
        world.fails(&["experiments", "search", "--view", "some"], 2);
    }
}

#[test]
fn reading_makes_nothing() {
    let world = World::of(Kind::Database);
    let said = world.fails(&["experiments", "search"], 1);
    assert!(said.contains("t.db"), "{said}");
    assert!(!world.path().join("t.db").exists());
    let world = World::of(Kind::Folder);
    assert!(world.ok(&["experiments", "search"]).contains("Default"));
    assert!(!world.path().join("mlruns").exists());
}

#[test]
fn names_cannot_write_to_the_terminal() {
    let world = World::of(Kind::Database);
    world.ok(&["experiments", "create", "-n", "a\u{1b}[2Jb\nc"]);
    let text = world.ok(&["experiments", "search"]);
    assert!(
        text.contains("a\\x1b[2Jb\\nc") && !text.contains('\u{1b}'),
        "{text}"
    );
    let said = world.fails(&["experiments", "create", "-n", "a\u{1b}[2Jb\nc"], 1);
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let world = World::of(Kind::Database);
    let id = create(&world, "many");
    let note = "n".repeat(4000);
    for _ in 0..40 {
        let tags = format!("note={note}");
        world.ok(&["runs", "create", "-x", &id, "--tags", &tags]);
    }
    // More than a pipe holds.
    let mut child = world
        .command(&["experiments", "csv", "-x", &id])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut reader = BufReader::with_capacity(16, child.stdout.take().unwrap());
    reader.read_line(&mut line).unwrap();
    drop(reader);
    assert!(line.starts_with("run_id,experiment_id,status,"), "{line}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_full_disk_is_an_error() {
    let world = World::of(Kind::Folder);
    let full = std::fs::File::options().write(true).open("/dev/full");
    let Ok(full) = full else {
        // Not a Linux; there is no such file.
        return;
    };
    let output = world
        .command(&["experiments", "search"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
}

/// The rows of a CSV by their columns.
fn rows(csv: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = csv.lines();
    let titles: Vec<_> = lines
        .next()
        .unwrap()
        .split(',')
        .map(str::to_owned)
        .collect();
    lines
        .map(|line| {
            let fields = line.split(',').map(str::to_owned);
            titles.iter().cloned().zip(fields).collect()
        })
        .collect()
}

#[test]
fn a_csv_has_all_runs_and_all_columns() {
    for world in World::all() {
        let id = create(&world, "csv");
        let empty = world.ok(&["experiments", "csv", "-x", &id]);
        assert_eq!(
            empty,
            "run_id,experiment_id,status,artifact_uri,start_time,end_time\n"
        );
        let first = world.ok(&["runs", "create", "-x", &id, "--run-name", "one"]);
        let gone = world.ok(&["runs", "create", "-x", &id]);
        world.ok(&["runs", "delete", "--run-id", gone.trim()]);
        world.ok(&[
            "runs",
            "log",
            "--run-id",
            first.trim(),
            "-m",
            "loss=1e20",
            "-m",
            "nan=nan",
            "-p",
            "lr=0.10",
            "-t",
            "q=say \"hi\", you",
        ]);
        let said = world.ok(&["experiments", "csv", "-x", &id, "-o", "out.csv"]);
        assert!(said.contains("CSV to file: out.csv"), "{said}");
        let csv = std::fs::read_to_string(world.path().join("out.csv")).unwrap();
        assert_eq!(csv, world.ok(&["experiments", "csv", "-x", &id]));
        assert!(csv.contains("\"say \"\"hi\"\", you\""), "{csv}");
        let rows = rows(&csv);
        assert_eq!(rows.len(), 1, "{csv}");
        let row = &rows[0];
        assert_eq!(row["run_id"], first.trim());
        assert_eq!(row["metrics.loss"], "1e+20");
        assert_eq!(row["metrics.nan"], "");
        assert_eq!(row["params.lr"], "0.10");
        assert_eq!(row["tags.mlflow.runName"], "one");
        assert!(row["start_time"].ends_with("+00:00"), "{csv}");
    }
}
