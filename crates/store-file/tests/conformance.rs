//! The conformance suite of stores, on folders.

use std::{error::Error, process::ExitCode, sync::Arc};

use async_trait::async_trait;
use runledger_store_conformance::{Fixture, World};
use runledger_store_file::{FileStore, FileStoreOptions};

struct Folders;

#[async_trait]
impl Fixture for Folders {
    fn name(&self) -> &'static str {
        "file"
    }

    async fn fresh(&self) -> Result<World, Box<dyn Error + Send + Sync>> {
        let folder = tempfile::tempdir()?;
        let options = FileStoreOptions {
            artifact_root: Some("mlflow-artifacts:/".to_owned()),
            cache: Some(folder.path().join("cache")),
            ..FileStoreOptions::default()
        };
        let store = FileStore::create(folder.path().join("mlruns"), options).await?;
        let store = Arc::new(store);
        let world = World::new(
            Arc::<FileStore>::clone(&store),
            Arc::<FileStore>::clone(&store),
        );
        Ok(world
            .purging(Arc::<FileStore>::clone(&store))
            .registering(Arc::<FileStore>::clone(&store))
            .tracing(store)
            .holding(folder))
    }

    fn keeps_infinities(&self) -> bool {
        true
    }

    fn keeps_webhooks(&self) -> bool {
        false
    }

    fn is_of_files(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    runledger_store_conformance::main(Folders)
}
