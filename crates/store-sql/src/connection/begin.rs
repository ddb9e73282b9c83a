//! The beginning of a transaction that reads.
//!
//! PostgreSQL is sent it with the first statement, which saves a round trip.
//! Writes do not do so: what is sent behind a beginning that fails runs without
//! a transaction, and for a read only does it not matter.

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::future::join;

use super::{Connection, Link, Remote};

/// Whether the transaction that was asked for has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// It has, or none was asked for.
    Done,
    /// It begins with the next statement.
    Due(&'static str),
    /// It did not.
    Failed,
}

impl Begin {
    /// Waits for reads of PostgreSQL, which are sent behind the beginning if that is due.
    pub(super) fn before(
        &mut self,
        remote: &Remote<AsyncPgConnection>,
        reads: impl Future<Output = QueryResult<()>>,
    ) -> QueryResult<()> {
        let Self::Due(statement) = *self else {
            return remote.runtime.block_on(reads);
        };
        let mut connection = &remote.connection;
        let begin = connection.batch_execute(statement);
        let (begin, reads) = remote.runtime.block_on(join(begin, reads));
        *self = if begin.is_ok() {
            Self::Done
        } else {
            Self::Failed
        };
        begin.and(reads)
    }
}

impl Connection {
    /// Begins a transaction that reads: on PostgreSQL with the next statement.
    pub(crate) fn begin_read(&mut self) -> QueryResult<()> {
        let begin = self.dialect().begin_read();
        if let Link::Postgres(_) = self.link {
            self.begin = Begin::Due(begin);
            return Ok(());
        }
        self.batch_execute(begin)
    }

    /// Begins a transaction that writes.
    pub(crate) fn begin_write(&mut self) -> QueryResult<()> {
        self.batch_execute(self.dialect().begin_write())
    }

    /// Ends the transaction, if it has begun.
    pub(crate) fn end(&mut self, keep: bool) -> QueryResult<()> {
        if let Begin::Due(_) = self.begin {
            self.begin = Begin::Done;
            return Ok(());
        }
        self.batch_execute(if keep { "commit" } else { "rollback" })
    }

    /// Whether the last transaction was to begin with its first statement, and
    /// did not.
    pub(crate) fn failed_to_begin(&self) -> bool {
        self.begin == Begin::Failed
    }

    /// Begins what is due.
    pub(super) fn begin_now(&mut self) -> QueryResult<()> {
        if let (Begin::Due(_), Link::Postgres(remote)) = (self.begin, &self.link) {
            self.begin.before(remote, async { Ok(()) })?;
        }
        Ok(())
    }
}
