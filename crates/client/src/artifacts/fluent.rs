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
    pub fn log_text(
        &self,
        text: impl Into<String>,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        self.log_bytes(text.into(), artifact_file)
    }

    /// Writes bytes to a file.
    pub fn log_bytes(
        &self,
        bytes: impl Into<Bytes>,
        artifact_file: &str,
    ) -> Result<(), TrackingError> {
        let (bytes, file): (Bytes, _) = (bytes.into(), artifact_file.to_owned());
        self.with_files(|files| async move { files.log_bytes(bytes, &file).await })
    }

    /// Writes an image that is encoded (PNG, JPEG, …) to a file, whose name says how.
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
    pub fn log_table(&self, table: Table, artifact_file: &str) -> Result<(), TrackingError> {
        let (client, id) = (self.client().clone(), self.run_id().clone());
        let file = artifact_file.to_owned();
        background::wait(async move { client.log_table(&id, table, &file).await })
    }

    /// What is in a folder (`None`: the topmost), by name; names are relative to it.
    pub fn list_artifacts(&self, path: Option<&str>) -> Result<Vec<FileInfo>, TrackingError> {
        let path = path.map(str::to_owned);
        self.with_files(|files| async move { files.list(path.as_deref()).await })
    }

    /// Downloads a file or a folder (`""`: all there is) below the directory `dst`, which
    /// is made if it is missing; returns where it is there.
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
    /// # Errors
    /// [`ArtifactsError::Whole`] for all files of the run at once.
    pub fn delete_artifacts(&self, path: &str) -> Result<(), TrackingError> {
        let path = path.to_owned();
        self.with_files(|files| async move { files.delete(&path).await })
    }

    /// The text in a file of at most 256 MiB.
    pub fn load_text(&self, artifact_file: &str) -> Result<String, TrackingError> {
        let file = artifact_file.to_owned();
        self.with_files(|files| async move { files.load_text(&file).await })
    }

    /// The table in a file that [`RunLogger::log_table`] or MLflow wrote.
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
