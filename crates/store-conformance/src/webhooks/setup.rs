//! What cases of webhooks begin with.

use std::time::Duration;

use runledger_entities::{Webhook, WebhookEvent, WebhookId, WebhookStatus};
use runledger_store::{Claimed, Delivery, DeliveryClaim, NewWebhook, StoreError};

use crate::World;

/// The event of this name, such as `prompt.created`.
pub(super) fn event(name: &str) -> WebhookEvent {
    WebhookEvent::all()
        .find(|event| event.to_string() == name)
        .expect("an event of MLflow's")
}

/// A webhook that is told of these events.
pub(super) fn new_webhook(name: &str, events: &[&str]) -> NewWebhook {
    NewWebhook {
        name: name.to_owned(),
        description: None,
        url: format!("https://example.com/{name}"),
        events: WebhookEvent::sorted(events.iter().map(|name| event(name)).collect()),
        secret: None,
        status: WebhookStatus::Active,
    }
}

/// A webhook that is told of everything.
pub(super) fn of_everything(name: &str) -> NewWebhook {
    NewWebhook {
        events: WebhookEvent::sorted(WebhookEvent::all().collect()),
        ..new_webhook(name, &[])
    }
}

impl World {
    pub(super) async fn webhook(&self, new: NewWebhook) -> Result<Webhook, StoreError> {
        self.webhooks()?.create_webhook(new).await
    }

    /// Claims for a minute.
    pub(super) async fn claim(&self) -> Result<Claimed, StoreError> {
        self.claim_for(Duration::from_mins(1), &[]).await
    }

    pub(super) async fn claim_for(
        &self,
        lease: Duration,
        except: &[WebhookId],
    ) -> Result<Claimed, StoreError> {
        let except = except.to_vec();
        let claim = DeliveryClaim { lease, except };
        self.webhooks()?.claim_delivery(claim).await
    }

    /// Claims a delivery that is there.
    pub(super) async fn claimed(&self) -> Result<Delivery, StoreError> {
        match self.claim().await? {
            Claimed::Delivery(delivery) => Ok(*delivery),
            Claimed::Nothing { next } => panic!("nothing is due, the next in {next:?}"),
        }
    }

    /// Claims all that is due: what each is about, in the order of the claims.
    pub(super) async fn told(&self) -> Result<Vec<String>, StoreError> {
        let mut told = Vec::new();
        while let Claimed::Delivery(delivery) = self.claim().await? {
            told.push(delivery.event.clone());
        }
        Ok(told)
    }

    /// Asserts that no delivery waits, not even for later.
    pub(super) async fn assert_nothing_waits(&self) -> Result<(), StoreError> {
        assert_eq!(self.claim().await?, Claimed::Nothing { next: None });
        Ok(())
    }
}
