//! What a store gives to the suite: worlds to test in.

use std::{any::Any, error::Error, fmt, sync::Arc};

use async_trait::async_trait;
use runledger_entities::limits;
use runledger_store::{
    LoggedModelStore, ModelRegistryStore, PurgeStore, StoreError, TraceStore, TrackingStore,
    WebhookStore,
};

/// Makes worlds of one kind of store.
#[async_trait]
pub trait Fixture: Send + Sync + 'static {
    /// The kind of store, which marks its trials.
    fn name(&self) -> &str;

    /// A new world that holds nothing but the default experiment, and that no
    /// other world shares anything with: cases run at the same time.
    async fn fresh(&self) -> Result<World, Box<dyn Error + Send + Sync>>;

    /// Whether infinite metric values come back as infinities.
    ///
    /// MLflow's file store keeps them, its SQL store turns them into the
    /// largest and the smallest finite number.
    fn keeps_infinities(&self) -> bool {
        false
    }

    /// Whether the store keeps what MLflow's file store keeps otherwise than its
    /// SQL store: equal points of a metric are all kept, NaN is neither greater
    /// nor less than any value, and the default experiment cannot be deleted.
    fn is_of_files(&self) -> bool {
        false
    }

    /// Whether the store keeps webhooks; MLflow's file store does not.
    fn keeps_webhooks(&self) -> bool {
        true
    }

    /// Whether the store asks a tracking server, which checks what it is sent.
    ///
    /// The cases about removal for good are left out, which MLflow has no endpoint for, and
    /// those about webhooks, whose store hands out secrets and deliveries, which no server
    /// does. All others run. Keys are those that MLflow allows, filters those that its grammar
    /// can say in the length that is read, ids are not empty, and no run ends at the
    /// beginning of 1970, which MLflow's messages do not tell from one without an end;
    /// a model without a source run has an empty one. What a server does not tell is asked
    /// for where it is refused: the last number of a version, and a location of its files.
    fn is_behind_a_server(&self) -> bool {
        false
    }

    /// How many characters the name of an experiment may have.
    ///
    /// MLflow's column has 256; SQLite alone keeps what is longer.
    fn longest_experiment_name(&self) -> usize {
        limits::EXPERIMENT_NAME
    }
}

/// The stores of one case.
pub struct World {
    /// Experiments and runs.
    pub tracking: Arc<dyn TrackingStore>,
    /// Logged models, in the same database.
    pub models: Arc<dyn LoggedModelStore>,
    purge: Option<Arc<dyn PurgeStore>>,
    registry: Option<Arc<dyn ModelRegistryStore>>,
    traces: Option<Arc<dyn TraceStore>>,
    webhooks: Option<Arc<dyn WebhookStore>>,
    pub(crate) keeps_infinities: bool,
    pub(crate) is_of_files: bool,
    pub(crate) is_behind_a_server: bool,
    pub(crate) longest_experiment_name: usize,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl World {
    /// A world of these two, which are views of one database.
    pub fn new(tracking: Arc<dyn TrackingStore>, models: Arc<dyn LoggedModelStore>) -> Self {
        Self {
            tracking,
            models,
            purge: None,
            registry: None,
            traces: None,
            webhooks: None,
            keeps_infinities: false,
            is_of_files: false,
            is_behind_a_server: false,
            longest_experiment_name: limits::EXPERIMENT_NAME,
            guard: None,
        }
    }

    /// Removes for good with `purge`, a view of the same database. Without it the
    /// cases about removal fail.
    #[must_use]
    pub fn purging(mut self, purge: Arc<dyn PurgeStore>) -> Self {
        self.purge = Some(purge);
        self
    }

    /// Registers models in `registry`, a view of the same database. Without it the
    /// cases about the registry fail.
    #[must_use]
    pub fn registering(mut self, registry: Arc<dyn ModelRegistryStore>) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Keeps traces in `traces`, a view of the same database. Without it the cases
    /// about traces fail.
    #[must_use]
    pub fn tracing(mut self, traces: Arc<dyn TraceStore>) -> Self {
        self.traces = Some(traces);
        self
    }

    /// Keeps webhooks in `webhooks`, a view of the same database that has a key for
    /// their secrets. Without it the cases about webhooks fail.
    #[must_use]
    pub fn telling(mut self, webhooks: Arc<dyn WebhookStore>) -> Self {
        self.webhooks = Some(webhooks);
        self
    }

    /// The store of webhooks.
    pub(crate) fn webhooks(&self) -> Result<&dyn WebhookStore, StoreError> {
        self.webhooks.as_deref().ok_or(NO_WEBHOOKS)
    }

    /// The store of webhooks, for tasks of their own.
    pub(crate) fn shared_webhooks(&self) -> Result<Arc<dyn WebhookStore>, StoreError> {
        self.webhooks.clone().ok_or(NO_WEBHOOKS)
    }

    /// The store of traces.
    pub(crate) fn traces(&self) -> Result<&dyn TraceStore, StoreError> {
        self.traces.as_deref().ok_or(NO_TRACES)
    }

    /// The store of traces, for tasks of their own.
    pub(crate) fn shared_traces(&self) -> Result<Arc<dyn TraceStore>, StoreError> {
        self.traces.clone().ok_or(NO_TRACES)
    }

    /// The store of registered models.
    pub(crate) fn registry(&self) -> Result<&dyn ModelRegistryStore, StoreError> {
        self.registry.as_deref().ok_or(NO_REGISTRY)
    }

    /// The store of registered models, for tasks of their own.
    pub(crate) fn shared_registry(&self) -> Result<Arc<dyn ModelRegistryStore>, StoreError> {
        self.registry.clone().ok_or(NO_REGISTRY)
    }

    /// The store that removes for good.
    pub(crate) fn purge(&self) -> Result<&dyn PurgeStore, StoreError> {
        self.purge.as_deref().ok_or(StoreError::Unsupported {
            operation: "permanent removal",
            store: "this world",
        })
    }

    /// Keeps `guard`, such as a temporary folder, until the stores are dropped.
    #[must_use]
    pub fn holding(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

const NO_TRACES: StoreError = StoreError::Unsupported {
    operation: "traces",
    store: "this world",
};

const NO_WEBHOOKS: StoreError = StoreError::Unsupported {
    operation: "webhooks",
    store: "this world",
};

const NO_REGISTRY: StoreError = StoreError::Unsupported {
    operation: "the model registry",
    store: "this world",
};

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("tracking", &self.tracking)
            .field("models", &self.models)
            .finish_non_exhaustive()
    }
}
