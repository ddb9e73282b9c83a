//! Where runs and models keep their artifacts, as a tracking server, a database or
//! a folder says.

use std::path::Path;
use std::sync::Arc;

use runledger::RestStore;
use runledger_entities::{ModelStage, ModelUri, ModelVersion, RunId};
use runledger_store::{
    LoggedModelStore, ModelRegistryStore, ModelRegistryStoreExt as _, TrackingStore,
};
use runledger_store_sql::PoolOptions;
use serde_json::Value;

use super::error::ArtifactsError;
use crate::serve::{self, RunError};
use crate::tracking::rest_options;
use runledger_store::StorePlace;

/// Who is asked.
pub(super) enum Tracking {
    Server(RestStore),
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
            return Ok(Self::Server(RestStore::new(uri, rest_options()?)?));
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
                let run = server.get_run(&RunId::new(id)).await?;
                Ok(run.info.artifact_uri)
            }
        }
    }

    /// Where a model keeps its files; this may be a `runs:/` or `models:/` URI.
    pub(super) async fn of_model(&self, uri: &ModelUri) -> Result<String, ArtifactsError> {
        match self {
            Self::Store(stores) => of_store(stores, uri).await,
            Self::Server(server) => Ok(server.model_source(uri).await?),
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

/// A text that is there and not empty.
fn text(value: &Value, what: &str) -> Result<String, ArtifactsError> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
        .ok_or_else(|| ArtifactsError::Nothing {
            what: what.to_owned(),
        })
}
