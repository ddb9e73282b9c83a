//! The first writes to a folder that is not there yet, several at once.

use std::{error::Error, sync::Arc};

use runledger_entities::ExperimentId;
use runledger_store::{NewRun, TrackingStore as _};
use runledger_store_file::{FileStore, FileStoreOptions};

/// Two stores stand for two processes.
#[tokio::test(flavor = "multi_thread")]
async fn all_of_them_find_the_default_experiment() -> Result<(), Box<dyn Error>> {
    for _ in 0..50 {
        let folder = tempfile::tempdir()?;
        let root = folder.path().join("deep/mlruns");
        let mut writes = Vec::new();
        for _ in 0..2 {
            let store = Arc::new(FileStore::open(&root, FileStoreOptions::default()).await?);
            for _ in 0..8 {
                let store = Arc::clone(&store);
                let run = NewRun {
                    experiment_id: ExperimentId::DEFAULT,
                    user_id: String::new(),
                    run_name: None,
                    start_time: 0,
                    tags: Vec::new(),
                };
                writes.push(tokio::spawn(async move { store.create_run(run).await }));
            }
        }
        for write in writes {
            write.await??;
        }
        let names = std::fs::read_dir(folder.path().join("deep"))?;
        assert_eq!(names.count(), 1, "only the folder is left");
    }
    Ok(())
}
