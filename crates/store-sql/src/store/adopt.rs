//! Taking over what another store kept: [`AdoptStore`].

use std::sync::Arc;

use async_trait::async_trait;
use runledger_store::{AdoptStore, Adoption, StoreError};

use super::SqlStore;
use crate::{DatabaseUri, nouns::adopt};

#[async_trait]
impl AdoptStore for SqlStore {
    fn largest_experiment_id(&self) -> i64 {
        match self.uri {
            DatabaseUri::Sqlite { .. } => i64::MAX,
            // The column is `INTEGER`.
            DatabaseUri::Postgres(_) | DatabaseUri::Mysql(_) => i32::MAX.into(),
        }
    }

    async fn adopt(&self, adoption: Adoption) -> Result<(), StoreError> {
        let (adoption, exact) = (Arc::new(adoption), self.is_cache);
        self.executor
            .write(move |c| adopt::adopt(c, &adoption, exact))
            .await
    }
}
