//! The task that sends the metrics of one run.
//!
//! # Exactly once
//!
//! A batch whose answer did not come may have arrived. A database keeps points
//! that are equal in key, value, timestamp and step once, MLflow's by the primary
//! key of its table `metrics` as ours: there, sending again is safe. A folder keeps
//! every line. So before something is sent again to a server that is not known to
//! have a database, the histories are read, and the points that are there are left
//! out; there a point that is logged twice on purpose may be kept once, if just then
//! a connection breaks, and a point is kept twice if the server is still at work on a
//! request that was given up when its history is read. A database in this process has
//! either written a batch or not, and says which; a folder whose disk fails in the
//! middle of one may keep a part of it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use runledger_entities::{Coded, ErrorCode, Metric, RunId};
use runledger_store::{Batch, StoreError};

use super::Shared;
use crate::{Client, TrackingError, rest};

/// The pause after the first failed attempt; the others grow to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Faults of the server in a row after which a batch is taken for the cause.
const MOST_FAULTS: u32 = 10;

/// Sends what comes, until nothing will come any more.
pub(super) async fn work(client: Client, shared: Arc<Shared>) {
    // Repeating is done here, where it is known when nobody waits any more.
    let client = client.asking_once();
    while let Some(batch) = shared.next().await {
        tokio::select! {
            biased;
            () = shared.given_up() => {
                shared.abandon();
                return;
            }
            outcome = send(&client, &shared, batch) => shared.settle(outcome),
        }
    }
}

/// A batch on its way.
struct Sending {
    metrics: Vec<Metric>,
    /// Keys of metrics that may have arrived, and whose histories were not read since.
    in_doubt: Vec<String>,
}

/// Sends a batch until it has arrived or is refused.
async fn send(client: &Client, shared: &Shared, metrics: Vec<Metric>) -> Result<(), StoreError> {
    let mut sending = Sending {
        metrics,
        in_doubt: Vec::new(),
    };
    let mut pause = FIRST_PAUSE;
    let mut faults = 0;
    loop {
        let error = match sending.attempt(client, &shared.run).await {
            Err(error) if may_pass(&error) => error,
            outcome => return outcome,
        };
        if is_answer(&error, &[ErrorCode::InternalError]) {
            faults += 1;
            if faults == MOST_FAULTS {
                return Err(error);
            }
        } else {
            faults = 0;
        }
        tracing::warn!(run = %shared.run, %error, "metrics are sent again");
        shared.failed(&error);
        let jitter = pause.mul_f64(rest::random());
        tokio::time::sleep(pause / 2 + jitter / 2).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

impl Sending {
    async fn attempt(&mut self, client: &Client, run: &RunId) -> Result<(), StoreError> {
        self.leave_out_arrived(client, run).await?;
        if self.metrics.is_empty() {
            return Ok(());
        }
        let batch = Batch {
            metrics: self.metrics.clone(),
            ..Batch::default()
        };
        let outcome = client.store().log_batch(run, batch).await;
        if outcome.as_ref().is_err_and(leaves_doubt) {
            let keys: HashSet<&String> = self.metrics.iter().map(|metric| &metric.key).collect();
            self.in_doubt = keys.into_iter().cloned().collect();
        }
        outcome
    }

    /// Leaves out the points that are there already, where a second one would be
    /// kept. What was found out stays so when a later history cannot be read.
    async fn leave_out_arrived(&mut self, client: &Client, run: &RunId) -> Result<(), StoreError> {
        let Some(server) = client.rest() else {
            return Ok(());
        };
        if self.in_doubt.is_empty() || server.drops_equal_points().await? {
            return Ok(());
        }
        while let Some(key) = self.in_doubt.last() {
            let there: HashSet<Point> = match client.metric_history(run, key).await {
                Ok(points) => points.iter().map(point).collect(),
                Err(TrackingError::Store(error)) => return Err(error),
                Err(other) => return Err(StoreError::internal(other)),
            };
            self.metrics
                .retain(|metric| metric.key != *key || !there.contains(&point(metric)));
            self.in_doubt.pop();
        }
        Ok(())
    }
}

/// Whether the same call may succeed later.
fn may_pass(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NoAnswer { .. } | StoreError::Unavailable { .. }
    ) || is_answer(
        error,
        &[
            ErrorCode::RequestLimitExceeded,
            ErrorCode::TemporarilyUnavailable,
            ErrorCode::DeadlineExceeded,
            ErrorCode::InternalError,
        ],
    )
}

/// Whether the call that failed may have had its effect.
fn leaves_doubt(error: &StoreError) -> bool {
    match error {
        StoreError::NoAnswer {
            may_have_arrived, ..
        } => *may_have_arrived,
        // A 502 of something between comes with this code too.
        error => is_answer(
            error,
            &[
                ErrorCode::TemporarilyUnavailable,
                ErrorCode::DeadlineExceeded,
                ErrorCode::InternalError,
            ],
        ),
    }
}

fn is_answer(error: &StoreError, codes: &[ErrorCode]) -> bool {
    matches!(error, StoreError::Answered { .. }) && codes.contains(&error.code())
}

/// What makes two points of a metric one: value, timestamp and step.
type Point = (u64, i64, i64);

/// All NaN are equal here, and so are the two zeros.
fn point(metric: &Metric) -> Point {
    let value = match metric.value {
        value if value.is_nan() => f64::NAN,
        0.0 => 0.0,
        value => value,
    };
    (value.to_bits(), metric.timestamp, metric.step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_points_are_one() {
        let of = |value| point(&Metric::new("m", value, 5, 1));
        assert_eq!(of(0.0), of(-0.0));
        assert_eq!(of(f64::NAN), of(-f64::NAN));
        assert_ne!(of(1.0), of(2.0));
    }

    #[test]
    fn only_what_may_pass_is_tried_again() {
        let answered = |code| StoreError::Answered {
            code,
            message: String::new(),
        };
        assert!(may_pass(&answered(ErrorCode::InternalError)));
        assert!(!may_pass(&answered(ErrorCode::PermissionDenied)));
        assert!(!may_pass(&StoreError::invalid("no")));
        assert!(!leaves_doubt(&answered(ErrorCode::RequestLimitExceeded)));
        assert!(leaves_doubt(&answered(ErrorCode::InternalError)));
    }
}
