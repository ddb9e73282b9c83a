//! From an endpoint to its handler.

use std::sync::Arc;

use runledger_protocol::Endpoint as E;

use crate::{
    app::App,
    artifact_routes::{direct, proxy},
    call::Call,
    graphql,
    handlers::{
        Reply, artifacts, datasets, experiments, logged_models, logging, metrics, model_versions,
        otlp, registered_models, runs, server, trace_metrics, traces, webhooks,
    },
};

/// Serves a call.
///
/// The `match` has no wildcard arm: an endpoint without a handler does not
/// compile.
#[expect(clippy::too_many_lines, reason = "one table, one line per endpoint")]
pub(crate) async fn dispatch(app: &Arc<App>, endpoint: E, mut call: Call) -> Reply {
    match endpoint {
        E::Health => Ok(server::health()),
        E::Version => Ok(server::version()),
        E::OpenApi => Ok(server::openapi(app)),
        E::ServerInfo => Ok(server::info(app)),
        E::GatewayProxyGet | E::GatewayProxyPost => Ok(server::none(r#"{"endpoints":[]}"#)),
        E::AssistantConfig => Ok(server::none(
            r#"{"providers":{},"projects":{},"remote_access_allowed":false}"#,
        )),
        E::AssistantProviders => Ok(server::none(
            r#"{"providers":[],"resolved":null,"gateway_vendor_options":{}}"#,
        )),
        E::SearchEvaluationDatasets | E::ListScorers => Ok(server::none("{}")),

        E::CreateExperiment => {
            experiments::create(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::GetExperiment => {
            experiments::get(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::GetExperimentByName => {
            experiments::get_by_name(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::SearchExperiments | E::SearchExperimentsGet => {
            experiments::search(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::DeleteExperiment => {
            experiments::delete(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::RestoreExperiment => {
            experiments::restore(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::UpdateExperiment => {
            experiments::update(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::SetExperimentTag => {
            experiments::set_tag(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::DeleteExperimentTag => {
            experiments::delete_tag(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::SearchDatasets => {
            datasets::search(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::GraphQl => {
            app.tracking(endpoint)?;
            let body = call.received(app).await?;
            graphql::execute(app, &body).await
        }

        E::CreateRun => runs::create(app.tracking(endpoint)?, call.message(app).await?).await,
        E::GetRun => runs::get(app.tracking(endpoint)?, call.message(app).await?).await,
        E::UpdateRun => runs::update(app.tracking(endpoint)?, call.message(app).await?).await,
        E::DeleteRun => runs::delete(app.tracking(endpoint)?, call.message(app).await?).await,
        E::RestoreRun => runs::restore(app.tracking(endpoint)?, call.message(app).await?).await,
        E::SearchRuns => runs::search(app.tracking(endpoint)?, call.message(app).await?).await,
        E::LogMetric => {
            logging::log_metric(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::LogParam => logging::log_param(app.tracking(endpoint)?, call.message(app).await?).await,
        E::SetTag => logging::set_tag(app.tracking(endpoint)?, call.message(app).await?).await,
        E::DeleteTag => {
            logging::delete_tag(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::LogBatch => logging::log_batch(app.tracking(endpoint)?, call.message(app).await?).await,
        E::LogModel => logging::log_model(app.tracking(endpoint)?, call.message(app).await?).await,
        E::LogInputs => {
            logging::log_inputs(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::LogOutputs => {
            logging::log_outputs(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::GetMetricHistory => {
            metrics::history(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::GetMetricHistoryBulk => {
            metrics::bulk_history(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::GetMetricInterval => {
            metrics::interval(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::CreateLoggedModel => {
            logged_models::create(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::SearchLoggedModels => {
            logged_models::search(app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::GetLoggedModel => logged_models::get(app.tracking(endpoint)?, call.model_id()).await,
        E::FinalizeLoggedModel => {
            let tracking = app.tracking(endpoint)?;
            let request = call.message(app).await?;
            logged_models::finalize(tracking, call.model_id(), request).await
        }
        E::DeleteLoggedModel => {
            logged_models::delete(app.tracking(endpoint)?, call.model_id()).await
        }
        E::SetLoggedModelTags => {
            let tracking = app.tracking(endpoint)?;
            let request = call.message(app).await?;
            logged_models::set_tags(tracking, call.model_id(), request).await
        }
        E::DeleteLoggedModelTag => {
            logged_models::delete_tag(
                app.tracking(endpoint)?,
                call.model_id(),
                call.param("tag_key"),
            )
            .await
        }
        E::LogLoggedModelParams => {
            let tracking = app.tracking(endpoint)?;
            let request = call.message(app).await?;
            logged_models::log_params(tracking, call.model_id(), request).await
        }

        E::ListArtifacts => {
            artifacts::list(app, app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::PresignUpload => {
            artifacts::presign_upload(app, app.tracking(endpoint)?, call.message(app).await?).await
        }
        E::PresignDownload => {
            let tracking = app.tracking(endpoint)?;
            artifacts::presign_download(app, tracking, call.message(app).await?).await
        }
        E::ListLoggedModelArtifacts => {
            let tracking = app.tracking(endpoint)?;
            let request = call.message(app).await?;
            artifacts::list_of_model(app, tracking, call.model_id(), request).await
        }
        E::GetLoggedModelArtifact => {
            artifacts::get_of_model(app, app.tracking(endpoint)?, call.model_id(), &call.parts)
                .await
        }
        E::GetArtifact => artifacts::get(app, app.tracking(endpoint)?, &call.parts).await,
        E::UploadArtifact => artifacts::upload(app, app.tracking(endpoint)?, call).await,

        E::ProxyList => Ok(proxy::list(app.proxied(endpoint)?, call.parts.uri.query()).await?),
        E::ProxyGet => {
            let destination = app.proxied(endpoint)?;
            proxy::get(destination, call.artifact_path(), &call.parts).await
        }
        E::ProxyPut => artifacts::proxy_put(app.proxied(endpoint)?, call).await,
        E::ProxyDelete => Ok(proxy::delete(app.proxied(endpoint)?, call.artifact_path()).await?),
        E::ProxyCreateMultipart => {
            let destination = app.proxied(endpoint)?;
            let body = call.body(app).await?;
            Ok(direct::create(destination, call.artifact_path(), &body).await?)
        }
        E::ProxyCompleteMultipart => {
            let destination = app.proxied(endpoint)?;
            let body = call.body(app).await?;
            Ok(direct::complete(destination, call.artifact_path(), &body).await?)
        }
        E::ProxyAbortMultipart => {
            let destination = app.proxied(endpoint)?;
            let body = call.body(app).await?;
            Ok(direct::abort(destination, call.artifact_path(), &body).await?)
        }
        E::ProxyPresign => {
            let destination = app.proxied(endpoint)?;
            let valid = app.limits.download_url_time;
            Ok(direct::download(destination, call.artifact_path(), valid).await?)
        }

        E::CreateRegisteredModel => {
            registered_models::create(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::GetRegisteredModel => {
            registered_models::get(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::SearchRegisteredModels => {
            registered_models::search(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::UpdateRegisteredModel => {
            registered_models::update(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::RenameRegisteredModel => {
            registered_models::rename(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::DeleteRegisteredModel => {
            registered_models::delete(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::GetLatestVersions | E::GetLatestVersionsPost => {
            registered_models::latest_versions(app.registry(endpoint)?, call.message(app).await?)
                .await
        }
        E::SetRegisteredModelTag => {
            registered_models::set_tag(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::DeleteRegisteredModelTag => {
            registered_models::delete_tag(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::SetRegisteredModelAlias => {
            registered_models::set_alias(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::GetModelVersionByAlias => {
            registered_models::by_alias(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::DeleteRegisteredModelAlias => {
            registered_models::delete_alias(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::CreateModelVersion => {
            model_versions::create(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::GetModelVersion => {
            model_versions::get(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::SearchModelVersions => {
            model_versions::search(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::UpdateModelVersion => {
            model_versions::update(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::DeleteModelVersion => {
            model_versions::delete(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::TransitionModelVersion => {
            model_versions::transition(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::GetModelVersionDownloadUri => {
            model_versions::download_uri(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::SetModelVersionTag => {
            model_versions::set_tag(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::DeleteModelVersionTag => {
            model_versions::delete_tag(app.registry(endpoint)?, call.message(app).await?).await
        }
        E::GetModelVersionArtifact => {
            model_versions::get_artifact(app, app.registry(endpoint)?, &call.parts).await
        }

        E::ExportSpans => otlp::export(app, app.traces(endpoint)?, call).await,
        E::StartTraceV2 => traces::start_v2(app.traces(endpoint)?, call.message(app).await?).await,
        E::SearchTracesV2 => {
            traces::search_v2(app.traces(endpoint)?, call.message(app).await?).await
        }
        E::EndTraceV2 => {
            let traces = app.traces(endpoint)?;
            let request = call.message(app).await?;
            traces::end_v2(traces, call.trace_id(), request).await
        }
        E::GetTraceInfoV2 => traces::info_v2(app.traces(endpoint)?, call.trace_id()).await,
        E::SetTraceTagV2 | E::SetTraceTag => {
            let traces = app.traces(endpoint)?;
            let request = call.message(app).await?;
            traces::set_tag(traces, call.trace_id(), request).await
        }
        E::DeleteTraceTagV2 | E::DeleteTraceTag => {
            let traces = app.traces(endpoint)?;
            let request = call.message(app).await?;
            traces::delete_tag(traces, call.trace_id(), request).await
        }
        E::DeleteTracesV2 | E::DeleteTraces => {
            traces::delete(app.traces(endpoint)?, call.message(app).await?).await
        }
        E::LinkPromptsToTrace => {
            traces::link_prompts(app.traces(endpoint)?, call.message(app).await?).await
        }
        E::LinkTracesToRun => {
            traces::link_to_run(app.traces(endpoint)?, call.message(app).await?).await
        }
        E::StartTrace => traces::start(app.traces(endpoint)?, call.message(app).await?).await,
        E::GetTraceInfo => traces::info(app.traces(endpoint)?, call.trace_id()).await,
        E::GetTrace => traces::get(app.traces(endpoint)?, call.message(app).await?).await,
        E::BatchGetTraces => traces::batch(app.traces(endpoint)?, call.message(app).await?).await,
        E::BatchGetTraceInfos => {
            traces::batch_infos(app.traces(endpoint)?, call.message(app).await?).await
        }
        E::SearchTraces => traces::search(app.traces(endpoint)?, call.message(app).await?).await,
        E::QueryTraceMetrics => {
            trace_metrics::query(app.traces(endpoint)?, call.message(app).await?).await
        }
        E::CorrelateTraceFilters => {
            traces::correlate(app.traces(endpoint)?, call.message(app).await?).await
        }
        E::CreateAssessment => {
            let traces = app.traces(endpoint)?;
            let request = call.message(app).await?;
            traces::create_assessment(traces, call.trace_id(), request).await
        }
        E::GetAssessment => {
            let traces = app.traces(endpoint)?;
            traces::get_assessment(traces, call.trace_id(), call.assessment_id()).await
        }
        E::UpdateAssessment => {
            let traces = app.traces(endpoint)?;
            let request = call.message(app).await?;
            traces::update_assessment(traces, call.trace_id(), call.assessment_id(), request).await
        }
        E::DeleteAssessment => {
            let traces = app.traces(endpoint)?;
            traces::delete_assessment(traces, call.trace_id(), call.assessment_id()).await
        }
        E::GetTraceArtifactV2 | E::GetTraceArtifact => {
            traces::artifact(app, app.traces(endpoint)?, &call.parts).await
        }

        E::ListWebhooks => webhooks::list(app.webhooks(endpoint)?, call.message(app).await?).await,
        E::CreateWebhook => {
            webhooks::create(app.webhooks(endpoint)?, call.message(app).await?).await
        }
        E::GetWebhook => webhooks::get(app.webhooks(endpoint)?, call.webhook_id()).await,
        E::UpdateWebhook => {
            let webhooks = app.webhooks(endpoint)?;
            let request = call.message(app).await?;
            webhooks::update(webhooks, call.webhook_id(), request).await
        }
        E::DeleteWebhook => webhooks::delete(app.webhooks(endpoint)?, call.webhook_id()).await,
        E::TestWebhook => {
            let webhooks = app.webhooks(endpoint)?;
            let request = call.message(app).await?;
            webhooks::test(webhooks, call.webhook_id(), request).await
        }
    }
}
