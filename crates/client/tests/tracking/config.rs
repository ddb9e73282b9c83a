//! Configurations and scores, the same on a server, a database and a folder.

use runledger::TrackingError;
use runledger::autolog::ScoresError;
use runledger::entities::InvalidValue;
use serde_json::json;

use crate::fluent::{everywhere, get};

#[test]
fn a_configuration_is_params() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        let config = json!({
            "dropout": null, "layers": [64, 32], "optimizer": {"lr": 1e-5, "name": "adam"},
            "p(x)": true,
        });
        run.log_config(&config).unwrap();
        // The same again is no change.
        run.log_config(&config).unwrap();
        run.log_config(&()).unwrap();
        let changed = run.log_config(&json!({"optimizer": {"name": "sgd"}}));
        assert!(
            matches!(changed, Err(TrackingError::Store(_))),
            "{changed:?}"
        );

        let run = get(tracker, run.run_id());
        let params = run.data.params.iter().map(|it| (&*it.key, &*it.value));
        let expected = [
            ("dropout", "None"),
            ("layers", "[64,32]"),
            ("optimizer.lr", "1e-5"),
            ("optimizer.name", "adam"),
            ("p_x_", "true"),
        ];
        assert_eq!(params.collect::<Vec<_>>(), expected);
    });
}

#[test]
fn what_cannot_be_params_is_refused_whole() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        let same = run.log_config(&json!({"a": 0, "p?": 1, "p!": 2}));
        let Err(TrackingError::Value(InvalidValue::DuplicateParams { keys })) = same else {
            panic!("{same:?}");
        };
        assert_eq!(keys, "['p_']");
        let long = run.log_config(&json!({"a": 0, ("long".repeat(63)): 1}));
        assert!(matches!(long, Err(TrackingError::Value(_))), "{long:?}");
        let nameless = run.log_config(&[1, 2]).unwrap_err().to_string();
        assert!(nameless.contains("put it into a struct"), "{nameless}");
        assert!(get(tracker, run.run_id()).data.params.is_empty());
    });
}

#[test]
fn scores_are_metrics() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        let classes = run.log_classification("valid_", &["a", "b"], &["a", "a"]);
        assert!((classes.unwrap().accuracy - 0.5).abs() < 1e-12);
        run.log_regression("valid_", &[0.0, 1.0], &[0.5, 1.0])
            .unwrap();
        let wrong = run.log_regression("valid_", &[0.0], &[0.5, 1.0]);
        assert!(matches!(
            wrong,
            Err(TrackingError::Scores(ScoresError::Lengths { .. }))
        ));
        run.flush().unwrap();
        let run = get(tracker, run.run_id());
        let mut metrics: Vec<_> = run
            .data
            .metrics
            .iter()
            .map(|it| (&*it.key, it.value))
            .collect();
        metrics.sort_by_key(|(key, _)| *key);
        let expected = [
            ("valid_accuracy_score", 0.5),
            ("valid_f1_score", 1.0 / 3.0),
            ("valid_matthews_corrcoef", 0.0),
            ("valid_mean_absolute_error", 0.25),
            ("valid_mean_squared_error", 0.125),
            ("valid_precision_score", 0.25),
            ("valid_r2_score", 0.5),
            ("valid_recall_score", 0.5),
            ("valid_root_mean_squared_error", f64::sqrt(0.125)),
        ];
        for ((key, value), expected) in metrics.iter().zip(expected) {
            assert!(
                *key == expected.0 && (value - expected.1).abs() < 1e-12,
                "{key}: {value}"
            );
        }
        assert_eq!(metrics.len(), expected.len());
    });
}
