//! What each endpoint is sent, and what it sends back.

use crate::{
    Endpoint,
    json::describe::{Describe, Described},
    messages::{
        artifacts, assessments, datasets, experiments, logged_models, logging, metrics,
        model_versions, multipart, registered_models, runs, trace_metrics, traces, traces_v2,
        webhooks,
    },
};

/// The message of an endpoint; nothing if it has none, or another way to be
/// asked.
///
/// The `match` has no wildcard arm, so that no endpoint is forgotten.
#[expect(clippy::too_many_lines, reason = "one table, one line per endpoint")]
pub(super) fn of(endpoint: Endpoint) -> Option<Described> {
    use Endpoint as E;

    Some(match endpoint {
        E::CreateExperiment => experiments::CreateBody::describe(),
        E::GetExperiment | E::DeleteExperiment | E::RestoreExperiment => {
            experiments::IdBody::describe()
        }
        E::GetExperimentByName => experiments::NameBody::describe(),
        E::SearchExperiments | E::SearchExperimentsGet => experiments::SearchBody::describe(),
        E::UpdateExperiment => experiments::UpdateBody::describe(),
        E::SetExperimentTag | E::DeleteExperimentTag => experiments::TagBody::describe(),
        E::SearchDatasets => datasets::SearchBody::describe(),
        E::GraphQl => Described::Message(vec![
            ("query", Described::Text),
            ("operationName", Described::Text),
            ("variables", Described::Message(Vec::new())),
        ]),
        E::CreateRun => runs::CreateBody::describe(),
        E::GetRun | E::DeleteRun | E::RestoreRun => runs::IdBody::describe(),
        E::UpdateRun => runs::UpdateBody::describe(),
        E::SearchRuns => runs::SearchBody::describe(),
        E::LogMetric => logging::MetricBody::describe(),
        E::LogParam | E::SetTag => logging::PairBody::describe(),
        E::DeleteTag => logging::KeyBody::describe(),
        E::LogBatch => logging::BatchBody::describe(),
        E::LogModel => logging::ModelBody::describe(),
        E::LogInputs => logging::InputsBody::describe(),
        E::LogOutputs => logging::OutputsBody::describe(),
        E::GetMetricHistory => metrics::HistoryBody::describe(),
        E::GetMetricHistoryBulk => Described::Message(vec![
            ("run_id", Described::List(Box::new(Described::Text))),
            ("metric_key", Described::Text),
            ("max_results", Described::Integer(64)),
        ]),
        E::GetMetricInterval => metrics::IntervalBody::describe(),
        E::CreateLoggedModel => logged_models::CreateBody::describe(),
        E::SearchLoggedModels => logged_models::SearchBody::describe(),
        E::FinalizeLoggedModel => logged_models::FinalizeBody::describe(),
        E::SetLoggedModelTags => logged_models::TagsBody::describe(),
        E::LogLoggedModelParams => logged_models::ParamsBody::describe(),
        E::ListArtifacts => artifacts::ListBody::describe(),
        E::PresignUpload | E::PresignDownload => artifacts::PresignBody::describe(),
        E::ListLoggedModelArtifacts => artifacts::DirectoryBody::describe(),
        E::GetLoggedModelArtifact => texts(&["artifact_file_path"]),
        E::GetArtifact | E::UploadArtifact => texts(&["run_id", "run_uuid", "path"]),
        E::ProxyList => texts(&["path"]),
        E::CreateRegisteredModel => registered_models::CreateBody::describe(),
        E::GetRegisteredModel | E::DeleteRegisteredModel => registered_models::NameBody::describe(),
        E::SearchRegisteredModels => registered_models::SearchBody::describe(),
        E::UpdateRegisteredModel => registered_models::UpdateBody::describe(),
        E::RenameRegisteredModel => registered_models::RenameBody::describe(),
        E::GetLatestVersions | E::GetLatestVersionsPost => {
            registered_models::LatestBody::describe()
        }
        E::SetRegisteredModelTag | E::DeleteRegisteredModelTag => {
            registered_models::TagBody::describe()
        }
        E::SetRegisteredModelAlias | E::GetModelVersionByAlias | E::DeleteRegisteredModelAlias => {
            registered_models::AliasBody::describe()
        }
        E::CreateModelVersion => model_versions::CreateBody::describe(),
        E::GetModelVersion | E::DeleteModelVersion | E::GetModelVersionDownloadUri => {
            model_versions::VersionBody::describe()
        }
        E::SearchModelVersions => model_versions::SearchBody::describe(),
        E::UpdateModelVersion => model_versions::UpdateBody::describe(),
        E::TransitionModelVersion => model_versions::TransitionBody::describe(),
        E::SetModelVersionTag | E::DeleteModelVersionTag => model_versions::TagBody::describe(),
        E::ProxyCreateMultipart => multipart::CreateBody::describe(),
        E::ProxyCompleteMultipart => multipart::CompleteBody::describe(),
        E::ProxyAbortMultipart => multipart::AbortBody::describe(),
        E::GetModelVersionArtifact => texts(&["name", "version", "path"]),
        E::StartTraceV2 => traces_v2::StartBody::describe(),
        E::SearchTracesV2 => traces_v2::SearchBody::describe(),
        E::EndTraceV2 => traces_v2::EndBody::describe(),
        E::SetTraceTagV2 | E::SetTraceTag | E::DeleteTraceTagV2 | E::DeleteTraceTag => {
            traces::TagBody::describe()
        }
        E::DeleteTracesV2 | E::DeleteTraces => traces::DeleteBody::describe(),
        E::LinkPromptsToTrace => traces::LinkPromptsBody::describe(),
        E::LinkTracesToRun => traces::LinkToRunBody::describe(),
        E::StartTrace => traces::StartBody::describe(),
        E::GetTrace => traces::GetBody::describe(),
        E::BatchGetTraces | E::BatchGetTraceInfos => traces::IdsBody::describe(),
        E::SearchTraces => traces::SearchBody::describe(),
        E::QueryTraceMetrics => trace_metrics::MetricsBody::describe(),
        E::CorrelateTraceFilters => traces::CorrelationBody::describe(),
        E::CreateAssessment => assessments::CreateBody::describe(),
        E::UpdateAssessment => assessments::UpdateBody::describe(),
        E::GetTraceArtifactV2 | E::GetTraceArtifact => texts(&["request_id", "path"]),
        E::ListWebhooks => webhooks::ListBody::describe(),
        E::CreateWebhook | E::UpdateWebhook => webhooks::CreateBody::describe(),
        E::TestWebhook => webhooks::TestBody::describe(),
        E::Health
        | E::Version
        | E::ServerInfo
        | E::OpenApi
        | E::GatewayProxyGet
        | E::GatewayProxyPost
        | E::AssistantConfig
        | E::AssistantProviders
        | E::SearchEvaluationDatasets
        | E::ListScorers
        | E::GetLoggedModel
        | E::DeleteLoggedModel
        | E::DeleteLoggedModelTag
        | E::ProxyGet
        | E::ProxyPut
        | E::ProxyDelete
        | E::ProxyPresign
        | E::GetTraceInfoV2
        | E::GetTraceInfo
        | E::GetAssessment
        | E::DeleteAssessment
        | E::ExportSpans
        | E::GetWebhook
        | E::DeleteWebhook => return None,
    })
}

/// The media types of a body that is no message of MLflow's, if the endpoint takes one.
pub(super) fn media_types(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::ProxyPut | Endpoint::UploadArtifact => &["application/octet-stream"],
        Endpoint::ExportSpans => &["application/json", "application/x-protobuf"],
        _ => &[],
    }
}

/// The headers of an endpoint that say what the body is for, and whether each must be there.
pub(super) fn headers(endpoint: Endpoint) -> &'static [(&'static str, bool)] {
    match endpoint {
        Endpoint::ExportSpans => &[("x-mlflow-experiment-id", true), ("x-mlflow-run-id", false)],
        _ => &[],
    }
}

/// Whether refusals are `{"detail": …}`, as well as MLflow's own error body.
pub(super) fn answers_with_detail(endpoint: Endpoint) -> bool {
    endpoint == Endpoint::ExportSpans
}

/// What the body of an answer is.
pub(super) enum Answer {
    /// A JSON object.
    Json,
    /// Of this media type.
    Media(&'static str),
    /// There is none.
    Empty,
}

pub(super) fn answer(endpoint: Endpoint) -> Answer {
    use Endpoint as E;

    match endpoint {
        E::Health => Answer::Media("text/plain"),
        E::Version => Answer::Media("text/html"),
        E::GetArtifact | E::GetLoggedModelArtifact | E::GetModelVersionArtifact | E::ProxyGet => {
            Answer::Media("*/*")
        }
        E::ExportSpans => Answer::Media("application/x-protobuf"),
        E::ProxyPut | E::UploadArtifact => Answer::Empty,
        _ => Answer::Json,
    }
}

fn texts(names: &[&'static str]) -> Described {
    Described::Message(names.iter().map(|name| (*name, Described::Text)).collect())
}
