//! Filters and orders on things in memory.
//!
//! The answers are those of MLflow 3.17's SQL store on SQLite. Whoever stores
//! things elsewhere can use them as they are, or check its own queries by them.

mod registry;
mod traces;

use std::cmp::Ordering;

pub use registry::{
    are_of_prompt, compare_model_versions, compare_registered_models, model_version_matches,
    registered_model_matches,
};
pub use traces::{compare_traces, trace_matches};

use runledger_entities::{DatasetInput, Experiment, Run, Tag};

use crate::{
    DatasetField, ExperimentClause, ExperimentKey, ExperimentNumber, NumberOp, NumberTest, Order,
    RunClause, RunKey, RunNumber, RunText, TextOp, TextTest,
    like::{Pattern, ilike, like},
};

/// Whether a run passes all clauses.
pub fn run_matches(run: &Run, filter: &[RunClause]) -> bool {
    filter.iter().all(|clause| match clause {
        RunClause::Metric { key, test } => {
            metric(run, key).is_some_and(|value| number_passes(value, *test))
        }
        RunClause::Param { key, test } => text_passes(param(run, key), test),
        RunClause::Tag { key, test } => text_passes(tag(&run.data.tags, key), test),
        // Runs of MLflow 1.29 and older have their name in the tag only.
        RunClause::Text {
            attribute: RunText::RunName,
            test,
        } => text_passes(tag(&run.data.tags, Tag::RUN_NAME), test),
        RunClause::Text { attribute, test } => text_passes(run_text(run, *attribute), test),
        RunClause::Number { attribute, test } => {
            run_number(run, *attribute).is_some_and(|value| number_passes(millis(value), *test))
        }
        RunClause::Dataset { field, test } => run
            .inputs
            .datasets
            .iter()
            .any(|input| text_passes(dataset_text(input, *field), test)),
    })
}

/// Which of two runs comes first: by the order, then the younger, then by id.
pub fn compare_runs(a: &Run, b: &Run, order: &[Order<RunKey>]) -> Ordering {
    let by_order = order.iter().map(|Order { key, descending }| match key {
        RunKey::Metric(key) => metrics(metric(a, key), metric(b, key), *descending),
        RunKey::Param(key) => missing_last(param(a, key), param(b, key), *descending),
        RunKey::Tag(key) => {
            let tags = (tag(&a.data.tags, key), tag(&b.data.tags, key));
            missing_last(tags.0, tags.1, *descending)
        }
        RunKey::Text(key) => missing_last(run_text(a, *key), run_text(b, *key), *descending),
        RunKey::Number(key) => missing_last(run_number(a, *key), run_number(b, *key), *descending),
    });
    first_difference(by_order)
        .then_with(|| {
            let listed = order
                .iter()
                .any(|order| order.key == RunKey::Number(RunNumber::StartTime));
            if listed {
                Ordering::Equal
            } else {
                b.info.start_time.cmp(&a.info.start_time)
            }
        })
        .then_with(|| a.info.run_id.cmp(&b.info.run_id))
}

/// Whether an experiment passes all clauses.
pub fn experiment_matches(experiment: &Experiment, filter: &[ExperimentClause]) -> bool {
    filter.iter().all(|clause| match clause {
        ExperimentClause::Name(test) => text_passes(Some(&experiment.name), test),
        ExperimentClause::Id { negated, values } => {
            let id = experiment.experiment_id.0;
            values.iter().any(|value| value.parse() == Ok(id)) != *negated
        }
        ExperimentClause::Number { attribute, test } => experiment_number(experiment, *attribute)
            .is_some_and(|value| number_passes(millis(value), *test)),
        ExperimentClause::Tag { key, test } => text_passes(tag(&experiment.tags, key), test),
    })
}

/// Which of two experiments comes first: by the order, then the one with the
/// larger id. Without an order the younger, then the one with the smaller id.
pub fn compare_experiments(
    a: &Experiment,
    b: &Experiment,
    order: &[Order<ExperimentKey>],
) -> Ordering {
    let by_order = order.iter().map(|Order { key, descending }| match key {
        ExperimentKey::Name => missing_last(Some(&a.name), Some(&b.name), *descending),
        ExperimentKey::Id => {
            missing_last(Some(a.experiment_id), Some(b.experiment_id), *descending)
        }
        ExperimentKey::Number(attribute) => missing_last(
            experiment_number(a, *attribute),
            experiment_number(b, *attribute),
            *descending,
        ),
    });
    if order.is_empty() {
        missing_last(a.creation_time, b.creation_time, true)
            .then(a.experiment_id.cmp(&b.experiment_id))
    } else {
        first_difference(by_order).then(b.experiment_id.cmp(&a.experiment_id))
    }
}

/// Whether a number passes a test. NaN passes `!=` only; infinities are the
/// largest and the smallest number, as MLflow stores them.
pub fn number_passes(value: f64, test: NumberTest) -> bool {
    if value.is_nan() {
        return test.op == NumberOp::NotEqual;
    }
    let value = value.clamp(f64::MIN, f64::MAX);
    match test.op {
        NumberOp::Less => value < test.value,
        NumberOp::LessOrEqual => value <= test.value,
        NumberOp::Greater => value > test.value,
        NumberOp::GreaterOrEqual => value >= test.value,
        NumberOp::Equal => exact_equal(value, test.value),
        // A test against NaN is against NULL in SQL: never true.
        NumberOp::NotEqual => !test.value.is_nan() && !exact_equal(value, test.value),
    }
}

/// Whether a text, if it is there, passes a test.
pub fn text_passes(value: Option<&str>, test: &TextTest) -> bool {
    match (test, value) {
        (TextTest::IsNull, value) => value.is_none(),
        (_, None) => false,
        (TextTest::IsNotNull, Some(_)) => true,
        (TextTest::In { negated, values }, Some(value)) => {
            values.iter().any(|one| one == value) != *negated
        }
        (TextTest::Compare { op, value: right }, Some(value)) => match op {
            TextOp::Equal => value == right,
            TextOp::NotEqual => value != right,
            TextOp::Like => like(value, right),
            TextOp::ILike => ilike(value, right),
            TextOp::RLike => Pattern::new(right).is_in(value),
        },
    }
}

#[expect(
    clippy::float_cmp,
    reason = "`=` of a filter is exact, as it is in the database"
)]
fn exact_equal(a: f64, b: f64) -> bool {
    a == b
}

#[expect(
    clippy::cast_precision_loss,
    reason = "times in milliseconds are exact far beyond any date"
)]
fn millis(value: i64) -> f64 {
    value as f64
}

fn first_difference(mut orderings: impl Iterator<Item = Ordering>) -> Ordering {
    orderings
        .find(|ordering| ordering.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn missing_last<T: Ord>(a: Option<T>, b: Option<T>, descending: bool) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) if descending => b.cmp(&a),
        (Some(a), Some(b)) => a.cmp(&b),
        (a, b) => a.is_none().cmp(&b.is_none()),
    }
}

/// Numbers, then NaN, then missing.
fn metrics(a: Option<f64>, b: Option<f64>, descending: bool) -> Ordering {
    let rank = |value: Option<f64>| match value {
        None => 2,
        Some(value) => i32::from(value.is_nan()),
    };
    rank(a).cmp(&rank(b)).then_with(|| {
        let by_value = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
        if descending {
            by_value.reverse()
        } else {
            by_value
        }
    })
}

fn metric(run: &Run, key: &str) -> Option<f64> {
    let metric = run.data.metrics.iter().find(|metric| metric.key == key)?;
    Some(metric.value)
}

fn param<'a>(run: &'a Run, key: &str) -> Option<&'a str> {
    let param = run.data.params.iter().find(|param| param.key == key)?;
    Some(&param.value)
}

fn tag<'a>(tags: &'a [Tag], key: &str) -> Option<&'a str> {
    let tag = tags.iter().find(|tag| tag.key == key)?;
    Some(&tag.value)
}

fn run_text(run: &Run, attribute: RunText) -> Option<&str> {
    match attribute {
        RunText::RunId => Some(run.info.run_id.as_str()),
        RunText::RunName => run.info.run_name.as_deref(),
        RunText::Status => Some(run.info.status.name()),
        RunText::UserId => Some(&run.info.user_id),
        RunText::ArtifactUri => Some(&run.info.artifact_uri),
    }
}

fn run_number(run: &Run, attribute: RunNumber) -> Option<i64> {
    match attribute {
        RunNumber::StartTime => Some(run.info.start_time),
        RunNumber::EndTime => run.info.end_time,
    }
}

fn dataset_text(input: &DatasetInput, field: DatasetField) -> Option<&str> {
    match field {
        DatasetField::Name => Some(&input.dataset.name),
        DatasetField::Digest => Some(&input.dataset.digest),
        DatasetField::Context => tag(&input.tags, Tag::DATASET_CONTEXT),
    }
}

fn experiment_number(experiment: &Experiment, attribute: ExperimentNumber) -> Option<i64> {
    match attribute {
        ExperimentNumber::CreationTime => experiment.creation_time,
        ExperimentNumber::LastUpdateTime => experiment.last_update_time,
    }
}
