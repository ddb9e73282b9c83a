//! What every request shares: the stores, the artifacts, the bounds.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use runledger_artifacts::{ArtifactRepository, ArtifactRoots, HostPolicy};
use runledger_entities::{ErrorCode, LongValues};
use runledger_protocol::Endpoint;
use runledger_store::{LoggedModelStore, ModelRegistryStore, StoreKind, TraceStore, TrackingStore};
use tokio::sync::Semaphore;

use crate::{
    admission::{Admission, BodyBudget},
    artifact_routes::modes,
    failure::Failure,
    handlers::server::{no_spans, no_webhooks, not_here},
    options::Limits,
    webhooks::Webhooks,
};

/// The state of a server.
#[derive(Debug)]
pub(crate) struct App {
    /// Absent where the server serves artifacts only.
    tracking: Option<Tracking>,
    pub(crate) artifacts: ArtifactRoots,
    read_only: bool,
    pub(crate) limits: Limits,
    pub(crate) requests: Admission,
    pub(crate) artifact_requests: Admission,
    pub(crate) bodies: BodyBudget,
    /// What every path begins with.
    pub(crate) static_prefix: String,
    /// The description of the API, made when it is asked for.
    pub(crate) description: OnceLock<Bytes>,
}

/// What the handlers of experiments, runs and logged models work on.
#[derive(Clone, Debug)]
pub(crate) struct Tracking {
    pub(crate) store: Arc<dyn TrackingStore>,
    pub(crate) models: Arc<dyn LoggedModelStore>,
    pub(crate) long_values: LongValues,
    pub(crate) hosts: Arc<HostPolicy>,
    /// Absent where the store keeps no registered models.
    pub(crate) registry: Option<Arc<dyn ModelRegistryStore>>,
    /// Absent where the store keeps no webhooks.
    pub(crate) webhooks: Option<Webhooks>,
    /// Absent where the store keeps no traces.
    pub(crate) traces: Option<Arc<dyn TraceStore>>,
    /// Who may wait for spans that are still on their way: each holds a place among the requests.
    pub(crate) waiting: Arc<Semaphore>,
}

/// What the handlers of traces work on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traces<'a> {
    pub(crate) store: &'a dyn TraceStore,
    pub(crate) tracking: &'a Tracking,
}

/// What the handlers of registered models and their versions work on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registry<'a> {
    pub(crate) store: &'a dyn ModelRegistryStore,
    /// Where the runs and logged models are that versions are made of.
    pub(crate) tracking: &'a Tracking,
}

impl App {
    pub(crate) fn new(
        tracking: Option<Tracking>,
        artifacts: ArtifactRoots,
        limits: Limits,
        read_only: bool,
        static_prefix: &str,
    ) -> Self {
        Self {
            tracking,
            artifacts,
            read_only,
            requests: Admission::new(limits.requests, limits.queue),
            artifact_requests: Admission::new(limits.artifact_requests, limits.queue),
            bodies: BodyBudget::new(limits.all_bodies_bytes),
            limits,
            static_prefix: static_prefix.to_owned(),
            description: OnceLock::new(),
        }
    }

    /// Refuses what a server that is read-only does not do.
    pub(crate) fn permit(&self, endpoint: Endpoint) -> Result<(), Failure> {
        if self.read_only && endpoint.permission().writes() {
            return Err(Failure::new(
                ErrorCode::PermissionDenied,
                "This server only reads: it was started with `--read-only`. Nothing was changed.",
            ));
        }
        Ok(())
    }

    /// The stores, or the answer of a server that has none.
    pub(crate) fn tracking(&self, endpoint: Endpoint) -> Result<&Tracking, Failure> {
        self.tracking
            .as_ref()
            .ok_or_else(|| Failure::of_response(modes::artifacts_only(endpoint.template())))
    }

    /// The registry, or the answer of a server that has none.
    pub(crate) fn registry(&self, endpoint: Endpoint) -> Result<Registry<'_>, Failure> {
        let tracking = self.tracking(endpoint)?;
        match &tracking.registry {
            Some(store) => Ok(Registry {
                store: &**store,
                tracking,
            }),
            None => Err(not_here(endpoint)),
        }
    }

    /// The webhooks, or the answer of a server that keeps none.
    pub(crate) fn webhooks(&self, endpoint: Endpoint) -> Result<&Webhooks, Failure> {
        let Registry { tracking, .. } = self.registry(endpoint)?;
        tracking.webhooks.as_ref().ok_or_else(no_webhooks)
    }

    /// The traces, or the answer of a server that keeps none.
    pub(crate) fn traces(&self, endpoint: Endpoint) -> Result<Traces<'_>, Failure> {
        let tracking = self.tracking(endpoint)?;
        match &tracking.traces {
            Some(store) => Ok(Traces {
                store: &**store,
                tracking,
            }),
            None if endpoint == Endpoint::ExportSpans => Err(no_spans()),
            None => Err(not_here(endpoint)),
        }
    }

    /// Whether there are traces.
    pub(crate) fn has_traces(&self) -> bool {
        let tracking = self.tracking.as_ref();
        tracking.is_some_and(|tracking| tracking.traces.is_some())
    }

    /// Whether there is a registry.
    pub(crate) fn has_registry(&self) -> bool {
        let tracking = self.tracking.as_ref();
        tracking.is_some_and(|tracking| tracking.registry.is_some())
    }

    /// Whether there are webhooks.
    pub(crate) fn has_webhooks(&self) -> bool {
        let tracking = self.tracking.as_ref();
        tracking.is_some_and(|tracking| tracking.registry.is_some() && tracking.webhooks.is_some())
    }

    /// Whether there are stores.
    pub(crate) fn has_tracking(&self) -> bool {
        self.tracking.is_some()
    }

    /// The kind of the tracking store, if there is one.
    pub(crate) fn store_kind(&self) -> Option<StoreKind> {
        self.tracking.as_ref().map(|tracking| tracking.store.kind())
    }

    /// The destination of the artifact proxy, or the answer of a server that
    /// has none.
    pub(crate) fn proxied(
        &self,
        endpoint: Endpoint,
    ) -> Result<&Arc<dyn ArtifactRepository>, Failure> {
        self.artifacts
            .proxied()
            .ok_or_else(|| Failure::of_response(modes::serving_disabled(endpoint.template())))
    }
}
