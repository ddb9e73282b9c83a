//! Files in temporary folders, one for each case.

use std::{error::Error, sync::Arc};

use async_trait::async_trait;
use runledger_store_conformance::{Fixture, World};
use runledger_store_sql::SqlStore;

pub(crate) struct Sqlite;

#[async_trait]
impl Fixture for Sqlite {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    async fn fresh(&self) -> Result<World, Box<dyn Error + Send + Sync>> {
        let folder = tempfile::tempdir()?;
        let uri = format!("sqlite:///{}", folder.path().join("mlflow.db").display());
        let store = Arc::new(SqlStore::open(&uri, crate::options()).await?);
        Ok(World::new(Arc::clone(&store) as _, Arc::clone(&store) as _)
            .purging(Arc::clone(&store) as _)
            .registering(Arc::clone(&store) as _)
            .tracing(Arc::clone(&store) as _)
            .telling(store)
            .holding(folder))
    }
}
