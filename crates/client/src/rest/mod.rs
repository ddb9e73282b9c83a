//! The tracking store behind a tracking server's REST API: ours, or MLflow 2.x and
//! 3.x.
//!
//! `options` is what the environment says, `server` an address with its
//! credentials, `call` one call with its retries, `refusal` what an answer that is
//! none becomes, `answers` and `requests` the two directions of JSON, and
//! `tracking`, `models`, `registry` and `traces` the methods; `trace_calls`, `spans`,
//! `trace_metrics` and `traces_v2` belong to the last. What a run's guard does with
//! a call that may have arrived is left to the crate's queue.

mod answers;
mod bare;
mod call;
mod gather;
mod look;
mod models;
mod options;
pub mod read;
mod refusal;
mod registry;
mod requests;
mod server;
mod sources;
mod spans;
mod trace_calls;
mod trace_metrics;
mod traces;
mod traces_v2;
mod tracking;

use std::fmt;
use std::sync::Arc;
use std::sync::OnceLock;

use runledger_artifacts::http_client::HttpClient;
use runledger_entities::ErrorCode;
use runledger_protocol::Endpoint;
use runledger_store::{StoreError, StoreKind};
use serde_json::Value;

pub use look::{Account, ServerLook};
pub use options::{InvalidOption, RestOptions};
pub use server::InvalidServer;
pub(crate) use server::shown as shown_address;
pub(crate) use spans::Taken;

pub(crate) use answers::metric as metric_from_json;
pub(crate) use call::random;
use call::{Call, body};
pub(crate) use requests::{metric as metric_to_json, param as param_to_json, tag as tag_to_json};
use server::Server;

/// The store of a tracking server, over its REST API.
///
/// Clones share their connections. A call that got no answer, or one of the
/// statuses 408, 429, 500, 502, 503 and 504, is repeated as [`RestOptions`] says,
/// unless it may have had an effect that a second one would double: a run whose
/// creation got no answer, or one of these statuses but 429, is not created again, and a
/// batch of metrics is not sent again to a server on a folder, which would keep its points
/// twice.
///
/// What REST cannot do, and what becomes of it:
///
/// - [`kind`](runledger_store::TrackingStore::kind) is not asked for: it is what
///   [`RestStore::learn_kind`] found out, a database before that.
/// - A batch that is larger than the API's limits is refused by the server
///   (MLflow's `log-batch`): nothing can be logged in two requests and still be all
///   or nothing.
/// - Logged models need a server of MLflow 3. That one was deleted is told by its not
///   being there: every model that is read counts as active.
/// - A registry keeps empty descriptions and links where none are told, so that both are
///   read as none. Where the files of a version are is found out by the server: a storage
///   location that is not the source is refused, and none is read. The last number that a
///   deleted version had is not told: `last_model_version` is unsupported.
/// - Traces need a server of MLflow 3 with a database, but for their beginning, their end,
///   tags, deletion and searches, which MLflow 2.14 has. Metadata and tags of traces come
///   cut, as MLflow shows them: 250 and 4,096 characters. Spans are sent by OpenTelemetry's
///   protocol, which knows their content and their resource, and ids of its own form alone;
///   they are read one trace after the other. Counts of traces are of one moment each, and
///   of at most three filters.
/// - Filters without a spelling (see `runledger_search`), such as one of a key
///   with a backtick, are refused before they are sent.
/// - A server that is older than a method answers with `ENDPOINT_NOT_FOUND`.
///
/// Errors are the typed ones of [`StoreError`] where the server's words are those
/// of ours, and [`StoreError::Answered`] with MLflow's code otherwise.
///
/// ```no_run
/// use runledger::{RestOptions, RestStore};
/// use runledger::store::TrackingStore;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let store = RestStore::new("http://localhost:5000", RestOptions::from_env()?)?;
/// let experiment = store.get_experiment_by_name("Default").await?;
/// println!("{}", experiment.artifact_location);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RestStore {
    server: Arc<Server>,
    http: HttpClient,
    options: Arc<RestOptions>,
    kind: Arc<OnceLock<Option<StoreKind>>>,
}

impl fmt::Debug for RestStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RestStore").field(&self.server).finish()
    }
}

impl RestStore {
    /// The store of the server at this address: `http(s)://host[:port][/prefix]`. A
    /// user and a password in it are sent, and go before those of the options.
    ///
    /// Nothing is asked of the server yet.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::{InvalidServer, RestOptions, RestStore};
    ///
    /// let store = RestStore::new("https://example.org:5000/ml/", RestOptions::default())?;
    /// assert_eq!(store.address(), "https://example.org:5000/ml");
    /// let refused = RestStore::new("example.org", RestOptions::default());
    /// assert!(matches!(refused, Err(InvalidServer::Address { .. })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`InvalidServer`] if it is no such address, or certificates cannot be read.
    pub fn new(address: &str, options: RestOptions) -> Result<Self, InvalidServer> {
        let server = Server::parse(address, &options)?;
        let http = HttpClient::new(&options.tls()).map_err(InvalidServer::Certificates)?;
        Ok(Self {
            server: Arc::new(server),
            http: http.with_answer_time(options.timeout),
            options: Arc::new(options.bounded()),
            kind: Arc::default(),
        })
    }

    /// The same, which repeats nothing.
    pub(crate) fn asking_once(&self) -> Self {
        let options = RestOptions {
            max_retries: 0,
            ..RestOptions::clone(&self.options)
        };
        Self {
            options: Arc::new(options),
            ..self.clone()
        }
    }

    /// The server's address, without a password.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::{RestOptions, RestStore};
    ///
    /// let store = RestStore::new("http://ada:secret@localhost:5000", RestOptions::default())?;
    /// assert_eq!(store.address(), "http://localhost:5000");
    /// # Ok(())
    /// # }
    /// ```
    pub fn address(&self) -> &str {
        self.server.base()
    }

    /// Asks the server once what it keeps its runs in (`server-info`), and remembers
    /// it. Servers older than MLflow 3 do not say it, nor do those that refuse: `None`.
    ///
    /// ```no_run
    /// # async fn example(store: runledger::RestStore) -> Result<(), Box<dyn std::error::Error>> {
    /// use runledger::store::{StoreKind, TrackingStore};
    ///
    /// match store.learn_kind().await? {
    ///     Some(StoreKind::Sql) => println!("it has a database"),
    ///     Some(StoreKind::File) => println!("it has a folder"),
    ///     None => println!("it does not say, and counts as {:?}", store.kind()),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`StoreError`] if the server does not answer.
    pub async fn learn_kind(&self) -> Result<Option<StoreKind>, StoreError> {
        if let Some(kind) = self.kind.get() {
            return Ok(*kind);
        }
        let info = match self.get(Endpoint::ServerInfo, &[]).await {
            Ok(info) => info,
            Err(error) if is_refused(&error) => Value::Null,
            Err(error) => return Err(error),
        };
        let kind = match info["store_type"].as_str() {
            Some("FileStore") => Some(StoreKind::File),
            Some("SqlStore") => Some(StoreKind::Sql),
            _ => None,
        };
        Ok(*self.kind.get_or_init(|| kind))
    }

    /// Whether a batch of metrics can be sent again without doubling points that
    /// arrived the first time.
    ///
    /// A database keeps points that are equal in all their fields once, MLflow's as
    /// ours. A folder keeps all of them, and so may a server that does not say what
    /// it has.
    pub(crate) async fn drops_equal_points(&self) -> Result<bool, StoreError> {
        Ok(self.learn_kind().await? == Some(StoreKind::Sql))
    }

    /// Asks for something.
    async fn get(&self, endpoint: Endpoint, query: &[(&str, &str)]) -> Result<Value, StoreError> {
        self.call(Call::of(endpoint).asking(query)).await
    }

    /// Changes or searches something; again and again makes no difference.
    async fn post(&self, endpoint: Endpoint, message: &Value) -> Result<Value, StoreError> {
        self.call(Call::of(endpoint).with(&body(message))).await
    }

    /// Does something that a repetition would do a second time.
    async fn post_once(&self, endpoint: Endpoint, message: &Value) -> Result<Value, StoreError> {
        self.call(Call::of(endpoint).with(&body(message)).once())
            .await
    }
}

/// Whether a server, or what stands before it, does not answer a question, and will not.
fn is_refused(error: &StoreError) -> bool {
    let StoreError::Answered { code, .. } = error else {
        return false;
    };
    let is_the_callers = code.http_status() < 500 && *code != ErrorCode::RequestLimitExceeded;
    is_the_callers || *code == ErrorCode::NotImplemented
}
