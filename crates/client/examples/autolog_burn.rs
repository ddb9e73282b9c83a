//! A training of burn whose metrics and checkpoints are logged by a line each.
//!
//! `cargo run -p runledger --features burn --example autolog_burn`

mod common;

use std::error::Error;
use std::sync::Arc;

// What burn derives names the crate `burn`.
use burn_core as burn;
use burn_core::config::Config;
use burn_core::data::dataloader::batcher::Batcher;
use burn_core::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn_core::data::dataset::InMemDataset;
use burn_core::module::{Module, Param};
use burn_core::tensor::{Device, Tensor, TensorData};
use burn_optim::AdamConfig;
use burn_optim::lr_scheduler::constant::ConstantLr;
use burn_train::metric::LossMetric;
use burn_train::{
    InferenceStep, Learner, RegressionOutput, SupervisedTraining, TrainOutput, TrainStep,
};
use runledger::autolog::burn::Autolog;

/// The hyper-parameters of the training.
#[derive(Config, Debug)]
struct TrainingConfig {
    #[config(default = 5)]
    epochs: usize,
    #[config(default = 16)]
    batch: usize,
    #[config(default = 0.05)]
    lr: f64,
    optimizer: AdamConfig,
}

fn main() -> Result<(), Box<dyn Error>> {
    let config = TrainingConfig::new(AdamConfig::new());
    let device = Device::flex().autodiff();
    let model = Curve::new(&device);
    let learner = Learner::new(model, config.optimizer.init(), ConstantLr::new(config.lr));
    let folder = std::env::temp_dir().join("runledger-autolog/burn");

    let run = common::start("a curve of burn")?;
    run.log_config(&config)?;
    SupervisedTraining::new(folder, data(160, config.batch), data(48, config.batch))
        .num_epochs(config.epochs)
        .metrics((LossMetric::new(),))
        .with_application_logger(None)
        .autolog(&run)
        .autolog_checkpoints(&run)
        .launch(learner);
    common::end(run)?;
    Ok(())
}

/// `a x² + b x + c`.
#[derive(Module, Debug)]
struct Curve {
    coefficients: Param<Tensor<2>>,
}

impl Curve {
    fn new(device: &Device) -> Self {
        Self {
            coefficients: Param::from_tensor(Tensor::zeros([3, 1], device)),
        }
    }

    fn compare(&self, points: Points) -> RegressionOutput {
        let output = points.powers.matmul(self.coefficients.val());
        let loss = (output.clone() - points.y.clone()).powi_scalar(2).mean();
        RegressionOutput::new(loss, output, points.y)
    }
}

impl TrainStep for Curve {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> TrainOutput<RegressionOutput> {
        let compared = self.compare(points);
        TrainOutput::new(self, compared.loss.backward(), compared)
    }
}

impl InferenceStep for Curve {
    type Input = Points;
    type Output = RegressionOutput;

    fn step(&self, points: Points) -> RegressionOutput {
        self.compare(points)
    }
}

/// A batch of points of the curve that is looked for.
#[derive(Clone, Debug)]
struct Points {
    powers: Tensor<2>,
    y: Tensor<2>,
}

struct Batches;

impl Batcher<f32, Points> for Batches {
    fn batch(&self, xs: Vec<f32>, device: &Device) -> Points {
        let count = xs.len();
        let powers: Vec<f32> = xs.iter().flat_map(|x| [x * x, *x, 1.0]).collect();
        let y: Vec<f32> = xs.iter().map(|x| 2.0 * x * x - x + 0.5).collect();
        Points {
            powers: Tensor::from_data(TensorData::new(powers, [count, 3]), device),
            y: Tensor::from_data(TensorData::new(y, [count, 1]), device),
        }
    }
}

fn data(count: usize, batch: usize) -> Arc<dyn DataLoader<Points>> {
    let xs: Vec<f32> = common::noise().take(count).collect();
    DataLoaderBuilder::new(Batches)
        .batch_size(batch)
        .build(InMemDataset::new(xs))
}
