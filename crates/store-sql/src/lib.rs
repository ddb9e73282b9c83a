//! MLflow's database schema as a Runledger store.
//!
//! [`SqlStore`] keeps experiments, runs, models and webhooks in the tables of
//! MLflow 3.17, on SQLite, PostgreSQL, and MySQL or MariaDB: a database that
//! either program made opens in the other. [`upgrade`] brings one of any MLflow
//! since 2.0 to this schema. Statements are Diesel's, synchronous, on threads
//! that own their connections; batches that arrive together are committed
//! together.
//!
//! This crate leaves to others: parsing filters (`runledger-search`), the
//! contracts it keeps (`runledger-store`), HTTP (`runledger-server`).
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use runledger_store::{NewExperiment, TrackingStore as _};
//! use runledger_store_sql::{SqlStore, StoreOptions};
//!
//! let store = SqlStore::open("sqlite:///mlflow.db", StoreOptions::default()).await?;
//! let id = store
//!     .create_experiment(NewExperiment { name: "iris".to_owned(), ..NewExperiment::default() })
//!     .await?;
//! assert_eq!(store.get_experiment(id).await?.name, "iris");
//! # Ok(())
//! # }
//! ```

mod append;
mod connection;
mod dialect;
mod error;
mod executor;
mod fernet;
mod indexes;
mod migrate;
mod mysql;
mod nouns;
mod outbox;
mod pool_settings;
mod postgres;
mod schema;
mod search;
mod sql;
mod sqlite;
mod store;
mod tls;
mod uri;
mod values;

pub use dialect::Dialect;
pub use error::OpenError;
pub use fernet::{InvalidWebhookKey, WebhookKey};
pub use migrate::{
    Current, Plan, PlannedStep, Progress, SCHEMA_VERSION, Upgraded, current, plan, upgrade,
};
pub use pool_settings::{InvalidVariable, PoolOptions};
pub use store::{Clock, SqlStore, StoreOptions};
pub use uri::{DatabaseUri, MysqlUri, PostgresUri};
