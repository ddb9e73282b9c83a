//! The logger of metrics, given what burn could give it.

use std::sync::Arc;

use burn_train::logger::MetricLogger;
use burn_train::metric::store::{EpochSummary, MetricsUpdate, NumericMetricUpdate, Split};
use burn_train::metric::{
    MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericEntry, SerializedEntry,
};
use runledger::autolog::burn::RunMetricLogger;

use crate::world::{World, assert_close};

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.to_owned()))
}

fn define(logger: &mut RunMetricLogger, name: &str) {
    logger.log_metric_definition(MetricDefinition {
        metric_id: id(name),
        name: Arc::new(name.to_owned()),
        description: None,
        attributes: MetricAttributes::None,
    });
}

fn update(entries: &[(&str, Option<NumericEntry>)]) -> MetricsUpdate {
    let entries = entries.iter().map(|(name, entry)| {
        let shown = SerializedEntry::not_available(None);
        NumericMetricUpdate::new(MetricEntry::new(id(name), shown), entry.clone(), None)
    });
    MetricsUpdate::new(Vec::new(), entries.collect())
}

fn of(value: f64, count: usize) -> NumericEntry {
    NumericEntry::Aggregated {
        aggregated_value: value,
        count,
    }
}

#[test]
fn an_epoch_is_the_weighted_mean_or_what_is_final() {
    let world = World::new();
    let run = world.start();
    let mut logger = RunMetricLogger::new(&run);
    for name in ["Accuracy", "AUC"] {
        define(&mut logger, name);
    }
    let value = NumericEntry::Value;
    for (epoch, at) in [(1, 0.25), (2, 0.75)] {
        for entry in [of(at, 30), of(1.0, 10), value(0.5)] {
            let update = update(&[("Accuracy", Some(entry)), ("AUC", None)]);
            logger.log(update, epoch, &Split::Valid);
        }
        let last = Some(NumericEntry::Final(at / 2.0));
        logger.log(update(&[("AUC", last)]), epoch, &Split::Valid);
        logger.log_epoch_summary(EpochSummary::new(epoch, Split::Valid));
    }

    let means = [0.25, 0.75].map(|at| (at * 30.0 + 10.0 + 0.5) / 41.0);
    for (epoch, mean) in [(1, means[0]), (2, means[1])] {
        let found = logger.read_numeric("Accuracy", epoch, &Split::Valid);
        let Ok(
            [
                NumericEntry::Aggregated {
                    aggregated_value,
                    count: 41,
                },
            ],
        ) = found.as_deref()
        else {
            panic!("{found:?}");
        };
        assert_close(&[*aggregated_value], &[mean], 1e-12);
        let found = logger.read_numeric("AUC", epoch, &Split::Valid);
        assert!(
            matches!(found.as_deref(), Ok([NumericEntry::Final(_)])),
            "{found:?}"
        );
    }
    for (name, epoch, split) in [
        ("Accuracy", 3, Split::Valid),
        ("Accuracy", 1, Split::Train),
        ("Loss", 1, Split::Valid),
    ] {
        let found = logger.read_numeric(name, epoch, &split);
        assert!(
            found.is_ok_and(|entries| entries.is_empty()),
            "it never was"
        );
    }

    let read = world.end(run);
    assert_eq!(
        read.metrics(),
        ["epoch/valid/AUC", "epoch/valid/Accuracy", "valid/Accuracy"]
    );
    assert_eq!(read.steps("valid/Accuracy"), [0, 1, 2, 3, 4, 5]);
    assert_eq!(
        read.values("valid/Accuracy"),
        [0.25, 1.0, 0.5, 0.75, 1.0, 0.5]
    );
    assert_close(&read.values("epoch/valid/Accuracy"), &means, 1e-12);
    assert_eq!(read.values("epoch/valid/AUC"), [0.125, 0.375]);
    assert_eq!(read.steps("epoch/valid/AUC"), [1, 2]);
}

#[test]
fn names_and_splits_become_keys() {
    let world = World::new();
    let run = world.start();
    let mut logger = RunMetricLogger::new(&run);
    let tagged = Split::Test(Some(Arc::new("Far away?".to_owned())));
    for name in ["Top-K Accuracy @ 2", "a/b"] {
        define(&mut logger, name);
        logger.log(update(&[(name, Some(of(1.0, 1)))]), 1, &tagged);
    }
    logger.log(update(&[("a/b", Some(of(2.0, 1)))]), 1, &Split::Test(None));
    let never_defined = update(&[("Loss", Some(of(3.0, 1)))]);
    logger.log(never_defined, 1, &Split::Train);
    let read = world.end(run);
    assert_eq!(
        read.metrics(),
        [
            "test/Far away_/Top-K Accuracy _ 2",
            "test/Far away_/a_b",
            "test/a_b"
        ]
    );
    // Splits count for themselves.
    assert_eq!(read.steps("test/Far away_/a_b"), [1]);
    assert_eq!(read.steps("test/a_b"), [0]);
}
