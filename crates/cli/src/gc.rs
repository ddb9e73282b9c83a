//! `runledger gc`: deleted runs, logged models and experiments, removed for
//! good with their artifacts (MLflow 3.17, `mlflow gc`).
//!
//! What a store forgets is `runledger-store`'s; here is the order of things:
//! artifacts before the rows that name them, runs and models before their
//! experiments. So no files of theirs are left behind that nobody knows of any
//! more, and a command that was killed goes on when it is run again. Something
//! that cannot be removed stays, with its experiment, and the rest goes. What is
//! not deleted itself in a deleted experiment (logged models, traces) goes with
//! it and leaves its files, as in MLflow.

mod age;
mod error;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use runledger_artifacts::{ArtifactError, ArtifactRoots, redacted};
use runledger_entities::{ExperimentId, LoggedModelId, RunId};
use runledger_store::{
    DeletedExperiment, DeletedLoggedModel, DeletedQuery, DeletedRun, Page, PageRequest, PurgeStore,
    StoreError,
};
use runledger_store_sql::PoolOptions;
use serde_json::json;

use crate::args::{Command, GcArgs, ServerArgs};
use crate::report;
use crate::serve::{self, RunError};
use crate::settings::Settings;

pub(crate) use error::GcError;

/// Removes what the flags say.
pub(crate) fn run(args: &GcArgs) -> Result<(), GcError> {
    let flags = flags(args);
    let settings = Settings::new(&flags).map_err(RunError::from)?;
    let before_ms = args.older_than.as_deref().map(before).transpose()?;
    let experiment_ids = args.experiment_ids.as_deref();
    let experiment_ids = experiment_ids.map(experiments_of).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| RunError::Start { source })?;
    runtime.block_on(async {
        let pool = PoolOptions::from_environment(|name| std::env::var(name).ok());
        let pool = pool.map_err(RunError::from)?;
        let store = serve::purge_store(&settings, pool, args.dry_run).await?;
        let roots = serve::roots(&settings, &flags).await?;
        let mut collector = Collector::new(store, roots, args, before_ms);
        let outcome = collector.collect(experiment_ids).await;
        // Also what was removed before something failed.
        collector.tell();
        outcome
    })
}

/// The flags of a server that has the same storage.
fn flags(args: &GcArgs) -> ServerArgs {
    let Command::Server(mut flags) = Command::server() else {
        unreachable!("it is the server's");
    };
    if let Some(uri) = &args.backend_store_uri {
        flags.backend_store_uri = Some(uri.clone());
    }
    if let Some(uri) = &args.artifacts_destination {
        flags.artifacts_destination.clone_from(uri);
    }
    if let Some(uri) = &args.default_artifact_root {
        flags.default_artifact_root = Some(uri.clone());
    }
    *flags
}

/// The moment that is so long ago, in milliseconds since the epoch.
fn before(text: &str) -> Result<i64, GcError> {
    let age = age::parse(text).ok_or_else(|| GcError::Age {
        text: text.to_owned(),
    })?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    let before = now.saturating_sub(age).as_millis();
    Ok(i64::try_from(before).unwrap_or(i64::MAX))
}

fn experiments_of(texts: &[String]) -> Result<Vec<ExperimentId>, GcError> {
    let id = |text: &String| {
        text.trim()
            .parse()
            .map_err(|_| GcError::ExperimentId { text: text.clone() })
    };
    texts.iter().map(id).collect()
}

struct Collector<'a> {
    store: Arc<dyn PurgeStore>,
    roots: ArtifactRoots,
    args: &'a GcArgs,
    before_ms: Option<i64>,
    runs: Vec<String>,
    models: Vec<String>,
    experiments: Vec<String>,
    /// Why something stays.
    left: Vec<String>,
    /// Experiments of which something stays.
    held: BTreeSet<ExperimentId>,
}

impl<'a> Collector<'a> {
    fn new(
        store: Arc<dyn PurgeStore>,
        roots: ArtifactRoots,
        args: &'a GcArgs,
        before_ms: Option<i64>,
    ) -> Self {
        Self {
            store,
            roots,
            args,
            before_ms,
            runs: Vec::new(),
            models: Vec::new(),
            experiments: Vec::new(),
            left: Vec::new(),
            held: BTreeSet::new(),
        }
    }

    /// Removes runs, then models, then experiments.
    async fn collect(&mut self, ids: Option<Vec<ExperimentId>>) -> Result<(), GcError> {
        let experiments = self.experiments(ids).await?;
        for run in self.runs(&experiments).await? {
            let experiment = run.experiment_id;
            let removed = self.run(run).await;
            self.go_on(experiment, removed)?;
        }
        for model in self.models(&experiments).await? {
            let experiment = model.experiment_id;
            let removed = self.model(model).await;
            self.go_on(experiment, removed)?;
        }
        for experiment in experiments {
            let id = experiment.experiment_id;
            let removed = self.experiment(experiment).await;
            self.go_on(id, removed)?;
        }
        match self.left.len() {
            0 => Ok(()),
            count => Err(GcError::Left { count }),
        }
    }

    /// Leaves what cannot be removed, and says so; its experiment stays, too.
    fn go_on(
        &mut self,
        experiment: ExperimentId,
        removed: Result<(), GcError>,
    ) -> Result<(), GcError> {
        match removed {
            Err(error) if error.is_of_one() => {
                self.left.push(error.to_string());
                self.held.insert(experiment);
                report::error(&error);
                Ok(())
            }
            removed => removed,
        }
    }

    async fn experiments(
        &self,
        ids: Option<Vec<ExperimentId>>,
    ) -> Result<Vec<DeletedExperiment>, GcError> {
        let Some(ids) = ids else {
            if self.names_something() {
                return Ok(Vec::new());
            }
            return self
                .all(None, self.before_ms, |query| {
                    self.store.deleted_experiments(query)
                })
                .await;
        };
        let found = self
            .all(Some(ids.clone()), None, |query| {
                self.store.deleted_experiments(query)
            })
            .await?;
        for id in ids {
            let experiment = found.iter().find(|found| found.experiment_id == id);
            let experiment = experiment.ok_or(GcError::NotDeleted { id })?;
            let is_old = |before| {
                experiment
                    .last_update_time
                    .is_some_and(|time| time < before)
            };
            self.check_age(
                &format!("experiment {id}"),
                self.before_ms.is_none_or(is_old),
            )?;
        }
        Ok(found)
    }

    /// The runs that were asked for, else all, and those of the experiments.
    async fn runs(&self, experiments: &[DeletedExperiment]) -> Result<Vec<DeletedRun>, GcError> {
        let mut runs = Vec::new();
        match &self.args.run_ids {
            Some(ids) => {
                for id in ids {
                    let run = self.store.deleted_run(&RunId::new(id.trim())).await?;
                    self.check_run(&run)?;
                    runs.push(run);
                }
            }
            None if self.names_something() => {}
            None => {
                runs = self
                    .all(None, self.before_ms, |query| self.store.deleted_runs(query))
                    .await?;
            }
        }
        let ids: Vec<_> = experiments.iter().map(|e| e.experiment_id).collect();
        if !ids.is_empty() {
            for run in self
                .all(Some(ids), None, |query| self.store.deleted_runs(query))
                .await?
            {
                self.check_run(&run)?;
                runs.push(run);
            }
        }
        runs.sort_by(|a, b| a.run_id.as_str().cmp(b.run_id.as_str()));
        runs.dedup_by(|a, b| a.run_id == b.run_id);
        Ok(runs)
    }

    fn check_run(&self, run: &DeletedRun) -> Result<(), GcError> {
        let is_old = |before| run.deleted_time.is_some_and(|time| time <= before);
        let what = format!("run {}", run.run_id);
        self.check_age(&what, self.before_ms.is_none_or(is_old))
    }

    /// The models that were asked for, else those of the experiments that were,
    /// else all.
    async fn models(
        &self,
        experiments: &[DeletedExperiment],
    ) -> Result<Vec<DeletedLoggedModel>, GcError> {
        let Some(ids) = &self.args.logged_model_ids else {
            if self.names_something() {
                let ids: Vec<_> = experiments.iter().map(|e| e.experiment_id).collect();
                if ids.is_empty() {
                    return Ok(Vec::new());
                }
                return self
                    .all(Some(ids), None, |query| {
                        self.store.deleted_logged_models(query)
                    })
                    .await;
            }
            return self
                .all(None, self.before_ms, |query| {
                    self.store.deleted_logged_models(query)
                })
                .await;
        };
        let mut models = Vec::new();
        for id in ids {
            let id = LoggedModelId::new(id.trim());
            let model = self.store.deleted_logged_model(&id).await?;
            let is_old = |before| model.deleted_time <= before;
            let what = format!("logged model {id}");
            self.check_age(&what, self.before_ms.is_none_or(is_old))?;
            models.push(model);
        }
        Ok(models)
    }

    /// Whether something is asked for by its id; kinds of which nothing is stay.
    fn names_something(&self) -> bool {
        let Self { args, .. } = self;
        args.run_ids.is_some() || args.experiment_ids.is_some() || args.logged_model_ids.is_some()
    }

    fn check_age(&self, what: &str, is_old: bool) -> Result<(), GcError> {
        if is_old {
            return Ok(());
        }
        Err(GcError::TooYoung {
            what: what.to_owned(),
            age: self.args.older_than.clone().unwrap_or_default(),
        })
    }

    async fn run(&mut self, run: DeletedRun) -> Result<(), GcError> {
        let id = run.run_id.to_string();
        if !self.args.dry_run {
            let what = format!("run {id}");
            // The list may be hours old: a run that was restored keeps its files.
            let Some(run) = still(&what, self.store.deleted_run(&run.run_id).await)? else {
                return Ok(());
            };
            self.remove(&what, &run.artifact_uri).await?;
            self.store.purge_run(&run.run_id).await?;
        }
        self.say(&format!("Run with ID {id}"));
        self.runs.push(id);
        Ok(())
    }

    async fn model(&mut self, model: DeletedLoggedModel) -> Result<(), GcError> {
        let id = model.model_id.to_string();
        if !self.args.dry_run {
            let what = format!("logged model {id}");
            let deleted = self.store.deleted_logged_model(&model.model_id).await;
            let Some(model) = still(&what, deleted)? else {
                return Ok(());
            };
            self.remove(&what, &model.artifact_location).await?;
            self.store.purge_logged_model(&model.model_id).await?;
        }
        self.say(&format!("Logged model with ID {id}"));
        self.models.push(id);
        Ok(())
    }

    async fn experiment(&mut self, experiment: DeletedExperiment) -> Result<(), GcError> {
        let id = experiment.experiment_id;
        let what = format!("experiment {id}");
        if self.held.contains(&id) {
            report::note(&format!("{what} stays, because something in it does"));
            return Ok(());
        }
        if !self.args.dry_run {
            let purged = self.store.purge_experiment(id).await;
            if still(&what, purged)?.is_none() {
                return Ok(());
            }
        }
        self.say(&format!("Experiment with ID {id}"));
        self.experiments.push(id.to_string());
        Ok(())
    }

    /// Removes artifacts. Those whose location is none stay, which is said; if
    /// anything else fails, the row that names them stays, too.
    async fn remove(&self, what: &str, uri: &str) -> Result<(), GcError> {
        if self.args.artifacts_destination.is_none() && uri.starts_with("mlflow-artifacts:") {
            return Err(GcError::NoDestination {
                what: what.to_owned(),
                place: redacted(uri),
            });
        }
        let removed = match self.roots.resolve(uri).await {
            Ok(place) => place.repository.delete(&place.path).await,
            Err(error) => Err(error),
        };
        match removed {
            Ok(()) => Ok(()),
            Err(error @ (ArtifactError::InvalidUri(_) | ArtifactError::InvalidPath(_))) => {
                let place = redacted(uri);
                report::note(&format!(
                    "the artifacts of {what} in '{place}' stay: {error}"
                ));
                Ok(())
            }
            Err(source) => Err(GcError::Artifacts {
                what: what.to_owned(),
                source,
            }),
        }
    }

    /// MLflow's sentence about what was removed.
    fn say(&self, what: &str) {
        if self.args.json {
            return;
        }
        report::line(&if self.args.dry_run {
            format!("{what} would be permanently deleted.")
        } else {
            format!("{what} has been permanently deleted.")
        });
    }

    fn tell(&self) {
        if self.args.json {
            report::json(&json!({
                "dry_run": self.args.dry_run,
                "runs": self.runs,
                "logged_models": self.models,
                "experiments": self.experiments,
                "left": self.left,
            }));
        } else if self.args.dry_run {
            report::line("Nothing was changed.");
        }
    }

    /// All pages of a list.
    async fn all<T, F>(
        &self,
        experiment_ids: Option<Vec<ExperimentId>>,
        before_ms: Option<i64>,
        list: impl Fn(DeletedQuery) -> F,
    ) -> Result<Vec<T>, GcError>
    where
        F: Future<Output = Result<Page<T>, StoreError>>,
    {
        let mut items = Vec::new();
        let mut token = None;
        loop {
            let page = list(DeletedQuery {
                experiment_ids: experiment_ids.clone(),
                before_ms,
                page: PageRequest {
                    max_results: 1000,
                    token,
                },
            })
            .await?;
            items.extend(page.items);
            token = page.next_token;
            if token.is_none() {
                return Ok(items);
            }
        }
    }
}

/// What is still deleted; a note, if it was restored or removed meanwhile.
fn still<T>(what: &str, found: Result<T, StoreError>) -> Result<Option<T>, GcError> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(error @ (StoreError::Lifecycle { .. } | StoreError::NotFound { .. })) => {
            report::note(&format!("{what} is left alone: {error}"));
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}
