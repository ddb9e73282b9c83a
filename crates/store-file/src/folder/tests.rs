//! What MLflow wrote is read as MLflow reads it, written again byte for byte,
//! and what is hostile is refused.

mod hostile;
mod live;
mod rereading;
mod traces;

use std::fs;
use std::path::{Path, PathBuf};

use runledger_entities::{
    Experiment, ExperimentId, LifecycleStage, RunId, RunInfo, RunStatus, Tag,
};

use super::runs::create_run;
use super::*;
use crate::layout::{Root, RunFolder};
use crate::write::Sync;

/// A root with one experiment and one run.
struct World {
    directory: tempfile::TempDir,
    root: Root,
    run: RunFolder,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::create(&directory.path().join("mlruns")).unwrap();
        let experiment = Experiment {
            experiment_id: ExperimentId(7),
            name: "e".to_owned(),
            artifact_location: "file:///x/7".to_owned(),
            lifecycle_stage: LifecycleStage::Active,
            creation_time: Some(1),
            last_update_time: Some(1),
            tags: vec![Tag::new("a/b", "c")],
        };
        let experiment = experiments::create_experiment(&root, &experiment, Sync::Process).unwrap();
        let info = RunInfo {
            run_id: RunId::random(),
            experiment_id: ExperimentId(7),
            run_name: Some("r".to_owned()),
            user_id: "u".to_owned(),
            status: RunStatus::Running,
            start_time: 5,
            end_time: None,
            artifact_uri: "file:///x/7/r/artifacts".to_owned(),
            lifecycle_stage: LifecycleStage::Active,
        };
        let tags = [Tag::new(Tag::RUN_NAME, "r")];
        let run = create_run(&experiment, &info, &tags, Sync::Process).unwrap();
        Self {
            directory,
            root,
            run,
        }
    }

    /// Where a file of the run is.
    fn path(&self, name: &str) -> PathBuf {
        let run = format!("mlruns/7/{}", self.run.run_id);
        self.directory.path().join(run).join(name)
    }

    /// The run again, with everything noted that is read of it.
    fn noting(&self) -> RunFolder {
        let experiment = self.run.experiment.clone();
        RunFolder {
            folder: experiment.run(&self.run.run_id).unwrap().folder.noting(),
            run_id: self.run.run_id.clone(),
            experiment,
        }
    }

    fn read(&self) -> Result<runs::StoredRun, crate::FolderError> {
        runs::read_run(&self.run, None, &mut Scratch::default())
    }
}

/// Paths and contents of all files below a directory, in order.
fn tree(root: &Path) -> Vec<(String, Vec<u8>)> {
    fn add(directory: &Path, root: &Path, files: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                add(&path, root, files);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                files.push((name.to_owned(), fs::read(&path).unwrap()));
            }
        }
    }
    let mut files = Vec::new();
    add(root, root, &mut files);
    files.sort();
    files
}
