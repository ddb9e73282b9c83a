//! Several reads at once.
//!
//! PostgreSQL takes the next statement while the rows of the last one are on
//! their way: reads that do not need each other's rows are sent together, so
//! that a page of runs waits for one round trip instead of seven, and is
//! decoded while the database reads on. The others run one after the other.

use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use futures_util::future::{FutureExt as _, LocalBoxFuture, join_all};

use super::{Connection, Link, Load};
use crate::sql::{Sql, Typed};

/// A statement, and where its rows go: made by [`Sql::into_rows`].
pub(crate) trait Read {
    /// Runs it.
    fn run(self: Box<Self>, connection: &mut Connection) -> QueryResult<()>;

    /// Sends it when first polled, whatever is on its way.
    fn send<'f>(
        self: Box<Self>,
        connection: &'f AsyncPgConnection,
    ) -> LocalBoxFuture<'f, QueryResult<()>>
    where
        Self: 'f;
}

struct RowsOf<'r, ST, U> {
    statement: Typed<ST>,
    rows: &'r mut Vec<U>,
}

impl<ST: Load<U>, U> Read for RowsOf<'_, ST, U> {
    fn run(self: Box<Self>, connection: &mut Connection) -> QueryResult<()> {
        *self.rows = ST::load(self.statement, connection)?;
        Ok(())
    }

    fn send<'f>(
        self: Box<Self>,
        connection: &'f AsyncPgConnection,
    ) -> LocalBoxFuture<'f, QueryResult<()>>
    where
        Self: 'f,
    {
        let Self { statement, rows } = *self;
        async move {
            *rows = ST::send(statement, connection).await?;
            Ok(())
        }
        .boxed_local()
    }
}

impl Sql {
    /// The statement, whose rows of SQL types `ST` go to `rows`: see
    /// [`Connection::together`].
    pub(crate) fn into_rows<'r, ST, U>(self, rows: &'r mut Vec<U>) -> Box<dyn Read + 'r>
    where
        ST: Load<U> + 'r,
    {
        let statement = self.typed::<ST>();
        Box::new(RowsOf { statement, rows })
    }
}

impl Connection {
    /// Runs reads that do not depend on each other.
    pub(crate) fn together<'r>(
        &mut self,
        reads: impl IntoIterator<Item = Box<dyn Read + 'r>>,
    ) -> QueryResult<()> {
        let Link::Postgres(remote) = &mut self.link else {
            return reads.into_iter().try_for_each(|read| read.run(self));
        };
        let connection = &remote.connection;
        let sent = reads.into_iter().map(|read| read.send(connection));
        let done = remote.runtime.block_on(join_all(sent));
        done.into_iter().collect()
    }
}
