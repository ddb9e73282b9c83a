//! The table of endpoints: every route of the server, in one place.
//!
//! A row says how an endpoint is called and what a caller must be allowed to
//! do. The server builds its routes from [`Endpoint::ALL`] and a `match`
//! without a wildcard, so that neither a permission nor a handler can be
//! forgotten.

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

/// A version of the REST API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// `2.0`
    V2,
    /// `3.0`
    V3,
}

impl Version {
    fn name(self) -> &'static str {
        match self {
            Self::V2 => "2.0",
            Self::V3 => "3.0",
        }
    }
}

/// Under which prefixes an endpoint is reachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Under `/api/<version>` for clients, and `/ajax-api/<version>` for the UI.
    Api(Version),
    /// Under `/ajax-api/<version>` only.
    Ajax(Version),
    /// At the root.
    Root,
}

/// What a caller must be allowed to do.
///
/// The resource is the one that the request names. Lists and searches ask for
/// nothing but a known caller: they return what the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// Anybody, known or not.
    Public,
    /// Any known caller; the results are those that the caller may read.
    Search,
    /// To create experiments.
    CreateExperiment,
    /// To read an experiment.
    ReadExperiment,
    /// To change an experiment's name or tags.
    WriteExperiment,
    /// To delete or restore an experiment.
    DeleteExperiment,
    /// To create a run in an experiment.
    CreateRun,
    /// To read a run.
    ReadRun,
    /// To log to a run or change it.
    WriteRun,
    /// To delete or restore a run.
    DeleteRun,
    /// To create a logged model in an experiment.
    CreateLoggedModel,
    /// To read a logged model.
    ReadLoggedModel,
    /// To change a logged model.
    WriteLoggedModel,
    /// To delete a logged model.
    DeleteLoggedModel,
    /// To read artifacts of whatever the path belongs to.
    ReadArtifact,
    /// To write artifacts of whatever the path belongs to.
    WriteArtifact,
    /// To delete artifacts of whatever the path belongs to.
    DeleteArtifact,
    /// To read traces.
    ReadTrace,
    /// To write traces.
    WriteTrace,
    /// To delete traces.
    DeleteTrace,
    /// To read the model registry.
    ReadRegistry,
    /// To write to the model registry.
    WriteRegistry,
    /// To delete from the model registry.
    DeleteRegistry,
}

impl Permission {
    /// Whether it is to change something, and not only to read.
    pub fn writes(self) -> bool {
        match self {
            Self::Public
            | Self::Search
            | Self::ReadExperiment
            | Self::ReadRun
            | Self::ReadLoggedModel
            | Self::ReadArtifact
            | Self::ReadTrace
            | Self::ReadRegistry => false,
            Self::CreateExperiment
            | Self::WriteExperiment
            | Self::DeleteExperiment
            | Self::CreateRun
            | Self::WriteRun
            | Self::DeleteRun
            | Self::CreateLoggedModel
            | Self::WriteLoggedModel
            | Self::DeleteLoggedModel
            | Self::WriteArtifact
            | Self::DeleteArtifact
            | Self::WriteTrace
            | Self::DeleteTrace
            | Self::WriteRegistry
            | Self::DeleteRegistry => true,
        }
    }
}

/// The part of MLflow that an endpoint belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Area {
    /// What a server says about itself.
    Server,
    /// Experiments, runs, metrics, logged models.
    Tracking,
    /// Artifacts, and the proxy to their storage.
    Artifacts,
    /// Traces and assessments.
    Tracing,
    /// Registered models, their versions, and webhooks.
    Registry,
}

/// Declares the endpoints. Every column is mandatory: a row without a
/// permission does not compile.
macro_rules! endpoints {
    ($($area:ident {
        $($name:ident: $method:ident $scope:expr, $path:literal, $permission:ident;)*
    })*) => {
        /// An endpoint of the REST API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Endpoint {
            $($(
                #[doc = concat!("`", $path, "`")]
                $name,
            )*)*
        }

        impl Endpoint {
            /// Every endpoint.
            pub const ALL: &'static [Self] = &[$($(Self::$name,)*)*];

            fn row(self) -> Row {
                match self {
                    $($(Self::$name => Row {
                        method: Method::$method,
                        scope: $scope,
                        path: $path,
                        permission: Permission::$permission,
                        area: Area::$area,
                    },)*)*
                }
            }
        }
    };
}

/// A row of the table.
struct Row {
    method: Method,
    scope: Scope,
    path: &'static str,
    permission: Permission,
    area: Area,
}

const API2: Scope = Scope::Api(Version::V2);
const API3: Scope = Scope::Api(Version::V3);
const AJAX2: Scope = Scope::Ajax(Version::V2);
const AJAX3: Scope = Scope::Ajax(Version::V3);
const ROOT: Scope = Scope::Root;

// `{name}` is one segment of a path, `{*name}` is all the rest of it.
endpoints! {
    Server {
        Health: Get ROOT, "/health", Public;
        Version: Get ROOT, "/version", Public;
        OpenApi: Get ROOT, "/openapi.json", Public;
        ServerInfo: Get API3, "/mlflow/server-info", Public;
        // What MLflow's pages ask of features that are not here: there is nothing.
        GatewayProxyGet: Get AJAX2, "/mlflow/gateway-proxy", Public;
        GatewayProxyPost: Post AJAX2, "/mlflow/gateway-proxy", Public;
        AssistantConfig: Get AJAX3, "/mlflow/assistant/config", Public;
        AssistantProviders: Get AJAX3, "/mlflow/assistant/providers", Public;
        SearchEvaluationDatasets: Post API3, "/mlflow/datasets/search", Public;
        ListScorers: Get API3, "/mlflow/scorers/list", Public;
    }
    Tracking {
        CreateExperiment: Post API2, "/mlflow/experiments/create", CreateExperiment;
        GetExperiment: Get API2, "/mlflow/experiments/get", ReadExperiment;
        GetExperimentByName: Get API2, "/mlflow/experiments/get-by-name", ReadExperiment;
        SearchExperiments: Post API2, "/mlflow/experiments/search", Search;
        SearchExperimentsGet: Get API2, "/mlflow/experiments/search", Search;
        DeleteExperiment: Post API2, "/mlflow/experiments/delete", DeleteExperiment;
        RestoreExperiment: Post API2, "/mlflow/experiments/restore", DeleteExperiment;
        UpdateExperiment: Post API2, "/mlflow/experiments/update", WriteExperiment;
        SetExperimentTag: Post API2, "/mlflow/experiments/set-experiment-tag", WriteExperiment;
        DeleteExperimentTag: Post API2, "/mlflow/experiments/delete-experiment-tag", WriteExperiment;
        SearchDatasets: Post AJAX2, "/mlflow/experiments/search-datasets", Search;
        GraphQl: Post ROOT, "/graphql", Search;

        CreateRun: Post API2, "/mlflow/runs/create", CreateRun;
        GetRun: Get API2, "/mlflow/runs/get", ReadRun;
        UpdateRun: Post API2, "/mlflow/runs/update", WriteRun;
        DeleteRun: Post API2, "/mlflow/runs/delete", DeleteRun;
        RestoreRun: Post API2, "/mlflow/runs/restore", DeleteRun;
        SearchRuns: Post API2, "/mlflow/runs/search", Search;
        LogMetric: Post API2, "/mlflow/runs/log-metric", WriteRun;
        LogParam: Post API2, "/mlflow/runs/log-parameter", WriteRun;
        SetTag: Post API2, "/mlflow/runs/set-tag", WriteRun;
        DeleteTag: Post API2, "/mlflow/runs/delete-tag", WriteRun;
        LogBatch: Post API2, "/mlflow/runs/log-batch", WriteRun;
        LogModel: Post API2, "/mlflow/runs/log-model", WriteRun;
        LogInputs: Post API2, "/mlflow/runs/log-inputs", WriteRun;
        LogOutputs: Post API2, "/mlflow/runs/outputs", WriteRun;

        GetMetricHistory: Get API2, "/mlflow/metrics/get-history", ReadRun;
        GetMetricHistoryBulk: Get AJAX2, "/mlflow/metrics/get-history-bulk", ReadRun;
        GetMetricInterval: Get API2, "/mlflow/metrics/get-history-bulk-interval", ReadRun;

        CreateLoggedModel: Post API2, "/mlflow/logged-models", CreateLoggedModel;
        SearchLoggedModels: Post API2, "/mlflow/logged-models/search", Search;
        GetLoggedModel: Get API2, "/mlflow/logged-models/{model_id}", ReadLoggedModel;
        FinalizeLoggedModel: Patch API2, "/mlflow/logged-models/{model_id}", WriteLoggedModel;
        DeleteLoggedModel: Delete API2, "/mlflow/logged-models/{model_id}", DeleteLoggedModel;
        SetLoggedModelTags: Patch API2, "/mlflow/logged-models/{model_id}/tags", WriteLoggedModel;
        DeleteLoggedModelTag: Delete API2, "/mlflow/logged-models/{model_id}/tags/{tag_key}", WriteLoggedModel;
        LogLoggedModelParams: Post API2, "/mlflow/logged-models/{model_id}/params", WriteLoggedModel;
    }
    Artifacts {
        ListArtifacts: Get API2, "/mlflow/artifacts/list", ReadArtifact;
        PresignUpload: Post API2, "/mlflow/artifacts/presigned-upload-url", WriteArtifact;
        PresignDownload: Post API2, "/mlflow/artifacts/presigned-download-url", ReadArtifact;
        ListLoggedModelArtifacts: Get API2, "/mlflow/logged-models/{model_id}/artifacts/directories", ReadLoggedModel;
        GetLoggedModelArtifact: Get AJAX2, "/mlflow/logged-models/{model_id}/artifacts/files", ReadLoggedModel;
        GetArtifact: Get ROOT, "/get-artifact", ReadArtifact;
        UploadArtifact: Post AJAX2, "/mlflow/upload-artifact", WriteArtifact;
        ProxyList: Get API2, "/mlflow-artifacts/artifacts", ReadArtifact;
        ProxyGet: Get API2, "/mlflow-artifacts/artifacts/{*artifact_path}", ReadArtifact;
        ProxyPut: Put API2, "/mlflow-artifacts/artifacts/{*artifact_path}", WriteArtifact;
        ProxyDelete: Delete API2, "/mlflow-artifacts/artifacts/{*artifact_path}", DeleteArtifact;
        ProxyCreateMultipart: Post API2, "/mlflow-artifacts/mpu/create/{*artifact_path}", WriteArtifact;
        ProxyCompleteMultipart: Post API2, "/mlflow-artifacts/mpu/complete/{*artifact_path}", WriteArtifact;
        ProxyAbortMultipart: Post API2, "/mlflow-artifacts/mpu/abort/{*artifact_path}", WriteArtifact;
        ProxyPresign: Get API2, "/mlflow-artifacts/presigned/{*artifact_path}", ReadArtifact;
    }
    Tracing {
        StartTraceV2: Post API2, "/mlflow/traces", WriteTrace;
        SearchTracesV2: Get API2, "/mlflow/traces", Search;
        EndTraceV2: Patch API2, "/mlflow/traces/{trace_id}", WriteTrace;
        GetTraceInfoV2: Get API2, "/mlflow/traces/{trace_id}/info", ReadTrace;
        SetTraceTagV2: Patch API2, "/mlflow/traces/{trace_id}/tags", WriteTrace;
        DeleteTraceTagV2: Delete API2, "/mlflow/traces/{trace_id}/tags", WriteTrace;
        DeleteTracesV2: Post API2, "/mlflow/traces/delete-traces", DeleteTrace;
        LinkPromptsToTrace: Post API2, "/mlflow/traces/link-prompts", WriteTrace;
        LinkTracesToRun: Post API2, "/mlflow/traces/link-to-run", WriteTrace;
        StartTrace: Post API3, "/mlflow/traces", WriteTrace;
        GetTraceInfo: Get API3, "/mlflow/traces/{trace_id}", ReadTrace;
        GetTrace: Get API3, "/mlflow/traces/get", ReadTrace;
        BatchGetTraces: Get API3, "/mlflow/traces/batchGet", ReadTrace;
        BatchGetTraceInfos: Post API3, "/mlflow/traces/batchGetInfos", ReadTrace;
        SearchTraces: Post API3, "/mlflow/traces/search", Search;
        DeleteTraces: Post API3, "/mlflow/traces/delete-traces", DeleteTrace;
        QueryTraceMetrics: Post API3, "/mlflow/traces/metrics", Search;
        CorrelateTraceFilters: Post API3, "/mlflow/traces/calculate-filter-correlation", Search;
        SetTraceTag: Patch API3, "/mlflow/traces/{trace_id}/tags", WriteTrace;
        DeleteTraceTag: Delete API3, "/mlflow/traces/{trace_id}/tags", WriteTrace;
        CreateAssessment: Post API3, "/mlflow/traces/{trace_id}/assessments", WriteTrace;
        GetAssessment: Get API3, "/mlflow/traces/{trace_id}/assessments/{assessment_id}", ReadTrace;
        UpdateAssessment: Patch API3, "/mlflow/traces/{trace_id}/assessments/{assessment_id}", WriteTrace;
        DeleteAssessment: Delete API3, "/mlflow/traces/{trace_id}/assessments/{assessment_id}", WriteTrace;
        GetTraceArtifactV2: Get AJAX2, "/mlflow/get-trace-artifact", ReadTrace;
        GetTraceArtifact: Get AJAX3, "/mlflow/get-trace-artifact", ReadTrace;
        ExportSpans: Post ROOT, "/v1/traces", WriteTrace;
    }
    Registry {
        CreateRegisteredModel: Post API2, "/mlflow/registered-models/create", WriteRegistry;
        GetRegisteredModel: Get API2, "/mlflow/registered-models/get", ReadRegistry;
        SearchRegisteredModels: Get API2, "/mlflow/registered-models/search", Search;
        UpdateRegisteredModel: Patch API2, "/mlflow/registered-models/update", WriteRegistry;
        RenameRegisteredModel: Post API2, "/mlflow/registered-models/rename", WriteRegistry;
        DeleteRegisteredModel: Delete API2, "/mlflow/registered-models/delete", DeleteRegistry;
        GetLatestVersions: Get API2, "/mlflow/registered-models/get-latest-versions", ReadRegistry;
        GetLatestVersionsPost: Post API2, "/mlflow/registered-models/get-latest-versions", ReadRegistry;
        SetRegisteredModelTag: Post API2, "/mlflow/registered-models/set-tag", WriteRegistry;
        DeleteRegisteredModelTag: Delete API2, "/mlflow/registered-models/delete-tag", WriteRegistry;
        SetRegisteredModelAlias: Post API2, "/mlflow/registered-models/alias", WriteRegistry;
        GetModelVersionByAlias: Get API2, "/mlflow/registered-models/alias", ReadRegistry;
        DeleteRegisteredModelAlias: Delete API2, "/mlflow/registered-models/alias", WriteRegistry;
        CreateModelVersion: Post API2, "/mlflow/model-versions/create", WriteRegistry;
        GetModelVersion: Get API2, "/mlflow/model-versions/get", ReadRegistry;
        SearchModelVersions: Get API2, "/mlflow/model-versions/search", Search;
        UpdateModelVersion: Patch API2, "/mlflow/model-versions/update", WriteRegistry;
        DeleteModelVersion: Delete API2, "/mlflow/model-versions/delete", DeleteRegistry;
        TransitionModelVersion: Post API2, "/mlflow/model-versions/transition-stage", WriteRegistry;
        GetModelVersionDownloadUri: Get API2, "/mlflow/model-versions/get-download-uri", ReadRegistry;
        SetModelVersionTag: Post API2, "/mlflow/model-versions/set-tag", WriteRegistry;
        DeleteModelVersionTag: Delete API2, "/mlflow/model-versions/delete-tag", WriteRegistry;
        GetModelVersionArtifact: Get ROOT, "/model-versions/get-artifact", ReadRegistry;
        ListWebhooks: Get API2, "/mlflow/webhooks", ReadRegistry;
        CreateWebhook: Post API2, "/mlflow/webhooks", WriteRegistry;
        GetWebhook: Get API2, "/mlflow/webhooks/{webhook_id}", ReadRegistry;
        UpdateWebhook: Patch API2, "/mlflow/webhooks/{webhook_id}", WriteRegistry;
        DeleteWebhook: Delete API2, "/mlflow/webhooks/{webhook_id}", DeleteRegistry;
        TestWebhook: Post API2, "/mlflow/webhooks/{webhook_id}/test", WriteRegistry;
    }
}

impl Endpoint {
    /// The HTTP method.
    pub fn method(self) -> Method {
        self.row().method
    }

    /// The prefixes it is reachable under.
    pub fn scope(self) -> Scope {
        self.row().scope
    }

    /// What a caller must be allowed to do.
    pub fn permission(self) -> Permission {
        self.row().permission
    }

    /// The part of MLflow it belongs to.
    pub fn area(self) -> Area {
        self.row().area
    }

    /// The path without its prefix, `{name}` for a segment, `{*name}` for a
    /// tail.
    pub fn template(self) -> &'static str {
        self.row().path
    }

    /// The full paths, each behind `static_prefix` (empty, or `/x` without a
    /// slash at its end).
    pub fn paths(self, static_prefix: &str) -> Vec<String> {
        let Row { scope, path, .. } = self.row();
        let under = |root: &str, version: Version| {
            format!("{static_prefix}/{root}/{}{path}", version.name())
        };
        match scope {
            Scope::Api(version) => vec![under("api", version), under("ajax-api", version)],
            Scope::Ajax(version) => vec![under("ajax-api", version)],
            Scope::Root => vec![format!("{static_prefix}{path}")],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_two_endpoints_share_a_method_and_a_path() {
        let mut seen = HashSet::new();
        for endpoint in Endpoint::ALL {
            for path in endpoint.paths("") {
                assert!(seen.insert((endpoint.method(), path.clone())), "{path}");
            }
        }
    }

    #[test]
    fn prefixes_versions_and_the_static_prefix_make_a_path() {
        assert_eq!(
            Endpoint::LogMetric.paths("/ml"),
            [
                "/ml/api/2.0/mlflow/runs/log-metric",
                "/ml/ajax-api/2.0/mlflow/runs/log-metric"
            ]
        );
        assert_eq!(
            Endpoint::GetMetricHistoryBulk.paths(""),
            ["/ajax-api/2.0/mlflow/metrics/get-history-bulk"]
        );
        assert_eq!(Endpoint::Health.paths("/ml"), ["/ml/health"]);
    }

    #[test]
    fn only_what_a_server_says_about_itself_is_public() {
        for endpoint in Endpoint::ALL {
            assert_eq!(
                endpoint.permission() == Permission::Public,
                endpoint.area() == Area::Server,
                "{endpoint:?}"
            );
        }
    }

    #[test]
    fn what_writes_is_not_a_get() {
        for endpoint in Endpoint::ALL {
            let gets = endpoint.method() == Method::Get;
            assert!(!gets || !endpoint.permission().writes(), "{endpoint:?}");
        }
    }
}
