//! Artifacts of the run that is logged to: the calls of [`RunLogger`], which wait.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde::Serialize;

use super::{Artifacts, ArtifactsError, FileInfo, StepImage, Table, dict};
use crate::{RunLogger, TrackingError, background};

/// Artifacts: files of the run. Each call waits until all has arrived. Paths and what is
/// refused are [`Artifacts`]'.
impl RunLogger {
    /// Uploads a file under its name, or a folder with its name, into the folder
    /// `artifact_path` (`None`: the topmost).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// let report = folder.path().join("report.html");
    /// std::fs::write(&report, "<h1>Digits</h1>")?;
    /// run.log_artifact(&report, Some("reports"))?;
    /// assert_eq!(run.load_text("reports/report.html")?, "<h1>Digits</h1>");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::log_artifact`] says.
    pub fn log_artifact(
        &self,
        local_path: impl AsRef<Path>,
        artifact_path: Option<&str>,
    ) -> Result<(), TrackingError> {
        let (local, into) = owned(local_path, artifact_path);
        self.with_files(|files| async move { files.log_artifact(&local, into.as_deref()).await })
    }

    /// Uploads what is in a folder, with all folders in it, into the folder
    /// `artifact_path` (`None`: the topmost).
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// let plots = folder.path().join("plots");
    /// std::fs::create_dir(&plots)?;
    /// std::fs::write(plots.join("loss.svg"), "<svg/>")?;
    /// run.log_artifacts(&plots, None)?;
    /// // With `log_artifact`, it would be `plots/loss.svg`.
    /// assert_eq!(run.list_artifacts(None)?[0].name, "loss.svg");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::log_artifact`] says.
    pub fn log_artifacts(
        &self,
        local_dir: impl AsRef<Path>,
        artifact_path: Option<&str>,
    ) -> Result<(), TrackingError> {
        let (local, into) = owned(local_dir, artifact_path);
        self.with_files(|files| async move { files.log_artifacts(&local, into.as_deref()).await })
    }

    /// Writes a text to a file.
    ///
    /// ```no_run
    /// # fn example(run: runledger::RunLogger) -> Result<(), runledger::TrackingError> {
    /// run.log_text("all went well", "notes/result.txt")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::log_bytes`] says.
    pub fn log_text(
        &self,
        text: impl Into<String>,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        self.log_bytes(text.into(), artifact_file)
    }

    /// Writes bytes to a file.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// run.log_bytes(vec![0_u8, 1, 2], "raw/three.bin")?;
    /// assert_eq!(run.list_artifacts(Some("raw"))?[0].file_size, 3);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::log_bytes`] says.
    pub fn log_bytes(
        &self,
        bytes: impl Into<Bytes>,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        let (bytes, file): (Bytes, _) = (bytes.into(), artifact_file.to_owned());
        self.with_files(|files| async move { files.log_bytes(bytes, &file).await })
    }

    /// Writes an image that is encoded (PNG, JPEG, …) to a file, whose name says how.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// let png: Vec<u8> = vec![0x89, b'P', b'N', b'G']; // … as an encoder gives it
    /// run.log_image(png, "images of the end/digit.png")?;
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::log_bytes`].
    pub fn log_image(
        &self,
        encoded: impl Into<Bytes>,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        self.log_bytes(encoded, artifact_file)
    }

    /// Logs an image of a key (`dogs/train`) at a step, measured now; MLflow's pages show
    /// the images of a key by step.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// use runledger::artifacts::StepImage;
    ///
    /// for step in [0, 100] {
    ///     let png: Vec<u8> = vec![0x89, b'P', b'N', b'G']; // … as an encoder gives it
    ///     run.log_image_at(StepImage::png(png), "dogs/train", step)?;
    /// }
    /// assert_eq!(run.list_artifacts(Some("images"))?.len(), 2);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::ImageKey`] for a key with other characters than letters, digits,
    /// `_`, `-`, `.`, spaces and `/`.
    pub fn log_image_at(
        &self,
        image: StepImage,
        key: &str,
        step: i64,
    ) -> Result<(), TrackingError> {
        let (client, id) = (self.client().clone(), self.run_id().clone());
        let key = key.to_owned();
        background::wait(async move { client.log_image_at(&id, image, &key, step).await })
    }

    /// Writes a figure that was drawn (SVG, HTML, PNG, …) to a file, whose name says how.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>";
    /// run.log_figure(svg, "plots/loss.svg")?;
    /// assert_eq!(run.load_text("plots/loss.svg")?, svg);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`RunLogger::log_bytes`].
    pub fn log_figure(
        &self,
        drawn: impl Into<Bytes>,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        self.log_bytes(drawn, artifact_file)
    }

    /// Writes a value to a file: as YAML if its name ends in `.yml` or `.yaml`, else as
    /// JSON with an indent of 2, as MLflow does. A number that JSON does not have becomes
    /// `null`.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// use std::collections::BTreeMap;
    ///
    /// run.log_dict(&BTreeMap::from([("layers", 3)]), "settings.json")?;
    /// assert_eq!(run.load_text("settings.json")?, "{\n  \"layers\": 3\n}");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Value`] if a key in it is no text, or its own `Serialize` fails.
    pub fn log_dict(
        &self,
        value: &(impl Serialize + ?Sized),
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        let text = dict::print(value, artifact_file).map_err(|reason| ArtifactsError::Value {
            path: artifact_file.to_owned(),
            reason,
        })?;
        self.log_text(text, artifact_file)
    }

    /// Adds rows to the table in a `.json` file: see [`Client::log_table`].
    ///
    /// ```no_run
    /// # fn example(run: runledger::RunLogger) -> Result<(), runledger::TrackingError> {
    /// use runledger::artifacts::Table;
    ///
    /// let answers = Table::new()
    ///     .with_column("question", ["2 + 2", "3 * 3"])
    ///     .with_column("answer", [4, 9]);
    /// run.log_table(answers, "answers.json")?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Client::log_table`]: crate::Client::log_table
    ///
    /// # Errors
    /// As [`Client::log_table`].
    pub fn log_table(&self, table: Table, artifact_file: &str) -> Result<(), TrackingError> {
        let (client, id) = (self.client().clone(), self.run_id().clone());
        let file = artifact_file.to_owned();
        background::wait(async move { client.log_table(&id, table, &file).await })
    }

    /// What is in a folder (`None`: the topmost), by name; names are relative to it.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// run.log_text("all went well", "notes/result.txt")?;
    /// let top = run.list_artifacts(None)?;
    /// assert!(top[0].is_dir && top[0].name == "notes");
    /// assert_eq!(run.list_artifacts(Some("notes"))?[0].name, "result.txt");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::list`] says.
    pub fn list_artifacts(&self, path: Option<&str>) -> Result<Vec<FileInfo>, TrackingError> {
        let path = path.map(str::to_owned);
        self.with_files(|files| async move { files.list(path.as_deref()).await })
    }

    /// Downloads a file or a folder (`""`: all there is) below the directory `dst`, which
    /// is made if it is missing; returns where it is there.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// run.log_text("all went well", "notes/result.txt")?;
    /// let copy = folder.path().join("copy");
    /// run.download_artifacts("", &copy)?;
    /// assert!(copy.join("notes/result.txt").exists());
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::download`] says.
    pub fn download_artifacts(
        &self,
        path: &str,
        dst: impl AsRef<Path>,
    ) -> Result<PathBuf, TrackingError> {
        let (dst, path) = (dst.as_ref().to_owned(), path.to_owned());
        self.with_files(|files| async move { files.download(&path, &dst).await })
    }

    /// Deletes a file, or a folder with all that is in it. It is no error if nothing is
    /// there.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// run.log_text("to be forgotten", "notes/draft.txt")?;
    /// run.delete_artifacts("notes/draft.txt")?;
    /// assert!(run.load_text("notes/draft.txt").is_err());
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::delete`] says.
    pub fn delete_artifacts(&self, path: &str) -> Result<(), TrackingError> {
        let path = path.to_owned();
        self.with_files(|files| async move { files.delete(&path).await })
    }

    /// The text in a file of at most 256 MiB.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// run.log_text("all went well", "notes/result.txt")?;
    /// assert_eq!(run.load_text("notes/result.txt")?, "all went well");
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::load_text`] says.
    pub fn load_text(&self, artifact_file: &str) -> Result<String, TrackingError> {
        let file = artifact_file.to_owned();
        self.with_files(|files| async move { files.load_text(&file).await })
    }

    /// The table in a file that [`RunLogger::log_table`] or MLflow wrote.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// # let new = runledger::store::NewExperiment {
    /// #     name: "with files".to_owned(),
    /// #     artifact_location: Some(folder.path().join("files").display().to_string()),
    /// #     ..Default::default()
    /// # };
    /// # let creating = tracker.client().store().create_experiment(new);
    /// # tokio::runtime::Runtime::new()?.block_on(creating)?;
    /// # tracker.set_experiment("with files")?;
    /// # let run = tracker.start_run()?;
    /// use runledger::artifacts::Table;
    ///
    /// run.log_table(Table::new().with_column("answer", [4, 9]), "answers.json")?;
    /// run.log_table(Table::new().with_column("answer", [16]), "answers.json")?;
    /// assert_eq!(run.load_table("answers.json")?.rows().len(), 3);
    /// # run.end()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`TrackingError::Artifacts`], as [`Artifacts::load_table`] says.
    pub fn load_table(&self, artifact_file: &str) -> Result<Table, TrackingError> {
        let file = artifact_file.to_owned();
        self.with_files(|files| async move { files.load_table(&file).await })
    }

    /// Does something with the run's files on the threads that may wait.
    fn with_files<T, F>(
        &self,
        work: impl FnOnce(Artifacts) -> F + Send + 'static,
    ) -> Result<T, TrackingError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, ArtifactsError>> + Send + 'static,
    {
        let (client, uri) = (self.client().clone(), self.info().artifact_uri.clone());
        background::wait(async move {
            let files = client.artifacts_at(&uri).await?;
            Ok(work(files).await?)
        })
    }
}

fn owned(local: impl AsRef<Path>, into: Option<&str>) -> (PathBuf, Option<String>) {
    (local.as_ref().to_owned(), into.map(str::to_owned))
}
