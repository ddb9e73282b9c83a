//! A fit of smartcore that is logged by one line, and two that score it.
//!
//! `cargo run -p runledger --features smartcore --example autolog_smartcore`

mod common;

use std::error::Error;

use runledger::autolog;
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::tree::decision_tree_classifier::{
    DecisionTreeClassifier, DecisionTreeClassifierParameters,
};

fn main() -> Result<(), Box<dyn Error>> {
    let (x, y) = points(200)?;
    let (unseen, truth) = points(250)?;
    let params = DecisionTreeClassifierParameters::default().with_max_depth(4);

    let run = common::start("a tree of smartcore")?;
    let tree = autolog::smartcore::fit(&run, DecisionTreeClassifier::fit, &x, &y, params)?;
    run.log_classification("training_", &y, &tree.predict(&x)?)?;
    run.log_classification("valid_", &truth, &tree.predict(&unseen)?)?;
    common::end(run)?;
    Ok(())
}

/// Points of a square, and whether they are in a circle.
fn points(count: usize) -> Result<(DenseMatrix<f64>, Vec<u8>), Box<dyn Error>> {
    let values: Vec<f64> = common::noise().map(f64::from).take(2 * count).collect();
    let inside = |point: &[f64]| u8::from(point.iter().map(|it| it * it).sum::<f64>() < 0.6);
    let y = values.chunks(2).map(inside).collect();
    Ok((DenseMatrix::new(count, 2, values, false)?, y))
}
