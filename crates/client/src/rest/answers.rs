//! What is answered: the JSON of MLflow's messages as entities.
//!
//! Numbers may be texts, as protobuf writes them, and what is absent has
//! protobuf's default.

use runledger_entities::{
    Dataset, DatasetInput, DatasetSummary, Experiment, ExperimentId, LifecycleStage, LoggedModel,
    LoggedModelId, LoggedModelMetric, LoggedModelStatus, Metric, MetricModel, ModelAlias,
    ModelInput, ModelOutput, ModelStage, ModelVersion, ModelVersionNumber, ModelVersionStatus,
    Param, RegisteredModel, Run, RunData, RunId, RunInfo, RunInputs, RunStatus, Tag,
};
use runledger_store::{Page, RunMetric, StoreError};
use serde_json::Value;

use super::refusal::unreadable;

pub(super) type Read<T> = Result<T, StoreError>;

/// A member that must be there.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Read<&'a Value> {
    value.get(name).ok_or_else(|| unreadable(name))
}

pub(super) fn text(value: &Value, name: &str) -> String {
    maybe_text(value, name).unwrap_or_default()
}

pub(super) fn maybe_text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

/// A text that says something: servers send many that are not set as empty ones.
fn given(value: &Value, name: &str) -> Option<String> {
    maybe_text(value, name).filter(|text| !text.is_empty())
}

pub(super) fn maybe_int(value: &Value, name: &str) -> Read<Option<i64>> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number.as_i64().map(Some).ok_or_else(|| unreadable(name)),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| unreadable(name)),
        Some(_) => Err(unreadable(name)),
    }
}

pub(super) fn int(value: &Value, name: &str) -> Read<i64> {
    Ok(maybe_int(value, name)?.unwrap_or_default())
}

pub(super) fn double(value: &Value, name: &str) -> Read<f64> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(0.0),
        Some(Value::Number(number)) => number.as_f64().ok_or_else(|| unreadable(name)),
        // `NaN`, `Infinity` and `-Infinity` are among what Rust reads.
        Some(Value::String(text)) => text.parse().map_err(|_| unreadable(name)),
        Some(_) => Err(unreadable(name)),
    }
}

pub(super) fn list<T>(value: &Value, name: &str, read: impl Fn(&Value) -> Read<T>) -> Read<Vec<T>> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => items.iter().map(read).collect(),
        Some(_) => Err(unreadable(name)),
    }
}

/// A list with the token of the next page.
pub(super) fn page<T>(
    value: &Value,
    name: &str,
    read: impl Fn(&Value) -> Read<T>,
) -> Read<Page<T>> {
    Ok(Page {
        items: list(value, name, read)?,
        next_token: maybe_text(value, "next_page_token").filter(|token| !token.is_empty()),
    })
}

pub(super) fn experiment_id(value: &Value) -> Read<ExperimentId> {
    text(value, "experiment_id")
        .parse()
        .map_err(|_| unreadable("experiment_id"))
}

fn stage(value: &Value) -> Read<LifecycleStage> {
    LifecycleStage::from_name(&text(value, "lifecycle_stage"))
        .ok_or_else(|| unreadable("lifecycle_stage"))
}

pub(super) fn experiment(value: &Value) -> Read<Experiment> {
    Ok(Experiment {
        experiment_id: experiment_id(value)?,
        name: text(value, "name"),
        artifact_location: text(value, "artifact_location"),
        lifecycle_stage: stage(value)?,
        creation_time: maybe_int(value, "creation_time")?,
        last_update_time: maybe_int(value, "last_update_time")?,
        tags: tags(value)?,
    })
}

fn tags(value: &Value) -> Read<Vec<Tag>> {
    let mut tags = list(value, "tags", |tag| {
        Ok(Tag::new(text(tag, "key"), text(tag, "value")))
    })?;
    tags.sort_unstable();
    Ok(tags)
}

pub(super) fn run(value: &Value) -> Read<Run> {
    let none = Value::Null;
    let part = |name| value.get(name).unwrap_or(&none);
    let (inputs, outputs) = (part("inputs"), part("outputs"));
    Ok(Run {
        info: info(member(value, "info")?)?,
        data: data(part("data"))?,
        inputs: RunInputs {
            datasets: list(inputs, "dataset_inputs", dataset_input)?,
            models: list(inputs, "model_inputs", |model| {
                Ok(ModelInput {
                    model_id: model_id(model),
                })
            })?,
        },
        outputs: list(outputs, "model_outputs", |model| {
            Ok(ModelOutput {
                model_id: model_id(model),
                step: int(model, "step")?,
            })
        })?,
    })
}

fn model_id(value: &Value) -> LoggedModelId {
    LoggedModelId::new(text(value, "model_id"))
}

pub(super) fn info(value: &Value) -> Read<RunInfo> {
    let run_id = maybe_text(value, "run_id").or_else(|| maybe_text(value, "run_uuid"));
    Ok(RunInfo {
        run_id: RunId::new(run_id.ok_or_else(|| unreadable("run_id"))?),
        experiment_id: experiment_id(value)?,
        run_name: maybe_text(value, "run_name"),
        user_id: text(value, "user_id"),
        status: RunStatus::from_name(&text(value, "status")).ok_or_else(|| unreadable("status"))?,
        start_time: int(value, "start_time")?,
        end_time: maybe_int(value, "end_time")?,
        artifact_uri: text(value, "artifact_uri"),
        lifecycle_stage: stage(value)?,
    })
}

fn data(value: &Value) -> Read<RunData> {
    let mut metrics = list(value, "metrics", metric)?;
    metrics.sort_by(|a, b| a.key.cmp(&b.key));
    let mut params = list(value, "params", |param| {
        Ok(Param::new(text(param, "key"), text(param, "value")))
    })?;
    params.sort_unstable();
    Ok(RunData {
        metrics,
        params,
        tags: tags(value)?,
    })
}

fn dataset_input(value: &Value) -> Read<DatasetInput> {
    let dataset = member(value, "dataset")?;
    Ok(DatasetInput {
        tags: tags(value)?,
        dataset: Dataset {
            name: text(dataset, "name"),
            digest: text(dataset, "digest"),
            source_type: text(dataset, "source_type"),
            source: text(dataset, "source"),
            schema: maybe_text(dataset, "schema"),
            profile: maybe_text(dataset, "profile"),
        },
    })
}

pub(super) fn logged_model(value: &Value) -> Read<LoggedModel> {
    let info = member(value, "info")?;
    let none = Value::Null;
    let data = value.get("data").unwrap_or(&none);
    let status = LoggedModelStatus::from_name(&text(info, "status"));
    let given = |name| given(info, name);
    let mut params = list(data, "params", |param| {
        Ok(Param::new(text(param, "key"), text(param, "value")))
    })?;
    params.sort_unstable();
    Ok(LoggedModel {
        model_id: model_id(info),
        experiment_id: experiment_id(info)?,
        name: text(info, "name"),
        artifact_location: text(info, "artifact_uri"),
        creation_timestamp: int(info, "creation_timestamp_ms")?,
        last_updated_timestamp: int(info, "last_updated_timestamp_ms")?,
        status: status.ok_or_else(|| unreadable("status"))?,
        status_message: given("status_message"),
        // Servers send these two even where they are not set.
        model_type: given("model_type"),
        source_run_id: given("source_run_id").map(RunId::new),
        lifecycle_stage: LifecycleStage::Active,
        tags: tags(info)?,
        params,
        metrics: list(data, "metrics", |metric| {
            let value = double(metric, "value")?;
            Ok(LoggedModelMetric {
                key: text(metric, "key"),
                value: (!value.is_nan()).then_some(value),
                timestamp: int(metric, "timestamp")?,
                step: int(metric, "step")?,
                run_id: RunId::new(text(metric, "run_id")),
                dataset_name: maybe_text(metric, "dataset_name"),
                dataset_digest: maybe_text(metric, "dataset_digest"),
            })
        })?,
    })
}

pub(super) fn registered_model(value: &Value) -> Read<RegisteredModel> {
    let mut latest_versions = list(value, "latest_versions", model_version)?;
    latest_versions.sort_by_key(|version| version.version);
    let mut aliases = list(value, "aliases", |alias| {
        Ok(ModelAlias {
            alias: text(alias, "alias"),
            version: version_number(alias)?,
        })
    })?;
    aliases.sort_unstable();
    Ok(RegisteredModel {
        name: text(value, "name"),
        creation_timestamp: int(value, "creation_timestamp")?,
        last_updated_timestamp: maybe_int(value, "last_updated_timestamp")?,
        description: given(value, "description"),
        latest_versions,
        tags: tags(value)?,
        aliases,
    })
}

pub(super) fn model_version(value: &Value) -> Read<ModelVersion> {
    let current_stage = match maybe_text(value, "current_stage") {
        Some(name) => name.parse().map_err(|_| unreadable("current_stage"))?,
        None => ModelStage::None,
    };
    let status = match maybe_text(value, "status") {
        Some(name) => ModelVersionStatus::from_name(&name).ok_or_else(|| unreadable("status"))?,
        None => ModelVersionStatus::Ready,
    };
    let mut aliases = list(value, "aliases", |alias| {
        let alias = alias.as_str().ok_or_else(|| unreadable("aliases"))?;
        Ok(alias.to_owned())
    })?;
    aliases.sort_unstable();
    Ok(ModelVersion {
        name: text(value, "name"),
        version: version_number(value)?,
        creation_timestamp: int(value, "creation_timestamp")?,
        last_updated_timestamp: maybe_int(value, "last_updated_timestamp")?,
        user_id: given(value, "user_id"),
        current_stage,
        description: given(value, "description"),
        source: maybe_text(value, "source"),
        storage_location: None,
        run_id: maybe_text(value, "run_id").map(RunId::new),
        run_link: given(value, "run_link"),
        status,
        status_message: given(value, "status_message"),
        tags: tags(value)?,
        aliases,
    })
}

fn version_number(value: &Value) -> Read<ModelVersionNumber> {
    let number = maybe_int(value, "version")?;
    number
        .map(ModelVersionNumber)
        .ok_or_else(|| unreadable("version"))
}

pub(crate) fn metric(value: &Value) -> Read<Metric> {
    let model = MetricModel {
        model_id: maybe_text(value, "model_id"),
        dataset_name: maybe_text(value, "dataset_name"),
        dataset_digest: maybe_text(value, "dataset_digest"),
    };
    Ok(Metric {
        key: text(value, "key"),
        value: double(value, "value")?,
        timestamp: int(value, "timestamp")?,
        step: int(value, "step")?,
        model: (model != MetricModel::default()).then(|| Box::new(model)),
    })
}

pub(super) fn run_metrics(value: &Value) -> Read<Vec<RunMetric>> {
    list(value, "metrics", |metric| {
        Ok(RunMetric {
            run_id: RunId::new(text(metric, "run_id")),
            metric: self::metric(metric)?,
        })
    })
}

pub(super) fn datasets(value: &Value) -> Read<Vec<DatasetSummary>> {
    list(value, "dataset_summaries", |dataset| {
        Ok(DatasetSummary {
            experiment_id: experiment_id(dataset)?,
            name: text(dataset, "name"),
            digest: text(dataset, "digest"),
            context: maybe_text(dataset, "context"),
        })
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_may_be_texts_and_defaults_absent() {
        let value = json!({"key": "m", "value": "-Infinity", "timestamp": "5"});
        let read = metric(&value).expect("it is a metric");
        assert_eq!(read, Metric::new("m", f64::NEG_INFINITY, 5, 0));
        assert!(metric(&json!({"key": "m", "step": 1.5})).is_err());
    }

    #[test]
    fn a_version_has_a_number_whatever_it_lacks() {
        let value = json!({"name": "m", "version": "12", "run_id": "", "description": ""});
        let read = model_version(&value).expect("it is a version");
        assert_eq!(read.version, ModelVersionNumber(12));
        assert_eq!(read.run_id, Some(RunId::new("")));
        assert_eq!(
            (read.description, read.current_stage),
            (None, ModelStage::None)
        );
        assert!(model_version(&json!({"name": "m"})).is_err());
        assert!(model_version(&json!({"version": "1", "current_stage": "x"})).is_err());
    }

    #[test]
    fn a_run_of_mlflow_2_is_read() {
        let value = json!({"info": {
            "run_uuid": "r", "experiment_id": "7", "status": "RUNNING",
            "start_time": 5, "lifecycle_stage": "active"
        }});
        let run = run(&value).expect("it is a run");
        assert_eq!(run.info.run_id.as_str(), "r");
        assert_eq!(run.info.experiment_id, ExperimentId(7));
        assert_eq!(run.data, RunData::default());
        assert!(super::run(&json!({})).is_err());
    }
}
