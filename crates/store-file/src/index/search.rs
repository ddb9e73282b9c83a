//! The database that searches run on.
//!
//! Its name is noted beside what it holds. Whoever finds it gone makes another
//! one, under a new name, to be filled from nothing; a process that still has
//! the old one open finds the new name, and goes over to it.

use runledger_store_sql::{SqlStore, StoreOptions};
use uuid::Uuid;

use super::{place::Place, states::States};
use crate::OpenError;

/// The database, open.
#[derive(Debug)]
pub(crate) struct Search {
    /// The database.
    pub(crate) sql: SqlStore,
    name: String,
    place: Place,
    options: StoreOptions,
}

impl Search {
    /// Opens the database that `states` belong to, or makes one.
    pub(crate) async fn open(
        states: &mut States,
        place: &Place,
        options: StoreOptions,
    ) -> Result<Self, OpenError> {
        let failed = |error: rusqlite::Error| OpenError::Index {
            path: place.path().to_owned(),
            reason: error.to_string(),
        };
        // Until it is open: another process might make one too.
        states.begin().map_err(failed)?;
        let noted = states.search_name().map_err(failed)?;
        let is_there = |name: &String| {
            let found = std::fs::metadata(place.search(name));
            found.is_ok_and(|found| found.len() > 0)
        };
        let name = if let Some(name) = noted.filter(is_there) {
            name
        } else {
            let name = Uuid::new_v4().simple().to_string();
            states.start_anew(&name).map_err(failed)?;
            place.remove_others(&name);
            name
        };
        let path = place.search(&name);
        let opened = SqlStore::open(&Place::uri(&path)?, options.clone()).await;
        let sql = match opened {
            Ok(sql) => sql,
            Err(error) => {
                states.rollback();
                return Err(OpenError::Index {
                    path,
                    reason: error.to_string(),
                });
            }
        };
        states.commit().map_err(failed)?;
        Ok(Self {
            sql,
            name,
            place: place.clone(),
            options,
        })
    }

    /// Whether `states` belong to this database still; the lock is held.
    pub(crate) fn is_current(&self, states: &States) -> rusqlite::Result<bool> {
        Ok(states.search_name()?.as_ref() == Some(&self.name) && self.is_there())
    }

    fn is_there(&self) -> bool {
        let found = std::fs::metadata(self.place.search(&self.name));
        found.is_ok_and(|found| found.len() > 0)
    }

    /// Goes over to the database that `states` belong to now.
    pub(crate) async fn reopen(&mut self, states: &mut States) -> Result<(), OpenError> {
        *self = Self::open(states, &self.place.clone(), self.options.clone()).await?;
        Ok(())
    }
}
