//! Fits of linfa.

use linfa::traits::Predict;
use linfa::{Dataset, ParamGuard};
use linfa_bayes::{GaussianNb, GaussianNbValidParams};
use ndarray::{Ix1, array};
use runledger::TrackingError;
use runledger::autolog::FitError;
use runledger::autolog::linfa::FitLogged;

use crate::world::World;

fn data() -> Dataset<f64, usize, Ix1> {
    let records = array![[0.0, 1.0], [0.2, 1.1], [0.1, 0.8], [4.0, 5.0], [4.2, 5.2]];
    Dataset::new(records, array![0, 0, 0, 1, 1])
}

fn smoothing(by: f64) -> GaussianNbValidParams<f64, usize> {
    GaussianNb::params().var_smoothing(by).check().unwrap()
}

#[test]
fn a_fit_logs_hyper_parameters_estimator_time_and_size() {
    let world = World::new();
    let data = data();
    let run = world.start();
    let model = smoothing(1e-6).fit_logged(&run, &data).unwrap();
    let predicted = model.predict(&data);
    run.log_classification("training_", data.targets(), &predicted)
        .unwrap();

    let read = world.end(run);
    assert!(
        read.params().contains(&("var_smoothing", "1e-6")),
        "{:?}",
        read.params()
    );
    assert_eq!(read.tag("estimator_name"), Some("GaussianNb"));
    let class = read.tag("estimator_class");
    assert_eq!(class, Some("linfa_bayes::gaussian_nb::GaussianNb"));
    assert_eq!(read.values("fit_samples"), [5.0]);
    assert_eq!(read.values("fit_features"), [2.0]);
    assert_eq!(read.steps("fit_seconds"), [0]);
    assert_eq!(predicted, data.targets());
    for score in ["accuracy", "precision", "recall", "f1"] {
        assert_eq!(read.values(&format!("training_{score}_score")), [1.0]);
    }
}

#[test]
fn hyper_parameters_that_cannot_be_logged_are_not_fitted() {
    let world = World::new();
    let data = data();
    let run = world.start();
    smoothing(1e-6).fit_logged(&run, &data).unwrap();
    let other = smoothing(1e-3).fit_logged(&run, &data);
    let refused = matches!(other, Err(FitError::Tracking(TrackingError::Store(_))));
    assert!(refused, "a param does not change");
    assert_eq!(world.end(run).values("fit_samples").len(), 1);
}

#[test]
fn what_linfa_refuses_is_told() {
    let world = World::new();
    let run = world.start();
    // Not checked, and so not serialized by linfa.
    let wrong = GaussianNb::<f64, usize>::params().var_smoothing(-1.0);
    let named = serde_json::json!({"var_smoothing": -1});
    let failed = wrong.fit_logged_with(&run, &named, &data());
    assert!(matches!(failed, Err(FitError::Fit(_))));
    let read = world.end(run);
    assert_eq!(read.params(), [("var_smoothing", "-1")]);
    assert_eq!(read.metrics(), [""; 0]);
}
