//! Training loops of candle.

use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{AdamW, Init, Optimizer, ParamsAdamW, SGD, VarMap};
use runledger::autolog::candle::{
    Hyperparameters, Logged, LoggedConfig, load_checkpoint, log_checkpoint,
};
use serde::Serialize;

use crate::world::{World, assert_close, files};

const X: [f64; 3] = [1.0, 2.0, 3.0];

/// `w`, which should become 2.
fn weight(variables: &VarMap) -> Tensor {
    let zero = Init::Const(0.0);
    variables
        .get(1, "w", zero, DType::F64, &Device::Cpu)
        .unwrap()
}

fn loss(w: &Tensor) -> Tensor {
    let x = Tensor::new(&X, &Device::Cpu).unwrap();
    let error = x.broadcast_mul(w).unwrap() - x.affine(2.0, 0.0).unwrap();
    error.unwrap().sqr().unwrap().mean_all().unwrap()
}

/// The losses of plain gradient descent, by hand.
fn losses(rates: &[f64]) -> Vec<f64> {
    let square = X.iter().map(|x| x * x).sum::<f64>() / 3.0;
    let mut w = 0.0;
    let mut losses = Vec::new();
    for rate in rates {
        losses.push(square * (w - 2.0_f64).powi(2));
        w -= rate * 2.0 * square * (w - 2.0);
    }
    losses
}

#[test]
fn each_step_logs_its_loss_and_learning_rate() {
    let world = World::new();
    let variables = VarMap::new();
    let w = weight(&variables);
    let run = world.start();
    let config = LoggedConfig::new(&run, 0.01);
    let mut optimizer = Logged::<SGD>::new(variables.all_vars(), config).unwrap();
    let rates = [0.01, 0.01, 0.02, 0.02, 0.02];
    for rate in rates {
        optimizer.set_learning_rate(rate);
        optimizer.backward_step(&loss(&w)).unwrap();
    }
    let rates_now = [optimizer.learning_rate(), optimizer.inner().learning_rate()];
    assert_close(&rates_now, &[0.02; 2], 0.0);

    let read = world.end(run);
    assert_eq!(read.params(), [("lr", "0.01")]);
    assert_eq!(read.metrics(), ["learning_rate", "loss"]);
    assert_eq!(read.steps("loss"), [0, 1, 2, 3, 4]);
    assert_close(&read.values("loss"), &losses(&rates), 1e-12);
    assert_eq!(read.steps("learning_rate"), [0, 1, 2, 3, 4]);
    assert_eq!(read.values("learning_rate"), rates);
}

#[test]
fn some_steps_only_under_a_prefix() {
    let world = World::new();
    let variables = VarMap::new();
    let w = weight(&variables);
    let run = world.start();
    let params = ParamsAdamW {
        lr: 1e-5,
        ..ParamsAdamW::default()
    };
    let config = LoggedConfig::new(&run, params)
        .every(3)
        .with_prefix("train/");
    let mut optimizer = Logged::<AdamW>::new(variables.all_vars(), config).unwrap();
    for _ in 0..8 {
        // What is done with gradients in between has a step, and no loss.
        let gradients = loss(&w).backward().unwrap();
        optimizer.step(&gradients).unwrap();
    }
    optimizer.backward_step(&loss(&w)).unwrap();
    optimizer.backward_step(&loss(&w)).unwrap();

    let read = world.end(run);
    let expected = [
        ("train/beta1", "0.9"),
        ("train/beta2", "0.999"),
        ("train/eps", "1e-8"),
        ("train/lr", "1e-5"),
        ("train/weight_decay", "0.01"),
    ];
    assert_eq!(read.params(), expected);
    assert_eq!(read.steps("train/learning_rate"), [0, 3, 6, 9]);
    assert_eq!(read.steps("train/loss"), [9]);
}

/// An optimizer of one's own.
struct Signs {
    inner: SGD,
}

#[derive(Clone, Serialize)]
struct SignsConfig {
    rate: f32,
    name: &'static str,
}

impl Hyperparameters for SignsConfig {
    fn hyperparameters(&self) -> impl Serialize {
        self.clone()
    }
}

impl Optimizer for Signs {
    type Config = SignsConfig;

    fn new(vars: Vec<Var>, config: SignsConfig) -> candle_core::Result<Self> {
        let inner = SGD::new(vars, config.rate.into())?;
        Ok(Self { inner })
    }

    fn step(&mut self, grads: &candle_core::backprop::GradStore) -> candle_core::Result<()> {
        self.inner.step(grads)
    }

    fn learning_rate(&self) -> f64 {
        self.inner.learning_rate()
    }

    fn set_learning_rate(&mut self, lr: f64) {
        self.inner.set_learning_rate(lr);
    }
}

#[test]
fn optimizers_of_ones_own_are_logged_too() {
    let world = World::new();
    let variables = VarMap::new();
    let w = weight(&variables);
    let run = world.start();
    let own = SignsConfig {
        rate: 0.1,
        name: "signs",
    };
    let config = LoggedConfig::new(&run, own);
    let mut optimizer = Logged::<Signs>::new(variables.all_vars(), config).unwrap();
    // A loss of half precision.
    let loss = loss(&w).to_dtype(DType::F16).unwrap();
    optimizer.backward_step(&loss).unwrap();
    let read = world.end(run);
    assert_eq!(read.params(), [("name", "signs"), ("rate", "0.1")]);
    assert_close(&read.values("loss"), &losses(&[0.1]), 0.01);
}

#[test]
fn a_run_that_has_ended_stops_no_training() {
    let world = World::new();
    let variables = VarMap::new();
    let w = weight(&variables);
    let run = world.start();
    let config = LoggedConfig::new(&run, 0.01);
    let mut optimizer = Logged::<SGD>::new(variables.all_vars(), config).unwrap();
    optimizer.backward_step(&loss(&w)).unwrap();
    let read = world.end(run);
    let before = w.to_vec1::<f64>().unwrap();
    optimizer.backward_step(&loss(&w)).unwrap();
    assert_ne!(w.to_vec1::<f64>().unwrap(), before);
    assert_eq!(read.steps("loss"), [0]);
}

#[test]
fn what_cannot_be_logged_makes_no_optimizer() {
    let world = World::new();
    let run = world.start();
    run.log_param("lr", "else").unwrap();
    let made = Logged::<SGD>::new(Vec::new(), LoggedConfig::new(&run, 0.01));
    let error = made.err().unwrap().to_string();
    assert!(error.contains("'key': 'lr'"), "{error}");
}

#[test]
fn checkpoints_come_back() {
    let world = World::new();
    let mut variables = VarMap::new();
    let w = weight(&variables);
    let run = world.start();
    for epoch in [1, 2] {
        let value = Tensor::new(&[f64::from(epoch) / 3.0], &Device::Cpu).unwrap();
        variables.set_one("w", value).unwrap();
        log_checkpoint(&run, &variables, epoch.try_into().unwrap()).unwrap();
    }
    assert_eq!(
        files(&run, "checkpoints"),
        ["model-1.safetensors", "model-2.safetensors"]
    );
    load_checkpoint(&run, &mut variables, 1).unwrap();
    assert_eq!(w.to_vec1::<f64>().unwrap(), [1.0 / 3.0]);
    load_checkpoint(&run, &mut variables, 2).unwrap();
    assert_eq!(w.to_vec1::<f64>().unwrap(), [2.0 / 3.0]);
    let missing = load_checkpoint(&run, &mut variables, 3).unwrap_err();
    assert!(missing.to_string().contains("model-3"), "{missing}");
}

#[test]
fn two_optimizers_share_a_run_and_go_on_later() {
    let world = World::new();
    let variables = VarMap::new();
    let w = weight(&variables);
    let run = world.start();
    for (prefix, rate) in [("generator/", 0.01), ("critic/", 0.02)] {
        let config = LoggedConfig::new(&run, rate)
            .with_prefix(prefix)
            .from_step(7)
            .every(2);
        let mut optimizer = Logged::<SGD>::new(variables.all_vars(), config).unwrap();
        for _ in 0..3 {
            optimizer.backward_step(&loss(&w)).unwrap();
        }
    }
    let read = world.end(run);
    assert_eq!(
        read.params(),
        [("critic/lr", "0.02"), ("generator/lr", "0.01")]
    );
    assert_eq!(read.steps("generator/loss"), [7, 9]);
}
