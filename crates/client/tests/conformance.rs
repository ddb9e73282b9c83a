//! The conformance suite of stores, through a tracking server in this process.

use std::{error::Error, process::ExitCode, sync::Arc};

use async_trait::async_trait;
use runledger::{RestOptions, RestStore};
use runledger_server::Server;
use runledger_store_conformance::{Fixture, World};
use runledger_store_sql::{SqlStore, StoreOptions};
use tokio::net::TcpListener;

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
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let server = Server::builder().store(store).build()?;
        // It ends with the runtime of the case.
        tokio::spawn(server.serve(listener, std::future::pending()));
        let client = RestStore::new(&address, RestOptions::default())?;
        Ok(World::new(Arc::new(client.clone()), Arc::new(client)).holding(folder))
    }

    fn is_behind_a_server(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    runledger_store_conformance::main(Rest)
}
