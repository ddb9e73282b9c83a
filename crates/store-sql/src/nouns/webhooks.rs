//! Webhooks: MLflow's tables `webhooks` and `webhook_events`.

use std::collections::HashMap;

use diesel::sql_types::{BigInt, Nullable, Text};
use runledger_entities::{
    Webhook, WebhookAction, WebhookEntity, WebhookEvent, WebhookId, WebhookStatus,
};
use runledger_store::{
    NewWebhook, Page, PageRequest, Resource, Signing, StoreError, WebhookPatch, WebhookSecret,
    WebhookTarget,
};

use super::{
    OrStoreError as _,
    rows::{Values, insert_rows},
};
use crate::{WebhookKey, connection::Connection, search::page::OffsetPage, sql::Sql};

/// The columns that [`Row`] reads, of the table `webhooks w`.
const COLUMNS: &str = "w.webhook_id, w.name, w.description, w.url, w.status, \
    w.creation_timestamp, w.last_updated_timestamp";

type Columns = (
    Text,
    Text,
    Nullable<Text>,
    Text,
    Text,
    Nullable<BigInt>,
    Nullable<BigInt>,
);

type Row = (
    String,
    String,
    Option<String>,
    String,
    String,
    Option<i64>,
    Option<i64>,
);

fn missing(id: &WebhookId) -> StoreError {
    StoreError::not_found(Resource::Webhook, id)
}

/// Encrypts a secret; an empty one is none.
fn encrypted(
    secret: &WebhookSecret,
    key: Option<&WebhookKey>,
    now: i64,
) -> Result<Option<String>, StoreError> {
    if secret.reveal().is_empty() {
        return Ok(None);
    }
    let Some(key) = key else {
        return Err(StoreError::invalid(format!(
            "This server cannot keep the secret of a webhook: it has no key to encrypt it with. \
             Start it with {} set to a Fernet key, or leave the secret out.",
            WebhookKey::VARIABLE
        )));
    };
    let token = key.encrypt(secret.reveal(), now);
    token
        .map(Some)
        .ok_or_else(|| StoreError::internal("the system has no random bytes"))
}

/// Creates a webhook.
pub(crate) fn create(
    connection: &mut Connection,
    new: &NewWebhook,
    key: Option<&WebhookKey>,
    now: i64,
) -> Result<Webhook, StoreError> {
    let secret = match &new.secret {
        Some(secret) => encrypted(secret, key, now)?,
        None => None,
    };
    let id = WebhookId::random();
    Sql::new(
        "insert into webhooks (workspace, webhook_id, name, description, url, status, secret, \
         creation_timestamp, last_updated_timestamp) values ('default', ",
    )
    .text(id.as_str())
    .sql(", ")
    .text(&*new.name)
    .sql(", ")
    .optional_text(new.description.clone())
    .sql(", ")
    .text(&*new.url)
    .sql(", ")
    .text(new.status.name())
    .sql(", ")
    .optional_text(secret)
    .sql(", ")
    .int(now)
    .sql(", ")
    .int(now)
    .sql(")")
    .run(connection)
    .or_store_error()?;
    insert_events(connection, &id, &new.events)?;
    get(connection, &id)
}

fn insert_events(
    connection: &mut Connection,
    id: &WebhookId,
    events: &[WebhookEvent],
) -> Result<(), StoreError> {
    insert_rows(
        connection,
        "insert into webhook_events (webhook_id, entity, action)",
        events,
        |event| {
            Values::default()
                .text(id.as_str())
                .text(event.entity().name())
                .text(event.action().name())
        },
    )
}

/// Begins a statement that reads webhooks that are not deleted.
fn select(connection: &Connection, columns: &'static str) -> Sql {
    Sql::new("select ")
        .sql(columns)
        .sql(" from webhooks w where ")
        .sql(
            connection
                .schema()
                .of_workspace("w.workspace = 'default' and "),
        )
        .sql("w.deleted_timestamp is null")
}

/// A webhook.
pub(crate) fn get(connection: &mut Connection, id: &WebhookId) -> Result<Webhook, StoreError> {
    if !connection.schema().webhooks {
        return Err(missing(id));
    }
    let row = select(connection, COLUMNS)
        .sql(" and ")
        .with(connection.dialect().equal("w.webhook_id", id.as_str()))
        .first::<Columns, Row>(connection)
        .or_store_error()?
        .ok_or_else(|| missing(id))?;
    complete(connection, vec![row])?
        .pop()
        .ok_or_else(|| StoreError::internal("a row became no webhook"))
}

/// A page of webhooks, the newest first.
pub(crate) fn list(
    connection: &mut Connection,
    page: &PageRequest,
) -> Result<Page<Webhook>, StoreError> {
    let offset = OffsetPage::of(page)?;
    if !connection.schema().webhooks {
        return Ok(Page::empty());
    }
    let sql = select(connection, COLUMNS).sql(" order by w.creation_timestamp desc, w.webhook_id");
    let rows = offset
        .limit(sql)
        .rows::<Columns, Row>(connection)
        .or_store_error()?;
    let Page { items, next_token } = offset.page(rows);
    Ok(Page {
        items: complete(connection, items)?,
        next_token,
    })
}

/// The webhooks of these rows, in their order, with their events.
fn complete(connection: &mut Connection, rows: Vec<Row>) -> Result<Vec<Webhook>, StoreError> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids = rows.iter().map(|row| row.0.clone()).collect();
    let found: Vec<(String, String, String)> = Sql::new(
        "select e.webhook_id, e.entity, e.action from webhook_events e where e.webhook_id",
    )
    .in_texts(false, ids)
    .rows::<(Text, Text, Text), _>(connection)
    .or_store_error()?;
    let mut events: HashMap<String, Vec<WebhookEvent>> = HashMap::new();
    for (id, entity, action) in found {
        // Of a newer MLflow's events this server knows nothing.
        events
            .entry(id)
            .or_default()
            .extend(event(&entity, &action));
    }
    rows.into_iter()
        .map(|(id, name, description, url, status, created, updated)| {
            let status = WebhookStatus::from_name(&status).ok_or_else(|| StoreError::Corrupt {
                place: "webhooks",
                key: id.clone(),
                reason: format!("status is '{status}'"),
            })?;
            let created = created.unwrap_or_default();
            Ok(Webhook {
                events: WebhookEvent::sorted(events.remove(&id).unwrap_or_default()),
                webhook_id: WebhookId::new(id),
                name,
                description,
                url,
                status,
                creation_timestamp: created,
                last_updated_timestamp: updated.unwrap_or(created),
            })
        })
        .collect()
}

/// The event of these names, if it is known.
pub(super) fn event(entity: &str, action: &str) -> Option<WebhookEvent> {
    let (entity, action) = (
        WebhookEntity::from_name(entity)?,
        WebhookAction::from_name(action)?,
    );
    WebhookEvent::new(entity, action).ok()
}

/// Changes a webhook.
pub(crate) fn update(
    connection: &mut Connection,
    id: &WebhookId,
    patch: &WebhookPatch,
    key: Option<&WebhookKey>,
    now: i64,
) -> Result<Webhook, StoreError> {
    let mut sql = Sql::varying("update webhooks set last_updated_timestamp = ").int(now);
    for (column, value) in [
        (", name = ", &patch.name),
        (", description = ", &patch.description),
        (", url = ", &patch.url),
    ] {
        if let Some(value) = value {
            sql = sql.sql(column).text(&**value);
        }
    }
    if let Some(secret) = &patch.secret {
        sql = sql
            .sql(", secret = ")
            .optional_text(encrypted(secret, key, now)?);
    }
    if let Some(status) = patch.status {
        sql = sql.sql(", status = ").text(status.name());
    }
    change(connection, sql, id)?;
    if let Some(events) = &patch.events {
        Sql::new("delete from webhook_events where ")
            .with(connection.dialect().equal("webhook_id", id.as_str()))
            .run(connection)
            .or_store_error()?;
        insert_events(connection, id, events)?;
    }
    get(connection, id)
}

/// Marks a webhook as deleted, as MLflow does.
pub(crate) fn delete(
    connection: &mut Connection,
    id: &WebhookId,
    now: i64,
) -> Result<(), StoreError> {
    let sql = Sql::new("update webhooks set deleted_timestamp = ")
        .int(now)
        .sql(", last_updated_timestamp = ")
        .int(now);
    change(connection, sql, id)
}

/// Appends the condition for one webhook that is not deleted, and runs the
/// update; fails if there is no such webhook.
fn change(connection: &mut Connection, update: Sql, id: &WebhookId) -> Result<(), StoreError> {
    let changed = update
        .sql(" where workspace = 'default' and deleted_timestamp is null and ")
        .with(connection.dialect().equal("webhook_id", id.as_str()))
        .run(connection)
        .or_store_error()?;
    if changed == 0 {
        return Err(missing(id));
    }
    Ok(())
}

/// Where a webhook's deliveries go, and whether there are to be any; nothing where the status
/// is none that this program knows.
pub(crate) fn target(
    connection: &mut Connection,
    id: &WebhookId,
    key: Option<&WebhookKey>,
) -> Result<(WebhookTarget, Option<WebhookStatus>), StoreError> {
    if !connection.schema().webhooks {
        return Err(missing(id));
    }
    let row: Option<(String, Option<String>, String)> =
        select(connection, "w.url, w.secret, w.status")
            .sql(" and ")
            .with(connection.dialect().equal("w.webhook_id", id.as_str()))
            .first::<(Text, Nullable<Text>, Text), _>(connection)
            .or_store_error()?;
    let (url, secret, status) = row.ok_or_else(|| missing(id))?;
    let target = WebhookTarget {
        webhook_id: id.clone(),
        url,
        signing: secret.map_or(Signing::Unsigned, |secret| signing(&secret, key)),
    };
    Ok((target, WebhookStatus::from_name(&status)))
}

/// What a secret in the database signs with.
fn signing(secret: &str, key: Option<&WebhookKey>) -> Signing {
    let Some(key) = key else {
        return Signing::Unreadable {
            reason: "its secret is encrypted, and this server has no key: set \
                     MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY",
        };
    };
    match key.decrypt(secret) {
        // MLflow keeps an empty one where it was taken away.
        Some(secret) if secret.is_empty() => Signing::Unsigned,
        Some(secret) => Signing::Secret(WebhookSecret::new(secret)),
        None => Signing::Unreadable {
            reason: "its secret was encrypted with another key than the one in \
                     MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY: give it a new secret",
        },
    }
}
