//! Which folder holds what: the tree of MLflow's file store.
//!
//! Ids and keys become paths here and nowhere else, after they were checked.
//! What the files in the folders say is left to `folder`.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use runledger_entities::{ExperimentId, LifecycleStage, LoggedModelId, RunId, TraceId};
use rustix::io::Errno;

use crate::FolderError;
use crate::safe_dir::Folder;
use crate::write::Sync;

/// Where deleted experiments are.
pub(crate) const TRASH: &str = ".trash";
/// The file that says what a folder is.
pub(crate) const META: &str = "meta.yaml";
/// The folder of an experiment's traces.
pub(crate) const TRACES: &str = "traces";
/// Folders in an experiment that are no runs.
const RESERVED: [&str; 4] = ["tags", "datasets", "models", TRACES];
/// Bytes of the longest key: MLflow's 250 characters, and more from older ones.
const MAX_KEY_BYTES: usize = 4000;

/// The folder of everything.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) folder: Arc<Folder>,
}

/// The folder of an experiment.
#[derive(Clone, Debug)]
pub(crate) struct ExperimentFolder {
    pub(crate) experiment_id: ExperimentId,
    /// Whether it lies in the trash.
    pub(crate) trashed: bool,
    pub(crate) folder: Arc<Folder>,
}

/// The folder of a run.
#[derive(Debug)]
pub(crate) struct RunFolder {
    pub(crate) run_id: RunId,
    pub(crate) experiment: ExperimentFolder,
    pub(crate) folder: Folder,
}

/// The folder of a logged model.
#[derive(Debug)]
pub(crate) struct ModelFolder {
    pub(crate) model_id: LoggedModelId,
    pub(crate) experiment: ExperimentFolder,
    pub(crate) folder: Folder,
}

/// The folder of a trace.
#[derive(Debug)]
pub(crate) struct TraceFolder {
    pub(crate) trace_id: TraceId,
    pub(crate) experiment: ExperimentFolder,
    pub(crate) folder: Folder,
}

impl Root {
    /// The folder at a path, which must be there.
    pub(crate) fn open(path: &Path) -> Result<Self, FolderError> {
        Ok(Self {
            folder: Arc::new(Folder::ambient(path)?),
        })
    }

    /// Makes the folder, with its trash, unless they are there.
    pub(crate) fn create(path: &Path) -> Result<Self, FolderError> {
        std::fs::create_dir_all(path)
            .map_err(|error| FolderError::io("make", path.display().to_string(), error))?;
        let root = Self::open(path)?;
        root.folder.make_folder(TRASH)?;
        Ok(root)
    }

    /// Makes the folder with what `fill` puts into it, unless it is there.
    ///
    /// It is filled under another name beside its place: whoever sees it, in this
    /// process or another, sees all of it.
    pub(crate) fn create_with(
        path: &Path,
        fill: impl FnOnce(&Self) -> Result<(), FolderError>,
        sync: Sync,
    ) -> Result<Self, FolderError> {
        let failed = |error| FolderError::io("make", path.display().to_string(), error);
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(failed(ErrorKind::InvalidInput.into()));
        };
        std::fs::create_dir_all(parent).map_err(failed)?;
        let unique = uuid::Uuid::new_v4().simple();
        let aside = parent.join(format!(".{}.{unique}", name.display()));
        let filled = Self::create(&aside).and_then(|root| fill(&root));
        let placed = filled.and_then(|()| match std::fs::rename(&aside, path) {
            Err(error) => match Self::open(path) {
                // Another process was faster.
                Ok(_) => Ok(()),
                Err(_) => Err(failed(error)),
            },
            Ok(()) => crate::write::flush(&Folder::ambient(parent)?, sync),
        });
        // Gone where all went well, and else of no use.
        let _ = std::fs::remove_dir_all(&aside);
        placed?;
        Self::open(path)
    }

    /// The ids of the experiments in this stage, in order. Folders whose names
    /// are no ids (the registry's `models` is one) are passed over.
    pub(crate) fn experiment_ids(
        &self,
        stage: LifecycleStage,
    ) -> Result<Vec<ExperimentId>, FolderError> {
        let names = match stage {
            LifecycleStage::Active => self.folder.folder_names(),
            LifecycleStage::Deleted => match self.folder.folder(TRASH) {
                Err(error) if error.is_missing() => return Ok(Vec::new()),
                trash => trash?.folder_names(),
            },
        }?;
        let mut ids: Vec<_> = names
            .iter()
            .filter_map(|name| experiment_id(name))
            .collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// The folder of an experiment, active or else in the trash.
    pub(crate) fn experiment(&self, id: ExperimentId) -> Result<ExperimentFolder, FolderError> {
        let name = experiment_name(id)?;
        let (trashed, folder) = match self.folder.folder(&name) {
            Err(error) if error.is_missing() => match self.folder.folder(TRASH) {
                Ok(trash) => (true, trash.folder(&name).map_err(|_| error)?),
                Err(_) => return Err(error),
            },
            folder => (false, folder?),
        };
        Ok(ExperimentFolder {
            experiment_id: id,
            trashed,
            folder: Arc::new(folder),
        })
    }

    /// Makes the folder of a new experiment.
    pub(crate) fn make_experiment(
        &self,
        id: ExperimentId,
    ) -> Result<ExperimentFolder, FolderError> {
        let name = experiment_name(id)?;
        let folder = make_new(&self.folder, &name)?;
        Ok(ExperimentFolder {
            experiment_id: id,
            trashed: false,
            folder: Arc::new(folder),
        })
    }

    /// Moves an experiment into the trash (`Deleted`) or out of it. Nothing that
    /// is there already is replaced. The handle stays valid, its path does not.
    pub(crate) fn move_experiment(
        &self,
        id: ExperimentId,
        to: LifecycleStage,
    ) -> Result<(), FolderError> {
        let name = experiment_name(id)?;
        let trash = self.folder.make_folder(TRASH)?;
        let (from, to) = match to {
            LifecycleStage::Deleted => (&*self.folder, &trash),
            LifecycleStage::Active => (&trash, &*self.folder),
        };
        match rename_new((from, &name), (to, &name)) {
            Ok(()) => Ok(()),
            Err(Errno::EXIST | Errno::NOTEMPTY) => Err(FolderError::Exists {
                path: to.path_of(&name),
            }),
            Err(errno) => Err(FolderError::io("move", from.path_of(&name), errno.into())),
        }
    }

    /// The run of this id, in whichever experiment it is.
    pub(crate) fn find_run(&self, id: &RunId) -> Result<Option<RunFolder>, FolderError> {
        text_id("run", id.as_str())?;
        for stage in [LifecycleStage::Active, LifecycleStage::Deleted] {
            for experiment in self.experiment_ids(stage)? {
                let found = self.experiment(experiment).and_then(|found| found.run(id));
                match found {
                    Err(error) if error.is_missing() => {}
                    found => return found.map(Some),
                }
            }
        }
        Ok(None)
    }

    /// The trace of this id, in whichever experiment it is; `first` is looked into
    /// before all others.
    pub(crate) fn find_trace(
        &self,
        id: &TraceId,
        first: Option<ExperimentId>,
    ) -> Result<Option<TraceFolder>, FolderError> {
        text_id("trace", id.as_str())?;
        let in_experiment = |experiment| match self
            .experiment(experiment)
            .and_then(|experiment| experiment.trace(id))
        {
            Err(error) if error.is_missing() => Ok(None),
            found => found.map(Some),
        };
        if let Some(first) = first
            && let Some(found) = in_experiment(first)?
        {
            return Ok(Some(found));
        }
        for stage in [LifecycleStage::Active, LifecycleStage::Deleted] {
            for experiment in self.experiment_ids(stage)? {
                if let Some(found) = in_experiment(experiment)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }
}

impl ExperimentFolder {
    /// The ids of the runs, in order: of all folders whose names could be ids.
    pub(crate) fn run_ids(&self) -> Result<Vec<RunId>, FolderError> {
        let mut names = self.folder.folder_names()?;
        names.retain(|name| text_id("run", name).is_ok());
        names.sort_unstable();
        Ok(names.into_iter().map(RunId::new).collect())
    }

    /// The folder of a run.
    pub(crate) fn run(&self, id: &RunId) -> Result<RunFolder, FolderError> {
        text_id("run", id.as_str())?;
        Ok(RunFolder {
            folder: self.folder.folder(id.as_str())?,
            run_id: id.clone(),
            experiment: self.clone(),
        })
    }

    /// Makes the folder of a new run.
    pub(crate) fn make_run(&self, id: &RunId) -> Result<RunFolder, FolderError> {
        text_id("run", id.as_str())?;
        Ok(RunFolder {
            folder: make_new(&self.folder, id.as_str())?,
            run_id: id.clone(),
            experiment: self.clone(),
        })
    }

    /// The ids of the logged models, in order.
    pub(crate) fn model_ids(&self) -> Result<Vec<LoggedModelId>, FolderError> {
        let mut names = match self.folder.folder("models") {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            models => models?.folder_names()?,
        };
        names.retain(|name| text_id("logged model", name).is_ok());
        names.sort_unstable();
        Ok(names.into_iter().map(LoggedModelId::new).collect())
    }

    /// The folder of a logged model.
    pub(crate) fn model(&self, id: &LoggedModelId) -> Result<ModelFolder, FolderError> {
        text_id("logged model", id.as_str())?;
        Ok(ModelFolder {
            folder: self.folder.folder("models")?.folder(id.as_str())?,
            model_id: id.clone(),
            experiment: self.clone(),
        })
    }

    /// Makes the folder of a new logged model.
    pub(crate) fn make_model(&self, id: &LoggedModelId) -> Result<ModelFolder, FolderError> {
        text_id("logged model", id.as_str())?;
        Ok(ModelFolder {
            folder: make_new(&self.folder.make_folder("models")?, id.as_str())?,
            model_id: id.clone(),
            experiment: self.clone(),
        })
    }

    /// The ids of the traces, in order.
    pub(crate) fn trace_ids(&self) -> Result<Vec<TraceId>, FolderError> {
        let mut names = match self.folder.folder(TRACES) {
            Err(error) if error.is_missing() => return Ok(Vec::new()),
            traces => traces?.folder_names()?,
        };
        names.retain(|name| text_id("trace", name).is_ok());
        names.sort_unstable();
        Ok(names.into_iter().map(TraceId::new).collect())
    }

    /// The folder of a trace.
    pub(crate) fn trace(&self, id: &TraceId) -> Result<TraceFolder, FolderError> {
        self.trace_in(&self.folder.folder(TRACES)?, id)
    }

    /// The folder of a trace in that of all traces, for who looks at many.
    pub(crate) fn trace_in(
        &self,
        traces: &Folder,
        id: &TraceId,
    ) -> Result<TraceFolder, FolderError> {
        text_id("trace", id.as_str())?;
        Ok(TraceFolder {
            folder: traces.folder(id.as_str())?,
            trace_id: id.clone(),
            experiment: self.clone(),
        })
    }

    /// Makes the folder of a new trace; one that is there and holds no trace yet
    /// serves as well.
    pub(crate) fn make_trace(&self, id: &TraceId) -> Result<TraceFolder, FolderError> {
        text_id("trace", id.as_str())?;
        let traces = self.folder.make_folder(TRACES)?;
        Ok(TraceFolder {
            folder: traces.make_folder(id.as_str())?,
            trace_id: id.clone(),
            experiment: self.clone(),
        })
    }

    /// Moves a trace to another experiment, where none of its id may be.
    pub(crate) fn move_trace(&self, id: &TraceId, to: &Self) -> Result<TraceFolder, FolderError> {
        text_id("trace", id.as_str())?;
        let from = self.folder.folder(TRACES)?;
        let target = to.folder.make_folder(TRACES)?;
        match rename_new((&from, id.as_str()), (&target, id.as_str())) {
            Ok(()) => to.trace(id),
            Err(Errno::EXIST | Errno::NOTEMPTY) => Err(FolderError::Exists {
                path: target.path_of(id.as_str()),
            }),
            Err(errno) => {
                let path = from.path_of(id.as_str());
                Err(FolderError::io("move", path, errno.into()))
            }
        }
    }
}

/// The path of a key in a folder of keys: `params/a/b`.
///
/// Refused are keys that would be another one, or none, as a path.
pub(crate) fn key_path(folder: &str, key: &str) -> Result<String, FolderError> {
    let is_normal = !key.is_empty()
        && key.len() <= MAX_KEY_BYTES
        && !key.starts_with("..")
        && !key.contains('\0')
        && key.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if is_normal {
        Ok(format!("{folder}/{key}"))
    } else {
        Err(FolderError::Key {
            key: key.chars().take(300).collect(),
        })
    }
}

/// Checks an id that is to be the name of a folder:
/// `^[a-zA-Z0-9][\w\-]{0,255}$`, and none of the names with a meaning.
pub(crate) fn text_id(what: &'static str, id: &str) -> Result<(), FolderError> {
    let is_id = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.chars().count() <= 256
        && id
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
        && !RESERVED.contains(&id);
    if is_id {
        Ok(())
    } else {
        Err(FolderError::Id {
            what,
            id: id.chars().take(300).collect(),
        })
    }
}

/// The experiment that a folder of this name is. MLflow compares the name with
/// the id as text, so `007` is none.
fn experiment_id(name: &str) -> Option<ExperimentId> {
    let id: ExperimentId = name.parse().ok()?;
    (id.0 >= 0 && id.to_string() == name).then_some(id)
}

fn experiment_name(id: ExperimentId) -> Result<String, FolderError> {
    if id.0 < 0 {
        return Err(FolderError::Id {
            what: "experiment",
            id: id.to_string(),
        });
    }
    Ok(id.to_string())
}

/// Makes a folder that must not be there yet.
fn make_new(parent: &Folder, name: &str) -> Result<Folder, FolderError> {
    match parent.dir().create_dir(name) {
        Ok(()) => parent.folder(name),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(FolderError::Exists {
                path: parent.path_of(name),
            })
        }
        Err(error) => Err(FolderError::io("make", parent.path_of(name), error)),
    }
}

/// Renames without replacing, where the system can promise it.
pub(crate) fn rename_new(
    (from, name): (&Folder, &str),
    (to, new_name): (&Folder, &str),
) -> Result<(), Errno> {
    #[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
    {
        let flags = rustix::fs::RenameFlags::NOREPLACE;
        match rustix::fs::renameat_with(from.dir(), name, to.dir(), new_name, flags) {
            // Not every file system knows the flag.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            answer => return answer,
        }
    }
    // A folder that is not empty is never replaced.
    rustix::fs::renameat(from.dir(), name, to.dir(), new_name)
}
