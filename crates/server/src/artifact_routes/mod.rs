//! Artifacts over HTTP: lists, downloads, uploads, and the proxy below
//! `mlflow-artifacts/`.
//!
//! Plain functions: the caller has found the run or model and what the client
//! may do, and passes its `artifact_uri`; [`ArtifactRoots`] decides what may
//! be opened. Text of the client becomes an [`ArtifactPath`] here and goes no
//! further in any other form. Storage is left to `runledger-artifacts`.
//!
//! | endpoint | function |
//! |---|---|
//! | `artifacts/list`, a model's `artifacts/directories` | [`list()`] |
//! | `/get-artifact` | [`ArtifactQuery::of_run`], [`file_or_archive()`] |
//! | `/model-versions/get-artifact` | [`ModelVersionArtifactQuery::of`], [`file_or_archive()`] |
//! | a model's `artifacts/files` | [`ArtifactQuery::of_model`], [`file_or_archive()`] |
//! | `/get-trace-artifact` | [`TraceArtifactQuery::of`], [`download()`] |
//! | `upload-artifact` | [`ArtifactQuery::of_upload`], [`upload()`] |
//! | `mlflow-artifacts/artifacts…` | [`proxy`] |
//! | `mlflow-artifacts/mpu/…`, `presigned…` | [`direct`] |
//! | any route that sends a file, with `archive=zip` | [`file_or_archive()`] |
//! | anything that the server's mode leaves out | [`modes`] |
//!
//! [`ArtifactRoots`]: runledger_artifacts::ArtifactRoots
//! [`ArtifactPath`]: runledger_artifacts::ArtifactPath

pub(crate) mod archive;
pub(crate) mod direct;
mod download;
mod error;
mod list;
pub(crate) mod modes;
pub(crate) mod proxy;
mod query;
mod representation;
mod upload;

pub(crate) use download::{download, file_or_archive};
pub(crate) use error::ArtifactRouteError;
pub(crate) use list::list;
pub(crate) use query::{
    ArtifactQuery, ModelVersionArtifactQuery, TraceArtifactQuery, attachment, file_of,
};
pub(crate) use upload::upload;

#[cfg(test)]
mod tests;
