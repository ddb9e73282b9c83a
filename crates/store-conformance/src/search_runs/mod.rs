//! The search of runs.

mod equivalence;
mod filters;
mod order;
mod paging;

use crate::case::Case;

pub(crate) fn cases() -> Vec<Case> {
    [
        equivalence::cases(),
        filters::cases(),
        order::cases(),
        paging::cases(),
    ]
    .into_iter()
    .flatten()
    .collect()
}
