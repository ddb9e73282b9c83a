//! The task that takes deliveries out of the store, and decides what becomes of
//! them.
//!
//! A delivery is claimed for longer than an attempt can take, so that no other
//! server sends it meanwhile; one that nobody settles, because the process ended,
//! is due again after that. It is thus sent at least once, always with the same id
//! and body.

use std::{collections::HashMap, sync::Arc, time::Duration};

use http::StatusCode;
use ring::rand::{SecureRandom as _, SystemRandom};
use runledger_entities::WebhookId;
use runledger_store::{Claimed, Delivery, DeliveryClaim, Settlement, WebhookStore};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::Instant,
};

use super::{
    Client, Message, WebhookOptions, Webhooks,
    client::{Answer, NoAnswer},
    rests::Rests,
};
use crate::sparsely::Sparsely;

/// How often the store is asked at least: deliveries that a server left behind
/// wake nobody.
const POLL: Duration = Duration::from_secs(10);

/// How often it is asked at most, when there seems to be something.
const PAUSE: Duration = Duration::from_millis(50);

/// The pause after a failure of the store.
const FAULT_PAUSE: Duration = Duration::from_secs(5);

/// How long a claim outlasts an attempt.
const MARGIN: Duration = Duration::from_secs(15);

/// How long an attempt that has begun may still take after the end was asked for.
const GRACE: Duration = Duration::from_secs(5);

/// The pause before the first new attempt; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// The longest pause between attempts, unless the receiver asks for more.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// How long a webhook that has rested is remembered, if nothing goes there.
const REMEMBERED: Duration = Duration::from_hours(1);

/// The longest pause that a receiver can ask for.
const LONGEST_ASKED: Duration = Duration::from_hours(1);

/// Whether somebody was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Answered,
    Silent,
    /// It was not tried to the end.
    Unknown,
}

/// Deliveries on their way.
#[derive(Debug, Default)]
struct Flights {
    tasks: JoinSet<Presence>,
    whose: HashMap<Id, WebhookId>,
}

impl Flights {
    /// How many there are to each webhook.
    fn counts(&self) -> HashMap<WebhookId, usize> {
        let mut counts = HashMap::new();
        for webhook in self.whose.values() {
            *counts.entry(webhook.clone()).or_default() += 1;
        }
        counts
    }

    /// Takes one out that has ended.
    fn landed(&mut self, done: Result<(Id, Presence), JoinError>) -> Option<(WebhookId, Presence)> {
        let (id, presence) = match done {
            Ok(done) => done,
            Err(error) => {
                tracing::error!(%error, "a delivery to a webhook ended by itself");
                (error.id(), Presence::Unknown)
            }
        };
        Some((self.whose.remove(&id)?, presence))
    }
}

/// Sends what waits, for as long as the server runs.
#[derive(Clone, Debug)]
pub(crate) struct Deliverer {
    webhooks: Webhooks,
}

impl Deliverer {
    pub(crate) fn new(webhooks: Webhooks) -> Self {
        Self { webhooks }
    }

    fn options(&self) -> &WebhookOptions {
        self.webhooks.client.options()
    }

    /// Runs until `stop` says so, and then ends or gives back what has begun.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let store = &self.webhooks.store;
        let workers = self.options().workers.max(1);
        let mut flights = Flights::default();
        let mut rests = Rests::default();
        while !*stop.borrow() {
            let mut pause = None;
            if flights.tasks.len() < workers {
                match store.claim_delivery(self.claim(&flights, &rests)).await {
                    Ok(Claimed::Delivery(delivery)) => {
                        let webhook = delivery.target.webhook_id.clone();
                        let work = deliver(self.webhooks.clone(), *delivery, stop.clone());
                        let id = flights.tasks.spawn(work).id();
                        flights.whose.insert(id, webhook);
                        continue;
                    }
                    Ok(Claimed::Nothing { next }) => {
                        let rested = rests.next(Instant::now());
                        let next = next.into_iter().chain(rested).min();
                        pause = Some(next.unwrap_or(POLL).clamp(PAUSE, POLL));
                    }
                    Err(error) => {
                        static LOGGED: Sparsely = Sparsely::new();
                        LOGGED.run(|skipped| {
                            tracing::warn!(%error, skipped, "deliveries to webhooks have to wait");
                        });
                        pause = Some(FAULT_PAUSE);
                    }
                }
            }
            tokio::select! {
                // Nobody is left who could say so: it is over.
                changed = stop.changed() => if changed.is_err() { break },
                Some(done) = flights.tasks.join_next_with_id(), if !flights.tasks.is_empty() => {
                    let now = Instant::now();
                    rests.forget_old(REMEMBERED, now);
                    match flights.landed(done) {
                        Some((id, Presence::Answered)) => rests.answered(&id),
                        Some((id, Presence::Silent)) => {
                            rests.failed(id, now, |failures| pause_after(failures, fraction()));
                        }
                        Some((_, Presence::Unknown)) | None => {}
                    }
                }
                () = store.deliveries_added(), if pause.is_some() => {}
                () = tokio::time::sleep(pause.unwrap_or(POLL)), if pause.is_some() => {}
            }
        }
        while flights.tasks.join_next().await.is_some() {}
    }

    /// What may be claimed: a webhook that is slow does not take more than half of the places,
    /// where there are two or more, and one that is silent rests.
    fn claim(&self, flights: &Flights, rests: &Rests) -> DeliveryClaim {
        let most = (self.options().workers / 2).max(1);
        DeliveryClaim {
            lease: self.options().request_time + MARGIN,
            except: rests.left_out(&flights.counts(), most, Instant::now()),
        }
    }
}

/// Sends a delivery once, and settles it.
async fn deliver(webhooks: Webhooks, delivery: Delivery, stop: watch::Receiver<bool>) -> Presence {
    let Webhooks { store, client } = webhooks;
    let (settlement, presence) = tokio::select! {
        done = attempt(&client, &delivery) => done,
        () = ending(stop) => (Settlement::Release, Presence::Unknown),
    };
    settle(&store, &delivery, settlement).await;
    presence
}

/// Ends a while after `stop` says so.
async fn ending(mut stop: watch::Receiver<bool>) {
    // A sender that is gone says it, too.
    let _ = stop.wait_for(|stop| *stop).await;
    tokio::time::sleep(GRACE).await;
}

async fn settle(store: &Arc<dyn WebhookStore>, delivery: &Delivery, settlement: Settlement) {
    if let Err(error) = store.settle_delivery(delivery, settlement).await {
        tracing::warn!(
            %error,
            delivery = delivery.delivery_id,
            "what became of a delivery is not kept: it will be sent again"
        );
    }
}

async fn attempt(client: &Client, delivery: &Delivery) -> (Settlement, Presence) {
    let options = client.options();
    if delivery.age >= options.expiry {
        return (give_up(delivery, "it is too old"), Presence::Unknown);
    }
    let message = Message {
        delivery_id: &delivery.delivery_id,
        body: &delivery.body,
    };
    match client.send(&delivery.target, message).await {
        Ok(answer) if answer.status.is_success() => {
            tracing::debug!(delivery = delivery.delivery_id, "delivered");
            (Settlement::Forget, Presence::Answered)
        }
        Ok(answer) => (after_answer(&answer, delivery, options), Presence::Answered),
        Err(error) => {
            // One that is refused takes no time.
            let presence = if error.may_pass() {
                Presence::Silent
            } else {
                Presence::Unknown
            };
            (after_failure(&error, delivery, options), presence)
        }
    }
}

/// What becomes of a delivery that the receiver did not take.
fn after_answer(answer: &Answer, delivery: &Delivery, options: &WebhookOptions) -> Settlement {
    let reason = format!("the receiver answered {}", answer.status.as_u16());
    if !passes(answer.status) {
        return give_up(delivery, &reason);
    }
    let asked = answer.retry_after.unwrap_or_default().min(LONGEST_ASKED);
    again(delivery, options, &reason, asked)
}

fn after_failure(error: &NoAnswer, delivery: &Delivery, options: &WebhookOptions) -> Settlement {
    let reason = match error {
        // Its words hold the URL, and that may hold a password.
        NoAnswer::Refused(_) => "its URL may not, or cannot, be sent to".to_owned(),
        error => error.to_string(),
    };
    if error.may_pass() {
        again(delivery, options, &reason, Duration::ZERO)
    } else {
        give_up(delivery, &reason)
    }
}

/// Whether a receiver that answers so may take it later: the statuses that MLflow
/// tries again after.
fn passes(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 500 | 502 | 503 | 504)
}

fn again(
    delivery: &Delivery,
    options: &WebhookOptions,
    reason: &str,
    asked: Duration,
) -> Settlement {
    static LOGGED: Sparsely = Sparsely::new();

    let retries = delivery.attempts.saturating_sub(1);
    if options.most_retries.is_some_and(|most| retries >= most) {
        return give_up(delivery, reason);
    }
    let after = pause_after(delivery.attempts, fraction()).max(asked);
    LOGGED.run(|skipped| {
        tracing::warn!(
            webhook = %delivery.target.webhook_id,
            delivery = delivery.delivery_id,
            attempts = delivery.attempts,
            reason,
            skipped,
            "a delivery to a webhook failed, and is tried again"
        );
    });
    Settlement::Retry { after }
}

fn give_up(delivery: &Delivery, reason: &str) -> Settlement {
    tracing::warn!(
        webhook = %delivery.target.webhook_id,
        delivery = delivery.delivery_id,
        event = delivery.event,
        attempts = delivery.attempts,
        reason,
        "a delivery to a webhook is given up"
    );
    Settlement::Forget
}

/// The pause after so many attempts: it doubles, and up to a half of it is added,
/// so that what failed together does not come back together.
fn pause_after(attempts: u32, fraction: f64) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let pause = doubled.min(LONGEST_PAUSE);
    pause + pause.mul_f64(fraction.clamp(0.0, 1.0) / 2.0)
}

/// A random number from 0 to 1.
fn fraction() -> f64 {
    let mut bytes = [0; 2];
    match SystemRandom::new().fill(&mut bytes) {
        Ok(()) => f64::from(u16::from_be_bytes(bytes)) / f64::from(u16::MAX),
        Err(_) => 0.5,
    }
}

#[cfg(test)]
mod tests {
    use runledger_store::{Signing, WebhookTarget};

    use super::*;

    fn delivery(attempts: u32) -> Delivery {
        Delivery {
            delivery_id: "d".to_owned(),
            target: WebhookTarget {
                webhook_id: WebhookId::new("w"),
                url: "https://h/".to_owned(),
                signing: Signing::Unsigned,
            },
            event: "prompt.created".to_owned(),
            body: "{}".to_owned(),
            age: Duration::ZERO,
            attempts,
            lease: "l".to_owned(),
        }
    }

    fn answered(status: u16, retry_after: Option<u64>, attempts: u32) -> Settlement {
        let answer = Answer {
            status: StatusCode::from_u16(status).unwrap(),
            body: String::new(),
            retry_after: retry_after.map(Duration::from_secs),
        };
        let options = WebhookOptions {
            most_retries: Some(3),
            ..WebhookOptions::default()
        };
        after_answer(&answer, &delivery(attempts), &options)
    }

    #[test]
    fn what_passes_is_tried_again() {
        for status in [429, 500, 502, 503, 504] {
            let settlement = answered(status, None, 1);
            assert!(matches!(settlement, Settlement::Retry { .. }), "{status}");
        }
        for status in [301, 302, 307, 400, 401, 404, 410, 501] {
            assert_eq!(answered(status, None, 1), Settlement::Forget, "{status}");
        }
    }

    #[test]
    fn a_delivery_is_tried_again_so_often_and_no_more() {
        assert!(matches!(answered(500, None, 3), Settlement::Retry { .. }));
        assert_eq!(answered(500, None, 4), Settlement::Forget);
    }

    #[test]
    fn a_receiver_may_ask_for_a_pause() {
        let Settlement::Retry { after } = answered(503, Some(120), 1) else {
            panic!("it is tried again");
        };
        assert_eq!(after, Duration::from_mins(2));
        let Settlement::Retry { after } = answered(503, Some(u64::MAX), 1) else {
            panic!("it is tried again");
        };
        assert_eq!(after, LONGEST_ASKED);
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let seconds = |attempts| pause_after(attempts, 0.0).as_secs();
        assert_eq!([1, 2, 3, 4].map(seconds), [1, 2, 4, 8]);
        assert_eq!(seconds(u32::MAX), LONGEST_PAUSE.as_secs());
        assert_eq!(pause_after(1, 1.0), Duration::from_millis(1500));
        assert!((0.0..=1.0).contains(&fraction()));
    }

    #[tokio::test]
    async fn what_is_too_old_is_not_sent() {
        let client = Client::new(WebhookOptions::default());
        let old = Delivery {
            age: Duration::from_hours(24),
            ..delivery(1)
        };
        let done = attempt(&client, &old).await;
        assert_eq!(done, (Settlement::Forget, Presence::Unknown));
    }
}
