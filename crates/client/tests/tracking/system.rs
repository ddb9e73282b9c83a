//! System metrics of runs, with and without the feature.

use runledger::RunOptions;
use runledger::system_metrics::{SystemMetrics, SystemMetricsOptions};

use crate::fluent::everywhere;

fn measured() -> RunOptions {
    RunOptions {
        system_metrics: SystemMetrics::On(SystemMetricsOptions {
            interval: std::time::Duration::from_millis(50),
            node_id: Some("node 7".to_owned()),
            ..SystemMetricsOptions::default()
        }),
        ..RunOptions::default()
    }
}

#[cfg(feature = "system-metrics")]
#[test]
fn a_run_logs_what_it_uses_of_its_machine_until_it_ends() {
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    everywhere(|tracker| {
        let run = tracker.start_run_with(measured()).unwrap();
        let begin = Instant::now();
        let keys = loop {
            run.flush().unwrap();
            let metrics = run.get().unwrap().data.metrics;
            if metrics.iter().any(|metric| metric.step >= 2) {
                break metrics
                    .into_iter()
                    .map(|it| it.key)
                    .collect::<BTreeSet<_>>();
            }
            assert!(
                begin.elapsed() < Duration::from_secs(30),
                "nothing is measured"
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        for name in ["cpu_utilization_percentage", "disk_available_megabytes"] {
            assert!(keys.contains(&format!("system/node 7/{name}")), "{keys:?}");
        }
        let id = run.run_id().clone();
        run.end().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let key = "system/node 7/cpu_utilization_percentage";
        let count = || {
            runtime
                .block_on(tracker.client().metric_history(&id, key))
                .unwrap()
        };
        let points = count();
        let steps: Vec<i64> = points.iter().map(|point| point.step).collect();
        let expected: Vec<i64> = (0..).take(steps.len()).collect();
        assert_eq!(steps, expected);
        std::thread::sleep(Duration::from_millis(150));
        assert_eq!(count().len(), points.len());
    });
}

#[cfg(not(feature = "system-metrics"))]
#[test]
fn a_program_that_cannot_measure_says_so_before_a_run_is_there() {
    use runledger::TrackingError;

    everywhere(|tracker| {
        let refused = tracker.start_run_with(measured());
        assert!(matches!(refused, Err(TrackingError::NoSystemMetrics)));
        assert!(tracker.search_runs("", &[], 10).unwrap().is_empty());
    });
}
