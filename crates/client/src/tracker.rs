//! The fluent API: where runs go, and starting them.

use std::env;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use runledger_entities::{Experiment, ExperimentId, Run, RunId, RunStatus};

use crate::queue::Keeping;
use crate::spill;
use crate::{ActiveRun, Client, RunOptions, TrackingError, active_run, background};

/// Starts runs in one experiment of one store, for training loops that are not
/// asynchronous.
///
/// Clones share the experiment. The functions of the crate's root do the same with
/// a tracker of the whole process.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let tracker = runledger::Tracker::open(&uri)?;
/// let experiment = tracker.set_experiment("digits")?;
/// let run = tracker.clone().start_run()?;
/// assert_eq!(run.experiment_id(), experiment.experiment_id);
/// run.end()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Tracker {
    client: Client,
    keeping: Keeping,
    experiment: Arc<Mutex<Option<ExperimentId>>>,
}

/// The tracker of the process: that of [`set_tracking_uri`], or of the environment.
static PROCESS: Mutex<Option<Tracker>> = Mutex::new(None);

impl Tracker {
    /// A tracker of what a tracking URI names, as [`Client::open`] reads it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// use runledger::Tracker;
    ///
    /// let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// let tracker = Tracker::open(&uri)?;
    /// assert_eq!(tracker.client().uri(), uri);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn open(uri: &str) -> Result<Self, TrackingError> {
        let uri = uri.to_owned();
        let client = background::wait(async move { Client::open(&uri).await })?;
        Ok(Self::of(client))
    }

    /// A tracker of what `MLFLOW_TRACKING_URI` names, as [`Client::from_env`] reads
    /// it.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let tracker = runledger::Tracker::from_env()?;
    /// println!("runs go to {}", tracker.client().uri());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::from_env`].
    pub fn from_env() -> Result<Self, TrackingError> {
        Ok(Self::of(background::wait(Client::from_env())?))
    }

    /// A tracker of a server that is asked in a way of its own.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::{RestOptions, RestStore, Tracker};
    ///
    /// let options = RestOptions { max_retries: 1, ..RestOptions::default() };
    /// let tracker = Tracker::of_server(RestStore::new("http://localhost:5000", options)?);
    /// assert_eq!(tracker.client().uri(), "http://localhost:5000");
    /// # Ok(())
    /// # }
    /// ```
    pub fn of_server(store: crate::RestStore) -> Self {
        Self::of(Client::of_server(store))
    }

    fn of(client: Client) -> Self {
        Self {
            client,
            keeping: Keeping::default(),
            experiment: Arc::default(),
        }
    }

    /// Keeps what runs cannot send in this folder, which need not exist, instead of that of
    /// [`spill::folder`].
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::path::Path;
    ///
    /// let tracker = runledger::Tracker::open("http://localhost:5000")?
    ///     .spilling_to(Path::new("/var/lib/training/unsent"));
    /// let run = tracker.start_run()?;
    /// // From here on, the server may be away.
    /// run.log_metric_at("loss", 0.25, 1)?;
    /// run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn spilling_to(mut self, folder: &Path) -> Self {
        self.keeping.folder = Some(folder.into());
        self
    }

    /// How long the end of a run waits for a tracker that gives no answer, before the rest
    /// is left to [`spill`]: a minute, unless this says otherwise.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// let tracker = runledger::Tracker::open("http://localhost:5000")?
    ///     .with_patience(Duration::from_secs(5));
    /// let run = tracker.start_run()?;
    /// run.log_metric_at("loss", 0.25, 1)?;
    /// // If the server is away now, this takes about five seconds.
    /// run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.keeping.patience = patience;
        self
    }

    /// The client below. Its connections belong to the threads of the tracker.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// use runledger::store::StoreKind;
    ///
    /// assert_eq!(tracker.client().store().kind(), StoreKind::Sql);
    /// # Ok(())
    /// # }
    /// ```
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Starts further runs in the experiment of this name, which is created if it is
    /// not there.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// let experiment = tracker.set_experiment("digits")?;
    /// assert_eq!(tracker.experiment_id()?, experiment.experiment_id);
    /// // Now that it is there, it is found again.
    /// assert_eq!(tracker.set_experiment("digits")?, experiment);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::ExperimentDeleted`] if it is deleted.
    pub fn set_experiment(&self, name: &str) -> Result<Experiment, TrackingError> {
        let (client, name) = (self.client.clone(), name.to_owned());
        let experiment = background::wait(async move { client.experiment_named(&name).await })?;
        *self.chosen() = Some(experiment.experiment_id);
        Ok(experiment)
    }

    /// The experiment in which runs start: that of [`Tracker::set_experiment`], or
    /// else what `MLFLOW_EXPERIMENT_NAME` (created if it is not there) or
    /// `MLFLOW_EXPERIMENT_ID` say, or else the default experiment.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// let id = tracker.set_experiment("digits")?.experiment_id;
    /// assert_eq!(tracker.experiment_id()?, id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::ExperimentVariable`] and [`TrackingError::ExperimentDeleted`] if a
    /// variable names no experiment that can have runs.
    pub fn experiment_id(&self) -> Result<ExperimentId, TrackingError> {
        if let Some(id) = *self.chosen() {
            return Ok(id);
        }
        let set = |variable| env::var(variable).ok().filter(|value| !value.is_empty());
        if let Some(name) = set("MLFLOW_EXPERIMENT_NAME") {
            return Ok(self.set_experiment(&name)?.experiment_id);
        }
        let Some(value) = set("MLFLOW_EXPERIMENT_ID") else {
            return Ok(ExperimentId::DEFAULT);
        };
        let Ok(id) = value.parse() else {
            return Err(TrackingError::ExperimentVariable { value });
        };
        let client = self.client.clone();
        background::wait(async move { client.active_experiment(id).await })?;
        Ok(*self.chosen().insert(id))
    }

    /// Starts a run with a random name. It gets MLflow's automatic tags: who started
    /// it (`mlflow.user`), what program (`mlflow.source.name`, `mlflow.source.type`),
    /// and the commit of the repository around the current directory
    /// (`mlflow.source.git.commit`).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// let run = tracker.start_run()?;
    /// run.log_metric("accuracy", 0.875)?;
    /// assert!(tracker.start_run().is_err(), "this thread has a run");
    /// run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::RunActive`] if this thread has an active run.
    pub fn start_run(&self) -> Result<ActiveRun, TrackingError> {
        self.start_run_with(RunOptions::default())
    }

    /// Starts a run as [`Tracker::start_run`] does, with a name and tags of its own.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// use runledger::RunOptions;
    ///
    /// let run = tracker.start_run_with(RunOptions::named("a small net"))?;
    /// assert_eq!(run.info().run_name.as_deref(), Some("a small net"));
    /// run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::RunActive`] if this thread has an active run.
    pub fn start_run_with(&self, options: RunOptions) -> Result<ActiveRun, TrackingError> {
        check_none_active()?;
        ActiveRun::start(
            self.client.clone(),
            self.experiment_id()?,
            options,
            self.keeping.clone(),
        )
    }

    /// Goes on with a run, which is `RUNNING` again. What an earlier program could not send
    /// to it ([`spill`]) is sent first.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// use runledger::entities::RunStatus;
    ///
    /// let run = tracker.start_run()?;
    /// let id = run.run_id().clone();
    /// run.end()?;
    /// let again = tracker.resume_run(&id)?;
    /// assert_eq!(again.get()?.info.status, RunStatus::Running);
    /// again.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Spill`] if that cannot be sent, or is just being sent.
    /// [`TrackingError::RunActive`] if this thread has an active run; a deleted run
    /// is refused by the store.
    pub fn resume_run(&self, id: &RunId) -> Result<ActiveRun, TrackingError> {
        check_none_active()?;
        let (client, id) = (self.client.clone(), id.clone());
        let folder = self.keeping.folder.clone();
        let info = background::wait(async move {
            // An end that waits there would end it once more, later.
            spill::send_left(&client, folder, &id).await?;
            client.end_run(&id, RunStatus::Running).await
        })?;
        ActiveRun::resume(self.client.clone(), info, self.keeping.clone())
    }

    /// Searches the runs of the tracker's experiment, as [`Client::search_runs`] does.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// for (depth, loss) in [(3, 0.5), (5, 0.25)] {
    ///     let run = tracker.start_run()?;
    ///     run.log_param("depth", depth)?;
    ///     run.log_metric("loss", loss)?;
    ///     run.end()?;
    /// }
    /// let best = tracker.search_runs("metrics.loss < 0.4", &["metrics.loss ASC"], 10)?;
    /// assert_eq!(best.len(), 1);
    /// assert_eq!(best[0].data.params[0].value, "5");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Search`] if the filter or the order cannot be read.
    pub fn search_runs(
        &self,
        filter: &str,
        order_by: &[&str],
        max_results: usize,
    ) -> Result<Vec<Run>, TrackingError> {
        let experiments = [self.experiment_id()?];
        let client = self.client.clone();
        let filter = filter.to_owned();
        let order_by: Vec<String> = order_by.iter().map(|text| (*text).to_owned()).collect();
        background::wait(async move {
            let order_by: Vec<&str> = order_by.iter().map(String::as_str).collect();
            client
                .search_runs(&experiments, &filter, &order_by, max_results)
                .await
        })
    }

    fn chosen(&self) -> MutexGuard<'_, Option<ExperimentId>> {
        // An id is whole whatever happened.
        self.experiment
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_none_active() -> Result<(), TrackingError> {
    match active_run() {
        None => Ok(()),
        Some(run) => Err(TrackingError::RunActive {
            run_id: run.run_id().clone(),
        }),
    }
}

/// The tracker of the process: that of [`set_tracking_uri`], or else of the
/// environment.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// runledger::set_tracking_uri(&uri)?;
/// assert_eq!(runledger::tracker()?.client().uri(), uri);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Tracker::from_env`].
pub fn tracker() -> Result<Tracker, TrackingError> {
    let mut process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tracker) = &*process {
        return Ok(tracker.clone());
    }
    Ok(process.insert(Tracker::from_env()?).clone())
}

/// Sends further runs of the process elsewhere: see [`Client::open`]. The experiment
/// is the default one again; runs that are active stay where they are.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// runledger::set_tracking_uri(&uri)?;
/// let run = runledger::start_run()?;
/// run.log_metric_at("loss", 0.25, 1)?;
/// run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Tracker::open`]; then runs go on where they went before.
pub fn set_tracking_uri(uri: &str) -> Result<(), TrackingError> {
    let tracker = Tracker::open(uri)?;
    let mut process = PROCESS.lock().unwrap_or_else(PoisonError::into_inner);
    *process = Some(tracker);
    Ok(())
}

/// Starts further runs of the process in the experiment of this name: see
/// [`Tracker::set_experiment`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # runledger::set_tracking_uri(&uri)?;
/// let experiment = runledger::set_experiment("digits")?;
/// let run = runledger::start_run()?;
/// assert_eq!(run.experiment_id(), experiment.experiment_id);
/// run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`tracker()`] and [`Tracker::set_experiment`].
pub fn set_experiment(name: &str) -> Result<Experiment, TrackingError> {
    tracker()?.set_experiment(name)
}

/// Starts a run, the active run of this thread: see [`Tracker::start_run`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # runledger::set_tracking_uri(&uri)?;
/// let run = runledger::start_run()?;
/// for step in 0..3_u32 {
///     run.log_metric_at("loss", 1.0 / f64::from(step + 1), step.into())?;
/// }
/// run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`tracker()`] and [`Tracker::start_run`].
pub fn start_run() -> Result<ActiveRun, TrackingError> {
    tracker()?.start_run()
}

/// Starts a run with a name and tags of its own: see [`Tracker::start_run_with`].
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # runledger::set_tracking_uri(&uri)?;
/// use runledger::RunOptions;
/// use runledger::entities::Tag;
///
/// let options = RunOptions {
///     tags: vec![Tag::new("team", "vision")],
///     ..RunOptions::named("a small net")
/// };
/// let run = runledger::start_run_with(options)?;
/// run.end()?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`tracker()`] and [`Tracker::start_run_with`].
pub fn start_run_with(options: RunOptions) -> Result<ActiveRun, TrackingError> {
    tracker()?.start_run_with(options)
}
