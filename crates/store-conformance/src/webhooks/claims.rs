//! Deliveries are claimed by one at a time, and settled by whoever claimed them.

use std::time::Duration;

use runledger_entities::{Webhook, WebhookId, WebhookStatus};
use runledger_store::{
    Claimed, DeliveryClaim, NewRegisteredModel, NewWebhook, Settlement, Signing, StoreError,
    WebhookPatch, WebhookSecret,
};

use super::setup::new_webhook;
use crate::{
    World,
    case::{Outcome, cases},
};

cases![
    a_claimed_delivery_is_not_claimed_again,
    of_many_callers_one_gets_a_delivery,
    a_lease_runs_out,
    who_lost_the_lease_settles_nothing,
    a_forgotten_delivery_is_gone,
    a_retry_waits_for_its_time,
    a_release_does_not_count,
    deliveries_go_out_in_the_order_of_their_changes,
    webhooks_that_are_busy_are_left_out,
    what_waits_for_a_deleted_webhook_is_forgotten,
    what_waits_for_a_disabled_webhook_is_forgotten,
    a_delivery_goes_where_its_webhook_points_now,
];

const HOUR: Duration = Duration::from_hours(1);

async fn hook(w: &World, name: &str) -> Result<Webhook, StoreError> {
    w.webhook(new_webhook(name, &["registered_model.created"]))
        .await
}

/// Adds a delivery for each webhook.
async fn tell(w: &World, name: &str) -> Outcome {
    let new = NewRegisteredModel {
        name: name.to_owned(),
        ..NewRegisteredModel::default()
    };
    w.registry()?.create_registered_model(new).await?;
    Ok(())
}

/// How long it is until the next delivery.
async fn waits(w: &World) -> Result<Option<Duration>, StoreError> {
    match w.claim().await? {
        Claimed::Nothing { next } => Ok(next),
        Claimed::Delivery(delivery) => panic!("nothing is due, but {delivery:?}"),
    }
}

async fn a_claimed_delivery_is_not_claimed_again(w: &World) -> Outcome {
    hook(w, "w").await?;
    tell(w, "m").await?;
    let delivery = w.claimed().await?;
    assert_eq!(delivery.attempts, 1);
    let next = waits(w).await?.expect("it is due when the lease is over");
    assert!(next > Duration::from_secs(30) && next <= Duration::from_mins(1));
    Ok(())
}

async fn of_many_callers_one_gets_a_delivery(w: &World) -> Outcome {
    const DELIVERIES: usize = 12;

    hook(w, "w").await?;
    for number in 0..DELIVERIES {
        tell(w, &format!("m{number}")).await?;
    }
    let mut callers = Vec::new();
    for _ in 0..6 {
        let store = w.shared_webhooks()?;
        callers.push(tokio::spawn(async move {
            let mut claimed = Vec::new();
            loop {
                let claim = DeliveryClaim {
                    lease: HOUR,
                    except: Vec::new(),
                };
                match store.claim_delivery(claim).await {
                    Ok(Claimed::Delivery(delivery)) => claimed.push(delivery.delivery_id),
                    // What others are just claiming is left out, and looked at again.
                    Ok(Claimed::Nothing { next }) if next == Some(Duration::ZERO) => {}
                    Ok(Claimed::Nothing { .. }) => return Ok(claimed),
                    Err(StoreError::Unavailable { .. }) => {}
                    Err(error) => return Err(error),
                }
            }
        }));
    }
    let mut claimed = Vec::new();
    for caller in callers {
        claimed.extend(caller.await??);
    }
    claimed.sort();
    let all = claimed.len();
    claimed.dedup();
    assert_eq!((claimed.len(), all), (DELIVERIES, DELIVERIES));
    Ok(())
}

async fn a_lease_runs_out(w: &World) -> Outcome {
    hook(w, "w").await?;
    tell(w, "m").await?;
    let Claimed::Delivery(first) = w.claim_for(Duration::ZERO, &[]).await? else {
        panic!("a delivery is due");
    };
    let second = w.claimed().await?;
    assert_eq!(second.delivery_id, first.delivery_id);
    assert_eq!(second.body, first.body);
    assert_eq!(second.attempts, 2);
    assert_ne!(second.lease, first.lease);
    Ok(())
}

async fn who_lost_the_lease_settles_nothing(w: &World) -> Outcome {
    hook(w, "w").await?;
    tell(w, "m").await?;
    let Claimed::Delivery(first) = w.claim_for(Duration::ZERO, &[]).await? else {
        panic!("a delivery is due");
    };
    let second = w.claimed().await?;
    let store = w.webhooks()?;
    store.settle_delivery(&first, Settlement::Forget).await?;
    store.settle_delivery(&first, Settlement::Release).await?;
    assert!(waits(w).await?.is_some(), "the second one holds it");
    store.settle_delivery(&second, Settlement::Forget).await?;
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn a_forgotten_delivery_is_gone(w: &World) -> Outcome {
    hook(w, "w").await?;
    tell(w, "m").await?;
    let delivery = w.claimed().await?;
    let store = w.webhooks()?;
    store.settle_delivery(&delivery, Settlement::Forget).await?;
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn a_retry_waits_for_its_time(w: &World) -> Outcome {
    hook(w, "w").await?;
    tell(w, "m").await?;
    let delivery = w.claimed().await?;
    let store = w.webhooks()?;
    let retry = |after| Settlement::Retry { after };
    store.settle_delivery(&delivery, retry(HOUR)).await?;
    let next = waits(w).await?.expect("it waits");
    assert!(next > HOUR / 2 && next <= HOUR, "{next:?}");
    Ok(())
}

async fn a_release_does_not_count(w: &World) -> Outcome {
    hook(w, "w").await?;
    tell(w, "m").await?;
    let store = w.webhooks()?;
    let delivery = w.claimed().await?;
    store
        .settle_delivery(&delivery, Settlement::Release)
        .await?;
    let delivery = w.claimed().await?;
    assert_eq!(delivery.attempts, 1);
    let now = Settlement::Retry {
        after: Duration::ZERO,
    };
    store.settle_delivery(&delivery, now).await?;
    assert_eq!(w.claimed().await?.attempts, 2);
    Ok(())
}

async fn deliveries_go_out_in_the_order_of_their_changes(w: &World) -> Outcome {
    hook(w, "w").await?;
    let names: Vec<String> = (0..5).map(|number| format!("m{number}")).collect();
    for name in &names {
        tell(w, name).await?;
    }
    for name in &names {
        let body = w.claimed().await?.body;
        assert!(body.contains(&format!("\"{name}\"")), "{name}: {body}");
    }
    Ok(())
}

async fn webhooks_that_are_busy_are_left_out(w: &World) -> Outcome {
    let busy = hook(w, "busy").await?.webhook_id;
    tell(w, "m").await?;
    let left_out = [busy.clone()];
    let nothing = w.claim_for(HOUR, &left_out).await?;
    assert_eq!(nothing, Claimed::Nothing { next: None });
    let other = hook(w, "other").await?.webhook_id;
    tell(w, "n").await?;
    let Claimed::Delivery(delivery) = w.claim_for(HOUR, &left_out).await? else {
        panic!("the other one's is due");
    };
    assert_eq!(delivery.target.webhook_id, other);
    let several: Vec<WebhookId> = vec![busy, other];
    let nothing = w.claim_for(HOUR, &several).await?;
    assert_eq!(nothing, Claimed::Nothing { next: None });
    Ok(())
}

async fn what_waits_for_a_deleted_webhook_is_forgotten(w: &World) -> Outcome {
    let gone = hook(w, "gone").await?;
    tell(w, "m").await?;
    w.webhooks()?.delete_webhook(&gone.webhook_id).await?;
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn what_waits_for_a_disabled_webhook_is_forgotten(w: &World) -> Outcome {
    let quiet = hook(w, "quiet").await?;
    tell(w, "m").await?;
    let patch = WebhookPatch {
        status: Some(WebhookStatus::Disabled),
        ..WebhookPatch::default()
    };
    w.webhooks()?
        .update_webhook(&quiet.webhook_id, patch)
        .await?;
    // Not only put off.
    let patch = WebhookPatch {
        status: Some(WebhookStatus::Active),
        ..WebhookPatch::default()
    };
    w.webhooks()?
        .update_webhook(&quiet.webhook_id, patch)
        .await?;
    w.assert_nothing_waits().await?;
    Ok(())
}

async fn a_delivery_goes_where_its_webhook_points_now(w: &World) -> Outcome {
    let new = NewWebhook {
        secret: Some(WebhookSecret::new("old")),
        ..new_webhook("w", &["registered_model.created"])
    };
    let moved = w.webhook(new).await?;
    tell(w, "m").await?;
    let secret = WebhookSecret::new("new");
    let patch = WebhookPatch {
        url: Some("https://example.com/new".to_owned()),
        secret: Some(secret.clone()),
        ..WebhookPatch::default()
    };
    w.webhooks()?
        .update_webhook(&moved.webhook_id, patch)
        .await?;
    let target = w.claimed().await?.target;
    assert_eq!(target.url, "https://example.com/new");
    assert_eq!(target.signing, Signing::Secret(secret));
    Ok(())
}
