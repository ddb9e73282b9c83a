//! Putting a server together.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use axum::{Router, middleware};
use runledger_artifacts::{ArtifactRoots, HostPolicy};
use runledger_entities::LongValues;
use runledger_store::{
    LoggedModelStore, ModelRegistryStore, TraceStore, TrackingStore, WebhookStore,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};

use crate::{
    InvalidSecurityConfig, SecurityConfig, ServeError, WebhookOptions,
    app::{App, Tracking},
    assets, drain, listen,
    options::{Asset, Limits},
    router,
    security::{self, Security},
    ui_folder,
    webhooks::{Client, Deliverer, Webhooks},
};

/// How many requests may wait for spans that are still on their way.
const WAITING: usize = 32;

/// A server, ready to serve.
#[derive(Clone, Debug)]
pub struct Server {
    router: Router,
    write_idle_time: Duration,
    /// Absent where there are no webhooks, or nothing may change.
    deliverer: Option<Deliverer>,
}

impl Server {
    /// Begins a server. Without a store it serves artifacts only; without
    /// artifacts it serves none.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    /// The routes, to be served in another way or inside of another service.
    /// Without [`Server::serve`] nothing is delivered to webhooks.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// Serves on `listener` until `shutdown` is done, and then finishes what
    /// was accepted. Meanwhile it delivers to webhooks; what is not delivered by
    /// then waits in the store.
    ///
    /// # Errors
    /// [`ServeError`] if some requests had to be cut off at the end.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), ServeError> {
        let (stop, stopped) = watch::channel(false);
        let delivering = self
            .deliverer
            .map(|deliverer| tokio::spawn(deliverer.run(stopped)));
        let shutdown = async {
            shutdown.await;
            stop.send_replace(true);
        };
        let served = listen::serve(listener, self.router, self.write_idle_time, shutdown).await;
        stop.send_replace(true);
        if let Some(delivering) = delivering
            && let Err(error) = delivering.await
        {
            tracing::error!(%error, "delivering to webhooks ended by itself");
        }
        served
    }
}

/// Why a server cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The static prefix is not of the form `/x`.
    #[error(
        "'{prefix}' is no static prefix: it begins with '/', does not end with one, and has neither spaces nor braces"
    )]
    StaticPrefix {
        /// The prefix.
        prefix: String,
    },
    /// An asset cannot be served as it says.
    #[error("the asset '{path}' has a media type, tag or policy that no header can carry")]
    Asset {
        /// Its path.
        path: &'static str,
    },
    /// The security settings are wrong.
    #[error(transparent)]
    Security(#[from] InvalidSecurityConfig),
}

/// Puts a [`Server`] together.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct ServerBuilder {
    stores: Option<(Arc<dyn TrackingStore>, Arc<dyn LoggedModelStore>)>,
    registry: Option<Arc<dyn ModelRegistryStore>>,
    traces: Option<Arc<dyn TraceStore>>,
    webhooks: Option<Arc<dyn WebhookStore>>,
    webhook_options: WebhookOptions,
    artifacts: ArtifactRoots,
    artifact_hosts: HostPolicy,
    static_prefix: String,
    security: SecurityConfig,
    long_values: LongValues,
    limits: Limits,
    assets: &'static [Asset],
    ui_folder: Option<PathBuf>,
    read_only: bool,
}

impl ServerBuilder {
    /// The store of experiments, runs and logged models.
    pub fn store<S: TrackingStore + LoggedModelStore>(self, store: Arc<S>) -> Self {
        let tracking: Arc<dyn TrackingStore> = Arc::<S>::clone(&store);
        self.stores(tracking, store)
    }

    /// The stores of experiments and runs, and of logged models, apart.
    pub fn stores(
        mut self,
        tracking: Arc<dyn TrackingStore>,
        logged_models: Arc<dyn LoggedModelStore>,
    ) -> Self {
        self.stores = Some((tracking, logged_models));
        self
    }

    /// The store of registered models and their versions. Without it they are "not
    /// on this server", as they are without the stores above.
    pub fn registry(mut self, registry: Arc<dyn ModelRegistryStore>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// The store of traces. Without it they are "not on this server", as they are
    /// without the stores above, and spans are refused with words upon which
    /// MLflow's clients keep them as artifacts.
    pub fn traces(mut self, traces: Arc<dyn TraceStore>) -> Self {
        self.traces = Some(traces);
        self
    }

    /// The store of webhooks, in the database of the registry. Without it they are
    /// "not implemented", and nobody is told of changes.
    pub fn webhooks(mut self, webhooks: Arc<dyn WebhookStore>) -> Self {
        self.webhooks = Some(webhooks);
        self
    }

    /// How webhooks are told, and where they may be.
    pub fn webhook_options(mut self, options: WebhookOptions) -> Self {
        self.webhook_options = options;
        self
    }

    /// Where artifacts are. Nothing outside of these roots is ever opened.
    pub fn artifacts(mut self, roots: ArtifactRoots) -> Self {
        self.artifacts = roots;
        self
    }

    /// Which hosts the artifact locations of new experiments may name: by
    /// default none, so that only locations without a host are taken.
    pub fn artifact_hosts(mut self, policy: HostPolicy) -> Self {
        self.artifact_hosts = policy;
        self
    }

    /// What every path begins with: empty, or `/x` (`--static-prefix`).
    pub fn static_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.static_prefix = prefix.into();
        self
    }

    /// Which hosts and origins are served.
    pub fn security(mut self, config: SecurityConfig) -> Self {
        self.security = config;
        self
    }

    /// What happens to over-long params and tags (`MLFLOW_TRUNCATE_LONG_VALUES`).
    pub fn long_values(mut self, rule: LongValues) -> Self {
        self.long_values = rule;
        self
    }

    /// Bounds on what the server takes on.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Whether every request that would change something is refused
    /// (`--read-only`): experiments, runs and models as well as artifacts.
    ///
    /// The answer is 403 with `PERMISSION_DENIED`; the endpoint's
    /// [`Permission`](runledger_protocol::Permission) says what changes
    /// something, so that no store is asked.
    pub fn read_only(mut self, read_only: bool) -> Self {
        self.read_only = read_only;
        self
    }

    /// The web UI.
    pub fn assets(mut self, assets: &'static [Asset]) -> Self {
        self.assets = assets;
        self
    }

    /// A folder with a web UI, in the place of the assets: `index.html` at `/`,
    /// and all of its files below `/static-files/`.
    pub fn ui_folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.ui_folder = Some(folder.into());
        self
    }

    /// Builds the server.
    ///
    /// # Errors
    /// [`BuildError`] if a setting is wrong.
    pub fn build(self) -> Result<Server, BuildError> {
        let prefix = self.static_prefix;
        check_prefix(&prefix)?;
        let security = Security::new(&self.security, &prefix)?;
        let client = Arc::new(Client::new(self.webhook_options));
        let webhooks = self.webhooks.map(|store| Webhooks { store, client });
        let deliverer = webhooks
            .clone()
            .filter(|_| !self.read_only)
            .map(Deliverer::new);
        let tracking = self.stores.map(|(store, models)| Tracking {
            store,
            models,
            long_values: self.long_values,
            hosts: Arc::new(self.artifact_hosts),
            registry: self.registry,
            webhooks,
            traces: self.traces,
            waiting: Arc::new(Semaphore::new(WAITING)),
        });
        let write_idle_time = self.limits.write_idle_time;
        let ui = match &self.ui_folder {
            Some(folder) => ui_folder::routes(&prefix, folder),
            None => assets::routes(&prefix, self.assets)?,
        };
        let app = Arc::new(App::new(
            tracking,
            self.artifacts,
            self.limits,
            self.read_only,
            &prefix,
        ));
        let routes = router::routes(&app, &prefix).merge(ui);
        let guard = middleware::from_fn_with_state(Arc::new(security), security::guard);
        Ok(Server {
            router: router::with_fallbacks(routes, &prefix)
                .layer(guard)
                .layer(middleware::from_fn(drain::drain)),
            write_idle_time,
            deliverer,
        })
    }
}

fn check_prefix(prefix: &str) -> Result<(), BuildError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    let good = prefix.is_empty()
        || prefix.starts_with('/')
            && !prefix.ends_with('/')
            && !prefix.contains("//")
            && prefix.chars().all(plain);
    if good {
        return Ok(());
    }
    Err(BuildError::StaticPrefix {
        prefix: prefix.to_owned(),
    })
}
