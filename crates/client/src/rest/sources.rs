//! Where models keep their files, and the files behind a server's proxy.

use std::sync::Arc;

use runledger_artifacts::{ArtifactPath, ArtifactRepository, proxied};
use runledger_entities::{ErrorCode, ModelUri};
use runledger_protocol::Endpoint;
use runledger_store::{LoggedModelStore, StoreError};
use serde_json::Value;

use super::RestStore;
use super::refusal::unreadable;

impl RestStore {
    /// The files behind the server's proxy (`mlflow-artifacts:/`), below `path`.
    ///
    /// They are asked for with the account and the certificates of this store; how long an
    /// answer may take is [`RestOptions::timeout`](super::RestOptions::timeout).
    ///
    /// ```no_run
    /// # async fn example(store: runledger::RestStore) -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger_artifacts::{ArtifactPath, ArtifactRepository};
    ///
    /// let files = store.artifacts(&ArtifactPath::root());
    /// for info in files.list(&ArtifactPath::parse("7/7f3a/artifacts")?).await? {
    ///     println!("{}: {} bytes", info.name, info.file_size);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn artifacts(&self, path: &ArtifactPath) -> Arc<dyn ArtifactRepository> {
        let authorization = self.server.authorization().cloned();
        proxied(self.http.clone(), self.server.base(), authorization, path)
    }

    /// Where what a `models:/` URI names keeps its files; this may be a `runs:/` or
    /// `models:/` URI in turn.
    ///
    /// ```no_run
    /// # async fn example(store: runledger::RestStore) -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::entities::ModelUri;
    ///
    /// let champion = ModelUri::parse("models:/digits@champion").ok_or("no URI of a model")?;
    /// println!("its files are at {}", store.model_source(&champion).await?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if it is not there, or has no files.
    pub async fn model_source(&self, uri: &ModelUri) -> Result<String, StoreError> {
        let (name, version) = match uri {
            ModelUri::LoggedModel(id) => {
                return Ok(self.get_logged_model(id).await?.artifact_location);
            }
            ModelUri::Version { name, version } => (name, version.to_string()),
            ModelUri::Alias { name, alias } => {
                let asked = [("name", name.as_str()), ("alias", alias.as_str())];
                let answer = self.get(Endpoint::GetModelVersionByAlias, &asked).await?;
                (name, text(&answer["model_version"]["version"], "version")?)
            }
            ModelUri::Latest { name } => (name, self.newest(name, None).await?),
            ModelUri::Stage { name, stage } => (name, self.newest(name, Some(stage)).await?),
        };
        let asked = [("name", name.as_str()), ("version", version.as_str())];
        let endpoint = Endpoint::GetModelVersionDownloadUri;
        text(
            &self.get(endpoint, &asked).await?["artifact_uri"],
            "artifact_uri",
        )
    }

    /// The number of the newest version, of a stage or of any.
    async fn newest(&self, name: &str, stage: Option<&String>) -> Result<String, StoreError> {
        let asked = [("name", name)];
        let answer = self.get(Endpoint::GetRegisteredModel, &asked).await?;
        let versions = answer["registered_model"]["latest_versions"].as_array();
        let versions = versions.into_iter().flatten().filter(|version| {
            let current = version["current_stage"].as_str().unwrap_or("None");
            stage.is_none_or(|stage| stage.eq_ignore_ascii_case(current))
        });
        let numbers = versions.filter_map(|version| {
            let number = &version["version"];
            number.as_i64().or_else(|| number.as_str()?.parse().ok())
        });
        let newest = numbers.max().ok_or_else(|| StoreError::Answered {
            code: ErrorCode::ResourceDoesNotExist,
            message: match stage {
                Some(stage) => format!("The model '{name}' has no version in stage '{stage}'."),
                None => format!("The model '{name}' has no versions."),
            },
        })?;
        Ok(newest.to_string())
    }
}

/// A text that is there and not empty; a number is one, too.
fn text(value: &Value, name: &str) -> Result<String, StoreError> {
    match value {
        Value::String(text) if !text.is_empty() => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(unreadable(name)),
    }
}
