//! Storages of objects: flat, by key, somewhere on the network.
//!
//! [`Objects`] is what a service has to offer, a handful of requests;
//! [`ObjectRepository`] makes a tree of files of it, the same for all. Which
//! requests those are in the words of a service is left to `s3` and its
//! neighbours.

mod begun;
mod buffer;
mod limits;
mod objects;
mod repository;
mod upload;

pub(crate) use objects::{Fault, Meta, Objects, Opened, Page};
pub(crate) use repository::{Keys, ObjectRepository};

#[cfg(test)]
mod tests;
