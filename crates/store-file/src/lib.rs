//! MLflow's `mlruns` folder as a Runledger store: the files are the truth.
//!
//! A [`FileStore`] reads and writes the same folder as MLflow 2.x and 3.x, at the
//! same time as they do, and answers searches like a database: an index in
//! the user's cache folder holds what searches need, and is brought up to the files
//! before each answer.
//!
//! From the bottom up: `safe_dir` opens nothing outside the folder, `yaml`
//! and `metric_line` are the two formats, `layout` knows which folder holds
//! what, `write` puts files there whole, and `folder` reads and writes
//! experiments, runs and logged models in terms of the entities; all of that is
//! synchronous, and coordinates nothing between processes but by the file
//! system's own atomic steps. `index` keeps the database, and `store` is the
//! traits on top.

mod error;
mod folder;
mod index;
mod layout;
mod metric_line;
mod open;
mod python_number;
mod safe_dir;
mod signature;
mod store;
mod write;
pub mod yaml;

use error::FolderError;
pub use open::OpenError;
pub use store::{Clock, Durability, FileStore, FileStoreOptions};
