//! Webhooks, and the deliveries that wait to be sent to them.
//!
//! What a webhook is told, and in which words, is in `payload`. Sending is left
//! to the server.

mod payload;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use runledger_entities::{Webhook, WebhookEvent, WebhookId, WebhookStatus};

use crate::{Page, PageRequest, StoreError};

pub use payload::{RegistryChange, delivery_body, example_data};

/// A secret that deliveries are signed with. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookSecret(String);

impl WebhookSecret {
    /// A secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(…)")
    }
}

/// A webhook to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWebhook {
    /// The name.
    pub name: String,
    /// Free text.
    pub description: Option<String>,
    /// Where deliveries go.
    pub url: String,
    /// What it is told of: ordered, at least one, each once.
    pub events: Vec<WebhookEvent>,
    /// What its deliveries are signed with.
    pub secret: Option<WebhookSecret>,
    /// Whether it is told of anything.
    pub status: WebhookStatus,
}

/// A change of a webhook: what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebhookPatch {
    /// The new name.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new URL.
    pub url: Option<String>,
    /// What it is told of from now on: ordered, at least one, each once.
    pub events: Option<Vec<WebhookEvent>>,
    /// The new secret; an empty one takes it away.
    pub secret: Option<WebhookSecret>,
    /// Whether it is told of anything.
    pub status: Option<WebhookStatus>,
}

/// What a delivery is signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// Nothing: the webhook has no secret.
    Unsigned,
    /// Its secret.
    Secret(WebhookSecret),
    /// It has a secret that cannot be read. Nothing may be sent without its
    /// signature.
    Unreadable {
        /// Why, without the secret.
        reason: &'static str,
    },
}

/// Where something is sent to. The URL may hold a password, and is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookTarget {
    /// The webhook.
    pub webhook_id: WebhookId,
    /// Its URL.
    pub url: String,
    /// What is signed with.
    pub signing: Signing,
}

impl fmt::Debug for WebhookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookTarget")
            .field("webhook_id", &self.webhook_id)
            .field("signing", &self.signing)
            .finish_non_exhaustive()
    }
}

/// Something to be sent to a webhook, claimed by who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id, the same at each attempt.
    pub delivery_id: String,
    /// Where to.
    pub target: WebhookTarget,
    /// What happened, for example `registered_model.created`: a text, since a newer server
    /// may have added an event that this one does not know.
    pub event: String,
    /// What is sent: the whole body.
    pub body: String,
    /// How long ago it happened.
    pub age: Duration,
    /// How often it was claimed, this time included.
    pub attempts: u32,
    /// What shows that it is claimed by the caller.
    pub lease: String,
}

/// What may be claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryClaim {
    /// For how long nobody else can claim it.
    pub lease: Duration,
    /// Webhooks whose deliveries have to wait.
    pub except: Vec<WebhookId>,
}

/// What there was to claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claimed {
    /// A delivery.
    Delivery(Box<Delivery>),
    /// Nothing now.
    Nothing {
        /// When the next is due, of those that may be claimed; absent if there
        /// is none.
        next: Option<Duration>,
    },
}

/// What becomes of a delivery after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It arrived, or is given up: it is forgotten.
    Forget,
    /// It is due again after this time.
    Retry {
        /// How long from now.
        after: Duration,
    },
    /// The attempt was cut off, and may have arrived: it is due at once, as if it had not been
    /// claimed.
    Release,
}

/// A store of webhooks, and of the deliveries that wait.
///
/// A change of the registry that webhooks are told of adds a delivery for each
/// active webhook with its event, in the transaction of the change: a change that
/// was acknowledged has its deliveries, a change that failed has none.
///
/// Names, URLs, events and secrets are checked by the caller
/// (`runledger_entities::validate`).
///
/// Several servers on one database must agree on the time to within what a lease is longer than
/// an attempt.
///
/// # Errors
/// Of every method: [`StoreError::NotFound`] of
/// [`Resource::Webhook`](crate::Resource::Webhook) where a webhook is not there, or was deleted;
/// [`StoreError::Unavailable`] where the database cannot be asked, and of
/// [`create_webhook`](Self::create_webhook) and [`update_webhook`](Self::update_webhook) where it
/// cannot keep deliveries; [`StoreError::ReadOnly`] of all that changes something in a store that
/// is only read.
#[async_trait]
pub trait WebhookStore: fmt::Debug + Send + Sync + 'static {
    /// Creates a webhook.
    ///
    /// # Errors
    /// [`StoreError::InvalidArgument`] if it has a secret, and the store has no
    /// key to encrypt it with.
    async fn create_webhook(&self, new: NewWebhook) -> Result<Webhook, StoreError>;

    /// A webhook.
    async fn get_webhook(&self, id: &WebhookId) -> Result<Webhook, StoreError>;

    /// A page of webhooks, the newest first.
    async fn list_webhooks(&self, page: PageRequest) -> Result<Page<Webhook>, StoreError>;

    /// Changes a webhook, and sets the time of its update. What waits for one that is then
    /// disabled is forgotten.
    ///
    /// # Errors
    /// As [`Self::create_webhook`].
    async fn update_webhook(
        &self,
        id: &WebhookId,
        patch: WebhookPatch,
    ) -> Result<Webhook, StoreError>;

    /// Deletes a webhook, with the deliveries that wait for it.
    async fn delete_webhook(&self, id: &WebhookId) -> Result<(), StoreError>;

    /// Where a webhook's deliveries go.
    async fn webhook_target(&self, id: &WebhookId) -> Result<WebhookTarget, StoreError>;

    /// Claims the delivery that is due for the longest.
    ///
    /// Of any number of callers, on any number of servers, one gets it; when the
    /// lease has run out it is due again. Deliveries that are due for a webhook
    /// that another program deleted or disabled are forgotten.
    async fn claim_delivery(&self, claim: DeliveryClaim) -> Result<Claimed, StoreError>;

    /// Says what becomes of a delivery. Without effect if the lease has run out
    /// and somebody else has claimed it.
    async fn settle_delivery(
        &self,
        delivery: &Delivery,
        settlement: Settlement,
    ) -> Result<(), StoreError>;

    /// Waits until deliveries were added through this store since the last call
    /// returned.
    async fn deliveries_added(&self);
}
