//! Traces: told by clients and by their spans, assessments, links, searches,
//! deletion, metrics.

mod assessments;
mod deletion;
mod metrics;
mod search;
mod setup;
mod span_text;
mod spans;
mod told;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        assessments::cases(),
        deletion::cases(),
        metrics::cases(),
        search::cases(),
        spans::cases(),
        told::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
