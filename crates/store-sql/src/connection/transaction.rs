//! The beginning and the end of a transaction.
//!
//! PostgreSQL is sent the beginning of one that reads with the first statement,
//! and its end is not waited for, which saves two round trips. Writes do
//! neither: what is sent behind a beginning that fails runs without a
//! transaction, and what was not committed must not be acknowledged. To a read
//! neither matters.

use diesel::QueryResult;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::future::{join, poll_immediate};
use tokio::task::yield_now;

use super::{Connection, Link, Remote};

/// How the transaction of a connection begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transaction {
    /// By statements that are waited for; or there is none.
    Ordinary,
    /// It begins with the next statement.
    Due(&'static str),
    /// It began with its first statement and only reads: its end is not waited for.
    Reading,
    /// It was to begin with its first statement, and did not.
    Failed,
}

impl Transaction {
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
            Self::Reading
        } else {
            Self::Failed
        };
        begin.and(reads)
    }
}

impl Remote<AsyncPgConnection> {
    /// Sends a statement whose answer nobody needs. The next one waits for it.
    fn send(&self, statement: &str) -> QueryResult<()> {
        let mut connection = &self.connection;
        self.runtime.block_on(async {
            // Only a connection that is lost answers at once.
            if let Some(lost) = poll_immediate(connection.batch_execute(statement)).await {
                return lost;
            }
            // The driver has it now, and its turn to send it comes.
            yield_now().await;
            Ok(())
        })
    }
}

impl Connection {
    /// Begins a transaction that reads: on PostgreSQL with the next statement.
    pub(crate) fn begin_read(&mut self) -> QueryResult<()> {
        let begin = self.dialect().begin_read();
        if let Link::Postgres(_) = self.link {
            self.transaction = Transaction::Due(begin);
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
        match (self.transaction, &self.link) {
            (Transaction::Due(_), _) => {}
            (Transaction::Reading, Link::Postgres(remote)) if keep => remote.send("commit")?,
            _ => self.batch_execute(if keep { "commit" } else { "rollback" })?,
        }
        self.transaction = Transaction::Ordinary;
        Ok(())
    }

    /// Whether the last transaction was to begin with its first statement, and
    /// did not.
    pub(crate) fn failed_to_begin(&self) -> bool {
        self.transaction == Transaction::Failed
    }

    /// Begins what is due.
    pub(super) fn begin_now(&mut self) -> QueryResult<()> {
        if let (Transaction::Due(_), Link::Postgres(remote)) = (self.transaction, &self.link) {
            self.transaction.before(remote, async { Ok(()) })?;
        }
        Ok(())
    }
}
