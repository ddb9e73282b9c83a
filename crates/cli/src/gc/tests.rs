//! What the list said is looked at once more before files go.

use std::fs;

use async_trait::async_trait;
use clap::Parser;
use runledger_entities::LifecycleStage;

use super::*;
use crate::args::Cli;

/// A store of deleted runs in one deleted experiment. They were restored after
/// they were listed, or not.
#[derive(Debug, Default)]
struct Runs {
    /// Where the artifacts of each are.
    artifact_uris: Vec<String>,
    restored: bool,
}

#[async_trait]
impl PurgeStore for Runs {
    async fn deleted_runs(&self, _: DeletedQuery) -> Result<Page<DeletedRun>, StoreError> {
        Ok(Page {
            items: (0..self.artifact_uris.len()).map(|n| self.run(n)).collect(),
            next_token: None,
        })
    }

    async fn deleted_experiments(
        &self,
        _: DeletedQuery,
    ) -> Result<Page<DeletedExperiment>, StoreError> {
        let experiment = DeletedExperiment {
            experiment_id: ExperimentId(1),
            name: "e".to_owned(),
            artifact_location: String::new(),
            last_update_time: Some(1),
        };
        Ok(Page {
            items: vec![experiment],
            next_token: None,
        })
    }

    async fn deleted_logged_models(
        &self,
        _: DeletedQuery,
    ) -> Result<Page<DeletedLoggedModel>, StoreError> {
        Ok(Page::empty())
    }

    async fn deleted_run(&self, id: &RunId) -> Result<DeletedRun, StoreError> {
        if self.restored {
            return Err(StoreError::Lifecycle {
                what: "run",
                id: id.to_string(),
                wanted: LifecycleStage::Deleted,
                current: LifecycleStage::Active,
            });
        }
        Ok(self.run(id.as_str()[1..].parse().unwrap()))
    }

    async fn deleted_logged_model(
        &self,
        id: &LoggedModelId,
    ) -> Result<DeletedLoggedModel, StoreError> {
        panic!("there is no model {id}")
    }

    async fn purge_run(&self, _: &RunId) -> Result<(), StoreError> {
        Ok(())
    }

    async fn purge_logged_model(&self, id: &LoggedModelId) -> Result<(), StoreError> {
        panic!("there is no model {id}")
    }

    async fn purge_experiment(&self, id: ExperimentId) -> Result<(), StoreError> {
        if self.restored {
            return Err(StoreError::Lifecycle {
                what: "experiment",
                id: id.to_string(),
                wanted: LifecycleStage::Deleted,
                current: LifecycleStage::Active,
            });
        }
        Ok(())
    }
}

impl Runs {
    fn run(&self, number: usize) -> DeletedRun {
        DeletedRun {
            run_id: RunId::new(format!("r{number}")),
            experiment_id: ExperimentId(1),
            artifact_uri: self.artifact_uris[number].clone(),
            deleted_time: Some(1),
        }
    }
}

/// What became of a collection.
struct Done {
    outcome: Result<(), GcError>,
    runs: Vec<String>,
    experiments: Vec<String>,
    left: Vec<String>,
}

/// A folder with the file of a run, and its place.
struct Place {
    folder: tempfile::TempDir,
    file: std::path::PathBuf,
    uri: String,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let artifacts = folder.path().join("1/r/artifacts");
        fs::create_dir_all(&artifacts).unwrap();
        let file = artifacts.join("a.txt");
        fs::write(&file, "a").unwrap();
        Self {
            file,
            uri: artifacts.display().to_string(),
            folder,
        }
    }

    async fn collect(&self, artifact_uris: &[&str], restored: bool) -> Done {
        let store = Runs {
            artifact_uris: artifact_uris.iter().map(|uri| (*uri).to_owned()).collect(),
            restored,
        };
        let roots = ArtifactRoots::new().with_local(self.folder.path()).unwrap();
        let Some(Command::Gc(args)) = Cli::parse_from(["runledger", "gc", "--json"]).command else {
            panic!("it is gc");
        };
        let mut collector = Collector::new(Arc::new(store), roots, &args, None);
        let outcome = collector.collect(None).await;
        Done {
            outcome,
            runs: collector.runs,
            experiments: collector.experiments,
            left: collector.left,
        }
    }
}

#[tokio::test]
async fn a_deleted_run_goes_with_its_files() {
    let place = Place::new();
    let done = place.collect(&[&place.uri], false).await;
    done.outcome.unwrap();
    assert_eq!((done.runs, done.experiments), (ids(&["r0"]), ids(&["1"])));
    assert!(!place.file.exists());
}

#[tokio::test]
async fn what_was_restored_meanwhile_keeps_its_files() {
    let place = Place::new();
    let done = place.collect(&[&place.uri], true).await;
    done.outcome.unwrap();
    assert_eq!((done.runs, done.experiments), (Vec::new(), Vec::new()));
    assert!(place.file.exists());
}

#[tokio::test]
async fn a_run_whose_files_stay_does_not_stop_the_others() {
    for stays in ["mlflow-artifacts:/1/r/artifacts", "ftp://me:secret@host/x"] {
        let place = Place::new();
        let uris = [stays, place.uri.as_str()];
        let done = place.collect(&uris, false).await;
        let error = done.outcome.unwrap_err();
        assert!(matches!(error, GcError::Left { count: 1 }), "{error}");
        assert_eq!(error.exit_code(), 1);
        assert!(done.left[0].contains("and so it stays"), "{:?}", done.left);
        assert!(!done.left[0].contains("secret"), "{:?}", done.left);
        // The experiment would take the row of the first with it.
        assert_eq!((done.runs, done.experiments), (ids(&["r1"]), Vec::new()));
        assert!(!place.file.exists());
    }
}

fn ids(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
