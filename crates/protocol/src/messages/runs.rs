//! The life of runs: `runs/create`, `get`, `update`, `delete`, `restore`, `search`.

use runledger_entities::{
    DatasetInput, Metric, ModelInput, ModelOutput, Run, RunId, RunInfo, RunStatus, Tag, ViewType,
    limits,
};

use super::{Request, metrics::write_metric, most, pairs, search_max_results};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::List,
        message::messages,
        value::Json,
        write::{self, Object},
    },
};

messages! {
    /// `runs/create`
    CreateBody {
        experiment_id: String,
        user_id: String,
        run_name: String,
        start_time: i64,
        tags: List<pairs::Pair, { most::PAIRS }>,
    }
    /// `runs/get`, `delete`, `restore`
    IdBody {
        run_id: String,
        run_uuid: String,
    }
    /// `runs/update`
    UpdateBody {
        run_id: String,
        run_uuid: String,
        status: RunStatus,
        end_time: i64,
        run_name: String,
    }
    /// `runs/search`
    SearchBody {
        experiment_ids: List<String, { most::EXPERIMENT_IDS }>,
        filter: String,
        run_view_type: ViewType,
        max_results: i64,
        order_by: List<String, { most::ORDER_BY }>,
        page_token: String,
    }
}

/// Asks for a new run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateRun {
    /// The experiment's id as the client wrote it.
    pub experiment_id: String,
    /// Who starts it; may be empty.
    pub user_id: String,
    /// Its name, not empty.
    pub run_name: Option<String>,
    /// Milliseconds since the epoch; 0 if absent.
    pub start_time: i64,
    /// Its tags.
    pub tags: Vec<Tag>,
}

impl Request for CreateRun {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        Ok(Self {
            experiment_id: body.experiment_id.required_text("experiment_id")?,
            user_id: body.user_id.or_default("user_id")?,
            run_name: body.run_name.non_empty("run_name")?,
            start_time: body.start_time.or_default("start_time")?,
            tags: pairs::tags(body.tags, "tags")?,
        })
    }
}

/// Names a run to get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunById {
    /// The run.
    pub run_id: RunId,
}

impl Request for RunById {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: IdBody = decode(input)?;
        Ok(Self {
            run_id: RunId::new(body.run_id.or_run_uuid(body.run_uuid)?),
        })
    }
}

/// Names a run to delete or restore it: only by its newer name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunToChange {
    /// The run.
    pub run_id: RunId,
}

impl Request for RunToChange {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: IdBody = decode(input)?;
        Ok(Self {
            run_id: RunId::new(body.run_id.without_run_uuid(body.run_uuid)?),
        })
    }
}

/// Changes a run; absent fields stay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateRun {
    /// The run.
    pub run_id: RunId,
    /// The new status.
    pub status: Option<RunStatus>,
    /// Milliseconds since the epoch.
    pub end_time: Option<i64>,
    /// The new name; an empty one counts as absent.
    pub run_name: Option<String>,
}

impl Request for UpdateRun {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: UpdateBody = decode(input)?;
        Ok(Self {
            run_id: RunId::new(body.run_id.or_run_uuid(body.run_uuid)?),
            status: body.status.optional("status")?,
            end_time: body.end_time.optional("end_time")?,
            run_name: body.run_name.non_empty("run_name")?,
        })
    }
}

/// Searches runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchRuns {
    /// The experiments' ids as the client wrote them.
    pub experiment_ids: Vec<String>,
    /// The filter; empty if absent.
    pub filter: String,
    /// Active, deleted or both.
    pub run_view_type: ViewType,
    /// Results per page; within MLflow's limit.
    pub max_results: u32,
    /// Order-by clauses.
    pub order_by: Vec<String>,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for SearchRuns {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        let max_results = body.max_results.optional("max_results")?;
        Ok(Self {
            experiment_ids: body.experiment_ids.all("experiment_ids")?,
            filter: body.filter.or_default("filter")?,
            run_view_type: body.run_view_type.or_default("run_view_type")?,
            max_results: match max_results {
                None => limits::SEARCH_DEFAULT_RESULTS,
                // MLflow checks this limit with the type, and says so.
                Some(value) if value > limits::SEARCH_MAX_RESULTS.into() => {
                    return Err(RequestError::wrong_type("max_results", &Json::Int(value)));
                }
                Some(value) => search_max_results(value)?,
            },
            order_by: body.order_by.all("order_by")?,
            page_token: body.page_token.non_empty("page_token")?,
        })
    }
}

/// The answer to `runs/create` and `runs/get`, whose `outputs` differ.
fn write_run(o: &mut Object<'_>, run: &Run, outputs: bool) {
    o.object("info", |o| write_info(o, &run.info));
    o.object("data", |o| {
        o.list("metrics", &run.data.metrics, |o, metric: &Metric| {
            write_metric(o, metric);
        });
        o.list("params", &run.data.params, pairs::write_param);
        o.list("tags", &run.data.tags, pairs::write_tag);
    });
    o.object("inputs", |o| {
        o.list("dataset_inputs", &run.inputs.datasets, write_dataset_input);
        o.list(
            "model_inputs",
            &run.inputs.models,
            |o, model: &ModelInput| {
                o.text("model_id", model.model_id.as_str());
            },
        );
    });
    if outputs {
        o.object("outputs", |o| {
            o.list("model_outputs", &run.outputs, |o, model: &ModelOutput| {
                o.text("model_id", model.model_id.as_str());
                o.int("step", model.step);
            });
        });
    }
}

fn write_info(o: &mut Object<'_>, info: &RunInfo) {
    o.text("run_uuid", info.run_id.as_str());
    o.id("experiment_id", info.experiment_id);
    o.maybe_text("run_name", info.run_name.as_deref());
    o.text("user_id", &info.user_id);
    o.text("status", info.status.name());
    o.int("start_time", info.start_time);
    // MLflow takes 0 for "not ended".
    o.maybe_int("end_time", info.end_time.filter(|time| *time != 0));
    o.text("artifact_uri", &info.artifact_uri);
    o.text("lifecycle_stage", info.lifecycle_stage.name());
    o.text("run_id", info.run_id.as_str());
}

fn write_dataset_input(o: &mut Object<'_>, input: &DatasetInput) {
    o.list("tags", &input.tags, pairs::write_tag);
    o.object("dataset", |o| {
        let dataset = &input.dataset;
        o.text("name", &dataset.name);
        o.text("digest", &dataset.digest);
        o.text("source_type", &dataset.source_type);
        o.text("source", &dataset.source);
        o.maybe_text("schema", dataset.schema.as_deref());
        o.maybe_text("profile", dataset.profile.as_deref());
    });
}

/// The answer to `runs/create`.
pub fn created(run: &Run) -> Vec<u8> {
    write::object(|o| o.object("run", |o| write_run(o, run, false)))
}

/// The answer to `runs/get`.
pub fn one(run: &Run) -> Vec<u8> {
    write::object(|o| o.object("run", |o| write_run(o, run, true)))
}

/// The answer to `runs/update`.
pub fn updated(info: &RunInfo) -> Vec<u8> {
    write::object(|o| o.object("run_info", |o| write_info(o, info)))
}

/// The answer to `runs/search`.
pub fn page(runs: &[Run], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("runs", runs, |o, run: &Run| write_run(o, run, true));
        o.maybe_text("next_page_token", next_page_token);
    })
}
