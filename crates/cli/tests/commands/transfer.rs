//! `runledger export` and `runledger import` between stores of every kind.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::experiments::create;
use super::world::{Kind, World};

/// A parent with a child, params, tags, a history and artifacts.
pub(crate) fn fill(world: &World) -> (String, String) {
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

pub(crate) fn done(text: &str) -> [u64; 4] {
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
        assert_eq!(done(&source.ok(&export)), [2, 0, 3, 2], "as it is now");
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

/// The folder of a run in an archive.
fn folder(archive: &Path, run: &str) -> PathBuf {
    let experiments = archive.read_dir().unwrap();
    let mut runs = experiments.map(|found| found.unwrap().path().join("runs").join(run));
    runs.find(|path| path.is_dir()).unwrap()
}

#[test]
fn an_export_is_as_the_store_is_and_goes_on_only_if_it_was_cut_short() {
    for world in World::all() {
        let (parent, child) = fill(&world);
        let archive = world.path().join("archive");
        let export = ["export", "archive", "-n", "moved", "--json"];
        let without = [&export[..], &["--no-artifacts"]].concat();
        assert_eq!(done(&world.ok(&without)), [2, 0, 3, 0]);
        // Their JSON is equal, and yet there are artifacts now.
        assert_eq!(done(&world.ok(&export)), [2, 0, 3, 2]);
        let files = folder(&archive, &parent).join("artifacts");
        assert!(files.join("d/b.bin").exists());
        // What is no longer in the store is no longer in the archive.
        fs::write(files.join("gone"), "").unwrap();
        world.ok(&export);
        assert!(files.join("a.txt").exists() && !files.join("gone").exists());
        // An export that was cut short after the child.
        let experiment = files.ancestors().nth(3).unwrap();
        fs::write(
            experiment.join("unfinished"),
            format!("with artifacts\n{child}\n"),
        )
        .unwrap();
        assert_eq!(done(&world.ok(&export)), [1, 1, 3, 2]);
        assert!(!experiment.join("unfinished").exists());
    }
}

#[test]
fn experiments_of_two_stores_do_not_mix() {
    let archive = tempfile::tempdir().unwrap();
    let archive = archive.path().to_str().unwrap();
    let (one, other) = (World::of(Kind::Database), World::of(Kind::Database));
    let (parent, _) = fill(&one);
    fill(&other);
    one.ok(&["export", archive, "-n", "moved"]);
    let said = other.fails(&["export", archive, "-n", "moved"], 1);
    assert!(said.contains("another folder"), "{said}");
    // By its id and by its name it is one.
    one.ok(&[
        "experiments",
        "rename",
        "-n",
        "moved",
        "--new-name",
        "named",
    ]);
    let export = ["export", archive, "-x", "1", "-n", "named", "--json"];
    assert_eq!(done(&one.ok(&export)), [2, 0, 3, 2]);
    assert!(
        folder(Path::new(archive), &parent)
            .join("run.json")
            .exists()
    );
}

#[test]
fn children_follow_parents_that_are_younger_or_elsewhere() {
    let (source, target) = (World::of(Kind::Database), World::of(Kind::Folder));
    let (x, y) = (create(&source, "moved"), create(&source, "second"));
    let child = source.run(&x, "child");
    let other = source.run(&y, "other");
    std::thread::sleep(std::time::Duration::from_millis(2));
    let parent = source.run(&y, "parent");
    for run in [&child, &other] {
        let tag = format!("mlflow.parentRunId={parent}");
        source.ok(&["runs", "log", "--run-id", run, "-t", &tag]);
    }
    source.ok(&["export", "archive", "-x", &x, "-x", &y]);
    let archive = source.path().join("archive");
    let parents = || {
        ["moved", "second"].map(|name| {
            let found = target.ok(&["runs", "search", "-n", name, "--json"]);
            let found: Value = serde_json::from_str(&found).unwrap();
            let runs = found["runs"].as_array().unwrap();
            let named = |name: &str| {
                let named = runs.iter().find(|run| run["info"]["run_name"] == name);
                named.cloned()
            };
            let child = named("child").or_else(|| named("other")).unwrap();
            let parent = named("parent").map(|run| run["info"]["run_id"].clone());
            (tag(&child, "mlflow.parentRunId").unwrap(), parent)
        })
    };
    // The parent's experiment is not there yet.
    let second = archive.join(&y);
    let aside = source.path().join("aside");
    fs::rename(&second, &aside).unwrap();
    let archive = archive.to_str().unwrap();
    target.ok(&["import", archive]);
    fs::rename(&aside, &second).unwrap();
    target.ok(&["import", archive]);
    let [(of_child, _), (of_other, new)] = parents();
    let new = new.unwrap();
    assert_eq!(
        (&*of_child, &*of_other),
        (new.as_str().unwrap(), new.as_str().unwrap())
    );
    assert_ne!(new, parent.as_str());
}

#[test]
fn links_in_an_archive_are_refused() {
    let (source, target) = (World::of(Kind::Database), World::of(Kind::Folder));
    let (parent, _) = fill(&source);
    let archive = source.path().join("archive");
    source.ok(&["export", "archive", "-n", "moved"]);
    let run = folder(&archive, &parent);
    let secret = source.path().join("secret");
    fs::write(&secret, "secret").unwrap();
    let import = ["import", archive.to_str().unwrap()];
    for name in [
        "artifacts/link",
        "artifacts/d",
        "artifacts",
        "metrics.ndjson",
    ] {
        let (path, aside) = (run.join(name), source.path().join("aside"));
        let is_there = path.exists();
        if is_there {
            fs::rename(&path, &aside).unwrap();
        }
        let to = if is_there { &aside } else { &secret };
        std::os::unix::fs::symlink(to, &path).unwrap();
        let said = target.fails(&import, 1);
        assert!(said.contains("symbolic link"), "{name}: {said}");
        fs::remove_file(&path).unwrap();
        if is_there {
            fs::rename(&aside, &path).unwrap();
        }
    }
    target.ok(&import);
}

#[test]
fn a_point_without_a_value_is_refused() {
    let (source, target) = (World::of(Kind::Database), World::of(Kind::Folder));
    let (parent, _) = fill(&source);
    let archive = source.path().join("archive");
    source.ok(&["export", "archive", "-n", "moved"]);
    let path = folder(&archive, &parent).join("metrics.ndjson");
    let import = ["import", archive.to_str().unwrap()];
    let whole = fs::read_to_string(&path).unwrap();
    for member in ["key", "value", "timestamp"] {
        let mut lines: Vec<Value> = whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        lines[1].as_object_mut().unwrap().remove(member);
        let lines: Vec<_> = lines.iter().map(Value::to_string).collect();
        fs::write(&path, lines.join("\n")).unwrap();
        let said = target.fails(&import, 1);
        assert!(
            said.contains("metrics.ndjson, line 2") && said.contains(member),
            "{said}"
        );
    }
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
        // Wherever it is, it is the same; another folder of its name is not.
        fs::rename(&logs, world.path().join("elsewhere")).unwrap();
        let import = [
            "import",
            "--tensorboard",
            "elsewhere",
            "-n",
            "moved",
            "--json",
        ];
        assert_eq!(done(&world.ok(&import))[..2], [0, 2]);
        let import = import.map(|word| match word {
            "elsewhere" => "elsewhere/train",
            word => word,
        });
        assert_eq!(done(&world.ok(&import))[..2], [0, 1], "one of its folders");
        fs::create_dir_all(logs.join("train")).unwrap();
        let other = logs.join("train/events.out.tfevents.2.host");
        fs::write(other, event(1_767_225_600.0, 1, "epoch/loss", 1.0)).unwrap();
        let import = ["import", "--tensorboard", "logs", "-n", "moved", "--json"];
        assert_eq!(done(&world.ok(&import))[..2], [1, 0]);
    }
}

#[test]
fn tags_of_tensorboard_are_not_merged_nor_lost() {
    let world = World::of(Kind::Database);
    fs::create_dir_all(world.path().join("logs")).unwrap();
    let mut events = Vec::new();
    for tag in ["loss(train)", "loss[train]", "..", "loss(train)", ".."] {
        events.extend(event(1_767_225_600.0, 1, tag, 1.0));
    }
    let path = world.path().join("logs/events.out.tfevents.1.host");
    fs::write(path, events).unwrap();
    let text = world.ok(&["import", "--tensorboard", "logs", "-n", "moved", "--json"]);
    assert_eq!(done(&text), [1, 0, 3, 0]);
    assert_eq!(text.matches("the tag '..'").count(), 1, "{text}");
    let run = &runs(&world)[0];
    let metrics = run["data"]["metrics"].as_array().unwrap();
    let keys: Vec<_> = metrics
        .iter()
        .map(|metric| metric["key"].as_str())
        .collect();
    assert_eq!(keys, [Some("loss_train_"), Some("loss_train__2")]);
}
