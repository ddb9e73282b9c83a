//! Files of runs and models: logging, listing and reading them, wherever they are kept.
//!
//! `places` finds the storage of a URI, `files` moves bytes ([`Artifacts`]), `dict`,
//! `table` and `image` are MLflow's forms of values. Here are the calls of [`Client`];
//! `fluent` has those of [`RunLogger`](crate::RunLogger). Storages themselves are
//! `runledger-artifacts`'.

mod dict;
mod error;
mod files;
mod fluent;
mod image;
mod places;
mod table;

use std::path::{Path, PathBuf};

use bytes::Bytes;
use runledger_entities::{LoggedModelId, RunId, limits, validate};
use serde::Serialize;
use serde_json::{Value, json};

use crate::client::now;
use crate::{Client, TrackingError};

pub(crate) use dict::of_json;
pub use error::ArtifactsError;
pub use files::Artifacts;
pub use image::StepImage;
pub use places::ArtifactPlaces;
pub use runledger_artifacts::transfer::TransferError;
pub use runledger_artifacts::{ArtifactError, FileInfo};
pub use table::Table;

/// The tag that lists the tables of a run (MLflow 3.17).
const LOGGED_ARTIFACTS: &str = "mlflow.loggedArtifacts";
/// The tag of a run that has images of steps (MLflow 3.17).
const LOGGED_IMAGES: &str = "mlflow.loggedImages";

/// Artifacts. Paths and what is refused are [`Artifacts`]'; each call asks first where the
/// run keeps its files.
impl Client {
    /// The files of a run.
    ///
    /// ```no_run
    /// # async fn example(client: runledger::Client, run: runledger::entities::RunId)
    /// # -> Result<(), runledger::TrackingError> {
    /// let files = client.run_artifacts(&run).await?;
    /// files.log_text("all went well", "notes/result.txt").await?;
    /// assert_eq!(files.list(Some("notes")).await?[0].name, "result.txt");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`] if this
    /// program cannot open where it keeps its files.
    pub async fn run_artifacts(&self, run: &RunId) -> Result<Artifacts, TrackingError> {
        let run = self.get_run(run).await?;
        self.artifacts_at(&run.info.artifact_uri).await
    }

    /// The files of a logged model (MLflow 3).
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
    /// let file = folder.path().join("net.bin");
    /// let model = client.log_model(&run, NewModel::named("net"), file).await?;
    /// let files = client.model_artifacts(&model.model_id).await?;
    /// assert_eq!(files.load_bytes("net.bin").await?.len(), 64);
    /// assert!(files.load_text("MLmodel").await?.contains("flavors:"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such model, and [`TrackingError::Artifacts`] if
    /// this program cannot open where it keeps its files.
    pub async fn model_artifacts(&self, id: &LoggedModelId) -> Result<Artifacts, TrackingError> {
        let model = self.get_logged_model(id).await?;
        self.artifacts_at(&model.artifact_location).await
    }

    pub(crate) async fn artifacts_at(&self, uri: &str) -> Result<Artifacts, TrackingError> {
        Ok(Artifacts::open(self.places(), uri).await?)
    }

    /// Uploads a file under its name, or a folder with its name, into the folder
    /// `artifact_path` of the run (`None`: the topmost).
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
    /// let report = folder.path().join("report.html");
    /// std::fs::write(&report, "<h1>Digits</h1>")?;
    /// client.log_artifact(&run, &report, Some("reports")).await?;
    /// assert_eq!(client.list_artifacts(&run, Some("reports")).await?[0].name, "report.html");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::log_artifact`] says.
    pub async fn log_artifact(
        &self,
        run: &RunId,
        local_path: impl AsRef<Path>,
        artifact_path: Option<&str>,
    ) -> Result<(), TrackingError> {
        let files = self.run_artifacts(run).await?;
        let local_path = local_path.as_ref();
        Ok(files.log_artifact(local_path, artifact_path).await?)
    }

    /// Uploads what is in a folder into the folder `artifact_path` of the run.
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
    /// let plots = folder.path().join("plots");
    /// std::fs::create_dir(&plots)?;
    /// std::fs::write(plots.join("loss.svg"), "<svg/>")?;
    /// client.log_artifacts(&run, &plots, Some("of the end")).await?;
    /// assert_eq!(client.list_artifacts(&run, Some("of the end")).await?[0].name, "loss.svg");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::log_artifacts`] says.
    pub async fn log_artifacts(
        &self,
        run: &RunId,
        local_dir: impl AsRef<Path>,
        artifact_path: Option<&str>,
    ) -> Result<(), TrackingError> {
        let files = self.run_artifacts(run).await?;
        let local_dir = local_dir.as_ref();
        Ok(files.log_artifacts(local_dir, artifact_path).await?)
    }

    /// Writes a text to a file of the run.
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
    /// client.log_text(&run, "all went well", "notes/result.txt").await?;
    /// let files = client.run_artifacts(&run).await?;
    /// assert_eq!(files.load_text("notes/result.txt").await?, "all went well");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::log_text`] says.
    pub async fn log_text(
        &self,
        run: &RunId,
        text: &str,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        let files = self.run_artifacts(run).await?;
        Ok(files.log_text(text, artifact_file).await?)
    }

    /// Writes bytes to a file of the run: a picture, a figure that was drawn, anything.
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
    /// client.log_bytes(&run, "<svg/>", "plots/loss.svg").await?;
    /// assert_eq!(client.list_artifacts(&run, Some("plots")).await?[0].file_size, 6);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::log_bytes`] says.
    pub async fn log_bytes(
        &self,
        run: &RunId,
        bytes: impl Into<Bytes>,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        let files = self.run_artifacts(run).await?;
        Ok(files.log_bytes(bytes, artifact_file).await?)
    }

    /// Writes a value to a file of the run, as YAML (`.yml`, `.yaml`) or JSON (else).
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
    /// let settings = serde_json::json!({"depth": 3, "names": ["a", "b"]});
    /// client.log_dict(&run, &settings, "settings.yaml").await?;
    /// let files = client.run_artifacts(&run).await?;
    /// assert_eq!(files.load_text("settings.yaml").await?, "depth: 3\nnames:\n- a\n- b\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::log_dict`] says.
    pub async fn log_dict(
        &self,
        run: &RunId,
        value: &(impl Serialize + ?Sized),
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        let files = self.run_artifacts(run).await?;
        Ok(files.log_dict(value, artifact_file).await?)
    }

    /// Adds rows to the table in a `.json` file of the run, which is made if it is not
    /// there, and names it in the tag `mlflow.loggedArtifacts`, by which MLflow's pages
    /// find tables.
    ///
    /// Two that add to one table at the same time may lose rows of each other, as with
    /// MLflow.
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
    /// use runledger::artifacts::Table;
    ///
    /// for (question, answer) in [("2 + 2", 4), ("3 * 3", 9)] {
    ///     let row = Table::new()
    ///         .with_column("question", [question])
    ///         .with_column("answer", [answer]);
    ///     client.log_table(&run, row, "answers.json").await?;
    /// }
    /// let files = client.run_artifacts(&run).await?;
    /// assert_eq!(files.load_table("answers.json").await?.rows()[1][0], "3 * 3");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`] if the
    /// name does not end in `.json` or the file is no table. [`TrackingError::Value`] if the run
    /// has so many tables that the tag has no room for their names.
    pub async fn log_table(
        &self,
        run: &RunId,
        table: Table,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        let found = self.get_run(run).await?;
        let files = self.artifacts_at(&found.info.artifact_uri).await?;
        let tags = &found.data.tags;
        let listed = tags.iter().find(|tag| tag.key == LOGGED_ARTIFACTS);
        let listed = with_table(listed.map(|tag| tag.value.as_str()), artifact_file);
        if let Some(listed) = &listed {
            // A list that was cut off would be none.
            validate::length("value", listed, limits::TAG_VALUE)?;
        }
        files.append_table(table, artifact_file).await?;
        match listed {
            Some(listed) => self.set_tag(run, LOGGED_ARTIFACTS, listed).await,
            None => Ok(()),
        }
    }

    /// Logs an image of a key (`dogs/train`) at a step, measured now; MLflow's pages show
    /// the images of a key by step.
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
    /// use runledger::artifacts::StepImage;
    ///
    /// let png: Vec<u8> = vec![0x89, b'P', b'N', b'G']; // … as an encoder gives it
    /// client.log_image_at(&run, StepImage::png(png), "dogs/train", 100).await?;
    /// let images = client.list_artifacts(&run, Some("images")).await?;
    /// assert!(images[0].name.starts_with("dogs~train+step+100+"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`] for a key with other characters than letters, digits, `_`,
    /// `-`, `.`, spaces and `/`, and if the image cannot be written; [`TrackingError::Store`] if
    /// there is no such run.
    pub async fn log_image_at(
        &self,
        run: &RunId,
        image: StepImage,
        key: &str,
        step: i64,
    ) -> Result<(), TrackingError> {
        let images = image::files(image, key, step, now())?;
        let files = self.run_artifacts(run).await?;
        for (path, bytes) in images {
            files.log_bytes(bytes, &path).await?;
        }
        self.set_tag(run, LOGGED_IMAGES, "True").await
    }

    /// What is in a folder of the run (`None`: the topmost), by name.
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
    /// client.log_text(&run, "all went well", "notes/result.txt").await?;
    /// for info in client.list_artifacts(&run, Some("notes")).await? {
    ///     println!("{}: {} bytes", info.name, info.file_size);
    /// }
    /// assert!(client.list_artifacts(&run, None).await?[0].is_dir);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::list`] says.
    pub async fn list_artifacts(
        &self,
        run: &RunId,
        path: Option<&str>,
    ) -> Result<Vec<FileInfo>, TrackingError> {
        let files = self.run_artifacts(run).await?;
        Ok(files.list(path).await?)
    }

    /// Downloads a file or a folder of the run (`""`: all there is) below the directory
    /// `dst`; returns where it is there.
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
    /// client.log_text(&run, "all went well", "notes/result.txt").await?;
    /// let copy = folder.path().join("copy");
    /// let file = client.download_artifacts(&run, "notes/result.txt", &copy).await?;
    /// assert_eq!(std::fs::read_to_string(file)?, "all went well");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::download`] says.
    pub async fn download_artifacts(
        &self,
        run: &RunId,
        path: &str,
        dst: impl AsRef<Path>,
    ) -> Result<PathBuf, TrackingError> {
        let files = self.run_artifacts(run).await?;
        Ok(files.download(path, dst.as_ref()).await?)
    }

    /// Deletes a file of the run, or a folder with all that is in it. It is no error if
    /// nothing is there.
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
    /// client.log_text(&run, "all went well", "notes/result.txt").await?;
    /// client.delete_artifacts(&run, "notes/result.txt").await?;
    /// assert!(client.list_artifacts(&run, Some("notes")).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Store`] if there is no such run, and [`TrackingError::Artifacts`], as
    /// [`Artifacts::delete`] says.
    pub async fn delete_artifacts(&self, run: &RunId, path: &str) -> Result<(), TrackingError> {
        let files = self.run_artifacts(run).await?;
        Ok(files.delete(path).await?)
    }
}

/// The list of tables with one more; nothing if it is there already. A tag that is no list
/// is replaced, as MLflow could not read it either.
///
/// Spaces are where Python puts them: MLflow's `load_table` searches runs by this text.
fn with_table(listed: Option<&str>, file: &str) -> Option<String> {
    let text = listed.unwrap_or_default().trim();
    let list: Vec<Value> = serde_json::from_str(text).unwrap_or_default();
    if list.contains(&json!({"path": file, "type": "table"})) {
        return None;
    }
    let entry = format!(r#"{{"path": {}, "type": "table"}}"#, json!(file));
    Some(match text.strip_suffix(']') {
        Some(before) if !list.is_empty() => format!("{before}, {entry}]"),
        _ => format!("[{entry}]"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_listed_once() {
        let first = with_table(None, "t.json");
        let text = r#"[{"path": "t.json", "type": "table"}]"#;
        assert_eq!(first.as_deref(), Some(text));
        assert_eq!(with_table(first.as_deref(), "t.json"), None);
        let both = with_table(first.as_deref(), "d/u.json");
        let second = r#", {"path": "d/u.json", "type": "table"}]"#;
        assert_eq!(both, Some(text.replace(']', second)));
        for other in ["no list", "[]", "{}", "3]"] {
            assert_eq!(with_table(Some(other), "t.json").as_deref(), Some(text));
        }
    }
}
