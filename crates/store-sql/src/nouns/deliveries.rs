//! Deliveries that wait to be sent to webhooks: a table of ours, written in the
//! transaction of the change that they tell of.
//!
//! A delivery that is claimed has its time moved to the end of the lease, so that
//! it is due again if whoever claimed it is gone by then. The column `lease` tells
//! whether the one who settles it is still the one who claimed it.

use std::time::Duration;

use diesel::sql_types::{BigInt, Nullable, Text};
use runledger_entities::{Tag, WebhookId, WebhookStatus};
use runledger_store::{
    Claimed, Delivery, DeliveryClaim, RegistryChange, Settlement, StoreError, delivery_body,
};
use uuid::Uuid;

use super::{
    OrStoreError as _, registered_models,
    rows::{Values, insert_rows},
    webhooks,
};
use crate::{WebhookKey, connection::Connection, sql::Sql};

/// How many deliveries that nobody wants any more are looked at in one claim.
const STALE: usize = 100;

/// What the changes of one transaction add.
#[derive(Debug)]
pub(crate) struct Outbox {
    /// Whether there is a table to add to.
    is_open: bool,
    now: i64,
    added: usize,
}

impl Outbox {
    /// One for changes at this time.
    pub(crate) fn new(is_open: bool, now: i64) -> Self {
        Self {
            is_open,
            now,
            added: 0,
        }
    }

    /// How many deliveries were added.
    pub(crate) fn added(&self) -> usize {
        self.added
    }

    /// Adds a delivery of a change for each webhook that is told of it.
    pub(crate) fn add(
        &mut self,
        connection: &mut Connection,
        change: &RegistryChange<'_>,
    ) -> Result<(), StoreError> {
        if !self.is_open {
            return Ok(());
        }
        let said = change.is_prompt();
        let may_be = |is_prompt: bool| {
            let said = said.is_none_or(|said| said == is_prompt);
            change.event(is_prompt).filter(|_| said)
        };
        let events: Vec<_> = [may_be(false), may_be(true)]
            .into_iter()
            .flatten()
            .collect();
        let Some(first) = events.first() else {
            return Ok(());
        };
        let entities = events.iter().map(|event| event.entity().name().to_owned());
        let told: Vec<(String, String)> = Sql::new(
            "select w.webhook_id, e.entity from webhook_events e \
             join webhooks w on w.webhook_id = e.webhook_id where e.action = ",
        )
        .text(first.action().name())
        .sql(" and e.entity")
        .in_texts(false, entities.collect())
        .sql(
            " and w.workspace = 'default' and w.deleted_timestamp is null \
             and w.status = 'ACTIVE' order by w.creation_timestamp, w.webhook_id",
        )
        .rows::<(Text, Text), _>(connection)
        .or_store_error()?;
        if told.is_empty() {
            return Ok(());
        }
        // Asked only now: nearly no change is told to anybody.
        let is_prompt = if let Some(said) = said {
            said
        } else {
            let model = registered_models::get(connection, change.model())?;
            Tag::are_of_prompt(&model.tags)
        };
        let Some(event) = change.event(is_prompt) else {
            return Ok(());
        };
        let told: Vec<String> = told
            .into_iter()
            .filter(|(_, entity)| entity == event.entity().name())
            .map(|(id, _)| id)
            .collect();
        let body = delivery_body(event, self.now, &change.data(is_prompt));
        insert_rows(
            connection,
            "insert into runledger_webhook_deliveries (delivery_id, webhook_id, entity, action, \
             body, created_at, due_at, attempts)",
            &told,
            |webhook| {
                // Ids in the order of time: deliveries that are due at once go
                // out in the order of their changes.
                Values::default()
                    .text(Uuid::now_v7().to_string())
                    .text(&**webhook)
                    .text(event.entity().name())
                    .text(event.action().name())
                    .text(&*body)
                    .int(self.now)
                    .int(self.now)
                    .int(0)
            },
        )?;
        self.added += told.len();
        Ok(())
    }
}

/// Appends that a delivery is of none of these webhooks.
fn but(sql: Sql, except: &[WebhookId]) -> Sql {
    if except.is_empty() {
        return sql;
    }
    let except = except.iter().map(|id| id.as_str().to_owned()).collect();
    sql.sql(" and webhook_id").in_texts(true, except)
}

/// How long it is until the next delivery is due, of all but these webhooks';
/// nothing if none waits.
pub(crate) fn next(
    connection: &mut Connection,
    except: &[WebhookId],
    now: i64,
) -> Result<Option<Duration>, StoreError> {
    let sql = Sql::new("select min(due_at) from runledger_webhook_deliveries where 1 = 1");
    let due: Option<Option<i64>> = but(sql, except)
        .first::<Nullable<BigInt>, _>(connection)
        .or_store_error()?;
    Ok(due
        .flatten()
        .map(|due| Duration::from_millis(u64::try_from(due - now).unwrap_or(0))))
}

/// Claims the delivery that is due for the longest.
pub(crate) fn claim(
    connection: &mut Connection,
    claim: &DeliveryClaim,
    key: Option<&WebhookKey>,
    now: i64,
) -> Result<Claimed, StoreError> {
    for _ in 0..STALE {
        let Some(delivery) = due(connection, &claim.except, now)? else {
            let next = next(connection, &claim.except, now)?;
            return Ok(Claimed::Nothing { next });
        };
        let id = WebhookId::new(&*delivery.webhook_id);
        match webhooks::target(connection, &id, key) {
            Ok((target, Some(WebhookStatus::Active))) => {
                let lease = Uuid::new_v4().to_string();
                hold(connection, &delivery, &lease, now, claim.lease)?;
                return Ok(Claimed::Delivery(Box::new(Delivery {
                    delivery_id: delivery.delivery_id,
                    target,
                    event: format!("{}.{}", delivery.entity, delivery.action),
                    body: delivery.body,
                    age: Duration::from_millis(
                        u64::try_from(now - delivery.created_at).unwrap_or(0),
                    ),
                    attempts: u32::try_from(delivery.attempts + 1).unwrap_or(u32::MAX),
                    lease,
                })));
            }
            Ok((_, Some(WebhookStatus::Disabled))) | Err(StoreError::NotFound { .. }) => {
                forget_all(connection, &id)?;
            }
            // A newer program knows what it means. Nothing is added meanwhile: only webhooks
            // that are active are told.
            Ok((_, None)) => {
                postpone(connection, &delivery, now, claim.lease)?;
                tracing::debug!(webhook = %id, "a delivery waits: the status of its webhook is unknown");
            }
            Err(error) => return Err(error),
        }
    }
    let next = Some(Duration::ZERO);
    Ok(Claimed::Nothing { next })
}

/// A row of the table.
struct Row {
    delivery_id: String,
    webhook_id: String,
    entity: String,
    action: String,
    body: String,
    created_at: i64,
    attempts: i64,
}

fn due(
    connection: &mut Connection,
    except: &[WebhookId],
    now: i64,
) -> Result<Option<Row>, StoreError> {
    type Columns = (Text, Text, Text, Text, Text, BigInt, BigInt);
    type Values = (String, String, String, String, String, i64, i64);

    let sql = Sql::new(
        "select delivery_id, webhook_id, entity, action, body, created_at, attempts \
         from runledger_webhook_deliveries where due_at <= ",
    )
    .int(now);
    let row: Option<Values> = but(sql, except)
        .sql(" order by due_at, delivery_id limit 1")
        .sql(connection.dialect().for_update_of_free())
        .first::<Columns, _>(connection)
        .or_store_error()?;
    Ok(row.map(
        |(delivery_id, webhook_id, entity, action, body, created_at, attempts)| Row {
            delivery_id,
            webhook_id,
            entity,
            action,
            body,
            created_at,
            attempts,
        },
    ))
}

fn hold(
    connection: &mut Connection,
    row: &Row,
    lease: &str,
    now: i64,
    length: Duration,
) -> Result<(), StoreError> {
    Sql::new("update runledger_webhook_deliveries set attempts = attempts + 1, lease = ")
        .text(lease)
        .sql(", due_at = ")
        .int(after(now, length))
        .sql(" where delivery_id = ")
        .text(&*row.delivery_id)
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Leaves a delivery as it is, for a while.
fn postpone(
    connection: &mut Connection,
    row: &Row,
    now: i64,
    length: Duration,
) -> Result<(), StoreError> {
    Sql::new("update runledger_webhook_deliveries set due_at = ")
        .int(after(now, length))
        .sql(" where delivery_id = ")
        .text(&*row.delivery_id)
        .run(connection)
        .or_store_error()?;
    Ok(())
}

fn after(now: i64, length: Duration) -> i64 {
    now.saturating_add(i64::try_from(length.as_millis()).unwrap_or(i64::MAX))
}

/// Forgets all that waits for a webhook.
pub(crate) fn forget_all(connection: &mut Connection, id: &WebhookId) -> Result<(), StoreError> {
    Sql::new("delete from runledger_webhook_deliveries where webhook_id = ")
        .text(id.as_str())
        .run(connection)
        .or_store_error()?;
    Ok(())
}

/// Says what becomes of a delivery, if it is still held by this lease.
pub(crate) fn settle(
    connection: &mut Connection,
    delivery_id: &str,
    lease: &str,
    settlement: Settlement,
    now: i64,
) -> Result<(), StoreError> {
    let update = Sql::new("update runledger_webhook_deliveries set lease = null, due_at = ");
    let sql = match settlement {
        Settlement::Forget => Sql::new("delete from runledger_webhook_deliveries"),
        Settlement::Retry { after: length } => update.int(after(now, length)),
        Settlement::Release => update.int(now).sql(", attempts = attempts - 1"),
    };
    sql.sql(" where delivery_id = ")
        .text(delivery_id)
        .sql(" and lease = ")
        .text(lease)
        .run(connection)
        .or_store_error()?;
    Ok(())
}
