//! Artifact repositories: safe paths, locations and storage for the files of
//! runs and models.
//!
//! * [`ArtifactPath`] is the only kind of path that reaches storage. Text from
//!   outside becomes one at the edge, decoded exactly once, and it cannot hold
//!   an escape.
//! * [`ArtifactUri`] reads the `artifact_uri` of a run; [`ArtifactRoots`] says
//!   which repository and path that is, and refuses every location that this
//!   process was not told to serve.
//! * [`ArtifactRepository`] is the boundary that backends implement;
//!   [`LocalRepository`] is a directory on disk.
//!
//! HTTP, MLflow's messages and permissions are left to `runledger-server`.
//! With the feature `conformance`, the module `conformance` holds the rules that every
//! backend must keep.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod hosts;
mod local;
mod path;
mod repository;
mod roots;
mod uri;

pub use error::ArtifactError;
pub use hosts::{ALLOWED_SCHEMES_VARIABLE, ForeignHost, HostPolicy};
pub use local::LocalRepository;
pub use path::{ArtifactPath, InvalidPath};
pub use repository::{
    ArtifactRead, ArtifactRepository, BodyError, ByteRange, ByteStream, FileInfo,
};
pub use roots::{ArtifactLocation, ArtifactRoots};
pub use uri::{ArtifactUri, InvalidUri};
