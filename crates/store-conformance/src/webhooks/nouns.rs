//! Webhooks themselves: made, listed, changed and deleted.

use std::fmt::Debug;

use runledger_entities::{ErrorCode, WebhookId, WebhookStatus};
use runledger_store::{NewWebhook, PageRequest, Signing, StoreError, WebhookPatch, WebhookSecret};

use super::setup::{event, new_webhook};
use crate::{
    World,
    case::{Outcome, cases},
    setup::assert_refused,
};

cases![
    a_webhook_is_found_as_it_was_made,
    webhooks_may_share_a_name,
    the_newest_webhooks_are_listed_first,
    a_list_has_pages,
    a_change_leaves_what_it_does_not_name,
    a_change_may_name_everything,
    a_deleted_webhook_is_not_found,
    a_webhook_that_never_was_is_not_found,
    the_secret_is_kept_for_signing,
    an_empty_secret_takes_the_secret_away,
];

async fn a_webhook_is_found_as_it_was_made(w: &World) -> Outcome {
    let new = NewWebhook {
        description: Some("é 😀".to_owned()),
        status: WebhookStatus::Disabled,
        ..new_webhook("Hook.1", &["prompt_tag.set", "model_version.created"])
    };
    let made = w.webhook(new).await?;
    assert_eq!(made.name, "Hook.1");
    assert_eq!(made.description.as_deref(), Some("é 😀"));
    assert_eq!(made.url, "https://example.com/Hook.1");
    assert_eq!(made.status, WebhookStatus::Disabled);
    let events = [event("model_version.created"), event("prompt_tag.set")];
    assert_eq!(made.events, events);
    assert_eq!(made.creation_timestamp, made.last_updated_timestamp);
    assert_eq!(w.webhooks()?.get_webhook(&made.webhook_id).await?, made);
    Ok(())
}

async fn webhooks_may_share_a_name(w: &World) -> Outcome {
    let one = w.webhook(new_webhook("w", &["prompt.created"])).await?;
    let two = w.webhook(new_webhook("w", &["prompt.created"])).await?;
    assert_ne!(one.webhook_id, two.webhook_id);
    Ok(())
}

fn page(max_results: u32, token: Option<String>) -> PageRequest {
    PageRequest { max_results, token }
}

async fn the_newest_webhooks_are_listed_first(w: &World) -> Outcome {
    let mut made = Vec::new();
    for number in 0..3 {
        let new = new_webhook(&format!("w{number}"), &["prompt.created", "prompt_tag.set"]);
        made.push(w.webhook(new).await?);
    }
    let listed = w.webhooks()?.list_webhooks(page(10, None)).await?;
    assert_eq!(listed.next_token, None);
    assert_eq!(listed.items.len(), 3);
    let times: Vec<i64> = listed.items.iter().map(|w| w.creation_timestamp).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    for webhook in made {
        assert!(listed.items.contains(&webhook));
    }
    Ok(())
}

async fn a_list_has_pages(w: &World) -> Outcome {
    for number in 0..5 {
        w.webhook(new_webhook(&format!("w{number}"), &["prompt.created"]))
            .await?;
    }
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let listed = w.webhooks()?.list_webhooks(page(2, token)).await?;
        assert!(listed.items.len() <= 2);
        seen.extend(listed.items.into_iter().map(|webhook| webhook.name));
        token = listed.next_token;
        if token.is_none() {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, ["w0", "w1", "w2", "w3", "w4"]);
    Ok(())
}

async fn a_change_leaves_what_it_does_not_name(w: &World) -> Outcome {
    let new = NewWebhook {
        description: Some("d".to_owned()),
        ..new_webhook("w", &["prompt.created"])
    };
    let made = w.webhook(new).await?;
    let store = w.webhooks()?;
    let mut changed = store
        .update_webhook(&made.webhook_id, WebhookPatch::default())
        .await?;
    assert!(changed.last_updated_timestamp >= made.last_updated_timestamp);
    changed.last_updated_timestamp = made.last_updated_timestamp;
    assert_eq!(changed, made);
    Ok(())
}

async fn a_change_may_name_everything(w: &World) -> Outcome {
    let made = w.webhook(new_webhook("w", &["prompt.created"])).await?;
    let patch = WebhookPatch {
        name: Some("v".to_owned()),
        description: Some("new".to_owned()),
        url: Some("https://example.com/new".to_owned()),
        events: Some(vec![event("prompt_tag.deleted"), event("prompt_tag.set")]),
        secret: None,
        status: Some(WebhookStatus::Disabled),
    };
    let store = w.webhooks()?;
    let changed = store.update_webhook(&made.webhook_id, patch).await?;
    assert_eq!(changed.name, "v");
    assert_eq!(changed.description.as_deref(), Some("new"));
    assert_eq!(changed.url, "https://example.com/new");
    let events = [event("prompt_tag.deleted"), event("prompt_tag.set")];
    assert_eq!(changed.events, events);
    assert_eq!(changed.status, WebhookStatus::Disabled);
    assert_eq!(store.get_webhook(&made.webhook_id).await?, changed);
    Ok(())
}

#[track_caller]
fn assert_missing<T: Debug>(result: Result<T, StoreError>, id: &WebhookId) {
    assert_refused(
        result,
        ErrorCode::ResourceDoesNotExist,
        &format!("Webhook with ID {id} not found."),
    );
}

async fn assert_gone(w: &World, id: &WebhookId) -> Outcome {
    let store = w.webhooks()?;
    assert_missing(store.get_webhook(id).await, id);
    assert_missing(store.update_webhook(id, WebhookPatch::default()).await, id);
    assert_missing(store.webhook_target(id).await, id);
    assert_missing(store.delete_webhook(id).await, id);
    Ok(())
}

async fn a_deleted_webhook_is_not_found(w: &World) -> Outcome {
    let made = w.webhook(new_webhook("w", &["prompt.created"])).await?;
    let kept = w.webhook(new_webhook("w", &["prompt.created"])).await?;
    w.webhooks()?.delete_webhook(&made.webhook_id).await?;
    assert_gone(w, &made.webhook_id).await?;
    let listed = w.webhooks()?.list_webhooks(page(10, None)).await?;
    assert_eq!(listed.items, [kept]);
    Ok(())
}

async fn a_webhook_that_never_was_is_not_found(w: &World) -> Outcome {
    assert_gone(w, &WebhookId::new("nope")).await
}

async fn the_secret_is_kept_for_signing(w: &World) -> Outcome {
    let store = w.webhooks()?;
    let secret = WebhookSecret::new("s é");
    let new = NewWebhook {
        secret: Some(secret.clone()),
        ..new_webhook("w", &["prompt.created"])
    };
    let made = w.webhook(new).await?;
    let target = store.webhook_target(&made.webhook_id).await?;
    assert_eq!(target.signing, Signing::Secret(secret));
    assert_eq!(target.url, made.url);
    let patch = WebhookPatch {
        secret: Some(WebhookSecret::new("other")),
        ..WebhookPatch::default()
    };
    store.update_webhook(&made.webhook_id, patch).await?;
    let target = store.webhook_target(&made.webhook_id).await?;
    let other = Signing::Secret(WebhookSecret::new("other"));
    assert_eq!(target.signing, other);
    Ok(())
}

async fn an_empty_secret_takes_the_secret_away(w: &World) -> Outcome {
    let store = w.webhooks()?;
    let new = NewWebhook {
        secret: Some(WebhookSecret::new("s")),
        ..new_webhook("w", &["prompt.created"])
    };
    let made = w.webhook(new).await?;
    let patch = WebhookPatch {
        secret: Some(WebhookSecret::new("")),
        ..WebhookPatch::default()
    };
    store.update_webhook(&made.webhook_id, patch).await?;
    let target = store.webhook_target(&made.webhook_id).await?;
    assert_eq!(target.signing, Signing::Unsigned);
    Ok(())
}
