//! What runs log: metrics, params, tags, batches, inputs, outputs, and the
//! model descriptions of MLflow 2.x.

use runledger_entities::{
    Dataset, DatasetInput, LoggedModelId, Metric, MetricModel, ModelInput, ModelOutput, Param,
    RunId, Tag, limits, validate::BatchSizes,
};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

use super::{Request, most, pairs};
use crate::{
    Input, RequestError,
    json::{decode::decode, field::List, message::messages},
};

messages! {
    /// `runs/log-metric`
    MetricBody {
        run_id: String,
        run_uuid: String,
        key: String,
        value: f64,
        timestamp: i64,
        step: i64,
        model_id: String,
        dataset_name: String,
        dataset_digest: String,
    }
    /// `runs/log-parameter`, `set-tag`
    PairBody {
        run_id: String,
        run_uuid: String,
        key: String,
        value: String,
    }
    /// `runs/delete-tag`
    KeyBody {
        run_id: String,
        run_uuid: String,
        key: String,
    }
    /// `runs/log-batch`
    BatchBody {
        run_id: String,
        run_uuid: String,
        metrics: List<BatchMetric, { limits::BATCH_METRICS }>,
        params: List<pairs::Pair, { limits::BATCH_PARAMS }>,
        tags: List<pairs::Pair, { limits::BATCH_TAGS }>,
    }
    /// A metric of a batch. The `run_id` that clients of MLflow 3.x add says nothing new.
    BatchMetric {
        key: String,
        value: f64,
        timestamp: i64,
        step: i64,
        model_id: String,
        dataset_name: String,
        dataset_digest: String,
    }
    /// `runs/log-model`
    ModelBody {
        run_id: String,
        model_json: String,
    }
    /// `runs/log-inputs`
    InputsBody {
        run_id: String,
        datasets: List<InputBody, { most::DATASETS }>,
        models: List<ModelIdBody, { most::MODELS }>,
    }
    /// A dataset and the tags of its use.
    InputBody {
        tags: List<pairs::Pair, { most::DATASET_TAGS }>,
        dataset: DatasetBody,
    }
    /// A dataset.
    DatasetBody {
        name: String,
        digest: String,
        source_type: String,
        source: String,
        schema: String,
        profile: String,
    }
    /// A model that a run read.
    ModelIdBody {
        model_id: String,
    }
    /// `runs/outputs`
    OutputsBody {
        run_id: String,
        models: List<OutputBody, { most::MODELS }>,
    }
    /// A model that a run made.
    OutputBody {
        model_id: String,
        step: i64,
    }
}

/// Logs one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct LogMetric {
    /// The run.
    pub run_id: RunId,
    /// The metric.
    pub metric: Metric,
}

impl Request for LogMetric {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: MetricBody = decode(input)?;
        Ok(Self {
            run_id: RunId::new(body.run_id.or_run_uuid(body.run_uuid)?),
            metric: Metric {
                key: body.key.required_text("key")?,
                value: body.value.required("value")?,
                timestamp: body.timestamp.required("timestamp")?,
                step: body.step.or_default("step")?,
                model: metric_model(
                    body.model_id.non_empty("model_id")?,
                    body.dataset_name.non_empty("dataset_name")?,
                    body.dataset_digest.non_empty("dataset_digest")?,
                )?,
            },
        })
    }
}

fn metric_model(
    model_id: Option<String>,
    dataset_name: Option<String>,
    dataset_digest: Option<String>,
) -> Result<Option<Box<MetricModel>>, RequestError> {
    if dataset_name.is_some() != dataset_digest.is_some() {
        return Err(RequestError::rule(
            "Both dataset_name and dataset_digest must be provided if one is provided",
        ));
    }
    let some = model_id.is_some() || dataset_name.is_some();
    Ok(some.then(|| {
        Box::new(MetricModel {
            model_id,
            dataset_name,
            dataset_digest,
        })
    }))
}

/// Logs one param.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogParam {
    /// The run.
    pub run_id: RunId,
    /// The param.
    pub param: Param,
}

impl Request for LogParam {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let (run_id, key, value) = pair(input)?;
        let param = Param { key, value };
        Ok(Self { run_id, param })
    }
}

/// Sets a tag of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetTag {
    /// The run.
    pub run_id: RunId,
    /// The tag.
    pub tag: Tag,
}

impl Request for SetTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let (run_id, key, value) = pair(input)?;
        let tag = Tag { key, value };
        Ok(Self { run_id, tag })
    }
}

/// A run, a key, and a value, which is empty if absent.
fn pair(input: Input<'_>) -> Result<(RunId, String, String), RequestError> {
    let body: PairBody = decode(input)?;
    Ok((
        RunId::new(body.run_id.or_run_uuid(body.run_uuid)?),
        body.key.required_text("key")?,
        body.value.or_default("value")?,
    ))
}

/// Deletes a tag of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteTag {
    /// The run.
    pub run_id: RunId,
    /// The tag's key.
    pub key: String,
}

impl Request for DeleteTag {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: KeyBody = decode(input)?;
        Ok(Self {
            run_id: RunId::new(body.run_id.without_run_uuid(body.run_uuid)?),
            key: body.key.required_text("key")?,
        })
    }
}

/// Logs metrics, params and tags together.
///
/// Of each kind no more items are read than a batch may have: the batch is
/// whole only if [`sizes`](Self::sizes) are within the limits.
#[derive(Clone, Debug, PartialEq)]
pub struct LogBatch {
    /// The run.
    pub run_id: RunId,
    /// Metrics, at most [`limits::BATCH_METRICS`].
    pub metrics: Vec<Metric>,
    /// Params, at most [`limits::BATCH_PARAMS`].
    pub params: Vec<Param>,
    /// Tags, at most [`limits::BATCH_TAGS`].
    pub tags: Vec<Tag>,
    /// How many the request has.
    pub sizes: BatchSizes,
}

impl Request for LogBatch {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: BatchBody = decode(input)?;
        let run_id = RunId::new(body.run_id.without_run_uuid(body.run_uuid)?);
        let metrics = body.metrics.or_default("metrics")?;
        let metric_count = metrics.count;
        let metrics = batch_metrics(metrics.items)?;
        let params = body.params.or_default("params")?;
        let param_count = params.count;
        let params = pairs::read(params.items, "params", pairs::param)?;
        let tags = body.tags.or_default("tags")?;
        Ok(Self {
            run_id,
            metrics,
            params,
            sizes: BatchSizes {
                metrics: metric_count,
                params: param_count,
                tags: tags.count,
            },
            tags: pairs::read(tags.items, "tags", pairs::tag)?,
        })
    }
}

fn batch_metrics(bodies: Vec<BatchMetric>) -> Result<Vec<Metric>, RequestError> {
    let metric = |(i, body): (usize, BatchMetric)| {
        Ok(Metric {
            key: body.key.required_text(format_args!("metrics[{i}].key"))?,
            value: body.value.required(format_args!("metrics[{i}].value"))?,
            timestamp: body
                .timestamp
                .required(format_args!("metrics[{i}].timestamp"))?,
            step: body.step.or_default(format_args!("metrics[{i}].step"))?,
            model: metric_model(
                body.model_id
                    .non_empty(format_args!("metrics[{i}].model_id"))?,
                body.dataset_name
                    .non_empty(format_args!("metrics[{i}].dataset_name"))?,
                body.dataset_digest
                    .non_empty(format_args!("metrics[{i}].dataset_digest"))?,
            )?,
        })
    };
    bodies.into_iter().enumerate().map(metric).collect()
}

/// Records a model's description, as MLflow 2.x does (`runs/log-model`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogModel {
    /// The run.
    pub run_id: RunId,
    /// The description: a JSON object with the fields that MLflow requires.
    pub model_json: String,
}

impl Request for LogModel {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: ModelBody = decode(input)?;
        let run_id = RunId::new(body.run_id.required_text("run_id")?);
        let model_json = body.model_json.required_text("model_json")?;
        check_model_json(&model_json)?;
        Ok(Self { run_id, model_json })
    }
}

/// Which of the mandatory fields a model's description has.
#[derive(Default, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one for each field")]
#[serde(default)]
struct ModelJson {
    #[serde(deserialize_with = "present")]
    artifact_path: bool,
    #[serde(deserialize_with = "present")]
    flavors: bool,
    #[serde(deserialize_with = "present")]
    utc_time_created: bool,
    #[serde(deserialize_with = "present")]
    run_id: bool,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// Checks that a model's description is a JSON object with its mandatory fields.
fn check_model_json(text: &str) -> Result<(), RequestError> {
    let model: ModelJson = serde_json::from_str(text).map_err(|_| {
        let excerpt: String = text.chars().take(200).collect();
        RequestError::rule(format!(
            "Malformed model info. \n {excerpt} \n is not a valid JSON."
        ))
    })?;
    let missing: Vec<_> = [
        ("'artifact_path'", model.artifact_path),
        ("'flavors'", model.flavors),
        ("'utc_time_created'", model.utc_time_created),
        ("'run_id'", model.run_id),
    ]
    .into_iter()
    .filter_map(|(name, present)| (!present).then_some(name))
    .collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(RequestError::rule(format!(
        "Model json is missing mandatory fields: {{{}}}",
        missing.join(", ")
    )))
}

/// Records what a run read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogInputs {
    /// The run.
    pub run_id: RunId,
    /// Datasets.
    pub datasets: Vec<DatasetInput>,
    /// Logged models (MLflow 3.x).
    pub models: Vec<ModelInput>,
}

impl Request for LogInputs {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: InputsBody = decode(input)?;
        let run_id = RunId::new(body.run_id.required_text("run_id")?);
        let datasets = body.datasets.all("datasets")?;
        let datasets: Result<_, _> = datasets
            .into_iter()
            .enumerate()
            .map(|(i, input)| dataset_input(i, input))
            .collect();
        let datasets = datasets?;
        let models = body.models.all("models")?;
        let models: Result<_, _> = models
            .into_iter()
            .enumerate()
            .map(|(i, model)| {
                let id = model
                    .model_id
                    .required_text(format_args!("models[{i}].model_id"))?;
                Ok(ModelInput {
                    model_id: LoggedModelId::new(id),
                })
            })
            .collect();
        Ok(Self {
            run_id,
            datasets,
            models: models?,
        })
    }
}

fn dataset_input(i: usize, input: InputBody) -> Result<DatasetInput, RequestError> {
    let body = input
        .dataset
        .required(format_args!("datasets[{i}].dataset"))?;
    let dataset = Dataset {
        name: body
            .name
            .required_text(format_args!("datasets[{i}].dataset.name"))?,
        digest: body
            .digest
            .required_text(format_args!("datasets[{i}].dataset.digest"))?,
        source_type: body
            .source_type
            .or_default(format_args!("datasets[{i}].dataset.source_type"))?,
        source: body
            .source
            .or_default(format_args!("datasets[{i}].dataset.source"))?,
        schema: body
            .schema
            .non_empty(format_args!("datasets[{i}].dataset.schema"))?,
        profile: body
            .profile
            .non_empty(format_args!("datasets[{i}].dataset.profile"))?,
    };
    Ok(DatasetInput {
        tags: pairs::tags(input.tags, &format!("datasets[{i}].tags"))?,
        dataset,
    })
}

/// Records which logged models a run made (`runs/outputs`, MLflow 3.x).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogOutputs {
    /// The run.
    pub run_id: RunId,
    /// The models.
    pub models: Vec<ModelOutput>,
}

impl Request for LogOutputs {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: OutputsBody = decode(input)?;
        let run_id = RunId::new(body.run_id.required_text("run_id")?);
        let models = body.models.required_all("models")?;
        let models: Result<_, _> = models
            .into_iter()
            .enumerate()
            .map(|(i, model)| {
                let id = model
                    .model_id
                    .required_text(format_args!("models[{i}].model_id"))?;
                Ok(ModelOutput {
                    model_id: LoggedModelId::new(id),
                    step: model.step.or_default(format_args!("models[{i}].step"))?,
                })
            })
            .collect();
        Ok(Self {
            run_id,
            models: models?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error<R: Request + std::fmt::Debug>(body: &str) -> String {
        R::decode(Input::Body(body.as_bytes()))
            .expect_err(body)
            .to_string()
    }

    #[test]
    fn a_metric_is_checked_field_by_field_in_mlflows_order() {
        for (body, parameter) in [
            ("{}", "'run_id'"),
            (r#"{"run_id": "r"}"#, "'key'"),
            (r#"{"run_id": "r", "key": 5}"#, "'key'"),
            (r#"{"run_id": "r", "key": "k"}"#, "'value'"),
            (
                r#"{"run_id": "r", "key": "k", "value": "x", "timestamp": "y"}"#,
                "'value'",
            ),
            (r#"{"run_id": "r", "key": "k", "value": 1}"#, "'timestamp'"),
            (r#"{"run_id": "", "run_uuid": "r"}"#, "'run_id'"),
        ] {
            assert!(error::<LogMetric>(body).contains(parameter), "{body}");
        }
    }

    #[test]
    fn zero_is_there_and_a_missing_step_is_zero() {
        let body = br#"{"run_uuid": "r", "key": "k", "value": 0, "timestamp": 0}"#;
        let request = LogMetric::decode(Input::Body(body)).unwrap();
        assert_eq!(request.run_id, RunId::new("r"));
        assert_eq!(request.metric, Metric::new("k", 0.0, 0, 0));
    }

    #[test]
    fn what_a_metric_was_measured_on_is_kept() {
        let body = br#"{"runId":"r","key":"k","value":1,"timestamp":1,"modelId":"m",
            "datasetName":"d","datasetDigest":"1"}"#;
        let model = LogMetric::decode(Input::Body(body))
            .unwrap()
            .metric
            .model
            .unwrap();
        assert_eq!(model.model_id.as_deref(), Some("m"));
        assert_eq!(model.dataset_name.as_deref(), Some("d"));
        assert_eq!(model.dataset_digest.as_deref(), Some("1"));
        let half = r#"{"run_id":"r","key":"k","value":1,"timestamp":1,"dataset_name":"d"}"#;
        assert!(error::<LogMetric>(half).contains("must be provided if one is"));
    }

    #[test]
    fn a_bare_nan_is_a_number_and_no_text() {
        let metric = br#"{"run_id":"r","key":"k","value":NaN,"timestamp":1}"#;
        let request = LogMetric::decode(Input::Body(metric)).unwrap();
        assert!(request.metric.value.is_nan());
        for wrong in [
            r#"{"run_id":"r","key":"k","value":1,"timestamp":NaN}"#,
            r#"{"run_id":"r","key":NaN,"value":1,"timestamp":1}"#,
        ] {
            let error = error::<LogMetric>(wrong);
            assert!(
                error.contains("Invalid value NaN") && error.contains("'float'"),
                "{error}"
            );
        }
    }

    #[test]
    fn an_item_of_a_batch_is_named_by_its_path() {
        let item = r#"{"key": "k", "value": 1, "timestamp": 1}"#;
        for (list, path) in [
            (format!(r#""metrics": [{item}, {{}}]"#), "'metrics[1].key'"),
            (
                r#""metrics": [{"key": "k"}]"#.to_owned(),
                "'metrics[0].value'",
            ),
            (r#""metrics": [null]"#.to_owned(), "'metrics[0]'"),
            (r#""metrics": {}"#.to_owned(), "'metrics'"),
            (
                r#""params": [{"key": "k", "value": 5}]"#.to_owned(),
                "'params[0].value'",
            ),
            (r#""tags": [{"value": "x"}]"#.to_owned(), "'tags[0].key'"),
        ] {
            let body = format!(r#"{{"run_id": "r", {list}}}"#);
            assert!(error::<LogBatch>(&body).contains(path), "{body}");
        }
    }

    #[test]
    fn an_empty_batch_is_one() {
        let batch = LogBatch::decode(Input::Body(br#"{"run_id": "r"}"#)).unwrap();
        assert!(batch.metrics.is_empty() && batch.params.is_empty() && batch.tags.is_empty());
    }

    #[test]
    fn a_model_description_has_its_mandatory_fields() {
        let check = |json: &str| check_model_json(json).map_err(|error| error.to_string());
        let whole =
            r#"{"artifact_path": null, "flavors": {}, "utc_time_created": "", "run_id": ""}"#;
        assert_eq!(check(whole), Ok(()));
        assert_eq!(
            check("{\"flavors\": 1}").unwrap_err(),
            "Model json is missing mandatory fields: {'artifact_path', 'utc_time_created', 'run_id'}"
        );
        for malformed in ["x", "5", "null"] {
            assert!(
                check(malformed)
                    .unwrap_err()
                    .starts_with("Malformed model info.")
            );
        }
    }

    #[test]
    fn outputs_may_be_none_but_must_be_there() {
        assert!(error::<LogOutputs>(r#"{"run_id": "r"}"#).contains("'models'"));
        assert!(LogOutputs::decode(Input::Body(br#"{"run_id": "r", "models": []}"#)).is_ok());
    }

    #[test]
    fn a_dataset_has_a_name_and_a_digest() {
        for (datasets, path) in [
            ("[{}]", "'datasets[0].dataset'"),
            (
                r#"[{"dataset": {"digest": "d"}}]"#,
                "'datasets[0].dataset.name'",
            ),
            (
                r#"[{"dataset": {"name": "n"}}]"#,
                "'datasets[0].dataset.digest'",
            ),
            (
                r#"[{"tags": [{}], "dataset": {"name": "n", "digest": "d"}}]"#,
                "'datasets[0].tags[0].key'",
            ),
        ] {
            let body = format!(r#"{{"run_id": "r", "datasets": {datasets}}}"#);
            assert!(error::<LogInputs>(&body).contains(path), "{body}");
        }
    }
}
