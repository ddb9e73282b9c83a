//! What a group of batches writes, found out before it is written.
//!
//! For the databases that take rows many at a time: a group of batches becomes
//! a list of rows for each table, sorted by the table's key, in which each key
//! that can be written over stands once. The rules are those of MLflow 3.17's
//! SQL store; SQLite, where single rows are cheap, follows them row by row.

use std::collections::{BTreeMap, HashMap, HashSet};

use runledger_entities::{LifecycleStage, Metric, RunId, Tag};
use runledger_store::{ParamChange, Resource, StoreError};

use crate::{executor::Append, values::StoredValue};

/// What has to be read before batches can be checked.
pub(crate) struct Wanted<'a> {
    /// The runs of the batches.
    pub(crate) runs: Vec<&'a str>,
    /// The logged models that metrics name.
    pub(crate) models: Vec<&'a str>,
    params: Vec<(&'a str, &'a str)>,
    refused: Vec<Option<StoreError>>,
    group: &'a [Append],
}

/// What is in the database.
#[derive(Default)]
pub(crate) struct Known {
    runs: HashMap<String, (Option<String>, i64)>,
    params: HashMap<(String, String), String>,
    models: HashSet<String>,
}

impl Known {
    /// A run, its stage and its experiment.
    pub(crate) fn run(&mut self, id: String, stage: Option<String>, experiment: i64) {
        self.runs.insert(id, (stage, experiment));
    }

    /// A param of a run.
    pub(crate) fn param(&mut self, run: String, key: String, value: String) {
        self.params.insert((run, key), value);
    }

    /// A logged model that is not deleted.
    pub(crate) fn model(&mut self, id: String) {
        self.models.insert(id);
    }
}

/// The rows that a group adds, table by table.
#[derive(Default)]
pub(crate) struct Accepted<'a> {
    /// New rows of `params`.
    pub(crate) params: Rows<Pair<'a>>,
    /// Rows of `metrics`, of which some may be there.
    pub(crate) metrics: Rows<Point<'a>>,
    /// The newest point of each series, for `latest_metrics`.
    pub(crate) latest: Rows<Point<'a>>,
    /// Rows of `tags`.
    pub(crate) tags: Rows<Pair<'a>>,
    /// Runs that take a new name.
    pub(crate) names: Rows<Pair<'a>>,
    /// Rows of `logged_model_metrics`.
    pub(crate) model_metrics: Rows<ModelPoint<'a>>,
}

/// Rows of one table.
pub(crate) struct Rows<T>(Vec<T>);

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Rows<T> {
    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub(crate) fn all(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// One column of them.
    pub(crate) fn columns<'s, V>(&'s self, column: impl Fn(&'s T) -> V) -> Vec<V> {
        self.0.iter().map(column).collect()
    }

    /// The rows, so many at a time.
    pub(crate) fn chunks(&self, size: usize) -> std::slice::Chunks<'_, T> {
        self.0.chunks(size)
    }
}

/// A key with a value, of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pair<'a> {
    pub(crate) key: &'a str,
    pub(crate) run: &'a str,
    pub(crate) value: &'a str,
}

/// A point of a metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<'a> {
    pub(crate) key: &'a str,
    pub(crate) timestamp: i64,
    pub(crate) step: i64,
    pub(crate) run: &'a str,
    pub(crate) stored: StoredValue,
}

/// A point of a metric of a logged model.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModelPoint<'a> {
    pub(crate) model: &'a str,
    pub(crate) experiment: i64,
    pub(crate) point: Point<'a>,
    pub(crate) dataset_name: Option<&'a str>,
    pub(crate) dataset_digest: Option<&'a str>,
}

impl<'a> Point<'a> {
    fn of(run: &'a str, metric: &'a Metric) -> Self {
        Self {
            key: &metric.key,
            timestamp: metric.timestamp,
            step: metric.step,
            run,
            stored: StoredValue::of(metric.value),
        }
    }

    /// Whether it is the same row.
    fn is_same(&self, other: &Self) -> bool {
        (self.key, self.timestamp, self.step, self.run)
            == (other.key, other.timestamp, other.step, other.run)
            && self.stored == other.stored
    }

    /// Whether it takes the place of `other` in `latest_metrics`: by step, then
    /// time, then value.
    fn is_newer(&self, other: &Self) -> bool {
        (self.step, self.timestamp, self.stored.value)
            > (other.step, other.timestamp, other.stored.value)
    }
}

impl<'a> Wanted<'a> {
    /// What the batches of a group refer to.
    pub(crate) fn of(group: &'a [Append]) -> Self {
        let mut runs: Vec<&str> = group.iter().map(|append| append.run_id.as_str()).collect();
        runs.sort_unstable();
        runs.dedup();
        let mut params: Vec<(&str, &str)> = group
            .iter()
            .flat_map(|append| {
                let run = append.run_id.as_str();
                let params = append.batch.params.iter();
                params.map(move |param| (&*param.key, run))
            })
            .collect();
        params.sort_unstable();
        params.dedup();
        let mut models: Vec<&str> = group
            .iter()
            .flat_map(|append| append.batch.metrics.iter().filter_map(model_of))
            .collect();
        models.sort_unstable();
        models.dedup();
        Self {
            runs,
            models,
            params,
            refused: group.iter().map(|_| None).collect(),
            group,
        }
    }

    /// Refuses batches with the character NUL, which some databases cannot keep.
    pub(crate) fn refuse_nul(&mut self) {
        for (append, refused) in self.group.iter().zip(&mut self.refused) {
            let batch = &append.batch;
            let texts = batch
                .params
                .iter()
                .flat_map(|param| [&param.key, &param.value])
                .chain(batch.tags.iter().flat_map(|tag| [&tag.key, &tag.value]))
                .chain(batch.metrics.iter().map(|metric| &metric.key));
            if let Some(text) = texts.into_iter().find(|text| text.contains('\0')) {
                *refused = Some(StoreError::invalid(format!(
                    "The database cannot keep the character NUL, which is in {text:?}: leave it out."
                )));
            }
        }
        self.params.retain(|(key, _)| !key.contains('\0'));
    }

    /// The keys and the runs of the params.
    pub(crate) fn params(&self) -> (Vec<&'a str>, Vec<&'a str>) {
        self.params.iter().copied().unzip()
    }

    /// Checks the batches, each as if those before it were written; returns
    /// what is to be written, and the result of each batch.
    pub(crate) fn check(
        self,
        group: &'a [Append],
        known: &Known,
    ) -> (Accepted<'a>, Vec<Result<(), StoreError>>) {
        let mut rows = Collected::default();
        let results = group
            .iter()
            .zip(self.refused)
            .map(|(append, refused)| match refused {
                Some(error) => Err(error),
                None => rows.add(append, known),
            })
            .collect();
        (rows.accepted(), results)
    }
}

/// Rows that are being collected.
#[derive(Default)]
struct Collected<'a> {
    params: BTreeMap<(&'a str, &'a str), &'a str>,
    metrics: Vec<Point<'a>>,
    latest: BTreeMap<(&'a str, &'a str), Point<'a>>,
    tags: BTreeMap<(&'a str, &'a str), &'a str>,
    names: BTreeMap<&'a str, &'a str>,
    model_metrics: Vec<ModelPoint<'a>>,
}

impl<'a> Collected<'a> {
    /// Adds the rows of a batch, or none of them.
    fn add(&mut self, append: &'a Append, known: &Known) -> Result<(), StoreError> {
        let run = append.run_id.as_str();
        let experiment = active_run(&append.run_id, known)?;
        let params = self.new_params(append, known)?;
        let batch = &append.batch;
        for model in batch.metrics.iter().filter_map(model_of) {
            if !known.models.contains(model) {
                return Err(StoreError::not_found(Resource::LoggedModel, model));
            }
        }
        self.params.extend(params);
        for metric in &batch.metrics {
            let point = Point::of(run, metric);
            self.metrics.push(point);
            let latest = self.latest.entry((point.key, run)).or_insert(point);
            if point.is_newer(latest) {
                *latest = point;
            }
            if let Some(model) = model_of(metric) {
                let of = metric.model.as_deref();
                self.model_metrics.push(ModelPoint {
                    model,
                    experiment,
                    point,
                    dataset_name: of.and_then(|of| of.dataset_name.as_deref()),
                    dataset_digest: of.and_then(|of| of.dataset_digest.as_deref()),
                });
            }
        }
        for tag in &batch.tags {
            if tag.key == Tag::RUN_NAME {
                // A run cannot lose its name (MLflow 3.17).
                if tag.value.is_empty() {
                    continue;
                }
                self.names.insert(run, &tag.value);
            }
            self.tags.insert((&tag.key, run), &tag.value);
        }
        Ok(())
    }

    /// The params that are not there yet; an error if one would change.
    fn new_params(
        &self,
        append: &'a Append,
        known: &Known,
    ) -> Result<BTreeMap<(&'a str, &'a str), &'a str>, StoreError> {
        let run = append.run_id.as_str();
        let mut new = BTreeMap::new();
        let mut changes = Vec::new();
        for param in &append.batch.params {
            let key = (&*param.key, run);
            let there = known
                .params
                .get(&(run.to_owned(), param.key.clone()))
                .map(String::as_str)
                .or_else(|| self.params.get(&key).copied());
            match there {
                None => {
                    new.insert(key, &*param.value);
                }
                Some(old) if old == param.value => {}
                Some(old) => changes.push(ParamChange {
                    key: param.key.clone(),
                    old: old.to_owned(),
                    new: param.value.clone(),
                }),
            }
        }
        if changes.is_empty() {
            return Ok(new);
        }
        Err(StoreError::ParamsChanged {
            run_id: append.run_id.clone(),
            changes,
            single: append.single_param,
        })
    }

    fn accepted(self) -> Accepted<'a> {
        let pairs = |of: BTreeMap<(&'a str, &'a str), &'a str>| {
            Rows(
                of.into_iter()
                    .map(|((key, run), value)| Pair { key, run, value })
                    .collect(),
            )
        };
        let mut metrics = self.metrics;
        // In the order of the primary key: neighbours go to one page of the
        // index. Stable: of equals the first counts.
        metrics.sort_by(|a, b| {
            (a.key, a.timestamp, a.step, a.run).cmp(&(b.key, b.timestamp, b.step, b.run))
        });
        // What comes twice in one group is mostly a call that was repeated.
        metrics.dedup_by(|a, b| a.is_same(b));
        let mut model_metrics = self.model_metrics;
        model_metrics.sort_by(|a, b| {
            let key = |of: &ModelPoint<'a>| (of.model, of.point.key, of.point.timestamp);
            key(a).cmp(&key(b))
        });
        Accepted {
            params: pairs(self.params),
            metrics: Rows(metrics),
            latest: Rows(self.latest.into_values().collect()),
            tags: pairs(self.tags),
            names: Rows(
                self.names
                    .into_iter()
                    .map(|(run, value)| Pair {
                        key: Tag::RUN_NAME,
                        run,
                        value,
                    })
                    .collect(),
            ),
            model_metrics: Rows(model_metrics),
        }
    }
}

/// The experiment of a run that may be written to.
fn active_run(run: &RunId, known: &Known) -> Result<i64, StoreError> {
    let Some((stage, experiment)) = known.runs.get(run.as_str()) else {
        return Err(StoreError::not_found(Resource::Run, run));
    };
    // MLflow leaves the column null in rows from before it existed.
    let active = LifecycleStage::Active.name();
    if stage.as_deref().unwrap_or(active) != active {
        return Err(StoreError::Lifecycle {
            what: "run",
            id: run.to_string(),
            wanted: LifecycleStage::Active,
            current: LifecycleStage::Deleted,
        });
    }
    Ok(*experiment)
}

/// The logged model that a metric names.
fn model_of(metric: &Metric) -> Option<&str> {
    metric.model.as_deref()?.model_id.as_deref()
}
