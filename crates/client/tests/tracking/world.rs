//! Stores and servers of a test.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use runledger::entities::{Metric, RunId};
use runledger::store::{HistoryQuery, PageRequest, TrackingStore};
use runledger::{Client, TrackingError};
use runledger_artifacts::{ArtifactRoots, LocalRepository};
use runledger_server::Server;
use runledger_store_file::{FileStore, FileStoreOptions};
use runledger_store_sql::{SqlStore, StoreOptions};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// What a server keeps its runs in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept {
    InDatabase,
    InFolder,
}

/// A server in this process, on threads of its own.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    kept: Kept,
    store: Arc<dyn TrackingStore>,
    runtime: Runtime,
    folder: TempDir,
}

impl World {
    pub(crate) fn new(kept: Kept) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let runtime = runtime();
        let anywhere = ([127, 0, 0, 1], 0).into();
        let (address, store) = runtime.block_on(serve(kept, &folder, anywhere));
        Self {
            address,
            kept,
            store,
            runtime,
            folder,
        }
    }

    /// Ends the server in the middle of whatever it does, and starts another one on
    /// the same data and port after a while.
    pub(crate) fn restart(&mut self, away: Duration) {
        self.stop();
        std::thread::sleep(away);
        self.start();
    }

    /// Ends the server in the middle of whatever it does.
    pub(crate) fn stop(&mut self) {
        std::mem::replace(&mut self.runtime, runtime()).shutdown_timeout(Duration::from_secs(5));
    }

    /// Starts another one, on data in which a run was deleted meanwhile.
    pub(crate) fn start_without(&mut self, run: &RunId) {
        self.runtime.block_on(self.store.delete_run(run)).unwrap();
        self.start();
    }

    /// Starts another one on the same data and port.
    pub(crate) fn start(&mut self) {
        let served = serve(self.kept, &self.folder, self.address);
        (self.address, self.store) = self.runtime.block_on(served);
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All points of a metric, as the store below the server has them.
    pub(crate) fn history(&self, run: &RunId, key: &str) -> Vec<Metric> {
        let query = HistoryQuery {
            run_id: run.clone(),
            key: key.to_owned(),
            page: PageRequest {
                max_results: u32::MAX,
                token: None,
            },
        };
        let page = self.runtime.block_on(self.store.metric_history(query));
        page.unwrap().items
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

async fn serve(
    kept: Kept,
    folder: &TempDir,
    address: SocketAddr,
) -> (SocketAddr, Arc<dyn TrackingStore>) {
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (server, store): (Server, Arc<dyn TrackingStore>) = match kept {
        Kept::InDatabase => {
            let uri = database(folder);
            let store = SqlStore::open(&uri, StoreOptions::default()).await.unwrap();
            let store = Arc::new(store);
            let server = Server::builder()
                .store(Arc::<SqlStore>::clone(&store))
                .registry(Arc::<SqlStore>::clone(&store))
                .traces(Arc::<SqlStore>::clone(&store))
                .artifacts(artifacts(folder));
            (server.build().unwrap(), store)
        }
        Kept::InFolder => {
            let options = FileStoreOptions {
                cache: Some(folder.path().join("cache")),
                ..FileStoreOptions::default()
            };
            let path = folder.path().join("mlruns");
            let store = Arc::new(FileStore::create(path, options).await.unwrap());
            let builder = Server::builder().store(Arc::clone(&store));
            let server = builder.artifacts(artifacts(folder)).build();
            (server.unwrap(), store)
        }
    };
    // It ends with its runtime.
    tokio::spawn(server.serve(listener, std::future::pending()));
    (address, store)
}

/// Artifacts in a folder, behind the proxy of a server.
fn artifacts(folder: &TempDir) -> ArtifactRoots {
    let repository = LocalRepository::new(folder.path().join("mlartifacts"));
    let roots = ArtifactRoots::new().with_proxied(Arc::new(repository));
    // What a server on a folder keeps of its runs.
    roots.with_local(&folder.path().join("mlruns")).unwrap()
}

/// The URI of a database in a folder.
pub(crate) fn database(folder: &TempDir) -> String {
    format!("sqlite:///{}", folder.path().join("mlflow.db").display())
}

/// Runs a test of clients of a server, a database and a folder, each new.
pub(crate) fn everywhere<F: Future<Output = Result<(), TrackingError>>>(
    test: impl Fn(Client) -> F,
) {
    let world = World::new(Kept::InDatabase);
    let folder = tempfile::tempdir().unwrap();
    let mlruns = folder.path().join("mlruns").display().to_string();
    for uri in [world.uri(), database(&folder), mlruns] {
        let runtime = runtime();
        let client = runtime.block_on(Client::open(&uri)).unwrap();
        let outcome = runtime.block_on(test(client));
        outcome.unwrap_or_else(|error| panic!("at {uri}: {error}"));
    }
}
