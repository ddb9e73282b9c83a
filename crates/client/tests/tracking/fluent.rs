//! Runs and their guards, the same on a server, a database and a folder.

use runledger::entities::{Metric, Run, RunId, RunStatus, Tag};
use runledger::{RunOptions, Tracker, TrackingError, active_run, last_active_run};

use crate::world::{Kept, World, database};

/// Does something with a tracker of each kind.
pub(crate) fn everywhere(check: impl Fn(&Tracker)) {
    let world = World::new(Kept::InDatabase);
    check(&Tracker::open(&world.uri()).unwrap());
    let folder = tempfile::tempdir().unwrap();
    check(&Tracker::open(&database(&folder)).unwrap());
    let mlruns = folder.path().join("mlruns");
    check(&Tracker::open(&mlruns.display().to_string()).unwrap());
}

pub(crate) fn tag<'a>(run: &'a Run, key: &str) -> Option<&'a str> {
    let mut tags = run.data.tags.iter();
    let tag = tags.find(|tag| tag.key == key)?;
    Some(&tag.value)
}

pub(crate) fn get(tracker: &Tracker, id: &RunId) -> Run {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(tracker.client().get_run(id)).unwrap()
}

#[test]
fn a_run_has_what_was_logged_to_it() {
    everywhere(|tracker| {
        let experiment = tracker.set_experiment("digits").unwrap();
        let run = tracker
            .start_run_with(RunOptions {
                description: Some("a first try".to_owned()),
                ..RunOptions::named("first")
            })
            .unwrap();
        let id = run.run_id().clone();
        assert_eq!(run.experiment_id(), experiment.experiment_id);
        run.log_params((0..150).map(|n| (format!("p{n}"), n)))
            .unwrap();
        run.set_tag("team", "x").unwrap();
        for step in 0..2500 {
            let value = f64::from(i32::try_from(step).unwrap());
            run.log_point(Metric::new("loss", value, 1000 + step, step))
                .unwrap();
        }
        run.log_metrics([("acc", 0.5), ("nan", f64::NAN)], 7)
            .unwrap();
        run.end().unwrap();

        let run = get(tracker, &id);
        assert_eq!(run.info.status, RunStatus::Finished);
        assert_eq!(run.info.run_name.as_deref(), Some("first"));
        assert!(run.info.end_time.unwrap() >= run.info.start_time);
        assert_eq!(run.data.params.len(), 150);
        let loss = run.data.metrics.iter().find(|metric| metric.key == "loss");
        assert_eq!(loss, Some(&Metric::new("loss", 2499.0, 3499, 2499)));
        let nan = run
            .data
            .metrics
            .iter()
            .find(|metric| metric.key == "nan")
            .unwrap();
        assert!(nan.value.is_nan() && nan.step == 7);
        assert_eq!(tag(&run, "team"), Some("x"));
        assert_eq!(tag(&run, "mlflow.note.content"), Some("a first try"));
        assert_eq!(tag(&run, "mlflow.source.type"), Some("LOCAL"));
        assert!(
            tag(&run, "mlflow.source.name")
                .unwrap()
                .contains("tracking")
        );
        assert_eq!(tag(&run, "mlflow.user"), Some(run.info.user_id.as_str()));

        let found = tracker.search_runs("metrics.loss > 2000 AND tags.team = 'x'", &[], 10);
        let found = found.unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].info.run_id, id);
    });
}

#[test]
fn a_guard_ends_its_run_also_in_a_panic() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        let id = run.run_id().clone();
        run.log_metric("m", 1.0).unwrap();
        drop(run);
        let ended = get(tracker, &id);
        assert_eq!(ended.info.status, RunStatus::Finished);
        assert_eq!(ended.data.metrics.len(), 1);

        let (tracker_of_thread, send) = (tracker.clone(), std::sync::mpsc::channel());
        let (send, receive) = send;
        let failing = std::thread::spawn(move || {
            let run = tracker_of_thread.start_run().unwrap();
            run.log_metric("m", 1.0).unwrap();
            send.send(run.run_id().clone()).unwrap();
            panic!("the training failed, as it should here");
        });
        assert!(failing.join().is_err());
        let failed = get(tracker, &receive.recv().unwrap());
        assert_eq!(failed.info.status, RunStatus::Failed);
        assert_eq!(failed.data.metrics.len(), 1);

        let run = tracker.start_run().unwrap();
        let id = run.run_id().clone();
        run.end_as(RunStatus::Killed).unwrap();
        assert_eq!(get(tracker, &id).info.status, RunStatus::Killed);

        let run = tracker.resume_run(&id).unwrap();
        assert_eq!(get(tracker, &id).info.status, RunStatus::Running);
        run.end().unwrap();
    });
}

#[test]
fn children_are_explicit_and_active_until_they_end() {
    everywhere(|tracker| {
        let parent = tracker.start_run().unwrap();
        let active = || active_run().map(|run| run.run_id().clone());
        assert_eq!(active().as_ref(), Some(parent.run_id()));
        let second = tracker.start_run();
        assert!(matches!(second, Err(TrackingError::RunActive { .. })));

        let child = parent.child().unwrap();
        let id = child.run_id().clone();
        assert_eq!(active().as_ref(), Some(&id));
        child.end().unwrap();
        assert_eq!(active().as_ref(), Some(parent.run_id()));
        let child = get(tracker, &id);
        let named = tag(&child, Tag::PARENT_RUN_ID);
        assert_eq!(named, Some(parent.run_id().as_str()));
        let id = parent.run_id().clone();
        parent.end().unwrap();
        assert_eq!(active(), None);
        assert_eq!(last_active_run().unwrap().run_id(), &id);
    });
}

#[test]
fn threads_and_tasks_have_their_own_active_runs() {
    let folder = tempfile::tempdir().unwrap();
    let tracker = Tracker::open(&database(&folder)).unwrap();
    let run = tracker.start_run().unwrap();
    let logger = run.logger();
    let other = tracker.clone();
    std::thread::spawn(move || {
        assert!(active_run().is_none());
        logger.log_metric("from the thread", 1.0).unwrap();
        let own = other.start_run().unwrap();
        assert_eq!(active_run().unwrap().run_id(), own.run_id());
        own.end().unwrap();
    })
    .join()
    .unwrap();
    assert_eq!(active_run().unwrap().run_id(), run.run_id());

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let id = run.run_id().clone();
    let of_scope = runtime.block_on(async {
        let scope = run
            .logger()
            .scope(async { active_run().map(|run| run.run_id().clone()) });
        let outside = tokio::spawn(async { active_run().is_none() });
        assert!(outside.await.unwrap());
        tokio::spawn(scope).await.unwrap()
    });
    assert_eq!(of_scope, Some(id));
    run.flush().unwrap();
    assert_eq!(run.get().unwrap().data.metrics.len(), 1);
    run.end().unwrap();
}

#[test]
fn what_breaks_a_rule_is_told_at_once() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        let bad = run.log_metric("a\\b", 1.0).unwrap_err();
        assert!(bad.to_string().contains("a\\\\b"), "{bad}");
        run.log_param("p", 1).unwrap();
        run.log_param("p", 1).unwrap();
        let changed = run.log_param("p", 2).unwrap_err();
        assert!(
            changed.to_string().starts_with("Changing param values"),
            "{changed}"
        );
        run.end().unwrap();
    });
}

#[test]
fn a_deleted_experiment_takes_no_runs() {
    everywhere(|tracker| {
        let experiment = tracker.set_experiment("gone").unwrap();
        let client = tracker.client().clone();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let deleted = runtime.block_on(client.delete_experiment(experiment.experiment_id));
        deleted.unwrap();
        let again = tracker.set_experiment("gone");
        assert!(matches!(
            again,
            Err(TrackingError::ExperimentDeleted { .. })
        ));
        assert!(tracker.start_run().is_err());
    });
}
