//! The conformance suite of stores, through a tracking server over a folder.

mod behind;

use std::{error::Error, process::ExitCode, sync::Arc};

use async_trait::async_trait;
use runledger_server::Server;
use runledger_store_conformance::{Fixture, World};
use runledger_store_file::{FileStore, FileStoreOptions};

/// A server over a folder, and a client of it.
struct RestFile;

#[async_trait]
impl Fixture for RestFile {
    fn name(&self) -> &'static str {
        "rest-file"
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
        let server = Server::builder()
            .store(Arc::<FileStore>::clone(&store))
            .registry(Arc::<FileStore>::clone(&store))
            .traces(store);
        Ok(behind::world(server).await?.holding(folder))
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

    fn is_behind_a_server(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    runledger_store_conformance::main(RestFile)
}
