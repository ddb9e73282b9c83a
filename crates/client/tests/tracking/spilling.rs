//! While the tracker is away, what is logged goes to a file; it arrives once, in order,
//! from the same program or from a later one.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use runledger::entities::{Metric, RunId, RunStatus};
use runledger::spill::{self, SpillError};
use runledger::{Client, RestOptions, RestStore, Tracker, TrackingError};
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

    let [Ok(spilled)] = &spill::waiting(folder.path()).unwrap()[..] else {
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

/// Sends what waits in a folder, as `runledger sync` does.
fn sync(world: &World, folder: &TempDir) -> Vec<Result<spill::Sent, SpillError>> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::open(&world.uri()).await.unwrap();
        let mut sent = Vec::new();
        for spilled in spill::waiting(folder.path()).unwrap() {
            sent.push(spilled.unwrap().send(&client, |_| ()).await);
        }
        sent
    })
}

#[test]
fn params_alone_are_waited_for_too() {
    let mut world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let tracker = tracker(&world, &folder).with_patience(Duration::from_mins(1));
    let run = tracker.start_run().unwrap();
    world.stop();
    run.log_param("depth", 7).unwrap();
    world.start();
    let logger = run.logger();
    run.end().unwrap();
    assert!(files(&folder).is_empty(), "{:?}", files(&folder));
    let read = logger.get().unwrap();
    assert_eq!(read.data.params.len(), 1);
    assert_eq!(read.info.status, RunStatus::Finished);
}

#[test]
fn a_param_that_changes_meanwhile_is_told_and_takes_nothing_with_it() {
    let mut world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let tracker = tracker(&world, &folder).with_patience(Duration::from_mins(1));
    let run = tracker.start_run().unwrap();
    log(&run, 0..100);
    run.flush().unwrap();
    world.stop();
    run.log_param("depth", 7).unwrap();
    run.log_param("depth", 8).unwrap();
    log(&run, 100..POINTS);
    world.start();
    let logger = run.logger();
    let told = run.end().unwrap_err().to_string();
    assert!(told.contains("depth"), "{told}");
    check_all(&world, logger.run_id(), Kept::InDatabase);
    let read = logger.get().unwrap();
    assert_eq!(read.data.params[0].value, "7");
    assert_eq!(read.info.status, RunStatus::Finished);
    assert!(files(&folder).is_empty());
}

#[test]
fn what_is_refused_stays_in_its_file() {
    let mut world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let tracker = tracker(&world, &folder).with_patience(Duration::from_mins(1));
    let run = tracker.start_run().unwrap();
    log(&run, 0..100);
    run.flush().unwrap();
    world.stop();
    log(&run, 100..POINTS);
    wait_for("what is logged goes to a file", || {
        !files(&folder).is_empty()
    });
    world.start_without(run.run_id());
    let logger = run.logger();
    let told = run.end().unwrap_err();
    let TrackingError::MetricsLeft { path, .. } = &told else {
        panic!("{told}");
    };
    assert_eq!(files(&folder), std::slice::from_ref(path));
    assert!(sync(&world, &folder)[0].is_err());
    assert!(path.exists());

    let (client, id) = (tracker.client().clone(), logger.run_id().clone());
    let restoring = tokio::runtime::Runtime::new().unwrap();
    restoring.block_on(client.restore_run(&id)).unwrap();
    assert!(sync(&world, &folder)[0].is_ok());
    check_all(&world, &id, Kept::InDatabase);
    assert!(files(&folder).is_empty());
}

#[test]
fn a_run_that_goes_on_gets_what_was_left_first() {
    let mut world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let tracker = tracker(&world, &folder);
    let run = tracker.start_run().unwrap();
    let id = run.run_id().clone();
    world.stop();
    log(&run, 0..POINTS);
    run.end().unwrap();
    world.start();
    // The program that left it may be sending it just now.
    let resumed = loop {
        match tracker.resume_run(&id) {
            Err(TrackingError::Spill(SpillError::InUse { .. })) => {
                std::thread::sleep(Duration::from_millis(100));
            }
            resumed => break resumed.unwrap(),
        }
    };
    assert!(files(&folder).is_empty());
    check_all(&world, &id, Kept::InDatabase);
    assert_eq!(resumed.get().unwrap().info.status, RunStatus::Running);
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
    // Nothing waits for metrics, so that the end is what cannot be sent or kept.
    let begin = Instant::now();
    let error = run.end().unwrap_err().to_string();
    assert!(error.contains("gave no answer"), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(30));
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
}

#[test]
fn a_file_that_cannot_be_read_holds_up_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let good = "{\"runledger_spill\": 1, \"run_id\": \"r\", \"tracking_uri\": \"http://h\"}\n";
    for (name, text) in [
        ("bad", "{}\n"),
        ("good", good),
        ("newer", "{\"runledger_spill\": 2}\n"),
    ] {
        fs::write(folder.path().join(format!("{name}.spill")), text).unwrap();
    }
    let found = spill::waiting(folder.path()).unwrap();
    let read: Vec<_> = found
        .iter()
        .flatten()
        .map(|it| it.run_id().as_str())
        .collect();
    assert_eq!((found.len(), read), (3, vec!["r"]));
    let errors = found.into_iter().filter_map(Result::err);
    let errors: Vec<_> = errors.map(|error| error.to_string()).collect();
    assert!(
        errors.iter().any(|error| error.contains("bad.spill")),
        "{errors:?}"
    );
}
