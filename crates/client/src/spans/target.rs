//! Where spans go: a tracking server, or a store itself.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use runledger_entities::ExperimentId;
use runledger_protocol::otlp::{self, Encoding};
use runledger_store::{Retry, StoreError, TraceStore};

use crate::rest::{RestStore, Taken};

/// Where spans go, and in which experiment their traces are.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
/// # let tracker = runledger::Tracker::open(&uri)?;
/// use std::sync::Arc;
///
/// use runledger::spans::TraceTarget;
///
/// let experiment = tracker.set_experiment("answers")?;
/// let store = Arc::clone(tracker.client().traces());
/// let target = TraceTarget::store(store, experiment.experiment_id);
/// println!("{target:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TraceTarget {
    place: Place,
    experiment: ExperimentId,
}

#[derive(Clone)]
enum Place {
    Server(RestStore),
    Store(Arc<dyn TraceStore>),
}

impl fmt::Debug for TraceTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place: &dyn fmt::Debug = match &self.place {
            Place::Server(server) => server,
            Place::Store(_) => &"a store",
        };
        f.debug_struct("TraceTarget")
            .field("place", place)
            .field("experiment", &self.experiment)
            .finish()
    }
}

impl TraceTarget {
    /// A tracking server: ours, or MLflow since 3.6, by OpenTelemetry's protocol.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::entities::ExperimentId;
    /// use runledger::spans::TraceTarget;
    /// use runledger::{RestOptions, RestStore};
    ///
    /// let server = RestStore::new("http://localhost:5000", RestOptions::default())?;
    /// let target = TraceTarget::server(server, ExperimentId(1));
    /// # Ok(())
    /// # }
    /// ```
    pub fn server(server: RestStore, experiment: ExperimentId) -> Self {
        Self {
            place: Place::Server(server),
            experiment,
        }
    }

    /// A database or a folder, without a server.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
    /// # let tracker = runledger::Tracker::open(&uri)?;
    /// use std::sync::Arc;
    ///
    /// use runledger::entities::ExperimentId;
    /// use runledger::spans::{TraceOptions, TraceTarget, trace_layer};
    /// use tracing_subscriber::layer::SubscriberExt;
    ///
    /// let store = Arc::clone(tracker.client().traces());
    /// let target = TraceTarget::store(store, ExperimentId::DEFAULT);
    /// let (layer, guard) = trace_layer(target, TraceOptions::default())?;
    /// let subscriber = tracing_subscriber::registry().with(layer);
    /// tracing::subscriber::with_default(subscriber, || drop(tracing::info_span!("answer")));
    /// assert!(guard.flush());
    /// assert_eq!(guard.counts().sent, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn store(store: Arc<dyn TraceStore>, experiment: ExperimentId) -> Self {
        Self {
            place: Place::Store(store),
            experiment,
        }
    }

    /// Sends a request of OpenTelemetry's protocol in protobuf, once.
    pub(super) async fn send(&self, body: Bytes) -> Taken {
        match &self.place {
            Place::Server(server) => server.export_spans(self.experiment, body).await,
            Place::Store(store) => match keep(store.as_ref(), self.experiment, &body).await {
                Ok(()) => Taken::Yes,
                Err(error) if error.retry() == Retry::Never => Taken::No(error),
                Err(error) => Taken::Later(error, None),
            },
        }
    }
}

async fn keep(
    store: &dyn TraceStore,
    experiment: ExperimentId,
    body: &[u8],
) -> Result<(), StoreError> {
    let received = otlp::read(body, Encoding::Protobuf)
        .map_err(|error| StoreError::invalid(error.to_string()))?;
    store.log_spans(experiment, received.spans).await
}
