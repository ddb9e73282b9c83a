//! One synchronous connection to a database of any of the three kinds.
//!
//! SQLite is Diesel's own connection. The servers are reached by Diesel's
//! asynchronous drivers, which need no C library; each connection has a small
//! runtime of its own, in the thread that uses it, so that a statement is one
//! blocking call and no other thread takes part in it.

mod shapes;
mod together;
mod transaction;

use std::fmt;

use diesel::{QueryResult, connection::SimpleConnection as _, sqlite::SqliteConnection};
use diesel_async::{AsyncMysqlConnection, AsyncPgConnection, SimpleAsyncConnection as _};
use futures_util::{
    future::{FutureExt as _, LocalBoxFuture, ready},
    stream::TryStreamExt as _,
};
use tokio::runtime::Runtime;

use self::{shapes::Shapes, transaction::Transaction};
use crate::{
    dialect::Dialect,
    postgres::InsertColumns,
    schema::Schema,
    sql::{Sql, Typed},
};

/// A connection to a database.
pub(crate) struct Connection {
    link: Link,
    schema: Schema,
    transaction: Transaction,
    shapes: Shapes,
}

/// The connection of a driver.
pub(crate) enum Link {
    /// To a SQLite file.
    Sqlite(SqliteConnection),
    /// To a PostgreSQL server.
    Postgres(Box<Remote<AsyncPgConnection>>),
    /// To a MySQL or MariaDB server.
    Mysql(Box<Remote<AsyncMysqlConnection>>),
}

/// An asynchronous connection with the runtime that drives it.
pub(crate) struct Remote<C> {
    connection: C,
    runtime: Driver,
}

impl<C> Remote<C> {
    /// A connection that was made on `runtime`.
    pub(crate) fn new(runtime: Runtime, connection: C) -> Self {
        Self {
            connection,
            runtime: Driver::new(runtime),
        }
    }
}

impl Remote<AsyncPgConnection> {
    /// Runs a statement of PostgreSQL's own.
    pub(crate) fn execute(&mut self, statement: InsertColumns) -> QueryResult<usize> {
        let Self {
            connection,
            runtime,
        } = self;
        runtime.block_on(diesel_async::RunQueryDsl::execute(statement, connection))
    }
}

/// The runtime of one connection.
pub(crate) struct Driver(Option<Runtime>);

impl Driver {
    /// A runtime to drive a connection with.
    pub(crate) fn new(runtime: Runtime) -> Self {
        Self(Some(runtime))
    }

    /// Waits for a future in this thread.
    pub(crate) fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.0
            .as_ref()
            .expect("only dropping takes the runtime")
            .block_on(future)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Dropped as it is, a runtime waits for its tasks, which a thread of
        // another runtime must not do.
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Connection {
    /// A connection to a database with the newest schema.
    pub(crate) fn new(link: Link) -> Self {
        Self {
            link,
            schema: Schema::NEWEST,
            transaction: Transaction::Ordinary,
            shapes: Shapes::default(),
        }
    }

    /// The same connection, to a database with this schema.
    pub(crate) fn to(self, schema: Schema) -> Self {
        Self { schema, ..self }
    }

    /// What the schema has.
    pub(crate) fn schema(&self) -> Schema {
        self.schema
    }

    /// The kind of database.
    pub(crate) fn dialect(&self) -> Dialect {
        match self.link {
            Link::Sqlite(_) => Dialect::Sqlite,
            Link::Postgres(_) => Dialect::Postgres,
            Link::Mysql(_) => Dialect::Mysql,
        }
    }

    /// Whether an index has the metrics of a run by key and step.
    pub(crate) fn has_series_index(&self) -> bool {
        self.schema.series_index
    }

    /// The table `metrics`, to be read by run and key.
    pub(crate) fn series(&self) -> &'static str {
        self.dialect().series(self.schema.series_index)
    }

    /// The connection, if it is one to PostgreSQL.
    pub(crate) fn postgres(&mut self) -> Option<&mut Remote<AsyncPgConnection>> {
        match &mut self.link {
            Link::Postgres(remote) => Some(remote),
            Link::Sqlite(_) | Link::Mysql(_) => None,
        }
    }

    /// Runs statements that take no values and return no rows.
    pub(crate) fn batch_execute(&mut self, statements: &str) -> QueryResult<()> {
        self.begin_now()?;
        match &mut self.link {
            Link::Sqlite(connection) => connection.batch_execute(statements),
            Link::Postgres(remote) => {
                let Remote {
                    connection,
                    runtime,
                } = &mut **remote;
                runtime.block_on(connection.batch_execute(statements))
            }
            Link::Mysql(remote) => {
                let Remote {
                    connection,
                    runtime,
                } = &mut **remote;
                runtime.block_on(connection.batch_execute(statements))
            }
        }
    }

    /// See [`Sql::run`].
    pub(crate) fn run(&mut self, sql: Sql) -> QueryResult<usize> {
        self.begin_now()?;
        match &mut self.link {
            Link::Sqlite(connection) => diesel::RunQueryDsl::execute(sql, connection),
            Link::Postgres(remote) => {
                let Remote {
                    connection,
                    runtime,
                } = &mut **remote;
                runtime.block_on(diesel_async::RunQueryDsl::execute(sql, connection))
            }
            Link::Mysql(remote) => {
                let Remote {
                    connection,
                    runtime,
                } = &mut **remote;
                runtime.block_on(diesel_async::RunQueryDsl::execute(sql, connection))
            }
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Connection").field(&self.dialect()).finish()
    }
}

/// What takes the rows of a statement, one after the other.
pub(crate) type Each<'e, U> = dyn FnMut(U) -> QueryResult<()> + 'e;

/// SQL types that rows of Rust type `U` can be read from on every database.
pub(crate) trait Load<U>: Sized {
    /// Gives `each` row of a statement away.
    fn load(
        statement: Typed<Self>,
        connection: &mut Connection,
        each: &mut Each<'_, U>,
    ) -> QueryResult<()>;

    /// The same from PostgreSQL, beside other statements.
    fn send<'f>(
        statement: Typed<Self>,
        connection: &'f AsyncPgConnection,
        each: impl FnMut(U) -> QueryResult<()> + 'f,
    ) -> LocalBoxFuture<'f, QueryResult<()>>
    where
        Self: 'f;
}

impl<ST, U> Load<U> for ST
where
    ST: 'static + Send,
    U: Send + 'static,
    Typed<ST>: for<'q> diesel::query_dsl::methods::LoadQuery<'q, SqliteConnection, U>
        + for<'q> diesel_async::methods::LoadQuery<'q, AsyncPgConnection, U>
        + for<'q, 'c> diesel_async::methods::LoadQuery<'q, &'c AsyncPgConnection, U>
        + for<'q> diesel_async::methods::LoadQuery<'q, AsyncMysqlConnection, U>,
{
    fn load(
        mut statement: Typed<Self>,
        connection: &mut Connection,
        each: &mut Each<'_, U>,
    ) -> QueryResult<()> {
        connection.shapes.admit(&mut statement.sql);
        match &mut connection.link {
            Link::Sqlite(connection) => diesel::RunQueryDsl::load_iter(statement, connection)?
                .try_for_each(|row| each(row?)),
            Link::Postgres(remote) => {
                let read = ST::send(statement, &remote.connection, each);
                connection.transaction.before(remote, read)
            }
            Link::Mysql(remote) => {
                let Remote {
                    connection,
                    runtime,
                } = &mut **remote;
                runtime.block_on(async {
                    diesel_async::RunQueryDsl::load_stream(statement, connection)
                        .await?
                        .try_for_each(|row| ready(each(row)))
                        .await
                })
            }
        }
    }

    fn send<'f>(
        statement: Typed<Self>,
        mut connection: &'f AsyncPgConnection,
        mut each: impl FnMut(U) -> QueryResult<()> + 'f,
    ) -> LocalBoxFuture<'f, QueryResult<()>>
    where
        Self: 'f,
    {
        async move {
            diesel_async::RunQueryDsl::load_stream(statement, &mut connection)
                .await?
                .try_for_each(|row| ready(each(row)))
                .await
        }
        .boxed_local()
    }
}
