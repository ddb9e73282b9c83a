//! Databases on a PostgreSQL or MariaDB server, lent to one case after the other.
//!
//! To make or drop a database is slow where the disk is, so that a case gets one that an earlier case
//! has finished with, emptied. There are as many as cases run at a time.

use std::{
    env,
    error::Error,
    mem, process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use runledger_store_conformance::{Fixture, World};
use runledger_store_sql::SqlStore;

pub(crate) type Failure = Box<dyn Error + Send + Sync>;

/// Tables with rows that come with the schema.
const SEEDED: [&str; 2] = ["alembic_version", "workspaces"];

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Postgres,
    Mysql,
}

impl Kind {
    fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "RUNLEDGER_TEST_POSTGRES_URL",
            Self::Mysql => "RUNLEDGER_TEST_MYSQL_URL",
        }
    }

    fn scheme(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Mysql => "mysql+pymysql",
        }
    }
}

/// A server, and its databases that no case uses.
pub(crate) struct Server {
    kind: Kind,
    /// Without a scheme and a database: `user:password@host:port`.
    authority: String,
    /// With a leading question mark, or empty.
    options: String,
    databases: Arc<Mutex<Databases>>,
}

#[derive(Default)]
struct Databases {
    made: Vec<String>,
    free: Vec<String>,
}

impl Server {
    /// The server whose URL is in the environment.
    pub(crate) fn from_env(kind: Kind) -> Self {
        let variable = kind.variable();
        let url = env::var(variable).unwrap_or_else(|_| {
            panic!("{variable} is not set: `cargo xtask test-stores` starts a server and sets it")
        });
        let (_, place) = url
            .split_once("://")
            .unwrap_or_else(|| panic!("{variable} holds no URL"));
        let (place, options) = match place.split_once('?') {
            Some((place, options)) => (place, format!("?{options}")),
            None => (place, String::new()),
        };
        let authority = place.split_once('/').map_or(place, |(server, _)| server);
        Self {
            kind,
            authority: authority.to_owned(),
            options,
            databases: Arc::default(),
        }
    }

    fn uri(&self, database: &str) -> String {
        let Self {
            authority, options, ..
        } = self;
        format!("{}://{authority}/{database}{options}", self.kind.scheme())
    }

    /// Drops all databases.
    #[expect(clippy::print_stdout, reason = "the verdict on the cases stands")]
    pub(crate) fn clear(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        for database in mem::take(&mut self.lock().made) {
            if let Err(error) = runtime.block_on(self.drop_database(&database)) {
                println!("note: the database {database} is left behind: {error}");
            }
        }
    }

    /// An empty database: a new one, or one that a case has given back.
    async fn lease(&self) -> Result<Lease, Failure> {
        let free = self.lock().free.pop();
        let name = if let Some(name) = free {
            self.empty(&name).await?;
            name
        } else {
            let name = self.name_another();
            self.administer(&format!("create database {name}")).await?;
            name
        };
        Ok(Lease {
            name,
            databases: Arc::clone(&self.databases),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Databases> {
        lock(&self.databases)
    }

    /// A name for a new database, which will be dropped in the end.
    fn name_another(&self) -> String {
        let made = &mut self.lock().made;
        let name = format!("runledger_case_{}_{}", process::id(), made.len());
        made.push(name.clone());
        name
    }

    async fn drop_database(&self, database: &str) -> Result<(), Failure> {
        self.administer(&match self.kind {
            Kind::Postgres => format!("drop database if exists {database} with (force)"),
            Kind::Mysql => format!("drop database if exists {database}"),
        })
        .await
    }

    /// Runs a statement beside all databases of cases.
    async fn administer(&self, statement: &str) -> Result<(), Failure> {
        match self.kind {
            Kind::Postgres => postgres::run(&self.url("postgres"), statement).await,
            Kind::Mysql => mysql::run(&self.url("mysql"), statement).await,
        }
    }

    /// Deletes all rows but those that come with the schema. Ids go on where they were.
    async fn empty(&self, database: &str) -> Result<(), Failure> {
        let url = self.url(database);
        match self.kind {
            Kind::Postgres => postgres::empty(&url).await,
            Kind::Mysql => mysql::empty(&url).await,
        }
    }

    /// A URL as the plain drivers take it.
    fn url(&self, database: &str) -> String {
        let scheme = match self.kind {
            Kind::Postgres => "postgresql",
            Kind::Mysql => "mysql",
        };
        format!("{scheme}://{}/{database}", self.authority)
    }
}

fn lock(databases: &Mutex<Databases>) -> MutexGuard<'_, Databases> {
    // A list of names is whole whatever happened to a case.
    databases.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Fixture for Server {
    fn longest_experiment_name(&self) -> usize {
        256
    }

    fn name(&self) -> &'static str {
        match self.kind {
            Kind::Postgres => "postgres",
            Kind::Mysql => "mariadb",
        }
    }

    async fn fresh(&self) -> Result<World, Failure> {
        let lease = self.lease().await?;
        let uri = self.uri(&lease.name);
        let store = Arc::new(SqlStore::open(&uri, crate::options()).await?);
        Ok(World::new(Arc::clone(&store) as _, Arc::clone(&store) as _)
            .purging(Arc::clone(&store) as _)
            .registering(Arc::clone(&store) as _)
            .tracing(Arc::clone(&store) as _)
            .telling(store)
            .holding(lease))
    }
}

/// The use of a database by one case.
struct Lease {
    name: String,
    databases: Arc<Mutex<Databases>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A case that fails may have left something at work in its database.
        if !std::thread::panicking() {
            lock(&self.databases).free.push(mem::take(&mut self.name));
        }
    }
}

mod postgres {
    use tokio_postgres::{Client, NoTls};

    use super::{Failure, SEEDED};

    async fn connect(url: &str) -> Result<Client, Failure> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        // It ends with its client, and tells the client what goes wrong.
        tokio::spawn(connection);
        Ok(client)
    }

    pub(super) async fn run(url: &str, statement: &str) -> Result<(), Failure> {
        Ok(connect(url).await?.batch_execute(statement).await?)
    }

    pub(super) async fn empty(url: &str) -> Result<(), Failure> {
        let client = connect(url).await?;
        let tables = client
            .query(
                "select quote_ident(tablename) from pg_tables
                 where schemaname = current_schema() and tablename <> all($1)",
                &[&SEEDED.as_slice()],
            )
            .await?;
        // One statement, at whose end the foreign keys are looked at: the order does not matter.
        let deletes: Vec<String> = tables
            .iter()
            .enumerate()
            .map(|(n, table)| format!("d{n} as (delete from {})", table.get::<_, String>(0)))
            .collect();
        let statement = format!("with {} select", deletes.join(", "));
        Ok(client.batch_execute(&statement).await?)
    }
}

mod mysql {
    use mysql_async::{Conn, Opts, prelude::Queryable};

    use super::{Failure, SEEDED};

    async fn connect(url: &str) -> Result<Conn, Failure> {
        Ok(Conn::new(Opts::from_url(url)?).await?)
    }

    pub(super) async fn run(url: &str, statement: &str) -> Result<(), Failure> {
        let mut connection = connect(url).await?;
        connection.query_drop(statement).await?;
        Ok(connection.disconnect().await?)
    }

    pub(super) async fn empty(url: &str) -> Result<(), Failure> {
        let mut connection = connect(url).await?;
        let tables: Vec<String> = connection
            .query(
                "select table_name from information_schema.tables where table_schema = database()",
            )
            .await?;
        connection
            .query_drop("set foreign_key_checks = 0, autocommit = 0")
            .await?;
        for table in tables {
            if !SEEDED.contains(&table.as_str()) {
                connection
                    .query_drop(format!("delete from `{table}`"))
                    .await?;
            }
        }
        connection.query_drop("commit").await?;
        Ok(connection.disconnect().await?)
    }
}
