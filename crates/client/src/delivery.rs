//! A batch on its way to a run, once, whatever breaks off.
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
//! middle of one may keep a part of it. Params, tags and the end of a run may be sent
//! again anywhere.

use std::collections::HashSet;
use std::sync::Arc;

use runledger_entities::{Coded, ErrorCode, Metric, Param, RunId, RunStatus, Tag};
use runledger_store::{Batch, RunPatch, StoreError, StoreKind};

use crate::{Client, TrackingError};

/// What goes to a run together, within the limits of `log-batch`.
#[derive(Debug)]
pub(crate) struct Delivery {
    metrics: Arc<Vec<Metric>>,
    params: Vec<Param>,
    tags: Vec<Tag>,
    /// Keys of metrics that may have arrived, and whose histories were not read since.
    in_doubt: Vec<String>,
    /// The status and time of the end of the run, which goes last.
    end: Option<(RunStatus, i64)>,
    is_logged: bool,
}

impl Delivery {
    /// Of metrics that were never sent.
    pub(crate) fn of_metrics(metrics: Arc<Vec<Metric>>) -> Self {
        Self {
            metrics,
            params: Vec::new(),
            tags: Vec::new(),
            in_doubt: Vec::new(),
            end: None,
            is_logged: false,
        }
    }

    /// Of what was written down; it may have been sent by who wrote it.
    pub(crate) fn of(batch: Batch, end: Option<(RunStatus, i64)>, may_have_arrived: bool) -> Self {
        let mut delivery = Self {
            params: batch.params,
            tags: batch.tags,
            end,
            ..Self::of_metrics(Arc::new(batch.metrics))
        };
        if may_have_arrived {
            delivery.doubt();
        }
        delivery
    }

    /// Whether some of it may have arrived.
    pub(crate) fn is_in_doubt(&self) -> bool {
        !self.in_doubt.is_empty()
    }

    fn doubt(&mut self) {
        let keys: HashSet<&String> = self.metrics.iter().map(|metric| &metric.key).collect();
        self.in_doubt = keys.into_iter().cloned().collect();
    }

    /// Sends what is not known to be there. What arrived of it, a further attempt knows.
    pub(crate) async fn attempt(&mut self, client: &Client, run: &RunId) -> Result<(), StoreError> {
        if !self.is_logged {
            self.leave_out_arrived(client, run).await?;
            self.log(client, run).await?;
            self.is_logged = true;
        }
        let Some((status, end_time)) = self.end else {
            return Ok(());
        };
        let patch = RunPatch {
            status: Some(status),
            end_time: Some(end_time),
            run_name: None,
        };
        client.store().update_run(run, patch).await.map(drop)
    }

    async fn log(&mut self, client: &Client, run: &RunId) -> Result<(), StoreError> {
        let batch = Batch {
            metrics: Vec::clone(&self.metrics),
            params: self.params.clone(),
            tags: self.tags.clone(),
        };
        if batch == Batch::default() {
            return Ok(());
        }
        let outcome = client.store().log_batch(run, batch).await;
        if outcome.as_ref().is_err_and(leaves_doubt) {
            self.doubt();
        }
        outcome
    }

    /// Leaves out the points that are there already, where a second one would be
    /// kept. What was found out stays so when a later history cannot be read.
    async fn leave_out_arrived(&mut self, client: &Client, run: &RunId) -> Result<(), StoreError> {
        if self.in_doubt.is_empty() {
            return Ok(());
        }
        match client.rest() {
            Some(server) if server.drops_equal_points().await? => return Ok(()),
            None if client.store().kind() == StoreKind::Sql => return Ok(()),
            _ => {}
        }
        while let Some(key) = self.in_doubt.last() {
            let there: HashSet<Point> = match client.metric_history(run, key).await {
                Ok(points) => points.iter().map(point).collect(),
                Err(TrackingError::Store(error)) => return Err(error),
                Err(other) => return Err(StoreError::internal(other)),
            };
            Arc::make_mut(&mut self.metrics)
                .retain(|metric| metric.key != *key || !there.contains(&point(metric)));
            self.in_doubt.pop();
        }
        Ok(())
    }
}

/// Whether the tracker is away, and the same call may succeed later.
pub(crate) fn is_away(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::NoAnswer { .. } | StoreError::Unavailable { .. }
    ) || is_answer(
        error,
        &[
            ErrorCode::RequestLimitExceeded,
            ErrorCode::TemporarilyUnavailable,
            ErrorCode::DeadlineExceeded,
        ],
    )
}

/// Whether something stands between, such as a proxy that knows no account or no such
/// path: what is sent is not to blame, but waiting alone may not help.
pub(crate) fn is_barred(error: &StoreError) -> bool {
    is_answer(
        error,
        &[
            ErrorCode::Unauthenticated,
            ErrorCode::PermissionDenied,
            ErrorCode::EndpointNotFound,
        ],
    )
}

/// Whether the server failed, which may be because of what it was asked.
pub(crate) fn is_fault(error: &StoreError) -> bool {
    is_answer(error, &[ErrorCode::InternalError])
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
        assert!(is_fault(&answered(ErrorCode::InternalError)));
        assert!(is_away(&answered(ErrorCode::RequestLimitExceeded)));
        assert!(is_barred(&answered(ErrorCode::Unauthenticated)));
        let error = StoreError::invalid("no");
        assert!(!is_away(&error) && !is_fault(&error) && !is_barred(&error));
        assert!(!leaves_doubt(&answered(ErrorCode::RequestLimitExceeded)));
        assert!(leaves_doubt(&answered(ErrorCode::InternalError)));
    }
}
