//! A client of a tracking server in this process.

use std::error::Error;
use std::sync::Arc;

use runledger::{RestOptions, RestStore};
use runledger_server::ServerBuilder;
use runledger_store_conformance::World;
use tokio::net::TcpListener;

/// The stores of a client of this server, which ends with the runtime of the case.
pub(crate) async fn world(server: ServerBuilder) -> Result<World, Box<dyn Error + Send + Sync>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}", listener.local_addr()?);
    tokio::spawn(server.build()?.serve(listener, std::future::pending()));
    let client = RestStore::new(&address, RestOptions::default())?;
    // What it keeps its runs in decides what can be sent again.
    client.learn_kind().await?;
    let world = World::new(Arc::new(client.clone()), Arc::new(client.clone()));
    Ok(world
        .registering(Arc::new(client.clone()))
        .tracing(Arc::new(client)))
}
