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
//!   [`LocalRepository`] is a directory on disk, [`Storages`] opens the clouds
//!   of the features `s3`, `azure` and `gcs`, the file systems of `hdfs`, `ftp`
//!   and `sftp`, and other tracking servers (`http-proxy`).
//!
//! HTTP, MLflow's messages and permissions are left to `runledger-server`. The
//! feature `http-client` has the module `http_client`, with which clouds are asked
//! and with which the crate `runledger` asks tracking servers.
//! The feature `transfer` has the module `transfer`: whole folders from this machine and
//! to it. With the feature `conformance`, the module `conformance` holds the rules that every
//! backend must keep.

mod authority;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
mod cloud;
#[cfg(feature = "conformance")]
pub mod conformance;
#[cfg(any(feature = "s3", feature = "azure", feature = "gcs"))]
mod content_disposition;
#[cfg(any(
    feature = "hdfs",
    feature = "ftp",
    feature = "sftp",
    feature = "http-proxy"
))]
mod counted;
mod direct;
mod error;
#[cfg(feature = "ftp")]
mod ftp;
#[cfg(feature = "hdfs")]
mod hdfs;
mod hosts;
#[cfg(feature = "http-client")]
pub mod http_client;
mod local;
mod path;
#[cfg(feature = "http-proxy")]
mod proxy;
#[cfg(any(feature = "azure", feature = "gcs"))]
mod remote;
mod repository;
mod roots;
#[cfg(feature = "s3")]
mod s3;
#[cfg(feature = "sftp")]
mod sftp;
mod storages;
#[cfg(feature = "transfer")]
pub mod transfer;
#[cfg(any(feature = "hdfs", feature = "ftp", feature = "sftp"))]
mod tree;
mod uri;

pub use direct::{Capabilities, MultipartUpload, SignedUrl, UploadedPart};
pub use error::ArtifactError;
pub use hosts::{ALLOWED_SCHEMES_VARIABLE, ForeignHost, HostPolicy};
pub use local::LocalRepository;
pub use path::{ArtifactPath, InvalidPath};
#[cfg(feature = "http-proxy")]
pub use proxy::proxied;
pub use repository::{
    ArtifactRead, ArtifactRepository, BodyError, ByteRange, ByteStream, FileInfo,
};
pub use roots::{ArtifactLocation, ArtifactRoots};
#[cfg(feature = "s3")]
pub use s3::{InvalidS3Option, S3Options};
pub use storages::{InvalidStorageOption, STORAGE_SCHEMES, Storages};
pub use uri::{ArtifactUri, InvalidUri, redacted};
