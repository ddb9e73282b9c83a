//! MLflow 3.17's limits on names, values and batches.
//!
//! Lengths are in characters (Unicode scalar values), as Python counts them.

/// Characters of an experiment name.
pub const EXPERIMENT_NAME: usize = 500;
/// Characters of an artifact location (`MLFLOW_ARTIFACT_LOCATION_MAX_LENGTH`'s default).
pub const ARTIFACT_LOCATION: usize = 2048;
/// Characters of a metric, param, run tag, or experiment tag key.
pub const KEY: usize = 250;
/// Characters of a param value.
pub const PARAM_VALUE: usize = 6000;
/// Characters of a run tag value.
pub const TAG_VALUE: usize = 8000;
/// Characters of an experiment tag value.
pub const EXPERIMENT_TAG_VALUE: usize = 20_000;
/// Characters of a run name (the width of MLflow's column).
pub const RUN_NAME: usize = 250;
/// Metrics in one batch.
pub const BATCH_METRICS: usize = 1000;
/// Params in one batch.
pub const BATCH_PARAMS: usize = 100;
/// Tags in one batch.
pub const BATCH_TAGS: usize = 100;
/// Metrics, params and tags together in one batch.
pub const BATCH_TOTAL: usize = 1000;
/// Characters of the body of a `log-batch` that MLflow takes
/// (`MAX_BATCH_LOG_REQUEST_SIZE`). Ours takes more.
pub const BATCH_CHARACTERS: usize = 1_000_000;
/// Characters of a dataset name.
pub const DATASET_NAME: usize = 500;
/// Characters of a dataset digest.
pub const DATASET_DIGEST: usize = 36;
/// Characters of a dataset source type (the width of MLflow's column).
pub const DATASET_SOURCE_TYPE: usize = 36;
/// Characters of a dataset source.
pub const DATASET_SOURCE: usize = 65_535;
/// Characters of a dataset schema.
pub const DATASET_SCHEMA: usize = 1_048_575;
/// Characters of a dataset profile.
pub const DATASET_PROFILE: usize = 16_777_215;
/// Characters of an input tag key.
pub const INPUT_TAG_KEY: usize = 255;
/// Characters of an input tag value.
pub const INPUT_TAG_VALUE: usize = 500;
/// Characters of a logged model's name or type (the width of MLflow's columns).
pub const LOGGED_MODEL_NAME: usize = 500;
/// Characters of a logged model's param or tag key (the width of MLflow's columns).
pub const LOGGED_MODEL_KEY: usize = 255;
/// Characters of a tag value of a registered model or a version.
pub const REGISTRY_TAG_VALUE: usize = 100_000;
/// Characters of an alias of a version.
pub const REGISTERED_MODEL_ALIAS: usize = 255;
/// Registered models of one page of a search.
pub const REGISTERED_MODELS_MAX_RESULTS: u32 = 1000;
/// Registered models of a page when the request names no number.
pub const REGISTERED_MODELS_DEFAULT_RESULTS: u32 = 100;
/// Versions of one page of a search, and of a page when the request names no number.
pub const MODEL_VERSIONS_MAX_RESULTS: u32 = 200_000;
/// Rows of one page of a run or experiment search.
pub const SEARCH_MAX_RESULTS: u32 = 50_000;
/// Rows of a page of a run search when the request names none.
pub const SEARCH_DEFAULT_RESULTS: u32 = 1000;
/// Points of one page of a metric's history.
pub const HISTORY_MAX_RESULTS: u32 = 25_000;
/// Runs in one bulk history request.
pub const BULK_HISTORY_RUNS: usize = 100;
/// Points per run of one interval request.
pub const INTERVAL_MAX_RESULTS: u32 = 2500;
/// Experiments in one dataset search.
pub const DATASET_SEARCH_EXPERIMENTS: usize = 20;
/// Summaries that one dataset search returns.
pub const DATASET_SEARCH_RESULTS: usize = 1000;
/// Characters of a trace's tag value, and so of its name.
pub const TRACE_TAG_VALUE: usize = 4096;
/// Characters of a value of a trace's metadata that answers show, and of the id of
/// a session.
pub const TRACE_METADATA_VALUE: usize = 250;
/// Characters of a value of a trace's metadata (the width of MLflow's column).
pub const TRACE_METADATA_KEPT: usize = 8000;
/// Characters of the previews of a trace's request and response.
pub const TRACE_PREVIEW: usize = 1000;
/// Characters of an id of a trace, span, assessment or client request (the width
/// of MLflow's columns).
pub const TRACE_ID: usize = 50;
/// Characters of the name of an assessment, and of who gave it (the width of
/// MLflow's columns).
pub const ASSESSMENT_NAME: usize = 250;
/// Characters of the name of a model, and of its provider, that a span is kept by.
pub const SPAN_MODEL: usize = 500;

/// Characters of a span's type in its column; its JSON has all of it.
pub const SPAN_TYPE: usize = 500;

/// Characters of a span's name in its column, which MySQL bounds at 65,535 bytes; its
/// JSON has all of it.
pub const SPAN_NAME: usize = 16_000;
/// Traces of one page of a search.
pub const TRACES_MAX_RESULTS: u32 = 500;
/// Traces of a page when the request names no number.
pub const TRACES_DEFAULT_RESULTS: u32 = 100;
/// Bytes of the spans of the traces that are read at once: all of them are in memory
/// when they are answered.
pub const SPANS_READ_BYTES: i64 = 128 * 1024 * 1024;
/// Traces that one request links to a run.
pub const TRACE_LINKS: usize = 100;
/// Data points of one answer about metrics of traces.
pub const TRACE_METRIC_POINTS: u32 = 1000;

/// Characters of the name of a webhook.
pub const WEBHOOK_NAME: usize = 63;
/// Characters of the URL of a webhook (the width of MLflow's column).
pub const WEBHOOK_URL: usize = 500;
/// Characters of the description of a webhook (the width of MLflow's column).
pub const WEBHOOK_DESCRIPTION: usize = 1000;
/// Bytes of the secret of a webhook: encrypted, it has the width of MLflow's column.
pub const WEBHOOK_SECRET: usize = 687;
/// Webhooks of one page of a list.
pub const WEBHOOKS_MAX_RESULTS: u32 = 1000;
/// Webhooks of a page when the request names no number.
pub const WEBHOOKS_DEFAULT_RESULTS: u32 = 100;
