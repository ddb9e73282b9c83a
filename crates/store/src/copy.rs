//! Copying everything that one store keeps into another.
//!
//! Ids, times and histories stay. A copy that was cut short is gone on with:
//! a run that is not whole yet carries the tag [`INCOMPLETE`] until it is.

mod traces;

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, stream};
use runledger_entities::{
    Experiment, ExperimentId, LifecycleStage, Metric, ModelVersion, Run, RunId, Tag, ViewType,
    limits,
};

use runledger_search::{
    ModelVersionClause, ModelVersionKey, ModelVersionText, Order, RegistryFilter, TextOp, TextTest,
};

use crate::{
    AdoptStore, AdoptedRegisteredModel, AdoptedRun, Adoption, Batch, ExperimentQuery, HistoryQuery,
    LoggedModelQuery, LoggedModelStore, ModelRegistryStore, ModelVersionQuery, Page, PageRequest,
    PurgeStore, RegisteredModelQuery, RunQuery, StoreError, TraceStore, TrackingStore, WholeTraces,
};

/// The tag of a run whose metrics are not all copied yet.
pub const INCOMPLETE: &str = "runledger.copy.incomplete";

/// How many runs are copied together.
const RUNS: u32 = 64;

/// Of how many runs the histories are copied at the same time.
const AT_A_TIME: usize = 16;

/// How many points of a history are read at a time.
const POINTS: u32 = 50_000;

/// A store that can be copied.
pub trait Source:
    TrackingStore + LoggedModelStore + PurgeStore + ModelRegistryStore + TraceStore + WholeTraces
{
}
impl<S> Source for S where
    S: TrackingStore
        + LoggedModelStore
        + PurgeStore
        + ModelRegistryStore
        + TraceStore
        + WholeTraces
{
}

/// A store that can be copied into.
pub trait Target: TrackingStore + ModelRegistryStore + TraceStore + AdoptStore {}
impl<S: TrackingStore + ModelRegistryStore + TraceStore + AdoptStore> Target for S {}

/// Why a copy did not come to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// Something is there already.
    #[error("the target holds {what} already, and nothing is written over")]
    NotEmpty {
        /// What, such as `the experiment 'x'`.
        what: String,
    },
    /// The source cannot be read, or the target not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was copied so far, or in all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Experiments.
    pub experiments: u64,
    /// Runs.
    pub runs: u64,
    /// Runs that an earlier copy had brought over.
    pub runs_before: u64,
    /// Points of metrics.
    pub points: u64,
    /// Logged models.
    pub logged_models: u64,
    /// Traces.
    pub traces: u64,
    /// Traces that an earlier copy had brought over.
    pub traces_before: u64,
    /// Registered models.
    pub registered_models: u64,
    /// Versions of registered models.
    pub model_versions: u64,
    /// Experiments whose ids are too large for the target, with the ids that they
    /// have there.
    pub renumbered: Vec<(ExperimentId, ExperimentId)>,
}

/// Copies all experiments with all that is in them.
///
/// The target must be new, or with `resume` hold nothing but what an earlier copy
/// of the same source brought over. `tell` hears of the progress.
pub async fn copy(
    source: &dyn Source,
    target: &dyn Target,
    resume: bool,
    tell: &mut (dyn FnMut(&Copied) + Send),
) -> Result<Copied, CopyError> {
    let experiments = all_experiments(source).await?;
    let there = all_experiments(target).await?;
    if !resume {
        refuse_unless_new(target, &there).await?;
    }
    let mut copied = Copied::default();
    let numbers = numbers(&experiments, &there, target.largest_experiment_id())?;
    for experiment in &experiments {
        let (from, to) = (experiment.experiment_id, numbers[&experiment.experiment_id]);
        if from != to {
            copied.renumbered.push((from, to));
        }
        let adopted = Experiment {
            experiment_id: to,
            ..experiment.clone()
        };
        adopt(
            target,
            Adoption {
                experiments: vec![adopted],
                ..Adoption::default()
            },
        )
        .await?;
        copied.experiments += 1;
        tell(&copied);
    }
    for experiment in &experiments {
        let (from, to) = (experiment.experiment_id, numbers[&experiment.experiment_id]);
        copy_runs(source, target, (from, to), &mut copied, tell).await?;
        copy_models(source, target, (from, to), &mut copied, tell).await?;
        traces::copy_traces(source, target, (from, to), &mut copied, tell).await?;
    }
    copy_registry(source, target, &mut copied, tell).await?;
    Ok(copied)
}

async fn adopt(target: &dyn Target, adoption: Adoption) -> Result<(), CopyError> {
    match target.adopt(adoption).await {
        Err(StoreError::ExperimentExists { name }) => Err(CopyError::NotEmpty {
            what: format!("another experiment '{name}'"),
        }),
        adopted => Ok(adopted?),
    }
}

async fn all_experiments<S: TrackingStore + ?Sized>(
    store: &S,
) -> Result<Vec<Experiment>, StoreError> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let query = ExperimentQuery {
            view: ViewType::All,
            filter: Vec::new(),
            order_by: Vec::new(),
            page: PageRequest {
                max_results: 1000,
                token,
            },
        };
        let page = store.search_experiments(query).await?;
        all.extend(page.items);
        token = page.next_token;
        if token.is_none() {
            return Ok(all);
        }
    }
}

async fn runs_of<S: TrackingStore + ?Sized>(
    store: &S,
    experiment: ExperimentId,
    page: PageRequest,
) -> Result<Page<Run>, StoreError> {
    let query = RunQuery {
        experiment_ids: vec![experiment],
        view: ViewType::All,
        filter: Vec::new(),
        order_by: Vec::new(),
        page,
    };
    store.search_runs(query).await
}

/// A new store has the default experiment at most, and no run in it.
async fn refuse_unless_new(target: &dyn Target, there: &[Experiment]) -> Result<(), CopyError> {
    let another = there
        .iter()
        .find(|experiment| experiment.experiment_id != ExperimentId::DEFAULT);
    if let Some(another) = another {
        return Err(CopyError::NotEmpty {
            what: format!("the experiment '{}'", another.name),
        });
    }
    let first = PageRequest {
        max_results: 1,
        token: None,
    };
    let runs = runs_of(target, ExperimentId::DEFAULT, first).await?;
    if let Some(run) = runs.items.first() {
        return Err(CopyError::NotEmpty {
            what: format!("the run {}", run.info.run_id),
        });
    }
    let query = RegisteredModelQuery {
        filter: everything(),
        order_by: Vec::new(),
        page: PageRequest {
            max_results: 1,
            token: None,
        },
    };
    let models = target.search_registered_models(query).await?;
    match models.items.first() {
        Some(model) => Err(CopyError::NotEmpty {
            what: format!("the registered model '{}'", model.name),
        }),
        None => Ok(()),
    }
}

/// A filter of the registry that lets everything through, prompts too.
fn everything<C>() -> RegistryFilter<C> {
    RegistryFilter {
        clauses: Vec::new(),
        prompts: true,
    }
}

/// The ids that experiments have in the target: their own, but where the target
/// has not so many digits.
fn numbers(
    experiments: &[Experiment],
    there: &[Experiment],
    largest: i64,
) -> Result<HashMap<ExperimentId, ExperimentId>, CopyError> {
    let by_name: HashMap<&str, ExperimentId> = there
        .iter()
        .map(|experiment| (experiment.name.as_str(), experiment.experiment_id))
        .collect();
    let own = experiments
        .iter()
        .map(|experiment| experiment.experiment_id);
    let mut taken: HashSet<i64> = own.map(|id| id.0).filter(|id| *id <= largest).collect();
    taken.extend(there.iter().map(|experiment| experiment.experiment_id.0));
    let mut next = 1;
    let mut numbers = HashMap::new();
    for experiment in experiments {
        let id = experiment.experiment_id;
        let to = if id.0 <= largest {
            id
        } else if let Some(known) = by_name.get(experiment.name.as_str()) {
            *known
        } else {
            while taken.contains(&next) {
                next += 1;
            }
            taken.insert(next);
            ExperimentId(next)
        };
        numbers.insert(id, to);
    }
    let targets: HashSet<ExperimentId> = numbers.values().copied().collect();
    let strange = there.iter().find(|experiment| {
        let id = experiment.experiment_id;
        id != ExperimentId::DEFAULT && !targets.contains(&id)
    });
    match strange {
        Some(strange) => Err(CopyError::NotEmpty {
            what: format!(
                "the experiment '{}', which is not of this source,",
                strange.name
            ),
        }),
        None => Ok(numbers),
    }
}

async fn copy_runs(
    source: &dyn Source,
    target: &dyn Target,
    (from, to): (ExperimentId, ExperimentId),
    copied: &mut Copied,
    tell: &mut (dyn FnMut(&Copied) + Send),
) -> Result<(), CopyError> {
    let mut token = None;
    loop {
        let page = PageRequest {
            max_results: RUNS,
            token,
        };
        let page = runs_of(source, from, page).await?;
        let mut runs = Vec::new();
        for mut run in page.items {
            run.info.experiment_id = to;
            if is_whole(target, &run.info.run_id).await? {
                copied.runs_before += 1;
                continue;
            }
            let deleted_time = match run.info.lifecycle_stage {
                LifecycleStage::Active => None,
                LifecycleStage::Deleted => source.deleted_run(&run.info.run_id).await?.deleted_time,
            };
            runs.push(AdoptedRun { run, deleted_time });
        }
        copy_some(source, target, runs, copied).await?;
        tell(copied);
        token = page.next_token;
        if token.is_none() {
            return Ok(());
        }
    }
}

/// Whether an earlier copy brought the run over to its last point.
async fn is_whole(target: &dyn Target, id: &RunId) -> Result<bool, StoreError> {
    match target.get_run(id).await {
        Ok(run) => Ok(run.data.tags.iter().all(|tag| tag.key != INCOMPLETE)),
        Err(StoreError::NotFound { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn copy_some(
    source: &dyn Source,
    target: &dyn Target,
    runs: Vec<AdoptedRun>,
    copied: &mut Copied,
) -> Result<(), CopyError> {
    if runs.is_empty() {
        return Ok(());
    }
    // Only an active run takes points.
    let incomplete = runs.iter().map(|adopted| {
        let mut run = adopted.run.clone();
        run.info.lifecycle_stage = LifecycleStage::Active;
        run.data.tags.push(Tag::new(INCOMPLETE, "true"));
        AdoptedRun {
            run,
            deleted_time: None,
        }
    });
    let incomplete = incomplete.collect();
    adopt(
        target,
        Adoption {
            runs: incomplete,
            ..Adoption::default()
        },
    )
    .await?;
    // Together: the target commits what comes at the same time in one go.
    let mut points = stream::iter(&runs)
        .map(|adopted| copy_points(source, target, &adopted.run))
        .buffer_unordered(AT_A_TIME);
    while let Some(count) = points.next().await {
        copied.points += count?;
    }
    drop(points);
    copied.runs += runs.len() as u64;
    adopt(
        target,
        Adoption {
            runs,
            ..Adoption::default()
        },
    )
    .await
}

/// Copies the histories of a run; says how many points they have. Points that are
/// there already are dropped by the target.
async fn copy_points(
    source: &dyn Source,
    target: &dyn Target,
    run: &Run,
) -> Result<u64, StoreError> {
    let id = &run.info.run_id;
    let mut count = 0;
    let mut batch: Vec<Metric> = Vec::new();
    for metric in &run.data.metrics {
        let mut token = None;
        loop {
            let query = HistoryQuery {
                run_id: id.clone(),
                key: metric.key.clone(),
                page: PageRequest {
                    max_results: POINTS,
                    token,
                },
            };
            let page = source.metric_history(query).await?;
            count += page.items.len() as u64;
            for point in page.items {
                batch.push(point);
                if batch.len() == limits::BATCH_METRICS {
                    log(target, id, std::mem::take(&mut batch)).await?;
                }
            }
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
    }
    log(target, id, batch).await?;
    Ok(count)
}

async fn log(target: &dyn Target, id: &RunId, metrics: Vec<Metric>) -> Result<(), StoreError> {
    if metrics.is_empty() {
        return Ok(());
    }
    let batch = Batch {
        metrics,
        ..Batch::default()
    };
    target.log_batch(id, batch).await
}

async fn copy_models(
    source: &dyn Source,
    target: &dyn Target,
    (from, to): (ExperimentId, ExperimentId),
    copied: &mut Copied,
    tell: &mut (dyn FnMut(&Copied) + Send),
) -> Result<(), CopyError> {
    let mut token = None;
    loop {
        let query = LoggedModelQuery {
            experiment_ids: vec![from],
            filter: Vec::new(),
            datasets: Vec::new(),
            order_by: Vec::new(),
            page: PageRequest {
                max_results: RUNS,
                token,
            },
        };
        let Page { items, next_token } = source.search_logged_models(query).await?;
        copied.logged_models += items.len() as u64;
        let logged_models = items
            .into_iter()
            .map(|mut model| {
                model.experiment_id = to;
                model
            })
            .collect();
        adopt(
            target,
            Adoption {
                logged_models,
                ..Adoption::default()
            },
        )
        .await?;
        tell(copied);
        token = next_token;
        if token.is_none() {
            return Ok(());
        }
    }
}

async fn copy_registry(
    source: &dyn Source,
    target: &dyn Target,
    copied: &mut Copied,
    tell: &mut (dyn FnMut(&Copied) + Send),
) -> Result<(), CopyError> {
    let mut token = None;
    loop {
        let query = RegisteredModelQuery {
            filter: everything(),
            order_by: Vec::new(),
            page: PageRequest {
                max_results: RUNS,
                token,
            },
        };
        let Page { items, next_token } = source.search_registered_models(query).await?;
        for model in items {
            let adopted = AdoptedRegisteredModel {
                versions: versions_of(source, &model.name).await?,
                last_version: source.last_model_version(&model.name).await?,
                model,
            };
            copied.registered_models += 1;
            copied.model_versions += adopted.versions.len() as u64;
            let adoption = Adoption {
                registered_models: vec![adopted],
                ..Adoption::default()
            };
            adopt(target, adoption).await?;
            tell(copied);
        }
        token = next_token;
        if token.is_none() {
            return Ok(());
        }
    }
}

/// All versions of a model.
async fn versions_of(source: &dyn Source, name: &str) -> Result<Vec<ModelVersion>, StoreError> {
    let mut all = Vec::new();
    let mut token = None;
    loop {
        let query = ModelVersionQuery {
            filter: RegistryFilter {
                clauses: vec![ModelVersionClause::Text {
                    attribute: ModelVersionText::Name,
                    test: TextTest::Compare {
                        op: TextOp::Equal,
                        value: name.to_owned(),
                    },
                }],
                prompts: true,
            },
            order_by: vec![Order {
                key: ModelVersionKey::Number,
                descending: false,
            }],
            page: PageRequest {
                max_results: 10_000,
                token,
            },
        };
        let page = source.search_model_versions(query).await?;
        all.extend(page.items);
        token = page.next_token;
        if token.is_none() {
            return Ok(all);
        }
    }
}
