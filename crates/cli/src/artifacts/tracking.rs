//! Where runs and models keep their artifacts, as a tracking server, a database or
//! a folder says.

use std::path::Path;
use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use runledger_artifacts::TrackingServer;
use runledger_entities::{LoggedModelId, ModelStage, ModelUri, ModelVersion, RunId};
use runledger_store::{
    LoggedModelStore, ModelRegistryStore, ModelRegistryStoreExt as _, TrackingStore,
};
use runledger_store_sql::PoolOptions;
use serde_json::Value;

use super::error::ArtifactsError;
use crate::serve::{self, RunError};
use runledger_store::StorePlace;

/// Who is asked.
pub(super) enum Tracking {
    Server(TrackingServer),
    Store(Stores),
}

/// The traits of one store.
pub(crate) struct Stores {
    runs: Arc<dyn TrackingStore>,
    models: Arc<dyn LoggedModelStore>,
    registry: Arc<dyn ModelRegistryStore>,
}

impl Stores {
    pub(crate) fn of<S: TrackingStore + LoggedModelStore + ModelRegistryStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            runs: Arc::<S>::clone(&store),
            models: Arc::<S>::clone(&store),
            registry: store,
        }
    }
}

impl Tracking {
    /// What a tracking URI names.
    pub(super) async fn open(uri: Option<&str>) -> Result<Self, ArtifactsError> {
        let variable = |name: &str| std::env::var(name).ok();
        let uri = uri.filter(|uri| !uri.is_empty());
        if let Some(uri) = uri
            && ["http://", "https://"]
                .iter()
                .any(|scheme| uri.to_ascii_lowercase().starts_with(scheme))
        {
            return Ok(Self::Server(TrackingServer::new(uri, variable)?));
        }
        let backend = match uri {
            Some(uri) => StorePlace::of(uri),
            None => StorePlace::of_directory(Path::new(".")),
        };
        let pool = PoolOptions::from_environment(variable).map_err(RunError::from)?;
        Ok(Self::Store(serve::read_only_stores(&backend, pool).await?))
    }

    /// Where a run keeps its artifacts.
    pub(super) async fn of_run(&self, id: &str) -> Result<String, ArtifactsError> {
        match self {
            Self::Store(stores) => {
                let run = stores.runs.get_run(&RunId::new(id)).await?;
                Ok(run.info.artifact_uri)
            }
            Self::Server(server) => {
                let answer = server
                    .get("/api/2.0/mlflow/runs/get", &[("run_id", id)])
                    .await?;
                text(&answer["run"]["info"]["artifact_uri"], "a run")
            }
        }
    }

    /// Where a model keeps its files; this may be a `runs:/` or `models:/` URI.
    pub(super) async fn of_model(&self, uri: &ModelUri) -> Result<String, ArtifactsError> {
        match self {
            Self::Store(stores) => of_store(stores, uri).await,
            Self::Server(server) => of_server(server, uri).await,
        }
    }
}

async fn of_store(stores: &Stores, uri: &ModelUri) -> Result<String, ArtifactsError> {
    let registry = &stores.registry;
    let version = match uri {
        ModelUri::LoggedModel(id) => {
            return Ok(stores.models.get_logged_model(id).await?.artifact_location);
        }
        ModelUri::Version { name, version } => registry.get_model_version(name, *version).await?,
        ModelUri::Alias { name, alias } => registry.resolve_model_alias(name, alias).await?,
        ModelUri::Latest { name } => newest(stores, name, &ModelStage::ALL).await?,
        ModelUri::Stage { name, stage } => {
            let stage: ModelStage = stage.parse().map_err(|_| ArtifactsError::Nothing {
                what: format!("the stage '{stage}'"),
            })?;
            newest(stores, name, &[stage]).await?
        }
    };
    text(&Value::from(version.download_uri()), "the model version")
}

async fn newest(
    stores: &Stores,
    name: &str,
    stages: &[ModelStage],
) -> Result<ModelVersion, ArtifactsError> {
    let versions = stores.registry.latest_model_versions(name, stages).await?;
    let newest = versions.into_iter().max_by_key(|version| version.version);
    newest.ok_or_else(|| ArtifactsError::Nothing {
        what: format!("the model '{name}' in this stage"),
    })
}

async fn of_server(server: &TrackingServer, uri: &ModelUri) -> Result<String, ArtifactsError> {
    const API: &str = "/api/2.0/mlflow";
    let (name, version) = match uri {
        ModelUri::LoggedModel(id) => {
            let path = format!("{API}/logged-models/{}", segment(id));
            let answer = server.get(&path, &[]).await?;
            return text(&answer["model"]["info"]["artifact_uri"], "the model");
        }
        ModelUri::Version { name, version } => (name, version.to_string()),
        ModelUri::Alias { name, alias } => {
            let path = format!("{API}/registered-models/alias");
            let asked = [("name", name.as_str()), ("alias", alias.as_str())];
            let answer = server.get(&path, &asked).await?;
            let version = text(&answer["model_version"]["version"], "the alias")?;
            (name, version)
        }
        ModelUri::Latest { name } => (name, newest_of(server, name, None).await?),
        ModelUri::Stage { name, stage } => (name, newest_of(server, name, Some(stage)).await?),
    };
    let path = format!("{API}/model-versions/get-download-uri");
    let asked = [("name", name.as_str()), ("version", version.as_str())];
    let answer = server.get(&path, &asked).await?;
    text(&answer["artifact_uri"], "the model version")
}

/// The number of the newest version, of a stage or of any.
async fn newest_of(
    server: &TrackingServer,
    name: &str,
    stage: Option<&String>,
) -> Result<String, ArtifactsError> {
    let path = "/api/2.0/mlflow/registered-models/get";
    let answer = server.get(path, &[("name", name)]).await?;
    let versions = answer["registered_model"]["latest_versions"].as_array();
    let versions = versions.into_iter().flatten().filter(|version| {
        let current = version["current_stage"].as_str().unwrap_or("None");
        stage.is_none_or(|stage| stage.eq_ignore_ascii_case(current))
    });
    let numbers = versions.filter_map(|version| {
        let number = &version["version"];
        number.as_i64().or_else(|| number.as_str()?.parse().ok())
    });
    let newest = numbers.max().ok_or_else(|| ArtifactsError::Nothing {
        what: format!("the model '{name}' in this stage"),
    })?;
    Ok(newest.to_string())
}

/// What an id is written with in a path; all else is encoded.
const KEPT: AsciiSet = NON_ALPHANUMERIC.remove(b'-');

/// An id as a segment of a path.
fn segment(id: &LoggedModelId) -> String {
    utf8_percent_encode(id.as_str(), &KEPT).to_string()
}

/// A text that is there and not empty.
fn text(value: &Value, what: &str) -> Result<String, ArtifactsError> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
        .ok_or_else(|| ArtifactsError::Nothing {
            what: what.to_owned(),
        })
}
