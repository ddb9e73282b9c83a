//! Connections to the hosts of a service.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Hosts whose connections are kept.
const KEPT: usize = 64;

/// What was made for each host and account, the latest used last.
pub(crate) struct Kept<T>(Mutex<Vec<(String, Arc<T>)>>);

/// Without the authorities, which have passwords.
impl<T> fmt::Debug for Kept<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Kept({})", kept.len())
    }
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Kept<T> {
    /// What was made for `authority`, or what `make` makes.
    pub(crate) fn get<E>(
        &self,
        authority: &str,
        make: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(name, _)| name == authority);
        let (name, value) = match found {
            Some(index) => kept.remove(index),
            None => (authority.to_owned(), Arc::new(make()?)),
        };
        if kept.len() >= KEPT {
            kept.remove(0);
        }
        kept.push((name, Arc::clone(&value)));
        Ok(value)
    }
}
