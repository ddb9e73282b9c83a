//! A server that answers 503, drops connections and loses answers: every metric is
//! there exactly once, in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use runledger::entities::{ExperimentId, Metric, RunStatus};
use runledger::{Client, RestOptions, RestStore, RunOptions, Tracker, TrackingError};

use crate::proxy;
use crate::world::{Kept, World};

const POINTS: i64 = 12_000;

fn patient() -> RestOptions {
    RestOptions {
        max_retries: 1,
        backoff_factor: Duration::from_millis(1),
        backoff_jitter: Duration::from_millis(5),
        ..RestOptions::default()
    }
}

fn train_through_faults(kept: Kept) {
    let world = World::new(kept);
    let (address, faults) = proxy::start(world.address);
    let server = RestStore::new(&format!("http://{address}"), patient()).unwrap();
    let tracker = Tracker::of_server(server);
    let run = tracker.start_run().unwrap();
    for step in 0..POINTS {
        let point = Metric::new("loss", 0.5, 1_700_000_000_000 + step, step);
        run.log_point(point).unwrap();
    }
    run.log_metric_at("last", f64::NAN, 1).unwrap();
    let logger = run.logger();
    run.end().unwrap();

    let steps: Vec<i64> = world
        .history(logger.run_id(), "loss")
        .iter()
        .map(|point| point.step)
        .collect();
    assert!(
        steps.iter().copied().eq(0..POINTS),
        "{kept:?}: {} points",
        steps.len()
    );
    assert_eq!(world.history(logger.run_id(), "last").len(), 1);
    assert_eq!(logger.get().unwrap().info.status, RunStatus::Finished);
    assert!(
        faults.load(Ordering::Relaxed) > 10,
        "hardly anything went wrong"
    );
}

#[test]
fn a_server_on_a_database_has_every_metric_once() {
    train_through_faults(Kept::InDatabase);
}

/// A folder keeps equal points, so that sending again is not safe by itself.
#[test]
fn a_server_on_a_folder_has_every_metric_once() {
    train_through_faults(Kept::InFolder);
}

fn train_through_restarts(kept: Kept) {
    let mut world = World::new(kept);
    let server = RestStore::new(&world.uri(), patient()).unwrap();
    let tracker = Tracker::of_server(server);
    let run = tracker.start_run().unwrap();
    for step in 0..POINTS {
        let point = Metric::new("loss", 0.5, 1_700_000_000_000 + step, step);
        run.log_point(point).unwrap();
        if step % (POINTS / 5) == POINTS / 10 {
            world.restart(Duration::from_millis(300));
        }
    }
    let logger = run.logger();
    run.end().unwrap();
    let history = world.history(logger.run_id(), "loss");
    let steps = history.iter().map(|point| point.step);
    assert!(steps.eq(0..POINTS), "{kept:?}: {} points", history.len());
}

#[test]
fn a_server_that_comes_and_goes_has_every_metric_once() {
    train_through_restarts(Kept::InDatabase);
    train_through_restarts(Kept::InFolder);
}

#[test]
fn what_another_thread_could_log_before_the_end_is_there() {
    let world = World::new(Kept::InDatabase);
    let tracker = Tracker::of_server(RestStore::new(&world.uri(), patient()).unwrap());
    let run = tracker.start_run().unwrap();
    let logger = run.logger();
    let other = logger.clone();
    let logging = std::thread::spawn(move || {
        let mut step = 0;
        while other.log_metric_at("loss", 0.5, step).is_ok() {
            step += 1;
        }
        step
    });
    std::thread::sleep(Duration::from_millis(200));
    run.end().unwrap();
    let steps = logging.join().unwrap();
    assert!(steps > 0);
    let history = world.history(logger.run_id(), "loss");
    assert!(history.iter().map(|point| point.step).eq(0..steps));
}

#[test]
fn what_is_refused_for_good_is_told_in_the_end() {
    let world = World::new(Kept::InDatabase);
    let tracker = Tracker::of_server(RestStore::new(&world.uri(), patient()).unwrap());
    let run = tracker.start_run().unwrap();
    let logger = run.logger();
    run.log_metric("before", 1.0).unwrap();
    run.flush().unwrap();
    let (client, id) = (tracker.client().clone(), run.run_id().clone());
    let deleting = tokio::runtime::Runtime::new().unwrap();
    deleting.block_on(client.delete_run(&id)).unwrap();
    run.log_metric("after", 1.0).unwrap();
    let Err(TrackingError::MetricsRefused {
        count: 1, source, ..
    }) = run.end()
    else {
        panic!("a deleted run took a metric");
    };
    assert!(
        source.to_string().contains("must be in the 'active' state"),
        "{source}"
    );
    let late = logger.log_metric("late", 1.0);
    assert!(
        matches!(late, Err(TrackingError::RunEnded { .. })),
        "{late:?}"
    );
}

/// MLflow answers 503 also where a connection was lost during a COMMIT.
#[test]
fn a_run_is_created_again_only_where_it_certainly_was_not() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (status, attempts) in [("503 Service Unavailable", 1), ("429 Too Many Requests", 2)] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let address = proxy::answering(move |_| {
            counted.fetch_add(1, Ordering::Relaxed);
            let body = r#"{"error_code":"TEMPORARILY_UNAVAILABLE","message":"not now"}"#;
            proxy::response(status, body)
        });
        let server = RestStore::new(&format!("http://{address}"), patient()).unwrap();
        let client = Client::of_server(server);
        let created = client.create_run(ExperimentId::DEFAULT, RunOptions::default());
        runtime.block_on(created).unwrap_err();
        assert_eq!(asked.load(Ordering::Relaxed), attempts, "{status}");
    }
}

#[test]
fn nobody_at_the_address_is_told_with_the_address() {
    // The port is free again once the listener is gone.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let tracker = Tracker::of_server(RestStore::new(&address, patient()).unwrap());
    let error = tracker.start_run().unwrap_err().to_string();
    assert!(
        error.contains(&address) && error.contains("gave no answer"),
        "{error}"
    );
}
