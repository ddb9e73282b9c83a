//! A tracking server of one's own, from the crates: SQLite, local artifacts.
//!
//! `cargo run -p runledger-server --example custom_server -- [database] [directory] [address]`

use std::{env, error::Error, sync::Arc};

use runledger_artifacts::{ArtifactRoots, LocalRepository};
use runledger_server::Server;
use runledger_store_sql::{SqlStore, StoreOptions};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let argument = |n, default: &str| env::args().nth(n).unwrap_or_else(|| default.to_owned());
    let uri = format!("sqlite:///{}", argument(1, "mlflow.db"));
    let store = SqlStore::open(&uri, StoreOptions::default()).await?;
    let artifacts = Arc::new(LocalRepository::new(argument(2, "mlartifacts")));
    let server = Server::builder()
        .store(Arc::new(store))
        .artifacts(ArtifactRoots::new().with_proxied(artifacts))
        .build()?;
    let listener = TcpListener::bind(argument(3, "127.0.0.1:5000")).await?;
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(server.serve(listener, stop).await?)
}
