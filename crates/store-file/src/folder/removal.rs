//! Removal for good: of runs, logged models, traces and experiments.
//!
//! What is removed, `meta.yaml` goes last: a removal that was interrupted leaves
//! something that is found again. That it was in the deleted stage is the
//! caller's to check.

use runledger_entities::{ExperimentId, LoggedModelId, RunId};

use super::traces::TRACE_INFO;
use crate::FolderError;
use crate::layout::{ExperimentFolder, META, Root, TRACES, TRASH, TraceFolder};
use crate::safe_dir::Folder;

/// Removes the folder of a run with all that is in it.
pub(crate) fn remove_run(experiment: &ExperimentFolder, id: &RunId) -> Result<(), FolderError> {
    let run = experiment.run(id)?;
    remove_tree(&experiment.folder, &run.folder, id.as_str())
}

/// Removes the folder of a logged model with all that is in it.
pub(crate) fn remove_model(
    experiment: &ExperimentFolder,
    id: &LoggedModelId,
) -> Result<(), FolderError> {
    let model = experiment.model(id)?;
    let models = experiment.folder.folder("models")?;
    remove_tree(&models, &model.folder, id.as_str())
}

/// Removes the folder of a trace with all that is in it.
pub(crate) fn remove_trace(trace: &TraceFolder) -> Result<(), FolderError> {
    let traces = trace.experiment.folder.folder(TRACES)?;
    remove_tree(&traces, &trace.folder, trace.trace_id.as_str())
}

/// Removes the folder of an experiment from the trash, with all that is in it.
pub(crate) fn remove_experiment(root: &Root, id: ExperimentId) -> Result<(), FolderError> {
    let trash = root.folder.folder(TRASH)?;
    let name = id.to_string();
    let experiment = trash.folder(&name)?;
    remove_tree(&trash, &experiment, &name)
}

/// `cap-std` follows no link on its way down a tree.
fn remove_tree(parent: &Folder, folder: &Folder, name: &str) -> Result<(), FolderError> {
    let failed = |error| FolderError::io("remove", folder.path_of(""), error);
    for entry in folder.dir().entries().map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name() == META || entry.file_name() == TRACE_INFO {
            continue;
        }
        let is_folder = entry.file_type().map_err(failed)?.is_dir();
        let removed = if is_folder {
            folder.dir().remove_dir_all(entry.file_name())
        } else {
            entry.remove_file()
        };
        removed.map_err(failed)?;
    }
    parent.dir().remove_dir_all(name).map_err(failed)
}
