//! Fits of smartcore.

use runledger::autolog::{self, FitError};
use smartcore::cluster::kmeans::{KMeans, KMeansParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::ridge_regression::{RidgeRegression, RidgeRegressionParameters};
use smartcore::svm::Kernels;
use smartcore::svm::svc::{SVC, SVCParameters};

use crate::world::{World, assert_close};

const ROWS: [[f64; 2]; 6] = [
    [0.0, 0.1],
    [0.2, 0.0],
    [0.1, 0.2],
    [5.0, 5.1],
    [5.2, 5.0],
    [5.1, 5.3],
];

fn rows() -> DenseMatrix<f64> {
    let rows: Vec<&[f64]> = ROWS.iter().map(|row| &row[..]).collect();
    DenseMatrix::from_2d_array(&rows).unwrap()
}

#[test]
fn a_fit_logs_hyper_parameters_estimator_time_and_size() {
    let world = World::new();
    let (x, y) = (rows(), ROWS.map(|[a, b]| 2.0 * a - b + 1.0).to_vec());
    let run = world.start();
    let params = RidgeRegressionParameters::default().with_alpha(0.25);
    let model = autolog::smartcore::fit(&run, RidgeRegression::fit, &x, &y, params).unwrap();
    let predicted = model.predict(&x).unwrap();
    run.log_regression("training_", &y, &predicted).unwrap();

    let read = world.end(run);
    let expected = [
        ("alpha", "0.25"),
        ("normalize", "true"),
        ("solver", "Cholesky"),
    ];
    assert_eq!(read.params(), expected);
    assert_eq!(read.tag("estimator_name"), Some("RidgeRegression"));
    let class = "smartcore::linear::ridge_regression::RidgeRegression";
    assert_eq!(read.tag("estimator_class"), Some(class));
    assert_eq!(read.values("fit_samples"), [6.0]);
    assert_eq!(read.values("fit_features"), [2.0]);
    let seconds = read.values("fit_seconds");
    assert!(seconds.len() == 1 && (0.0..60.0).contains(&seconds[0]));

    let errors: Vec<f64> = y
        .iter()
        .zip(&predicted)
        .map(|(y, p)| (y - p).abs())
        .collect();
    let mae = errors.iter().sum::<f64>() / 6.0;
    let mse = errors.iter().map(|error| error * error).sum::<f64>() / 6.0;
    let mean = y.iter().sum::<f64>() / 6.0;
    let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 6.0;
    for (name, expected) in [
        ("training_mean_absolute_error", mae),
        ("training_mean_squared_error", mse),
        ("training_root_mean_squared_error", mse.sqrt()),
        ("training_r2_score", 1.0 - mse / variance),
    ] {
        assert_close(&read.values(name), &[expected], 1e-12);
    }
}

#[test]
fn estimators_that_borrow_their_parameters_are_fitted_too() {
    let world = World::new();
    let (x, y) = (rows(), vec![-1, -1, -1, 1, 1, 1]);
    let params = SVCParameters::default()
        .with_c(10.0)
        .with_kernel(Kernels::rbf().with_gamma(0.7));
    let run = world.start();
    let model = autolog::smartcore::fit(&run, SVC::fit, &x, &y, &params).unwrap();
    let predicted: Vec<i32> = model
        .predict(&x)
        .unwrap()
        .iter()
        .map(|side| if *side > 0.0 { 1 } else { -1 })
        .collect();
    let scores = run.log_classification("training_", &y, &predicted).unwrap();

    let read = world.end(run);
    assert!(
        read.params().contains(&("c", "10.0")),
        "{:?}",
        read.params()
    );
    let nested = read.params().iter().any(|(key, value)| {
        let path: Vec<_> = key.split('.').collect();
        path[0] == "kernel" && path.last() == Some(&"gamma") && *value == "0.7"
    });
    assert!(nested, "{:?}", read.params());
    assert_eq!(read.tag("estimator_name"), Some("SVC"));
    let right = y.iter().zip(&predicted).filter(|(y, p)| y == p).count();
    let accuracy = f64::from(u32::try_from(right).unwrap()) / 6.0;
    assert_eq!(read.values("training_accuracy_score"), [accuracy]);
    assert_eq!(read.values("training_f1_score"), [scores.f1]);
    assert_eq!(read.values("training_matthews_corrcoef"), [scores.mcc]);
}

#[test]
fn clusters_need_no_truth() {
    let world = World::new();
    let x = rows();
    let run = world.start();
    let params = KMeansParameters::default().with_k(2).with_max_iter(50);
    let model: KMeans<f64, i32, _, Vec<i32>> =
        autolog::smartcore::fit_unsupervised(&run, KMeans::fit, &x, params).unwrap();
    assert_eq!(model.predict(&x).unwrap().len(), 6);

    let read = world.end(run);
    let expected = [("k", "2"), ("max_iter", "50"), ("seed", "None")];
    assert_eq!(read.params(), expected);
    assert_eq!(read.tag("estimator_name"), Some("KMeans"));
    assert_eq!(
        read.metrics(),
        ["fit_features", "fit_samples", "fit_seconds"]
    );
}

#[test]
fn a_fit_that_fails_says_so_and_has_no_metrics() {
    let world = World::new();
    let (x, too_few) = (rows(), vec![1.0]);
    let run = world.start();
    let params = RidgeRegressionParameters::default();
    let failed = autolog::smartcore::fit(&run, RidgeRegression::fit, &x, &too_few, params);
    assert!(matches!(failed, Err(FitError::Fit(_))));
    let read = world.end(run);
    assert_eq!(read.params().len(), 3);
    assert_eq!(read.metrics(), [""; 0]);
}
