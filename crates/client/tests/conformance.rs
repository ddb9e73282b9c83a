//! The conformance suite of stores, through a tracking server over a database.

mod behind;

use std::{error::Error, process::ExitCode, sync::Arc};

use async_trait::async_trait;
use runledger_server::Server;
use runledger_store_conformance::{Fixture, World};
use runledger_store_sql::{SqlStore, StoreOptions};

/// A server over SQLite, and a client of it.
struct Rest;

#[async_trait]
impl Fixture for Rest {
    fn name(&self) -> &'static str {
        "rest"
    }

    async fn fresh(&self) -> Result<World, Box<dyn Error + Send + Sync>> {
        let folder = tempfile::tempdir()?;
        let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
        let store = Arc::new(SqlStore::open(&uri, StoreOptions::default()).await?);
        let server = Server::builder()
            .store(Arc::<SqlStore>::clone(&store))
            .registry(Arc::<SqlStore>::clone(&store))
            .traces(store);
        Ok(behind::world(server).await?.holding(folder))
    }

    fn is_behind_a_server(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    runledger_store_conformance::main(Rest)
}
