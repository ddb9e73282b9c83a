//! Logged models (MLflow 3.x): `logged-models/*`.

use runledger_entities::{
    LoggedModel, LoggedModelId, LoggedModelMetric, LoggedModelStatus, Param, RunId, Tag,
};

use super::{Request, most, pairs};
use crate::{
    Input, RequestError,
    json::{
        decode::decode,
        field::List,
        message::messages,
        write::{self, Object},
    },
};

/// Models per page of a search when the request names no number (MLflow 3.17).
const SEARCH_DEFAULT: u32 = 50;
/// Most models per page; larger requests are answered with this many.
const SEARCH_MAX: u32 = 1000;

messages! {
    /// `logged-models`
    CreateBody {
        experiment_id: String,
        name: String,
        model_type: String,
        source_run_id: String,
        params: List<pairs::Pair, { most::PAIRS }>,
        tags: List<pairs::Pair, { most::PAIRS }>,
    }
    /// `logged-models/{model_id}`
    FinalizeBody {
        model_id: String,
        status: LoggedModelStatus,
    }
    /// `logged-models/{model_id}/tags`
    TagsBody {
        tags: List<pairs::Pair, { most::PAIRS }>,
    }
    /// `logged-models/{model_id}/params`
    ParamsBody {
        model_id: String,
        params: List<pairs::Pair, { most::PAIRS }>,
    }
    /// `logged-models/search`
    SearchBody {
        experiment_ids: List<String, { most::EXPERIMENT_IDS }>,
        filter: String,
        datasets: List<DatasetBody, { most::DATASETS }>,
        max_results: i32,
        order_by: List<OrderByBody, { most::ORDER_BY }>,
        page_token: String,
    }
    /// A dataset that models were measured on.
    DatasetBody {
        dataset_name: String,
        dataset_digest: String,
    }
    /// A part of an order.
    OrderByBody {
        field_name: String,
        ascending: bool,
        dataset_name: String,
        dataset_digest: String,
    }
}

/// Asks for a new logged model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateLoggedModel {
    /// The experiment's id as the client wrote it.
    pub experiment_id: String,
    /// Its name, not empty.
    pub name: Option<String>,
    /// Free text; empty if absent, as MLflow keeps it.
    pub model_type: String,
    /// The run that makes it; empty if absent.
    pub source_run_id: RunId,
    /// Params.
    pub params: Vec<Param>,
    /// Tags.
    pub tags: Vec<Tag>,
}

impl Request for CreateLoggedModel {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: CreateBody = decode(input)?;
        Ok(Self {
            experiment_id: body.experiment_id.required_text("experiment_id")?,
            name: body.name.non_empty("name")?,
            model_type: body.model_type.or_default("model_type")?,
            source_run_id: RunId::new(body.source_run_id.or_default("source_run_id")?),
            params: pairs::params(body.params, "params")?,
            tags: pairs::tags(body.tags, "tags")?,
        })
    }
}

/// Sets the status of a logged model. The path names it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinalizeLoggedModel {
    /// The model as the body names it.
    pub model_id: LoggedModelId,
    /// The status.
    pub status: LoggedModelStatus,
}

impl Request for FinalizeLoggedModel {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: FinalizeBody = decode(input)?;
        Ok(Self {
            model_id: LoggedModelId::new(body.model_id.required_text("model_id")?),
            status: body.status.required("status")?,
        })
    }
}

/// Sets tags of a logged model. The model is named by the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetLoggedModelTags {
    /// The tags.
    pub tags: Vec<Tag>,
}

impl Request for SetLoggedModelTags {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: TagsBody = decode(input)?;
        Ok(Self {
            tags: pairs::tags(body.tags, "tags")?,
        })
    }
}

/// Adds params to a logged model. The path names it too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLoggedModelParams {
    /// The model as the body names it.
    pub model_id: LoggedModelId,
    /// The params.
    pub params: Vec<Param>,
}

impl Request for LogLoggedModelParams {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: ParamsBody = decode(input)?;
        Ok(Self {
            model_id: LoggedModelId::new(body.model_id.required_text("model_id")?),
            params: pairs::params(body.params, "params")?,
        })
    }
}

/// A dataset that a search of logged models is restricted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchedDataset {
    /// The name.
    pub dataset_name: String,
    /// The digest; any if absent.
    pub dataset_digest: Option<String>,
}

/// A part of the order of a search of logged models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderBy {
    /// What to order by; may be empty, and then names nothing.
    pub field_name: String,
    /// Smallest first.
    pub ascending: bool,
    /// For metrics: only values on a dataset of this name.
    pub dataset_name: Option<String>,
    /// For metrics: only values on a dataset of this digest.
    pub dataset_digest: Option<String>,
}

/// Searches logged models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchLoggedModels {
    /// The experiments' ids as the client wrote them.
    pub experiment_ids: Vec<String>,
    /// The filter; empty if absent.
    pub filter: String,
    /// Restricts metrics to these datasets.
    pub datasets: Vec<SearchedDataset>,
    /// Results per page, between 1 and 1000.
    pub max_results: u32,
    /// The order.
    pub order_by: Vec<OrderBy>,
    /// The page.
    pub page_token: Option<String>,
}

impl Request for SearchLoggedModels {
    fn decode(input: Input<'_>) -> Result<Self, RequestError> {
        let body: SearchBody = decode(input)?;
        let experiment_ids = body.experiment_ids.required_all("experiment_ids")?;
        let filter = body.filter.or_default("filter")?;
        let datasets = body.datasets.all("datasets")?;
        let datasets: Result<_, _> = datasets
            .into_iter()
            .enumerate()
            .map(|(i, body)| searched_dataset(i, body))
            .collect();
        let datasets = datasets?;
        let max_results = match body.max_results.optional("max_results")? {
            None | Some(0) => SEARCH_DEFAULT,
            Some(value) => u32::try_from(value)
                .map_err(|_| RequestError::MaxResultsNotPositive {
                    value: value.into(),
                    full_stop: false,
                })?
                .min(SEARCH_MAX),
        };
        let order_by = body.order_by.all("order_by")?;
        let order_by: Result<_, _> = order_by
            .into_iter()
            .enumerate()
            .map(|(i, body)| order(i, body))
            .collect();
        Ok(Self {
            experiment_ids,
            filter,
            datasets,
            max_results,
            order_by: order_by?,
            page_token: body.page_token.non_empty("page_token")?,
        })
    }
}

fn searched_dataset(i: usize, body: DatasetBody) -> Result<SearchedDataset, RequestError> {
    let name = body
        .dataset_name
        .non_empty(format_args!("datasets[{i}].dataset_name"))?;
    let digest = body
        .dataset_digest
        .non_empty(format_args!("datasets[{i}].dataset_digest"))?;
    let dataset_name = name.ok_or_else(|| {
        RequestError::rule("`dataset_name` in the `datasets` clause must be specified.")
    })?;
    Ok(SearchedDataset {
        dataset_name,
        dataset_digest: digest,
    })
}

fn order(i: usize, body: OrderByBody) -> Result<OrderBy, RequestError> {
    Ok(OrderBy {
        field_name: body
            .field_name
            .or_default(format_args!("order_by[{i}].field_name"))?,
        ascending: body
            .ascending
            .optional(format_args!("order_by[{i}].ascending"))?
            .unwrap_or(true),
        dataset_name: body
            .dataset_name
            .non_empty(format_args!("order_by[{i}].dataset_name"))?,
        dataset_digest: body
            .dataset_digest
            .non_empty(format_args!("order_by[{i}].dataset_digest"))?,
    })
}

/// The answer to creating, getting and finalizing a logged model.
pub fn one(model: &LoggedModel) -> Vec<u8> {
    write::object(|o| o.object("model", |o| write_model(o, model)))
}

/// The answer to `logged-models/search`.
pub fn page(models: &[LoggedModel], next_page_token: Option<&str>) -> Vec<u8> {
    write::object(|o| {
        o.list("models", models, write_model);
        o.maybe_text("next_page_token", next_page_token);
    })
}

fn write_model(o: &mut Object<'_>, model: &LoggedModel) {
    o.object("info", |o| {
        o.text("model_id", model.model_id.as_str());
        o.id("experiment_id", model.experiment_id);
        o.text("name", &model.name);
        o.int("creation_timestamp_ms", model.creation_timestamp);
        o.int("last_updated_timestamp_ms", model.last_updated_timestamp);
        o.text("artifact_uri", &model.artifact_location);
        o.text("status", model.status.name());
        // MLflow sends these two even where they are not set.
        o.text("model_type", model.model_type.as_deref().unwrap_or(""));
        o.text(
            "source_run_id",
            model.source_run_id.as_ref().map_or("", RunId::as_str),
        );
        o.maybe_text("status_message", model.status_message.as_deref());
        o.list("tags", &model.tags, pairs::write_tag);
    });
    o.object("data", |o| {
        o.list("params", &model.params, pairs::write_param);
        o.list(
            "metrics",
            &model.metrics,
            |o, metric: &LoggedModelMetric| {
                o.text("key", &metric.key);
                o.double("value", metric.value.unwrap_or(f64::NAN));
                o.int("timestamp", metric.timestamp);
                o.int("step", metric.step);
                o.maybe_text("dataset_name", metric.dataset_name.as_deref());
                o.maybe_text("dataset_digest", metric.dataset_digest.as_deref());
                o.text("model_id", model.model_id.as_str());
                o.text("run_id", metric.run_id.as_str());
            },
        );
    });
}
