//! `runledger export` and `runledger import` between stores of every kind.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::experiments::create;
use super::world::{Kind, World};

/// A parent with a child, params, tags, a history and artifacts.
fn fill(world: &World) -> (String, String) {
    let x = create(world, "moved");
    let run = |name: &str, more: &[&str]| {
        let arguments = [
            &[
                "runs",
                "create",
                "-x",
                &x,
                "--run-name",
                name,
                "--status",
                "running",
            ][..],
            more,
        ]
        .concat();
        world.ok(&arguments).trim().to_owned()
    };
    let parent = run("parent", &["-t", "team=a, b"]);
    std::thread::sleep(std::time::Duration::from_millis(2));
    let child = run("child", &["--parent-run-id", &parent]);
    for (step, loss) in [("0", "loss=2"), ("1", "loss=nan"), ("2", "loss=1e-7")] {
        world.ok(&[
            "runs",
            "log",
            "--run-id",
            &parent,
            "-m",
            loss,
            "--step",
            step,
            "--timestamp",
            "1000",
        ]);
    }
    world.ok(&["runs", "log", "--run-id", &parent, "-p", "depth=7"]);
    fs::create_dir_all(world.path().join("files/d")).unwrap();
    fs::write(world.path().join("files/a.txt"), "a").unwrap();
    fs::write(world.path().join("files/d/b.bin"), vec![7; 100_000]).unwrap();
    world.ok(&["artifacts", "upload", "-l", "files", "-r", &parent]);
    for run in [&parent, &child] {
        world.ok(&["runs", "update", "--run-id", run, "--status", "failed"]);
    }
    (parent, child)
}

fn runs(world: &World) -> Vec<Value> {
    let found = world.ok(&[
        "runs",
        "search",
        "-n",
        "moved",
        "--order-by",
        "start_time ASC",
        "--json",
    ]);
    let found: Value = serde_json::from_str(&found).unwrap();
    found["runs"].as_array().cloned().unwrap_or_default()
}

fn tag(run: &Value, key: &str) -> Option<String> {
    let tags = run["data"]["tags"].as_array()?;
    let tag = tags.iter().find(|tag| tag["key"] == key)?;
    Some(tag["value"].as_str()?.to_owned())
}

/// What a run is, whatever its id.
fn without_ids(run: &Value) -> Value {
    let mut run = run.clone();
    let info = run["info"].as_object_mut().unwrap();
    for key in ["run_id", "run_uuid", "experiment_id", "artifact_uri"] {
        info.remove(key);
    }
    let tags = run["data"]["tags"].as_array_mut().unwrap();
    tags.retain(|tag| {
        tag["key"] != "runledger.import.run_id" && tag["key"] != "mlflow.parentRunId"
    });
    run
}

fn done(text: &str) -> [u64; 4] {
    let done: Value = serde_json::from_str(text).unwrap();
    ["runs", "runs_before", "points", "files"].map(|name| done[name].as_u64().unwrap())
}

#[test]
fn experiments_go_from_every_store_into_every_other() {
    let kinds = [Kind::Folder, Kind::Database, Kind::Server];
    for (from, into) in kinds.into_iter().zip(kinds.into_iter().cycle().skip(1)) {
        let (source, target) = (World::of(from), World::of(into));
        let (parent, _) = fill(&source);
        let archive = source.path().join("archive");
        let archive = archive.to_str().unwrap();
        let export = ["export", archive, "-n", "moved", "--json"];
        assert_eq!(done(&source.ok(&export)), [2, 0, 3, 2]);
        assert_eq!(done(&source.ok(&export)), [0, 2, 0, 0], "nothing changed");
        let import = ["import", archive, "--json"];
        assert_eq!(done(&target.ok(&import)), [2, 0, 3, 2]);
        assert_eq!(done(&target.ok(&import)), [0, 2, 0, 0], "all is there");
        let (before, after) = (runs(&source), runs(&target));
        assert_eq!(after.len(), 2);
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(without_ids(before), without_ids(after));
        }
        let new = after[0]["info"]["run_id"].as_str().unwrap();
        assert_eq!(tag(&after[0], "runledger.import.run_id"), Some(parent));
        assert_eq!(tag(&after[1], "mlflow.parentRunId").as_deref(), Some(new));
        target.ok(&["artifacts", "download", "-r", new, "-d", "got"]);
        for name in ["a.txt", "d/b.bin"] {
            let read = |path: &Path| fs::read(path.join(name)).unwrap();
            let (sent, got) = (source.path().join("files"), target.path().join("got"));
            assert_eq!(read(&sent), read(&got), "{name}");
        }
        // The whole history came over, point by point.
        let again = target.path().join("again");
        target.ok(&["export", again.to_str().unwrap(), "-n", "moved"]);
        let history = |archive: &Path| {
            let mut lines = Vec::new();
            for experiment in archive.read_dir().unwrap() {
                for run in experiment.unwrap().path().join("runs").read_dir().unwrap() {
                    let text = fs::read_to_string(run.unwrap().path().join("metrics.ndjson"));
                    lines.extend(text.unwrap().lines().map(str::to_owned));
                }
            }
            lines
        };
        let lines = history(Path::new(archive));
        assert_eq!(lines, history(&again));
        assert!(
            lines.iter().any(|line| line.contains("\"NaN\"")),
            "{lines:?}"
        );
    }
}

#[test]
fn an_import_that_was_cut_short_begins_its_run_anew() {
    let (source, target) = (World::of(Kind::Database), World::of(Kind::Folder));
    fill(&source);
    let archive = source.path().join("archive");
    let archive = archive.to_str().unwrap();
    source.ok(&["export", archive, "-n", "moved"]);
    // The file of a run's points breaks off.
    let experiment = fs::read_dir(archive)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let broken: Vec<_> = fs::read_dir(experiment.join("runs"))
        .unwrap()
        .map(|run| run.unwrap().path().join("metrics.ndjson"))
        .filter(|path| fs::metadata(path).unwrap().len() > 0)
        .collect();
    let whole = fs::read_to_string(&broken[0]).unwrap();
    fs::write(&broken[0], &whole[..whole.len() - 10]).unwrap();
    let said = target.fails(&["import", archive], 1);
    assert!(said.contains("metrics.ndjson"), "{said}");
    fs::write(&broken[0], whole).unwrap();
    assert_eq!(
        done(&target.ok(&["import", archive, "--json"])),
        [2, 0, 3, 2]
    );
    let names: Vec<_> = runs(&target)
        .iter()
        .map(|run| run["info"]["run_name"].clone())
        .collect();
    assert_eq!(names, ["parent", "child"]);
    target.fails(&["import", "no-such-folder"], 1);
}

/// CRC-32C, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0x82f6_3b78 & (sum & 1).wrapping_neg());
        }
    }
    (!sum).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn record(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(crc(&length).to_le_bytes());
    record.extend(content);
    record.extend(crc(content).to_le_bytes());
    record
}

/// An event with one scalar, as TensorFlow's protobuf has it.
fn event(seconds: f64, step: u8, tag: &str, value: f32) -> Vec<u8> {
    let part = |number: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[(number << 3) | 2, length], content].concat()
    };
    let mut scalar = part(1, tag.as_bytes());
    scalar.push(0x15);
    scalar.extend(value.to_le_bytes());
    let mut event = vec![0x09];
    event.extend(seconds.to_le_bytes());
    event.extend([0x10, step]);
    event.extend(part(5, &part(1, &scalar)));
    record(&event)
}

#[test]
fn event_files_of_tensorboard_become_runs() {
    for world in World::all() {
        let logs = world.path().join("logs");
        fs::create_dir_all(logs.join("train")).unwrap();
        fs::create_dir_all(logs.join("eval")).unwrap();
        let mut train = Vec::new();
        for step in 0..5 {
            train.extend(event(
                1_767_225_600.0 + f64::from(step),
                step,
                "epoch/loss",
                1.0 / f32::from(step + 1),
            ));
        }
        // A writer that still writes.
        let half = event(1_767_225_700.0, 9, "epoch/loss", 9.0);
        train.extend(&half[..half.len() - 3]);
        fs::write(logs.join("train/events.out.tfevents.1.host"), train).unwrap();
        let mut eval = event(1_767_225_601.0, 1, "epoch loss (mean)", 0.5);
        let mut damaged = event(1_767_225_602.0, 2, "epoch loss (mean)", 0.25);
        let last = damaged.len() - 6;
        damaged[last] ^= 1;
        eval.extend(damaged);
        fs::write(logs.join("eval/events.out.tfevents.1.host"), eval).unwrap();
        let import = ["import", "--tensorboard", "logs", "-n", "moved", "--json"];
        let text = world.ok(&import);
        assert_eq!(done(&text), [2, 0, 6, 0]);
        assert!(text.contains("damaged"), "{text}");
        assert_eq!(done(&world.ok(&import))[..2], [0, 2]);
        let runs = runs(&world);
        let train = runs
            .iter()
            .find(|run| run["info"]["run_name"] == "train")
            .unwrap();
        assert_eq!(train["info"]["status"], "FINISHED");
        assert_eq!(train["info"]["start_time"], 1_767_225_600_000_i64);
        assert_eq!(train["info"]["end_time"], 1_767_225_604_000_i64);
        let metric = &train["data"]["metrics"][0];
        assert_eq!(
            (metric["key"].as_str(), metric["step"].as_i64()),
            (Some("epoch/loss"), Some(4))
        );
        let eval = runs
            .iter()
            .find(|run| run["info"]["run_name"] == "eval")
            .unwrap();
        assert_eq!(eval["data"]["metrics"][0]["key"], "epoch loss _mean_");
        world.fails(&["import", "--tensorboard", "logs"], 2);
    }
}
