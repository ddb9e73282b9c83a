//! Answers the fields that are no members of other answers, by the endpoints.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::{
    Error, ServerError, Value,
    dynamic::{FieldFuture, FieldValue, ResolverContext},
};
use axum::body::{self, Body};
use http::{Request, header};
use runledger_protocol::Endpoint;
use serde_json::{Map, Value as Json, json};
use tokio::sync::OnceCell;

use super::schema::snake_case;
use crate::{app::App, call::Call, dispatch::dispatch, reply};

/// Lookups that the fields of a list of runs may take in one query.
const MAX_LOOKUPS: usize = 1000;

/// Bytes of an answer that is taken apart: in memory it is some ten times as long.
const MAX_ANSWER_BYTES: usize = 16 << 20;
/// Bytes of an answer that are parsed where they came.
const PARSED_IN_PLACE: usize = 256 << 10;

/// What answers a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// An endpoint; `input` is its request.
    Endpoint(Endpoint),
    /// The argument `inputString` again.
    Echo,
    /// The experiment of the run that the field belongs to.
    ExperimentOfRun,
    /// The model versions that were made from the run.
    VersionsOfRun,
}

impl Asked {
    /// What answers the field of an object; nothing if that is a member of the object.
    pub(super) fn of(object: &str, field: &str) -> Option<Self> {
        use Endpoint as E;

        Some(match (object, field) {
            ("Query", "mlflowGetExperiment") => Self::Endpoint(E::GetExperiment),
            ("Query", "mlflowGetMetricHistoryBulkInterval") => Self::Endpoint(E::GetMetricInterval),
            ("Query", "mlflowGetRun") => Self::Endpoint(E::GetRun),
            ("Query", "mlflowListArtifacts") => Self::Endpoint(E::ListArtifacts),
            ("Query", "mlflowSearchModelVersions") => Self::Endpoint(E::SearchModelVersions),
            ("Query" | "Mutation", "mlflowSearchRuns") => Self::Endpoint(E::SearchRuns),
            ("Mutation", "mlflowSearchDatasets") => Self::Endpoint(E::SearchDatasets),
            ("Query", "test") | ("Mutation", "testMutation") => Self::Echo,
            ("MlflowRunExtension", "experiment") => Self::ExperimentOfRun,
            ("MlflowRunExtension", "modelVersions") => Self::VersionsOfRun,
            _ => return None,
        })
    }
}

/// Where one query gets its answers from.
pub(super) struct Source {
    app: Arc<App>,
    experiments: Mutex<HashMap<String, Arc<OnceCell<Json>>>>,
    lookups: AtomicUsize,
}

impl Source {
    pub(super) fn new(app: &Arc<App>) -> Self {
        Self {
            app: Arc::clone(app),
            experiments: Mutex::default(),
            lookups: AtomicUsize::new(0),
        }
    }

    /// The answer of an endpoint to a request.
    async fn ask(&self, endpoint: Endpoint, request: &Json) -> Result<Json, Error> {
        let request = Request::post("/")
            .header(header::CONTENT_TYPE, reply::JSON)
            .body(Body::from(request.to_string()))?;
        let call = Call::without_path(endpoint, request);
        let answer = match dispatch(&self.app, endpoint, call).await {
            Ok(answer) => answer,
            Err(failure) => return Err(Error::new(failure.message())),
        };
        let too_long = |_| {
            Error::new(format!(
                "An answer has more than {MAX_ANSWER_BYTES} bytes. Ask for fewer results, or by \
                 REST."
            ))
        };
        let bytes = body::to_bytes(answer.into_body(), MAX_ANSWER_BYTES)
            .await
            .map_err(too_long)?;
        if bytes.len() <= PARSED_IN_PLACE {
            return Ok(serde_json::from_slice(&bytes)?);
        }
        // A longer text must not hold up other connections.
        let parsing = tokio::task::spawn_blocking(move || serde_json::from_slice(&bytes));
        Ok(parsing.await??)
    }

    /// [`Source::ask`], for one of the many runs of a list.
    async fn look_up(&self, endpoint: Endpoint, request: &Json) -> Result<Json, Error> {
        if self.lookups.fetch_add(1, Ordering::Relaxed) >= MAX_LOOKUPS {
            return Err(Error::new(format!(
                "The query needs more than {MAX_LOOKUPS} lookups. Ask for fewer runs, or without \
                 their experiments and model versions."
            )));
        }
        self.ask(endpoint, request).await
    }

    /// An experiment, asked for once for all of its runs.
    async fn experiment(&self, id: &str) -> Result<Json, Error> {
        let cell = {
            let mut experiments = self
                .experiments
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(experiments.entry(id.to_owned()).or_default())
        };
        let request = json!({ "experiment_id": id });
        let found = cell.get_or_try_init(|| self.look_up(Endpoint::GetExperiment, &request));
        Ok(found.await?.clone())
    }
}

/// Answers a field. What fails is `null`, and among the errors.
pub(super) fn resolve(asked: Asked, context: ResolverContext<'_>) -> FieldFuture<'_> {
    FieldFuture::new(async move {
        match answer(asked, &context).await {
            Ok(value) => Ok(value),
            Err(error) => {
                context.add_error(ServerError::new(error.message, Some(context.item.pos)));
                Ok(None)
            }
        }
    })
}

async fn answer<'a>(
    asked: Asked,
    context: &ResolverContext<'a>,
) -> Result<Option<FieldValue<'a>>, Error> {
    let source = context.data::<Source>()?;
    match asked {
        Asked::Endpoint(endpoint) => {
            let input = context
                .args
                .get("input")
                .map(|input| input.as_value().clone());
            let request = request(input)?;
            Ok(Some(FieldValue::owned_any(
                source.ask(endpoint, &request).await?,
            )))
        }
        Asked::Echo => {
            let echo = context
                .args
                .get("inputString")
                .map(|text| text.as_value().clone());
            Ok(Some(FieldValue::owned_any(json!({
                "output": echo.unwrap_or(Value::Null).into_json()?,
            }))))
        }
        Asked::ExperimentOfRun => {
            let answer = source.experiment(info(context, "experiment_id")).await?;
            Ok(Some(FieldValue::owned_any(member(answer, "experiment"))))
        }
        Asked::VersionsOfRun => {
            let filter = format!("run_id='{}'", info(context, "run_id"));
            let request = json!({ "filter": filter });
            let answer = source
                .look_up(Endpoint::SearchModelVersions, &request)
                .await?;
            let versions = match member(answer, "model_versions") {
                Json::Array(versions) => versions,
                _ => Vec::new(),
            };
            let versions = versions.into_iter().map(FieldValue::owned_any);
            Ok(Some(FieldValue::list(versions)))
        }
    }
}

/// The request that an input object stands for.
fn request(input: Option<Value>) -> Result<Json, Error> {
    let fields = match input.map(Value::into_json).transpose()? {
        Some(Json::Object(fields)) => fields,
        _ => Map::new(),
    };
    let fields = fields
        .into_iter()
        .map(|(name, value)| (snake_case(&name), value));
    Ok(Json::Object(fields.collect()))
}

/// A text of the `info` of the run that the field belongs to.
fn info<'a>(context: &ResolverContext<'a>, member: &str) -> &'a str {
    let run = context.parent_value.downcast_ref::<Json>();
    run.and_then(|run| run.get("info")?.get(member)?.as_str())
        .unwrap_or_default()
}

fn member(mut answer: Json, name: &str) -> Json {
    answer.get_mut(name).map(Json::take).unwrap_or_default()
}
