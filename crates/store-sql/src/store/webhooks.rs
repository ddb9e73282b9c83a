//! Webhooks and their deliveries: [`WebhookStore`].

use std::sync::Arc;

use async_trait::async_trait;
use runledger_entities::{Webhook, WebhookId, WebhookStatus};
use runledger_store::{
    Claimed, Delivery, DeliveryClaim, NewWebhook, Page, PageRequest, Settlement, StoreError,
    WebhookPatch, WebhookStore, WebhookTarget,
};
use tokio::sync::Notify;

use super::SqlStore;
use crate::{
    WebhookKey,
    connection::Connection,
    nouns::{
        deliveries::{self, Outbox},
        webhooks,
    },
};

/// What a store has for webhooks.
#[derive(Clone, Debug, Default)]
pub(super) struct Webhooks {
    /// What secrets are encrypted with.
    pub(super) key: Option<Arc<WebhookKey>>,
    /// Told when deliveries were added; absent where there is no table for them.
    pub(super) added: Option<Arc<Notify>>,
}

impl SqlStore {
    /// Runs a change of the registry in a transaction, and in the same the adding
    /// of its deliveries.
    pub(super) async fn change<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection, &mut Outbox) -> Result<T, StoreError> + Send + 'static,
    {
        let (is_open, now) = (self.webhooks.added.is_some(), self.now());
        let write = move |c: &mut Connection| {
            let mut outbox = Outbox::new(is_open, now);
            let value = change(c, &mut outbox)?;
            Ok((value, outbox.added()))
        };
        let (value, count) = self.executor.write(write).await?;
        if let Some(added) = &self.webhooks.added
            && count > 0
        {
            added.notify_one();
        }
        Ok(value)
    }

    /// Fails where deliveries could not be kept: a webhook would never be told.
    fn keeps_deliveries(&self) -> Result<(), StoreError> {
        if self.webhooks.added.is_some() || self.read_only {
            return Ok(());
        }
        Err(StoreError::Unavailable {
            reason: "the table of webhook deliveries could not be made, see the log of the server",
        })
    }
}

#[async_trait]
impl WebhookStore for SqlStore {
    async fn create_webhook(&self, new: NewWebhook) -> Result<Webhook, StoreError> {
        self.keeps_deliveries()?;
        let (key, now) = (self.webhooks.key.clone(), self.now());
        self.executor
            .write(move |c| webhooks::create(c, &new, key.as_deref(), now))
            .await
    }

    async fn get_webhook(&self, id: &WebhookId) -> Result<Webhook, StoreError> {
        let id = id.clone();
        self.executor.read(move |c| webhooks::get(c, &id)).await
    }

    async fn list_webhooks(&self, page: PageRequest) -> Result<Page<Webhook>, StoreError> {
        self.executor.read(move |c| webhooks::list(c, &page)).await
    }

    async fn update_webhook(
        &self,
        id: &WebhookId,
        patch: WebhookPatch,
    ) -> Result<Webhook, StoreError> {
        self.keeps_deliveries()?;
        let (id, key, now) = (id.clone(), self.webhooks.key.clone(), self.now());
        self.executor
            .write(move |c| {
                let webhook = webhooks::update(c, &id, &patch, key.as_deref(), now)?;
                if webhook.status == WebhookStatus::Disabled {
                    deliveries::forget_all(c, &id)?;
                }
                Ok(webhook)
            })
            .await
    }

    async fn delete_webhook(&self, id: &WebhookId) -> Result<(), StoreError> {
        let (id, now) = (id.clone(), self.now());
        let is_open = self.webhooks.added.is_some();
        self.executor
            .write(move |c| {
                webhooks::delete(c, &id, now)?;
                if is_open {
                    deliveries::forget_all(c, &id)?;
                }
                Ok(())
            })
            .await
    }

    async fn webhook_target(&self, id: &WebhookId) -> Result<WebhookTarget, StoreError> {
        let (id, key) = (id.clone(), self.webhooks.key.clone());
        self.executor
            .read(move |c| Ok(webhooks::target(c, &id, key.as_deref())?.0))
            .await
    }

    async fn claim_delivery(&self, claim: DeliveryClaim) -> Result<Claimed, StoreError> {
        if self.webhooks.added.is_none() {
            return Ok(Claimed::Nothing { next: None });
        }
        // Looking costs no write: most of the time there is nothing.
        let (except, now) = (claim.except.clone(), self.now());
        let next = self
            .executor
            .read(move |c| deliveries::next(c, &except, now))
            .await?;
        if next.is_none_or(|next| !next.is_zero()) {
            return Ok(Claimed::Nothing { next });
        }
        let (key, clock) = (self.webhooks.key.clone(), Arc::clone(&self.clock));
        // The lease begins when it is the turn of this write, for which it may have waited.
        self.executor
            .write(move |c| deliveries::claim(c, &claim, key.as_deref(), clock()))
            .await
    }

    async fn settle_delivery(
        &self,
        delivery: &Delivery,
        settlement: Settlement,
    ) -> Result<(), StoreError> {
        let (id, lease) = (delivery.delivery_id.clone(), delivery.lease.clone());
        let now = self.now();
        self.executor
            .write(move |c| deliveries::settle(c, &id, &lease, settlement, now))
            .await
    }

    async fn deliveries_added(&self) {
        match &self.webhooks.added {
            Some(added) => added.notified().await,
            None => std::future::pending().await,
        }
    }
}
