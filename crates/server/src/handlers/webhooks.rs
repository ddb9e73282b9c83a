//! `webhooks`, `webhooks/{webhook_id}` and `webhooks/{webhook_id}/test`.

use runledger_entities::{Coded, ErrorCode, WebhookId, validate};
use runledger_protocol::messages::webhooks::{
    self as messages, CreateWebhook, ListWebhooks, TestResult, TestWebhook, UpdateWebhook,
};
use runledger_store::{
    NewWebhook, PageRequest, WebhookPatch, WebhookSecret, delivery_body, example_data,
};

use super::Reply;
use crate::{
    failure::Failure,
    reply,
    webhooks::{Message, NoAnswer, Webhooks},
};

pub(crate) async fn create(webhooks: &Webhooks, request: CreateWebhook) -> Reply {
    validate::webhook_name(&request.name)?;
    check_url(webhooks, &request.url).await?;
    let events = validate::webhook_events(request.events)?;
    if let Some(description) = &request.description {
        validate::webhook_description(description)?;
    }
    if let Some(secret) = &request.secret {
        validate::webhook_secret(secret)?;
    }
    let new = NewWebhook {
        name: request.name,
        description: request.description,
        url: request.url,
        events,
        secret: request.secret.map(WebhookSecret::new),
        status: request.status,
    };
    let webhook = webhooks.store.create_webhook(new).await?;
    Ok(reply::json(messages::one(&webhook)))
}

/// Checks a URL as if something were sent there.
async fn check_url(webhooks: &Webhooks, url: &str) -> Result<(), Failure> {
    let checked = webhooks.client.check(url).await;
    checked.map_err(|error| match &error {
        NoAnswer::Refused(refused) => Failure::new(refused.code(), refused.to_string()),
        error => Failure::invalid(error.to_string()),
    })
}

pub(crate) async fn list(webhooks: &Webhooks, request: ListWebhooks) -> Reply {
    let page = PageRequest {
        max_results: request.max_results,
        token: request.page_token,
    };
    let page = webhooks.store.list_webhooks(page).await?;
    Ok(reply::json(messages::page(
        &page.items,
        page.next_token.as_deref(),
    )))
}

pub(crate) async fn get(webhooks: &Webhooks, id: WebhookId) -> Reply {
    let webhook = webhooks.store.get_webhook(&id).await?;
    Ok(reply::json(messages::one(&webhook)))
}

pub(crate) async fn update(webhooks: &Webhooks, id: WebhookId, request: UpdateWebhook) -> Reply {
    // MLflow looks for the webhook before it looks at what is to change.
    webhooks.store.get_webhook(&id).await?;
    if let Some(name) = &request.name {
        validate::webhook_name(name)?;
    }
    if let Some(url) = &request.url {
        check_url(webhooks, url).await?;
    }
    let events = request.events.map(validate::webhook_events).transpose()?;
    if let Some(description) = &request.description {
        validate::webhook_description(description)?;
    }
    if let Some(secret) = &request.secret {
        validate::webhook_secret(secret)?;
    }
    let patch = WebhookPatch {
        name: request.name,
        description: request.description,
        url: request.url,
        events,
        secret: request.secret.map(WebhookSecret::new),
        status: request.status,
    };
    let webhook = webhooks.store.update_webhook(&id, patch).await?;
    Ok(reply::json(messages::one(&webhook)))
}

pub(crate) async fn delete(webhooks: &Webhooks, id: WebhookId) -> Reply {
    webhooks.store.delete_webhook(&id).await?;
    Ok(reply::empty())
}

/// Sends an example, once, and says what came of it.
pub(crate) async fn test(webhooks: &Webhooks, id: WebhookId, request: TestWebhook) -> Reply {
    let webhook = webhooks.store.get_webhook(&id).await?;
    let event = request.event.or(webhook.events.first().copied());
    let event = event.ok_or_else(|| {
        Failure::new(
            ErrorCode::InvalidParameterValue,
            format!("The webhook {id} has no event that this server knows: name one to test it."),
        )
    })?;
    let target = webhooks.store.webhook_target(&id).await?;
    let body = delivery_body(event, now(), &example_data(event));
    let delivery_id = WebhookId::random();
    let message = Message {
        delivery_id: delivery_id.as_str(),
        body: &body,
    };
    let result = match webhooks.client.send(&target, message).await {
        Ok(answer) => TestResult {
            success: answer.status.is_success(),
            error_message: answer
                .status
                .is_redirection()
                .then(|| "The receiver redirects, which is not followed.".to_owned()),
            response: Some((answer.status.as_u16(), answer.body)),
        },
        Err(error) => TestResult {
            success: false,
            response: None,
            error_message: Some(format!("Failed to test webhook: {error}")),
        },
    };
    Ok(reply::json(messages::tested(&result)))
}

/// Milliseconds since the epoch.
fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}
