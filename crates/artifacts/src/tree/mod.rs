//! Storages of files and directories somewhere on the network.
//!
//! [`Files`] is what a service has to offer, a handful of requests;
//! [`TreeRepository`] keeps the rules of a repository with them, the same for
//! all: an upload goes to a hidden name beside its place and is renamed there
//! once it is whole. Which requests those are in the words of a service is left
//! to `hdfs`, `ftp` and `sftp`.

mod files;
mod kept;
mod remove;
mod repository;
mod staged;
#[cfg(test)]
mod tests;

pub(crate) use files::{Content, Entry, Fault, Files, Identity, Kind, Node};
pub(crate) use kept::Kept;
pub(crate) use repository::TreeRepository;
