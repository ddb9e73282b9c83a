//! What the list said is looked at once more before files go.

use std::fs;

use async_trait::async_trait;
use clap::Parser;
use runledger_entities::LifecycleStage;

use super::*;
use crate::args::Cli;

/// A store whose only deleted run was restored after it was listed, unless it was not.
#[derive(Debug)]
struct OneRun {
    artifact_uri: String,
    restored: bool,
}

#[async_trait]
impl PurgeStore for OneRun {
    async fn deleted_runs(&self, _: DeletedQuery) -> Result<Page<DeletedRun>, StoreError> {
        Ok(Page {
            items: vec![self.run()],
            next_token: None,
        })
    }

    async fn deleted_experiments(
        &self,
        _: DeletedQuery,
    ) -> Result<Page<DeletedExperiment>, StoreError> {
        Ok(Page::empty())
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
        Ok(self.run())
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
        panic!("there is no experiment {id}")
    }
}

impl OneRun {
    fn run(&self) -> DeletedRun {
        DeletedRun {
            run_id: RunId::new("r"),
            experiment_id: ExperimentId(1),
            artifact_uri: self.artifact_uri.clone(),
            deleted_time: Some(1),
        }
    }
}

/// Collects a run of one file; returns what was removed, and whether the file is still there.
async fn collected(restored: bool) -> (Result<Vec<String>, GcError>, bool) {
    let folder = tempfile::tempdir().unwrap();
    let artifacts = folder.path().join("1/r/artifacts");
    fs::create_dir_all(&artifacts).unwrap();
    let file = artifacts.join("a.txt");
    fs::write(&file, "a").unwrap();
    let artifact_uri = artifacts.display().to_string();
    let outcome = collect(
        OneRun {
            artifact_uri,
            restored,
        },
        ArtifactRoots::new().with_local(folder.path()).unwrap(),
    );
    (outcome.await, file.exists())
}

async fn collect(store: OneRun, roots: ArtifactRoots) -> Result<Vec<String>, GcError> {
    let Some(Command::Gc(args)) = Cli::parse_from(["runledger", "gc", "--json"]).command else {
        panic!("it is gc");
    };
    let mut collector = Collector {
        store: Arc::new(store),
        roots,
        args: &args,
        before_ms: None,
        runs: Vec::new(),
        models: Vec::new(),
        experiments: Vec::new(),
    };
    collector.collect(None).await?;
    Ok(collector.runs)
}

#[tokio::test]
async fn a_deleted_run_goes_with_its_files() {
    let (removed, is_there) = collected(false).await;
    assert_eq!((removed.unwrap(), is_there), (vec!["r".to_owned()], false));
}

#[tokio::test]
async fn a_run_that_was_restored_meanwhile_keeps_its_files() {
    let (removed, is_there) = collected(true).await;
    assert_eq!((removed.unwrap(), is_there), (Vec::new(), true));
}

#[tokio::test]
async fn a_run_stays_if_its_files_do() {
    for place in ["mlflow-artifacts:/1/r/artifacts", "ftp://me:secret@host/x"] {
        let store = OneRun {
            artifact_uri: place.to_owned(),
            restored: false,
        };
        let error = collect(store, ArtifactRoots::new()).await.unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
        assert!(error.to_string().contains("and so it stays"), "{error}");
    }
}
