//! The files of one run or one model.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt as _;
use runledger_artifacts::transfer::{self, Moved, Place, TransferError, unseen};
use runledger_artifacts::{
    ArtifactError, ArtifactLocation, ArtifactPath, ArtifactRead, FileInfo, redacted,
};
use serde::Serialize;

use super::{ArtifactPlaces, ArtifactsError, dict};

/// Files that move at a time.
const AT_A_TIME: usize = 8;

/// The largest file that is read into memory, in bytes.
const LOADED_BYTES: u64 = 256 << 20;

/// The files of a run or a model, wherever they are kept.
///
/// Paths are relative to them, with `/` between segments; one with `..`, one that is
/// absolute, or one with a character that no storage holds is refused before anything is
/// sent ([`TransferError::Path`]). Files are streamed, and replace those of the same path.
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
/// # let files = client.run_artifacts(&run).await?;
/// files.log_text("all went well", "notes/result.txt").await?;
/// files.log_text("all went very well", "notes/result.txt").await?;
/// assert_eq!(files.load_text("notes/result.txt").await?, "all went very well");
/// assert!(files.log_text("elsewhere", "/etc/motd").await.is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Artifacts {
    root: ArtifactLocation,
    origin: Arc<str>,
    read_only: bool,
}

impl Artifacts {
    pub(crate) async fn open(places: &ArtifactPlaces, uri: &str) -> Result<Self, ArtifactsError> {
        Ok(Self {
            root: places.locate(uri).await?,
            origin: redacted(uri).into(),
            read_only: places.is_read_only(),
        })
    }

    /// Uploads a file into the folder `into` (`None`: the topmost) under its own name. A
    /// folder is uploaded with its name and all that is in it.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// let report = folder.path().join("report.html");
    /// std::fs::write(&report, "<h1>Digits</h1>")?;
    /// files.log_artifact(&report, Some("reports/today")).await?;
    /// assert_eq!(files.load_text("reports/today/report.html").await?, "<h1>Digits</h1>");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Transfer`] if the file cannot be read or the path is refused, or the
    /// storage fails, and [`ArtifactsError::ReadOnly`] if the client was opened to read.
    pub async fn log_artifact(
        &self,
        local: &Path,
        into: Option<&str>,
    ) -> Result<(), ArtifactsError> {
        let (looked, path) = (local.to_owned(), local.to_owned());
        let name = tokio::task::spawn_blocking(move || folder_name(&looked)).await;
        let name = name.unwrap_or_else(|error| Err(io::Error::other(error)));
        let name = name.map_err(|source| TransferError::Local { path, source })?;
        let mut into = transfer::path(into.unwrap_or_default())?;
        if let Some(name) = name {
            into = joined(&into, &transfer::path(&name.to_string_lossy())?)?;
        }
        self.upload(local, &into).await.map(drop)
    }

    /// Uploads what is in a folder, with all folders in it, into the folder `into`. Links
    /// to files are uploaded as those files, links to folders are left out.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// let plots = folder.path().join("plots");
    /// std::fs::create_dir_all(plots.join("deep"))?;
    /// std::fs::write(plots.join("deep/loss.svg"), "<svg/>")?;
    /// files.log_artifacts(&plots, None).await?;
    /// assert_eq!(files.load_bytes("deep/loss.svg").await?, "<svg/>");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Artifacts::log_artifact`].
    pub async fn log_artifacts(
        &self,
        folder: &Path,
        into: Option<&str>,
    ) -> Result<(), ArtifactsError> {
        let into = transfer::path(into.unwrap_or_default())?;
        self.upload(folder, &into).await.map(drop)
    }

    /// Uploads a file under its name, or what is in a folder.
    pub(crate) async fn log_files(&self, local: &Path) -> Result<Moved, ArtifactsError> {
        self.upload(local, &ArtifactPath::root()).await
    }

    async fn upload(&self, local: &Path, into: &ArtifactPath) -> Result<Moved, ArtifactsError> {
        self.check_writable()?;
        let place = self.place(into, false)?;
        Ok(transfer::upload(&place, local, AT_A_TIME, &unseen()).await?)
    }

    /// Writes bytes to the file `file`.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// files.log_bytes(vec![0_u8, 1, 2], "raw/three.bin").await?;
    /// assert_eq!(files.list(Some("raw")).await?[0].file_size, 3);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Transfer`] if the path is refused or the storage fails, and
    /// [`ArtifactsError::ReadOnly`] if the client was opened to read.
    pub async fn log_bytes(
        &self,
        bytes: impl Into<Bytes>,
        file: &str,
    ) -> Result<(), ArtifactsError> {
        self.check_writable()?;
        let file = transfer::path(file)?;
        let place = self.place(&ArtifactPath::root(), false)?;
        Ok(transfer::upload_bytes(&place, &file, bytes.into()).await?)
    }

    /// Writes a text to the file `file`, as UTF-8.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// files.log_text("Größe: 3\n", "notes.txt").await?;
    /// assert_eq!(files.load_text("notes.txt").await?, "Größe: 3\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Artifacts::log_bytes`].
    pub async fn log_text(&self, text: &str, file: &str) -> Result<(), ArtifactsError> {
        self.log_bytes(text.to_owned(), file).await
    }

    /// Writes a value to the file `file`: as YAML if its name ends in `.yml` or `.yaml`,
    /// else as JSON with an indent of 2, as MLflow does. A number that JSON does not have
    /// becomes `null`.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// use std::collections::BTreeMap;
    ///
    /// let settings = BTreeMap::from([("depth", 3), ("width", 128)]);
    /// files.log_dict(&settings, "settings.yaml").await?;
    /// assert_eq!(files.load_text("settings.yaml").await?, "depth: 3\nwidth: 128\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Value`] if a key in it is no text, or its own `Serialize` fails.
    pub async fn log_dict(
        &self,
        value: &(impl Serialize + ?Sized),
        file: &str,
    ) -> Result<(), ArtifactsError> {
        let text = dict::print(value, file).map_err(|reason| ArtifactsError::Value {
            path: file.to_owned(),
            reason,
        })?;
        self.log_bytes(text, file).await
    }

    /// What is in a folder (`None`: the topmost), by name; names are relative to it. A
    /// folder that is not there is empty, and so is a file.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// files.log_text("a", "notes/a.txt").await?;
    /// files.log_text("b", "top.txt").await?;
    /// let top = files.list(None).await?;
    /// assert_eq!((top[0].name.as_str(), top[0].is_dir), ("notes", true));
    /// assert_eq!((top[1].name.as_str(), top[1].file_size), ("top.txt", 1));
    /// assert!(files.list(Some("nothing")).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Transfer`] if the path is refused, and [`ArtifactsError::Storage`] if the
    /// storage fails.
    pub async fn list(&self, folder: Option<&str>) -> Result<Vec<FileInfo>, ArtifactsError> {
        let folder = transfer::path(folder.unwrap_or_default())?;
        let path = joined(&self.root.path, &folder)?;
        Ok(self.root.repository.list(&path).await?)
    }

    /// Downloads a file or a folder (`""`: all there is) below the directory `into`, which
    /// is made if it is missing, and returns where it is there: `into`, and its path. A
    /// download that broke off goes on when it is asked for again.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// files.log_text("all went well", "notes/result.txt").await?;
    /// let copy = folder.path().join("copy");
    /// let file = files.download("notes/result.txt", &copy).await?;
    /// assert!(file.ends_with("copy/notes/result.txt"));
    /// assert_eq!(std::fs::read_to_string(file)?, "all went well");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Transfer`] if the path is refused, there is nothing of this path, or a
    /// file cannot be written here.
    pub async fn download(&self, path: &str, into: &Path) -> Result<PathBuf, ArtifactsError> {
        let path = transfer::path(path)?;
        let place = self.place(&path, path.is_root())?;
        let moved = transfer::download(&place, into, AT_A_TIME, &unseen()).await?;
        Ok(moved.path.into())
    }

    /// Deletes a file, or a folder with all that is in it. It is no error if nothing is
    /// there.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// files.log_text("all went well", "notes/result.txt").await?;
    /// files.delete("notes").await?;
    /// assert!(files.list(None).await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::Whole`] for the topmost folder, [`ArtifactsError::ReadOnly`],
    /// [`ArtifactsError::Transfer`] for what is no path, and [`ArtifactsError::Storage`].
    pub async fn delete(&self, path: &str) -> Result<(), ArtifactsError> {
        self.check_writable()?;
        let path = transfer::path(path)?;
        if path.is_root() {
            return Err(ArtifactsError::Whole);
        }
        let path = joined(&self.root.path, &path)?;
        Ok(self.root.repository.delete(&path).await?)
    }

    /// The content of a file of at most 256 MiB.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// files.log_bytes(&b"\x89PNG"[..], "plots/loss.png").await?;
    /// assert_eq!(files.load_bytes("plots/loss.png").await?.len(), 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ArtifactsError::TooLarge`], and [`ArtifactsError::Storage`] (`RESOURCE_DOES_NOT_EXIST`)
    /// if there is no such file.
    pub async fn load_bytes(&self, file: &str) -> Result<Bytes, ArtifactsError> {
        self.read(file).await?.ok_or_else(|| not_found(file))
    }

    /// The text in a file of at most 256 MiB.
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
    /// # let files = client.run_artifacts(&run).await?;
    /// use runledger::ArtifactsError;
    ///
    /// files.log_bytes(vec![0xff_u8, 0xfe], "raw.bin").await?;
    /// let refused = files.load_text("raw.bin").await;
    /// assert!(matches!(refused, Err(ArtifactsError::Content { .. })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`Artifacts::load_bytes`], and [`ArtifactsError::Content`] if it is not UTF-8.
    pub async fn load_text(&self, file: &str) -> Result<String, ArtifactsError> {
        let bytes = self.load_bytes(file).await?;
        String::from_utf8(bytes.into()).map_err(|error| ArtifactsError::Content {
            path: file.to_owned(),
            wanted: "text",
            reason: error.to_string(),
        })
    }

    /// The content of a file, if it is there.
    pub(super) async fn read(&self, file: &str) -> Result<Option<Bytes>, ArtifactsError> {
        let path = joined(&self.root.path, &transfer::path(file)?)?;
        let read = match self.root.repository.get(&path, None).await {
            Ok(read) => read,
            Err(ArtifactError::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let ArtifactRead { size, content, .. } = read;
        if size > LOADED_BYTES {
            return Err(ArtifactsError::TooLarge {
                path: file.to_owned(),
                size,
                max: LOADED_BYTES,
            });
        }
        let room = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let whole = content.try_fold(room, async |mut whole: Vec<u8>, chunk| {
            whole.extend_from_slice(&chunk);
            Ok(whole)
        });
        Ok(Some(whole.await?.into()))
    }

    fn check_writable(&self) -> Result<(), ArtifactsError> {
        if self.read_only {
            return Err(ArtifactsError::ReadOnly);
        }
        Ok(())
    }

    fn place(&self, path: &ArtifactPath, may_be_missing: bool) -> Result<Place, ArtifactsError> {
        Ok(Place {
            repository: Arc::clone(&self.root.repository),
            path: joined(&self.root.path, path)?,
            shown: path.clone(),
            origin: self.origin.to_string(),
            may_be_missing,
        })
    }
}

/// The name of a folder; nothing if it is a file, or has no name.
fn folder_name(local: &Path) -> io::Result<Option<OsString>> {
    if !fs::metadata(local)?.is_dir() {
        return Ok(None);
    }
    if let Some(name) = local.file_name() {
        return Ok(Some(name.to_owned()));
    }
    // `.` and `..` are some folder.
    Ok(local.canonicalize()?.file_name().map(OsString::from))
}

fn joined(base: &ArtifactPath, inner: &ArtifactPath) -> Result<ArtifactPath, ArtifactsError> {
    let joined = base.join(inner);
    joined.map_err(|source| {
        let path = inner.to_string();
        TransferError::Path { path, source }.into()
    })
}

fn not_found(file: &str) -> ArtifactsError {
    match transfer::path(file) {
        Ok(path) => ArtifactError::NotFound { path }.into(),
        Err(error) => error.into(),
    }
}
