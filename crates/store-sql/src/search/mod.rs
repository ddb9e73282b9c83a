//! Searches: typed filters and orders as SQL.
//!
//! One `exists` per clause, driven by the primary keys `(key, run_uuid)`: no
//! join multiplies rows, nothing is made distinct afterwards.

pub(crate) mod experiments;
pub(crate) mod logged_models;
pub(crate) mod model_versions;
mod order;
pub(crate) mod page;
#[cfg(test)]
mod plans;
mod predicates;
pub(crate) mod registered_models;
pub(crate) mod runs;
pub(crate) mod traces;
