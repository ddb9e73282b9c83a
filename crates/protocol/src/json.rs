//! Requests by protobuf's JSON rules, as MLflow applies them.
//!
//! A message is read by serde visitors straight from the bytes. What happens
//! in error cases (which value is quoted, which of several errors counts) is
//! decided when the fields are used, in [`field`].

pub(crate) mod decode;
pub(crate) mod describe;
pub(crate) mod field;
pub(crate) mod message;
pub(crate) mod python;
pub(crate) mod query;
pub(crate) mod repair;
pub(crate) mod value;
pub(crate) mod write;

pub(crate) use runledger_entities::time;
