//! Trainings of burn, their checkpoints, and the logger by itself.

mod logger;

use std::sync::Arc;

// What burn derives names the crate `burn`.
use burn_core as burn;
use burn_core::config::Config;
use burn_core::data::dataloader::batcher::Batcher;
use burn_core::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn_core::data::dataset::InMemDataset;
use burn_core::module::{Module, Param};
use burn_core::store::ModuleRecord;
use burn_core::tensor::{Device, Tensor, TensorData};
use burn_optim::lr_scheduler::constant::ConstantLr;
use burn_optim::{AdamConfig, SgdConfig};
use burn_train::checkpoint::{Checkpointer, KeepLastNCheckpoints};
use burn_train::metric::LossMetric;
use burn_train::metric::store::{Aggregate, Direction, Split};
use burn_train::{
    InferenceStep, Learner, MetricEarlyStoppingStrategy, RegressionOutput, StoppingCondition,
    SupervisedTraining, TrainOutput, TrainStep,
};
use runledger::RunLogger;
use runledger::autolog::burn::{Autolog, RunCheckpointer};

use crate::world::{World, assert_close, files};

/// Batches of two to train with, and one to validate with.
const TRAIN: [f32; 6] = [1.0, 0.5, -1.0, 0.25, 2.0, -0.5];
const VALID: [f32; 2] = [1.5, -0.75];

/// `w x`, where `w` should become 2.
#[derive(Module, Debug)]
struct Line {
    weight: Param<Tensor<2>>,
}

impl Line {
    fn new(device: &Device) -> Self {
        Self {
            weight: Param::from_tensor(Tensor::zeros([1, 1], device)),
        }
    }

    fn compare(&self, x: Tensor<2>) -> RegressionOutput {
        let (output, target) = (x.clone().matmul(self.weight.val()), x * 2.0);
        let loss = (output.clone() - target.clone()).powi_scalar(2).mean();
        RegressionOutput::new(loss, output, target)
    }

    fn value(&self) -> f64 {
        let data = self.weight.val().into_data();
        data.try_into_vec::<f32>().unwrap()[0].into()
    }
}

impl TrainStep for Line {
    type Input = Tensor<2>;
    type Output = RegressionOutput;

    fn step(&self, x: Tensor<2>) -> TrainOutput<RegressionOutput> {
        let compared = self.compare(x);
        TrainOutput::new(self, compared.loss.backward(), compared)
    }
}

impl InferenceStep for Line {
    type Input = Tensor<2>;
    type Output = RegressionOutput;

    fn step(&self, x: Tensor<2>) -> RegressionOutput {
        self.compare(x)
    }
}

struct Batches;

impl Batcher<f32, Tensor<2>> for Batches {
    fn batch(&self, xs: Vec<f32>, device: &Device) -> Tensor<2> {
        let shape = [xs.len(), 1];
        Tensor::from_data(TensorData::new(xs, shape), device)
    }
}

fn data(xs: &[f32]) -> Arc<dyn DataLoader<Tensor<2>>> {
    DataLoaderBuilder::new(Batches)
        .batch_size(2)
        .build(InMemDataset::new(xs.to_vec()))
}

fn training(world: &World, epochs: usize) -> SupervisedTraining<Line> {
    let folder = world.folder.path().join("burn");
    SupervisedTraining::new(folder, data(&TRAIN), data(&VALID))
        .num_epochs(epochs)
        .metrics((LossMetric::new(),))
        .with_application_logger(None)
}

fn learner(rate: f64) -> Learner<Line> {
    let model = Line::new(&Device::flex().autodiff());
    Learner::new(model, SgdConfig::new().init(), ConstantLr::new(rate))
}

/// What a training must have logged, by hand.
#[derive(Default)]
struct ByHand {
    weight: f64,
    train: Vec<f64>,
    valid: Vec<f64>,
    train_epochs: Vec<f64>,
}

impl ByHand {
    fn of(rate: f64, epochs: usize) -> Self {
        let mut hand = Self::default();
        let square = |batch: &[f32]| {
            let squares = batch.iter().map(|x| f64::from(*x).powi(2));
            squares.sum::<f64>() / 2.0
        };
        for _ in 0..epochs {
            for batch in TRAIN.chunks(2) {
                hand.train.push(square(batch) * (hand.weight - 2.0).powi(2));
                hand.weight -= rate * 2.0 * square(batch) * (hand.weight - 2.0);
            }
            hand.valid
                .push(square(&VALID) * (hand.weight - 2.0).powi(2));
            let epoch = &hand.train[hand.train.len() - 3..];
            hand.train_epochs.push(epoch.iter().sum::<f64>() / 3.0);
        }
        hand
    }
}

#[test]
fn each_iteration_and_each_epoch_is_logged() {
    let world = World::new();
    let run = world.start();
    // The default strategy of checkpoints asks the logger for the best epoch.
    let trained = training(&world, 4)
        .autolog(&run)
        .with_default_checkpointers()
        .launch(learner(0.05));

    let hand = ByHand::of(0.05, 4);
    assert_close(&[trained.model.value()], &[hand.weight], 1e-5);
    let read = world.end(run);
    assert_eq!(
        read.metrics(),
        [
            "epoch/train/Loss",
            "epoch/valid/Loss",
            "train/Loss",
            "valid/Loss"
        ]
    );
    assert_eq!(read.steps("train/Loss"), (0..12).collect::<Vec<_>>());
    assert_close(&read.values("train/Loss"), &hand.train, 1e-4);
    assert_eq!(read.steps("valid/Loss"), [0, 1, 2, 3]);
    assert_close(&read.values("valid/Loss"), &hand.valid, 1e-4);
    assert_eq!(read.steps("epoch/train/Loss"), [1, 2, 3, 4]);
    assert_close(&read.values("epoch/train/Loss"), &hand.train_epochs, 1e-4);
    assert_eq!(read.steps("epoch/valid/Loss"), [1, 2, 3, 4]);
    assert_close(&read.values("epoch/valid/Loss"), &hand.valid, 1e-4);
    assert!(
        !world.folder.path().join("burn/train").exists(),
        "the logger takes the place of burn's own"
    );
}

#[test]
fn early_stopping_reads_what_was_logged() {
    let world = World::new();
    let run = world.start();
    let stopping = MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: 2 },
    );
    // A rate so large that each epoch is worse than the one before.
    training(&world, 9)
        .early_stopping(stopping)
        .autolog(&run)
        .launch(learner(2.0));

    let read = world.end(run);
    let valid = read.values("epoch/valid/Loss");
    assert!(valid.is_sorted(), "{valid:?}");
    assert_eq!(read.steps("epoch/valid/Loss"), [1, 2, 3]);
    assert_eq!(read.steps("train/Loss"), (0..9).collect::<Vec<_>>());
}

#[test]
fn a_training_goes_on_from_the_checkpoints_of_its_run() {
    let world = World::new();
    let run = world.start();
    let (id, rate) = (run.run_id().clone(), 0.05);
    training(&world, 3)
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(2))
        .autolog(&run)
        .autolog_checkpoints(&run)
        .launch(learner(rate));
    // The older ones are deleted.
    let kept = [
        "model-2",
        "model-3",
        "optim-2",
        "optim-3",
        "scheduler-2",
        "scheduler-3",
    ];
    let kept = kept.map(|name| format!("{name}.bpk"));
    assert_eq!(files(&run, "checkpoints"), kept);
    run.end().unwrap();

    // Nothing of the first training is on this machine.
    std::fs::remove_dir_all(world.folder.path().join("burn")).ok();
    let run = world.tracker.resume_run(&id).unwrap();
    let trained = training(&world, 5)
        .checkpoint(3)
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(2))
        .autolog(&run)
        .autolog_checkpoints(&run)
        .launch(learner(rate));
    let hand = ByHand::of(rate, 5);
    assert_close(&[trained.model.value()], &[hand.weight], 1e-5);

    let read = world.end(run);
    assert_eq!(read.steps("train/Loss"), (0..15).collect::<Vec<_>>());
    assert_close(&read.values("train/Loss"), &hand.train, 1e-4);
    assert_eq!(read.steps("epoch/valid/Loss"), [1, 2, 3, 4, 5]);
    assert_close(&read.values("epoch/valid/Loss"), &hand.valid, 1e-4);
}

/// The weight that a checkpoint has.
fn restored(run: &RunLogger, epoch: usize) -> f64 {
    let checkpoints = RunCheckpointer::new(run, "model");
    let record: ModuleRecord = checkpoints.restore(epoch).unwrap();
    let line = Line::new(&Device::flex());
    line.load_record(record).value()
}

#[test]
fn a_checkpoint_is_restored_alone() {
    let world = World::new();
    let run = world.start();
    training(&world, 2)
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(2))
        .autolog(&run)
        .autolog_checkpoints(&run)
        .launch(learner(0.05));
    for epoch in [1, 2] {
        let expected = ByHand::of(0.05, epoch).weight;
        assert_close(&[restored(&run, epoch)], &[expected], 1e-5);
    }
    let checkpoints = RunCheckpointer::new(&run, "model");
    let missing: Result<ModuleRecord, _> = checkpoints.restore(3);
    let error = missing.err().unwrap().to_string();
    assert!(error.contains("model-3.bpk"), "{error}");
    run.end().unwrap();
}

#[test]
fn a_run_that_has_ended_stops_no_training() {
    let world = World::new();
    let run = world.start();
    let logger = run.logger();
    let read = world.end(run);
    assert_eq!(read.metrics(), [""; 0]);
    let trained = training(&world, 2).autolog(&logger).launch(learner(0.05));
    assert_close(
        &[trained.model.value()],
        &[ByHand::of(0.05, 2).weight],
        1e-5,
    );
}

#[test]
fn a_configuration_of_burn_is_params() {
    #[derive(Config, Debug)]
    struct Training {
        #[config(default = 8)]
        epochs: usize,
        #[config(default = 1e-3)]
        lr: f64,
        optimizer: AdamConfig,
    }

    let world = World::new();
    let run = world.start();
    run.log_config(&Training::new(AdamConfig::new())).unwrap();
    let read = world.end(run);
    let params = read.params();
    for expected in [
        ("epochs", "8"),
        ("lr", "0.001"),
        ("optimizer.beta_1", "0.9"),
        ("optimizer.beta_2", "0.999"),
        ("optimizer.epsilon", "1e-5"),
        ("optimizer.weight_decay", "None"),
    ] {
        assert!(params.contains(&expected), "{expected:?} in {params:?}");
    }
}
