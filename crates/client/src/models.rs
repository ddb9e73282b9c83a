//! Models of files, logged as MLflow 3 does: a logged model with its files, its `MLmodel`,
//! and its place among the outputs of the run that made it.

use std::fmt;
use std::path::Path;

use runledger_entities::{
    LoggedModel, LoggedModelStatus, ModelOutput, Param, RunId, Tag, limits, time, validate,
};
use runledger_store::{LoggedModelPatch, NewLoggedModel};
use runledger_store_file::yaml::document;
use serde_json::{Map, Value, json};

use crate::artifacts::{ArtifactsError, of_json};
use crate::datasets::{Column, colspec};
use crate::{Client, RunLogger, TrackingError, background, context};

/// The file that says what a model is.
const MLMODEL: &str = "MLmodel";

/// What a model is like that is to be logged.
///
/// ```
/// use runledger::models::NewModel;
///
/// let model = NewModel::named("net")
///     .with_flavor("burn", [("record", "net.mpk"), ("backend", "ndarray")])
///     .with_params([("layers", 3)])
///     .with_tag("stage", "candidate")
///     .at_step(1200);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewModel {
    name: String,
    model_type: Option<String>,
    flavor: String,
    fields: Map<String, Value>,
    signature: Option<[String; 2]>,
    params: Vec<Param>,
    tags: Vec<Tag>,
    step: i64,
}

impl NewModel {
    /// A model of this name, of the flavor `rust`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::models::NewModel;
    ///
    /// let model = NewModel::named("net");
    /// let logged = client.log_model(&run, model, folder.path().join("net.bin")).await?;
    /// let files = client.model_artifacts(&logged.model_id).await?;
    /// assert!(files.load_text("MLmodel").await?.contains("  rust:\n"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            model_type: None,
            flavor: "rust".to_owned(),
            fields: Map::new(),
            signature: None,
            params: Vec::new(),
            tags: Vec::new(),
            step: 0,
        }
    }

    /// With a flavor: what loads the model (`burn`, `candle`, `onnx`, …), and what that has
    /// to know, such as the names of files.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::models::NewModel;
    ///
    /// let model = NewModel::named("net").with_flavor("candle", [("weights", "net.bin")]);
    /// let logged = client.log_model(&run, model, folder.path().join("net.bin")).await?;
    /// let files = client.model_artifacts(&logged.model_id).await?;
    /// let described = files.load_text("MLmodel").await?;
    /// assert!(described.contains("  candle:\n"));
    /// assert!(described.contains("    weights: net.bin\n"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_flavor<K: Into<String>, V: Into<Value>>(
        mut self,
        flavor: impl Into<String>,
        fields: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.flavor = flavor.into();
        let fields = fields.into_iter();
        self.fields = fields
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        self
    }

    /// With a type in free text, such as `Classifier`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::models::NewModel;
    ///
    /// let model = NewModel::named("net").with_type("Classifier");
    /// let logged = client.log_model(&run, model, folder.path().join("net.bin")).await?;
    /// assert_eq!(logged.model_type.as_deref(), Some("Classifier"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_type(mut self, model_type: impl Into<String>) -> Self {
        self.model_type = Some(model_type.into());
        self
    }

    /// With what it takes and gives, as MLflow's signature has it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::datasets::{Column, ColumnType};
    /// use runledger::models::NewModel;
    ///
    /// let pixels = Column::new("pixels", ColumnType::Array(Box::new(ColumnType::Float)));
    /// let digit = Column::new("digit", ColumnType::Integer);
    /// let model = NewModel::named("net").with_signature(&[pixels], &[digit]);
    /// let logged = client.log_model(&run, model, folder.path().join("net.bin")).await?;
    /// let files = client.model_artifacts(&logged.model_id).await?;
    /// assert!(files.load_text("MLmodel").await?.contains("signature:"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_signature(mut self, inputs: &[Column], outputs: &[Column]) -> Self {
        self.signature = Some([inputs, outputs].map(|columns| colspec(columns).to_string()));
        self
    }

    /// With params of the model's own.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::models::NewModel;
    ///
    /// let model = NewModel::named("net").with_params([("layers", 3), ("width", 128)]);
    /// let logged = client.log_model(&run, model, folder.path().join("net.bin")).await?;
    /// let params = client.get_logged_model(&logged.model_id).await?.params;
    /// assert_eq!((params[0].key.as_str(), params[0].value.as_str()), ("layers", "3"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_params<K: Into<String>, V: fmt::Display>(
        mut self,
        params: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        let params = params.into_iter();
        let params = params.map(|(key, value)| Param::new(key, value.to_string()));
        self.params.extend(params);
        self
    }

    /// With a tag.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::models::NewModel;
    ///
    /// let model = NewModel::named("net").with_tag("stage", "candidate");
    /// let logged = client.log_model(&run, model, folder.path().join("net.bin")).await?;
    /// let tags = client.get_logged_model(&logged.model_id).await?.tags;
    /// assert!(tags.iter().any(|tag| tag.key == "stage" && tag.value == "candidate"));
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn with_tag(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.tags.push(Tag::new(key, value));
        self
    }

    /// Made at this step of the run.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// # std::fs::write(folder.path().join("net.bin"), [0; 64])?;
    /// use runledger::models::NewModel;
    ///
    /// let model = NewModel::named("net").at_step(1200);
    /// let logged = client.log_model(&run, model, folder.path().join("net.bin")).await?;
    /// let outputs = client.get_run(&run).await?.outputs;
    /// assert_eq!(outputs[0].model_id, logged.model_id);
    /// assert_eq!(outputs[0].step, 1200);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn at_step(mut self, step: i64) -> Self {
        self.step = step;
        self
    }

    fn check(&self) -> Result<(), TrackingError> {
        validate::logged_model_name(&self.name)?;
        validate::length("name", &self.name, limits::LOGGED_MODEL_NAME)?;
        if let Some(model_type) = &self.model_type {
            validate::length("model_type", model_type, limits::LOGGED_MODEL_NAME)?;
        }
        let params = self.params.iter().map(|param| &param.key);
        for key in params.chain(self.tags.iter().map(|tag| &tag.key)) {
            validate::length("key", key, limits::LOGGED_MODEL_KEY)?;
        }
        Ok(())
    }

    /// The text of its `MLmodel`.
    fn description(&self, model: &LoggedModel, bytes: u64) -> String {
        let mut fields = self.fields.clone();
        let version = env!("CARGO_PKG_VERSION");
        fields.entry("runledger_version").or_insert(version.into());
        let signature = self
            .signature
            .as_ref()
            .map(|[inputs, outputs]| json!({"inputs": inputs, "outputs": outputs, "params": null}));
        let mut described = json!({
            "artifact_path": model.artifact_location,
            "flavors": { self.flavor.as_str(): fields },
            "model_id": model.model_id.as_str(),
            "model_size_bytes": bytes,
            "model_uuid": model.model_id.as_str(),
            "run_id": model.source_run_id.as_ref().map(RunId::as_str),
            "utc_time_created": utc(model.creation_timestamp),
        });
        if let Some(signature) = signature {
            described["signature"] = signature;
        }
        document(&of_json(described))
    }
}

/// A time as Python prints one without a zone: `2026-01-02 03:04:05.678000`.
fn utc(millis: i64) -> String {
    let text = time::iso(millis).replace('T', " ");
    text.trim_end_matches("+00:00").to_owned()
}

impl Client {
    /// Logs files as a model that a run made: a file, or what is in a folder.
    ///
    /// The model is created, its files are uploaded below its artifact location with an
    /// `MLmodel` file beside them, it becomes an output of the run, and only then `READY`.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let client = runledger::Client::open(&uri).await?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let experiment = client.store().create_experiment(new).await?;
    /// # let options = runledger::RunOptions::default();
    /// # let run = client.create_run(experiment, options).await?.info.run_id;
    /// use runledger::entities::LoggedModelStatus;
    /// use runledger::models::NewModel;
    ///
    /// let net = folder.path().join("net");
    /// std::fs::create_dir(&net)?;
    /// std::fs::write(net.join("weights.bin"), [0; 64])?;
    /// std::fs::write(net.join("labels.txt"), "zero\none\n")?;
    /// let model = client.log_model(&run, NewModel::named("net"), &net).await?;
    /// assert_eq!(model.status, LoggedModelStatus::Ready);
    /// let files = client.model_artifacts(&model.model_id).await?;
    /// assert_eq!(files.list(None).await?.len(), 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Value`], and [`TrackingError::Artifacts`] if there is an `MLmodel` among
    /// the files, before anything is created. What fails later leaves the
    /// model `UPLOAD_FAILED`. A server older than MLflow 3 has no logged models
    /// (`ENDPOINT_NOT_FOUND`).
    pub async fn log_model(
        &self,
        run: &RunId,
        model: NewModel,
        files: impl AsRef<Path>,
    ) -> Result<LoggedModel, TrackingError> {
        model.check()?;
        let files = files.as_ref();
        let described = files.join(MLMODEL);
        let found = background::apart(move || (context::tags(), described.exists()));
        let (mut tags, is_described) = found.await?;
        if is_described {
            return Err(ArtifactsError::Value {
                path: MLMODEL.to_owned(),
                reason: "the folder is a model with a description already, which would be lost: \
                         leave it out, or log the folder with `log_artifacts`"
                    .to_owned(),
            }
            .into());
        }
        let experiment_id = self.get_run(run).await?.info.experiment_id;
        tags.retain(|tag| model.tags.iter().all(|own| own.key != tag.key));
        tags.extend(model.tags.iter().cloned());
        let new = NewLoggedModel {
            experiment_id,
            name: Some(model.name.clone()),
            model_type: model.model_type.clone(),
            source_run_id: Some(run.clone()),
            params: model.params.clone(),
            tags,
        };
        let created = self.models().create_logged_model(new).await?;
        let filled = self.fill_model(run, &model, &created, files).await;
        let status = match &filled {
            Ok(()) => LoggedModelStatus::Ready,
            Err(_) => LoggedModelStatus::UploadFailed,
        };
        let patch = LoggedModelPatch { status };
        let ended = self
            .models()
            .update_logged_model(&created.model_id, patch)
            .await;
        if let (Err(_), Err(error)) = (&filled, &ended) {
            tracing::error!(model = %created.model_id, %error, "the model stays pending");
        }
        filled?;
        Ok(ended?)
    }

    /// Uploads the files of a model, and links it to its run.
    async fn fill_model(
        &self,
        run: &RunId,
        model: &NewModel,
        created: &LoggedModel,
        files: &Path,
    ) -> Result<(), TrackingError> {
        let artifacts = self.artifacts_at(&created.artifact_location).await?;
        let moved = artifacts.log_files(files).await?;
        let description = model.description(created, moved.bytes);
        artifacts.log_text(&description, MLMODEL).await?;
        let output = ModelOutput {
            model_id: created.model_id.clone(),
            step: model.step,
        };
        Ok(self.store().log_outputs(run, vec![output]).await?)
    }
}

impl RunLogger {
    /// Logs files as a model that the run made: a file, or what is in a folder. See
    /// [`Client::log_model`].
    ///
    /// ```no_run
    /// # fn example(run: runledger::RunLogger) -> Result<(), runledger::TrackingError> {
    /// use runledger::models::NewModel;
    ///
    /// let model = NewModel::named("net").with_flavor("candle", [("weights", "net.safetensors")]);
    /// let logged = run.log_model(model, "out/net.safetensors")?;
    /// println!("models:/{}", logged.model_id);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Client::log_model`].
    pub fn log_model(
        &self,
        model: NewModel,
        files: impl AsRef<Path>,
    ) -> Result<LoggedModel, TrackingError> {
        let (client, id) = (self.client().clone(), self.run_id().clone());
        let files = files.as_ref().to_owned();
        background::wait(async move { client.log_model(&id, model, files).await })
    }
}
