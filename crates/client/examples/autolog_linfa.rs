//! A fit of linfa that is logged by one line, and two that score it.
//!
//! `cargo run -p runledger --features linfa --example autolog_linfa`

mod common;

use std::error::Error;

use linfa::traits::Predict;
use linfa::{Dataset, ParamGuard};
use linfa_bayes::GaussianNb;
use ndarray::{Array1, Array2};
use runledger::autolog::linfa::FitLogged;

fn main() -> Result<(), Box<dyn Error>> {
    let (train, valid) = points(300)?.split_with_ratio(0.8);
    let params = GaussianNb::params().var_smoothing(1e-8).check()?;

    let run = common::start("a classifier of linfa")?;
    let model = params.fit_logged(&run, &train)?;
    run.log_classification("training_", train.targets(), &model.predict(&train))?;
    run.log_classification("valid_", valid.targets(), &model.predict(&valid))?;
    common::end(run)?;
    Ok(())
}

/// Points around three places in turn, and around which.
fn points(count: usize) -> Result<Dataset<f64, usize, ndarray::Ix1>, Box<dyn Error>> {
    let places = [[0.0, 0.0], [1.5, 0.0], [0.0, 1.5]].into_iter().flatten();
    let places = places.cycle().take(2 * count);
    let values = places.zip(common::noise().map(f64::from));
    let values: Vec<f64> = values.map(|(place, noise)| place + noise).collect();
    let around: Array1<usize> = (0..count).map(|n| n % 3).collect();
    Ok(Dataset::new(
        Array2::from_shape_vec((count, 2), values)?,
        around,
    ))
}
