//! While the tracker is away, what is logged goes to a file; it arrives once, in order,
//! from the same program or from a later one.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use runledger::entities::{Metric, RunId, RunStatus};
use runledger::spill::{self, SpillError};
use runledger::{Client, RestOptions, RestStore, Tracker};
use tempfile::TempDir;

use crate::world::{Kept, World};

/// More than the queue holds.
const POINTS: i64 = 25_000;
const BEGIN: i64 = 1_700_000_000_000;

fn tracker(world: &World, folder: &TempDir) -> Tracker {
    let options = RestOptions {
        max_retries: 1,
        backoff_factor: Duration::from_millis(1),
        backoff_jitter: Duration::from_millis(1),
        ..RestOptions::default()
    };
    Tracker::of_server(RestStore::new(&world.uri(), options).unwrap())
        .spilling_to(folder.path())
        .with_patience(Duration::from_secs(1))
}

fn log(run: &runledger::RunLogger, steps: std::ops::Range<i64>) {
    for step in steps {
        let point = Metric::new("loss", 0.5, BEGIN + step, step);
        run.log_point(point).unwrap();
    }
}

fn files(folder: &TempDir) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn wait_for(what: &str, is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_mins(1), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn check_all(world: &World, run: &RunId, kept: Kept) {
    let history = world.history(run, "loss");
    let steps = history.iter().map(|point| point.step);
    assert!(steps.eq(0..POINTS), "{kept:?}: {} points", history.len());
}

fn through_an_absence(kept: Kept) {
    let mut world = World::new(kept);
    let folder = tempfile::tempdir().unwrap();
    let run = tracker(&world, &folder).start_run().unwrap();
    log(&run, 0..5_000);
    world.stop();
    // The queue has room for 10,000: more go on without waiting for the server only
    // because they are in a file.
    log(&run, 5_000..20_000);
    run.log_param("depth", 7).unwrap();
    run.set_tag("team", "a").unwrap();
    assert!(!files(&folder).is_empty());
    world.start();
    log(&run, 20_000..POINTS);
    run.flush().unwrap();
    assert!(files(&folder).is_empty(), "{:?}", files(&folder));
    let logger = run.logger();
    run.end().unwrap();

    check_all(&world, logger.run_id(), kept);
    let read = logger.get().unwrap();
    assert_eq!(read.info.status, RunStatus::Finished);
    assert_eq!(read.data.params.len(), 1);
    assert!(read.data.tags.iter().any(|tag| tag.key == "team"));
}

#[test]
fn a_run_goes_on_into_a_file_and_out_of_it() {
    through_an_absence(Kept::InDatabase);
    through_an_absence(Kept::InFolder);
}

fn left_at_the_end(kept: Kept) {
    let mut world = World::new(kept);
    let folder = tempfile::tempdir().unwrap();
    let run = tracker(&world, &folder).start_run().unwrap();
    log(&run, 0..5_000);
    world.stop();
    log(&run, 5_000..POINTS);
    let logger = run.logger();
    run.end().unwrap();

    let [spilled] = &spill::waiting(folder.path()).unwrap()[..] else {
        panic!("not one file");
    };
    assert_eq!(spilled.run_id(), logger.run_id());
    assert_eq!(spilled.tracking_uri(), world.uri());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let refused = runtime.block_on(async {
        let client = Client::open(&world.uri()).await.unwrap();
        spilled.send(&client, |_| ()).await
    });
    assert!(
        matches!(refused, Err(SpillError::InUse { .. })),
        "{refused:?}"
    );

    // While its program lives, nobody needs to send it.
    world.start();
    wait_for("the run sends its file", || files(&folder).is_empty());
    check_all(&world, logger.run_id(), kept);
    assert_eq!(logger.get().unwrap().info.status, RunStatus::Finished);
}

#[test]
fn what_is_left_at_the_end_arrives_while_the_program_lives() {
    left_at_the_end(Kept::InDatabase);
    left_at_the_end(Kept::InFolder);
}

#[test]
fn where_nothing_can_be_kept_the_end_tells_what_is_lost() {
    let mut world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let run = tracker(&world, &folder)
        .spilling_to(&file)
        .start_run()
        .unwrap();
    world.stop();
    let error = run.log_param("depth", 7).unwrap_err().to_string();
    assert!(
        error.contains("cannot be kept") && error.contains(file.to_str().unwrap()),
        "{error}"
    );
}

#[test]
fn files_of_others_are_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        spill::waiting(&folder.path().join("none"))
            .unwrap()
            .is_empty()
    );
    fs::write(folder.path().join("notes.txt"), "x").unwrap();
    fs::write(folder.path().join("begun.spill"), "{\"runledger_sp").unwrap();
    assert!(spill::waiting(folder.path()).unwrap().is_empty());
    fs::write(folder.path().join("other.spill"), "{}\n").unwrap();
    let error = spill::waiting(folder.path()).unwrap_err().to_string();
    assert!(error.contains("other.spill"), "{error}");
}
