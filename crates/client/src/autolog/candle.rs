//! Training loops of candle (feature `candle`): an optimizer that logs what it does.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let runs = folder.path().join("mlruns");
//! # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
//! use candle_core::{DType, Device, Tensor};
//! use candle_nn::{AdamW, Module, Optimizer, ParamsAdamW, VarBuilder, VarMap, linear, loss};
//! use runledger::autolog::candle::{Logged, LoggedConfig, log_checkpoint};
//!
//! let variables = VarMap::new();
//! let net = linear(1, 1, VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu))?;
//! let x = Tensor::new(&[[0_f32], [1.0], [2.0]], &Device::Cpu)?;
//! let y = x.affine(2.0, 1.0)?;
//!
//! let run = tracker.start_run()?;
//! // Without the run: `AdamW::new(variables.all_vars(), ParamsAdamW::default())?`.
//! let config = LoggedConfig::new(&run, ParamsAdamW::default());
//! let mut optimizer = Logged::<AdamW>::new(variables.all_vars(), config)?;
//! for _ in 0..10 {
//!     optimizer.backward_step(&loss::mse(&net.forward(&x)?, &y)?)?;
//! }
//! log_checkpoint(&run, &variables, 1)?;
//! # run.flush()?;
//! # assert!(run.get()?.data.metrics.iter().any(|it| it.key == "loss" && it.step == 9));
//! # run.end()?;
//! # Ok(())
//! # }
//! ```
//!
//! When it is made, it logs hyper-parameters as params ([`Hyperparameters`]); at each step,
//! beginning with 0, the metrics `loss` and `learning_rate`. To read a loss waits for the
//! device that computes it: [`LoggedConfig::every`] logs only some of the steps.
//!
//! [`log_checkpoint`] and [`load_checkpoint`] keep variables among the artifacts of the run.

use candle_core::backprop::GradStore;
use candle_core::{DType, Result, Tensor, Var};
use candle_nn::{Optimizer, ParamsAdamW, VarMap};
use serde::Serialize;
use serde_json::json;

use super::checkpoint::{self, Failure};
use super::params::params;
use super::quiet::Quiet;
use crate::RunLogger;

/// Configurations of optimizers that can be logged. Implement it for those of your own
/// optimizers.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use candle_nn::ParamsAdamW;
/// use runledger::autolog::candle::Hyperparameters;
///
/// let params = ParamsAdamW { lr: 0.02, ..ParamsAdamW::default() };
/// run.log_config(&params.hyperparameters())?;
/// # let logged = run.get()?.data.params;
/// # assert!(logged.iter().any(|it| (&*it.key, &*it.value) == ("lr", "0.02")));
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
pub trait Hyperparameters {
    /// What [`RunLogger::log_config`] is to log.
    ///
    /// ```
    /// use runledger::autolog::candle::Hyperparameters;
    ///
    /// struct Momentum {
    ///     beta: f64,
    /// }
    ///
    /// impl Hyperparameters for Momentum {
    ///     fn hyperparameters(&self) -> impl serde::Serialize {
    ///         serde_json::json!({"beta": self.beta})
    ///     }
    /// }
    /// # let told = serde_json::to_string(&Momentum { beta: 0.9 }.hyperparameters());
    /// # assert_eq!(told.ok().as_deref(), Some(r#"{"beta":0.9}"#));
    /// ```
    fn hyperparameters(&self) -> impl Serialize;
}

/// `lr`, `beta1`, `beta2`, `eps` and `weight_decay`.
impl Hyperparameters for ParamsAdamW {
    fn hyperparameters(&self) -> impl Serialize {
        json!({
            "lr": self.lr,
            "beta1": self.beta1,
            "beta2": self.beta2,
            "eps": self.eps,
            "weight_decay": self.weight_decay,
        })
    }
}

/// The learning rate of [`SGD`](candle_nn::SGD), as `lr`.
impl Hyperparameters for f64 {
    fn hyperparameters(&self) -> impl Serialize {
        json!({"lr": self})
    }
}

/// How a [`Logged`] optimizer is made: its own configuration, and where it logs to.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use candle_core::{Device, Var};
/// use candle_nn::{Optimizer, SGD};
/// use runledger::autolog::candle::{Logged, LoggedConfig};
///
/// let weight = Var::new(1_f32, &Device::Cpu)?;
/// // SGD's configuration is its learning rate.
/// let optimizer = Logged::<SGD>::new(vec![weight], LoggedConfig::new(&run, 0.1))?;
/// assert_eq!(optimizer.learning_rate(), 0.1);
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct LoggedConfig<C> {
    run: RunLogger,
    config: C,
    every: u32,
    prefix: String,
    first: i64,
}

impl<C> LoggedConfig<C> {
    /// An optimizer that logs each step to a run.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use candle_core::{Device, Var};
    /// use candle_nn::{Optimizer, SGD};
    /// use runledger::autolog::candle::{Logged, LoggedConfig};
    ///
    /// let config = LoggedConfig::new(&run, 0.1);
    /// let weight = Var::new(1_f32, &Device::Cpu)?;
    /// Logged::<SGD>::new(vec![weight], config)?;
    /// assert_eq!(run.get()?.data.params[0].key, "lr");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn new(run: &RunLogger, config: C) -> Self {
        Self {
            run: run.clone(),
            config,
            every: 1,
            prefix: String::new(),
            first: 0,
        }
    }

    /// Logs each `steps`th step only, beginning with the first; all of them if it is 0.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use candle_core::{Device, Var};
    /// use candle_nn::{Optimizer, SGD};
    /// use runledger::autolog::candle::{Logged, LoggedConfig};
    ///
    /// let weight = Var::new(1_f32, &Device::Cpu)?;
    /// let config = LoggedConfig::new(&run, 0.1).every(10);
    /// let mut optimizer = Logged::<SGD>::new(vec![weight.clone()], config)?;
    /// for _ in 0..15 {
    ///     optimizer.backward_step(&weight.sqr()?)?;
    /// }
    /// run.flush()?;
    /// let last = run.get()?.data.metrics;
    /// assert!(last.iter().all(|metric| metric.step == 10));
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn every(mut self, steps: u32) -> Self {
        self.every = steps.max(1);
        self
    }

    /// Puts this before the names of the metrics and params, such as `generator/`: two
    /// optimizers may log to one run.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use candle_core::{Device, Var};
    /// use candle_nn::{Optimizer, SGD};
    /// use runledger::autolog::candle::{Logged, LoggedConfig};
    ///
    /// let weight = Var::new(1_f32, &Device::Cpu)?;
    /// let config = LoggedConfig::new(&run, 0.1).with_prefix("train/");
    /// let mut optimizer = Logged::<SGD>::new(vec![weight.clone()], config)?;
    /// optimizer.backward_step(&weight.sqr()?)?;
    /// run.flush()?;
    /// assert!(run.get()?.data.metrics.iter().any(|metric| metric.key == "train/loss"));
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Counts the steps from this one on, where a training goes on that was cut short.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use candle_core::{Device, Var};
    /// use candle_nn::{Optimizer, SGD};
    /// use runledger::autolog::candle::{Logged, LoggedConfig};
    ///
    /// let weight = Var::new(1_f32, &Device::Cpu)?;
    /// let config = LoggedConfig::new(&run, 0.1).from_step(1000);
    /// let mut optimizer = Logged::<SGD>::new(vec![weight.clone()], config)?;
    /// optimizer.backward_step(&weight.sqr()?)?;
    /// run.flush()?;
    /// assert!(run.get()?.data.metrics.iter().all(|metric| metric.step == 1000));
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn from_step(mut self, step: i64) -> Self {
        self.first = step;
        self
    }
}

/// An optimizer that logs its steps.
///
/// What goes wrong with logging a step is warned of by `tracing`, once for each kind of
/// error, and does not stop the training.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use candle_core::{Device, Var};
/// use candle_nn::{Optimizer, SGD};
/// use runledger::autolog::candle::{Logged, LoggedConfig};
///
/// let weight = Var::new(1_f32, &Device::Cpu)?;
/// let config = LoggedConfig::new(&run, 0.1);
/// let mut optimizer = Logged::<SGD>::new(vec![weight.clone()], config)?;
/// optimizer.backward_step(&weight.sqr()?)?;
/// optimizer.set_learning_rate(0.05);
/// optimizer.backward_step(&weight.sqr()?)?;
/// run.flush()?;
/// let rate = run.get()?.data.metrics.into_iter().find(|it| it.key == "learning_rate");
/// assert!(rate.is_some_and(|rate| (rate.value, rate.step) == (0.05, 1)));
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Logged<O> {
    optimizer: O,
    quiet: Quiet,
    every: u32,
    /// The names of the two metrics.
    loss: String,
    learning_rate: String,
    step: i64,
    first: i64,
    /// Whether it was told that a loss cannot be read.
    is_unreadable: bool,
}

impl<O> Logged<O> {
    /// The optimizer within.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use candle_core::{Device, Var};
    /// use candle_nn::{Optimizer, SGD};
    /// use runledger::autolog::candle::{Logged, LoggedConfig};
    ///
    /// let weight = Var::new(1_f32, &Device::Cpu)?;
    /// let optimizer = Logged::<SGD>::new(vec![weight], LoggedConfig::new(&run, 0.1))?;
    /// let sgd: &SGD = optimizer.inner();
    /// assert_eq!(sgd.learning_rate(), 0.1);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn inner(&self) -> &O {
        &self.optimizer
    }

    /// The optimizer within, to change it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let runs = folder.path().join("mlruns");
    /// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
    /// # let run = tracker.start_run()?;
    /// use candle_core::{Device, Var};
    /// use candle_nn::{Optimizer, SGD};
    /// use runledger::autolog::candle::{Logged, LoggedConfig};
    ///
    /// let weight = Var::new(1_f32, &Device::Cpu)?;
    /// let mut optimizer = Logged::<SGD>::new(vec![], LoggedConfig::new(&run, 0.1))?;
    /// // A method that only `SGD` has.
    /// optimizer.inner_mut().push(&weight);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn inner_mut(&mut self) -> &mut O {
        &mut self.optimizer
    }
}

impl<O> Optimizer for Logged<O>
where
    O: Optimizer,
    O::Config: Hyperparameters,
{
    type Config = LoggedConfig<O::Config>;

    /// Makes the optimizer, and logs its hyper-parameters.
    ///
    /// # Errors
    /// Those of the optimizer, and as [`RunLogger::log_config`].
    fn new(vars: Vec<Var>, config: Self::Config) -> Result<Self> {
        let LoggedConfig {
            run,
            config,
            every,
            prefix,
            first,
        } = config;
        params(&prefix, &config.hyperparameters())
            .and_then(|params| run.log_params(params))
            .map_err(candle_core::Error::wrap)?;
        Ok(Self {
            optimizer: O::new(vars, config)?,
            quiet: Quiet::new(&run),
            every,
            loss: format!("{prefix}loss"),
            learning_rate: format!("{prefix}learning_rate"),
            step: first,
            first,
            is_unreadable: false,
        })
    }

    /// A step without a loss that is known: the learning rate is logged.
    fn step(&mut self, grads: &GradStore) -> Result<()> {
        let learning_rate = self.optimizer.learning_rate();
        self.optimizer.step(grads)?;
        self.log(learning_rate, None);
        Ok(())
    }

    fn learning_rate(&self) -> f64 {
        self.optimizer.learning_rate()
    }

    fn set_learning_rate(&mut self, lr: f64) {
        self.optimizer.set_learning_rate(lr);
    }

    fn backward_step(&mut self, loss: &Tensor) -> Result<()> {
        let learning_rate = self.optimizer.learning_rate();
        self.optimizer.backward_step(loss)?;
        self.log(learning_rate, Some(loss));
        Ok(())
    }
}

impl<O> Logged<O> {
    fn log(&mut self, learning_rate: f64, loss: Option<&Tensor>) {
        let step = self.step;
        self.step += 1;
        if (step - self.first) % i64::from(self.every) != 0 {
            return;
        }
        match loss.map(scalar) {
            Some(Ok(loss)) => self.quiet.log(&self.loss, loss, step),
            Some(Err(error)) if !self.is_unreadable => {
                self.is_unreadable = true;
                tracing::warn!(step, %error, "a loss cannot be read, and is not logged");
            }
            Some(Err(_)) | None => {}
        }
        self.quiet.log(&self.learning_rate, learning_rate, step);
    }
}

/// Uploads the variables of a model as `checkpoints/model-<epoch>.safetensors`, and waits
/// until they have arrived.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use candle_core::{DType, Device};
/// use candle_nn::{Init, VarMap};
/// use runledger::autolog::candle::log_checkpoint;
///
/// let variables = VarMap::new();
/// variables.get(3, "weight", Init::Const(0.5), DType::F32, &Device::Cpu)?;
/// log_checkpoint(&run, &variables, 1)?;
/// assert_eq!(run.list_artifacts(Some("checkpoints"))?.len(), 1);
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Those of candle; what goes wrong with the run's artifacts is one that
/// [wraps](candle_core::Error::wrap) a [`TrackingError`](crate::TrackingError).
pub fn log_checkpoint(run: &RunLogger, variables: &VarMap, epoch: usize) -> Result<()> {
    checkpoint::save(run, &name(epoch), |path| variables.save(path)).map_err(error)
}

/// Gives variables the values of a checkpoint that [`log_checkpoint`] uploaded. Those that
/// the checkpoint has and `variables` have not are left out. The steps of an optimizer go on
/// with [`LoggedConfig::from_step`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let runs = folder.path().join("mlruns");
/// # let tracker = runledger::Tracker::open(&runs.display().to_string())?;
/// # let run = tracker.start_run()?;
/// use candle_core::{DType, Device, Tensor};
/// use candle_nn::{Init, VarMap};
/// use runledger::autolog::candle::{load_checkpoint, log_checkpoint};
///
/// let mut variables = VarMap::new();
/// variables.get(3, "weight", Init::Const(0.5), DType::F32, &Device::Cpu)?;
/// log_checkpoint(&run, &variables, 1)?;
/// variables.set_one("weight", Tensor::zeros(3, DType::F32, &Device::Cpu)?)?;
/// load_checkpoint(&run, &mut variables, 1)?;
/// let weight = variables.get(3, "weight", Init::Const(0.0), DType::F32, &Device::Cpu)?;
/// assert_eq!(weight.to_vec1::<f32>()?, [0.5; 3]);
/// # run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`log_checkpoint`], and if a variable is missing from the checkpoint.
pub fn load_checkpoint(run: &RunLogger, variables: &mut VarMap, epoch: usize) -> Result<()> {
    checkpoint::restore(run, &name(epoch), |path| variables.load(path)).map_err(error)
}

fn name(epoch: usize) -> String {
    format!("model-{epoch}.safetensors")
}

fn error(failure: Failure<candle_core::Error>) -> candle_core::Error {
    match failure {
        Failure::Local(error) => error.into(),
        Failure::Tracking(error) => candle_core::Error::wrap(error),
        Failure::Content(error) => error,
    }
}

/// The value of a loss; the mean of one with several.
fn scalar(loss: &Tensor) -> Result<f64> {
    let loss = loss.detach().flatten_all()?;
    if loss.dtype() == DType::F64 {
        return loss.mean(0)?.to_scalar();
    }
    // Not every device has doubles.
    let value: f32 = loss.to_dtype(DType::F32)?.mean(0)?.to_scalar()?;
    Ok(value.into())
}
