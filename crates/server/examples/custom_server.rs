//! A tracking server of one's own, from the crates: SQLite and local artifacts.
//!
//! `cargo run -p runledger-server --example custom_server -- my.db ./my-artifacts 127.0.0.1:5000`

use std::{env, error::Error, sync::Arc};

use runledger_artifacts::{ArtifactRoots, LocalRepository};
use runledger_server::Server;
use runledger_store_sql::{SqlStore, StoreOptions};
use tokio::net::TcpListener;

pub(crate) async fn server(database: &str, artifacts: &str) -> Result<Server, Box<dyn Error>> {
    let store = SqlStore::open(&format!("sqlite:///{database}"), StoreOptions::default()).await?;
    let repository = Arc::new(LocalRepository::new(artifacts));
    let roots = ArtifactRoots::new().with_proxied(repository);
    let server = Server::builder().store(Arc::new(store)).artifacts(roots);
    Ok(server.build()?)
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let argument = |n, default: &str| env::args().nth(n).unwrap_or_else(|| default.to_owned());
    let server = server(&argument(1, "mlflow.db"), &argument(2, "./mlartifacts")).await?;
    let listener = TcpListener::bind(argument(3, "127.0.0.1:5000")).await?;
    let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
    Ok(server.serve(listener, stop).await?)
}
