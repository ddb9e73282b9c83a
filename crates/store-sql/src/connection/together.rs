//! Several reads at once.
//!
//! PostgreSQL takes the next statement while the rows of the last one are on
//! their way: reads that do not need each other's rows are sent together, so
//! that a page of runs waits for one round trip instead of seven, and is
//! decoded while the database reads on. The others run one after the other.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel_async::AsyncPgConnection;
use futures_util::future::{FutureExt as _, LocalBoxFuture, join_all};

use super::{Connection, Link, Load};
use crate::sql::{Sql, Typed};

/// A statement, and where its rows go: made by [`Sql::into_each`].
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

struct RowsOf<ST, U, F> {
    statement: Typed<ST>,
    each: F,
    rows: PhantomData<fn(U)>,
}

impl<ST, U, F> Read for RowsOf<ST, U, F>
where
    ST: Load<U>,
    F: FnMut(U) -> QueryResult<()>,
{
    fn run(mut self: Box<Self>, connection: &mut Connection) -> QueryResult<()> {
        ST::load(self.statement, connection, &mut self.each)
    }

    fn send<'f>(
        self: Box<Self>,
        connection: &'f AsyncPgConnection,
    ) -> LocalBoxFuture<'f, QueryResult<()>>
    where
        Self: 'f,
    {
        ST::send(self.statement, connection, self.each)
    }
}

impl Sql {
    /// The statement, with what takes its rows, of SQL types `ST`: see
    /// [`Connection::together`].
    pub(crate) fn into_each<'r, ST, U>(
        self,
        each: impl FnMut(U) -> QueryResult<()> + 'r,
    ) -> Box<dyn Read + 'r>
    where
        ST: Load<U> + 'r,
        U: 'r,
    {
        Box::new(RowsOf {
            statement: self.typed::<ST>(),
            each,
            rows: PhantomData,
        })
    }

    /// The same, where the rows are kept as they come.
    pub(crate) fn into_rows<'r, ST, U>(self, rows: &'r mut Vec<U>) -> Box<dyn Read + 'r>
    where
        ST: Load<U> + 'r,
    {
        self.into_each::<ST, U>(|row| {
            rows.push(row);
            Ok(())
        })
    }
}

impl Connection {
    /// Runs reads that do not depend on each other.
    pub(crate) fn together<'r>(
        &mut self,
        reads: impl IntoIterator<Item = Box<dyn Read + 'r>>,
    ) -> QueryResult<()> {
        let Link::Postgres(remote) = &self.link else {
            return reads.into_iter().try_for_each(|read| read.run(self));
        };
        let sent = reads.into_iter().map(|read| read.send(&remote.connection));
        let all = join_all(sent).map(|done| done.into_iter().collect());
        self.transaction.before(remote, all)
    }
}
