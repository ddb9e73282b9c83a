//! The database that the servers share, looked at without them.

use std::collections::BTreeMap;
use std::{env, process};

use runledger_e2e::server::eventually;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls, Row};

use crate::writers::Point;

const VARIABLE: &str = "RUNLEDGER_TEST_POSTGRES_URL";

/// A new database on the server that the environment names. It is dropped with this.
pub(crate) struct Database {
    /// For servers of ours.
    pub(crate) uri: String,
    name: String,
    runtime: Runtime,
    /// A connection beside it.
    beside: Client,
    url: String,
}

impl Database {
    /// `test` is part of its name.
    pub(crate) fn new(test: &str) -> Self {
        let server = env::var(VARIABLE).unwrap_or_else(|_| {
            panic!("{VARIABLE} is not set: `cargo xtask test-races` starts a server and sets it")
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let beside = connect(&runtime, &server);
        let name = format!("runledger_{test}_{}", process::id());
        runtime
            .block_on(beside.batch_execute(&format!("create database {name}")))
            .expect("a new database");
        let (_, place) = server.split_once("://").expect("a URL");
        let authority = place.split(['/', '?']).next().unwrap_or_default();
        let url = format!("postgresql://{authority}/{name}");
        Self {
            uri: url.clone(),
            name,
            runtime,
            beside,
            url,
        }
    }

    /// Waits until nothing is at work in it any more: a killed server's last transaction may still be ending.
    pub(crate) fn settle(&self) {
        eventually("all connections of killed servers end", || {
            self.connections("true") == 0
        });
    }

    /// How many connections to it there are of which this is true.
    fn connections(&self, condition: &str) -> i64 {
        let statement =
            format!("select count(*) from pg_stat_activity where datname = $1 and ({condition})");
        self.runtime
            .block_on(self.beside.query_one(&statement, &[&self.name]))
            .expect("the activity")
            .get(0)
    }

    /// Tells the planner what is in the tables.
    pub(crate) fn analyze(&self) {
        let client = connect(&self.runtime, &self.url);
        self.runtime
            .block_on(client.batch_execute("analyze"))
            .expect("statistics");
    }

    /// Waits until all connections to it wait for what comes next, outside any transaction, and counts them.
    pub(crate) fn wait_for_idle(&self) -> i64 {
        eventually("no connection is in a transaction", || {
            self.connections("state is distinct from 'idle'") == 0
        });
        self.connections("true")
    }

    /// Closes all connections to it at their other end, as a database does that is started again.
    pub(crate) fn close_connections(&self) {
        let statement = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
        self.runtime
            .block_on(self.beside.execute(statement, &[&self.name]))
            .expect("the end of all connections");
        self.settle();
    }

    /// Keeps everybody from the table of runs while `readers` start, until it has waited for so many of them.
    pub(crate) fn hold_runs(&self, readers: impl FnOnce(&dyn Fn(usize))) {
        let lock = connect(&self.runtime, &self.url);
        self.runtime
            .block_on(lock.batch_execute("begin; lock table runs"))
            .expect("a lock");
        readers(&|count| {
            eventually("all readers wait for the table", || {
                usize::try_from(self.connections("wait_event_type = 'Lock'")) == Ok(count)
            });
            self.runtime
                .block_on(lock.batch_execute("commit"))
                .expect("the end of the lock");
        });
    }

    /// How many rows were read by going through a whole table, by all sessions
    /// that have ended.
    pub(crate) fn rows_of_scans(&self, table: &str) -> i64 {
        self.statistic(table, "seq_tup_read")
    }

    /// How many rows of a table were read, by all sessions that have ended.
    pub(crate) fn rows_read(&self, table: &str) -> i64 {
        self.statistic(table, "seq_tup_read + idx_tup_fetch")
    }

    fn statistic(&self, table: &str, of: &str) -> i64 {
        let statement = format!("select {of} from pg_stat_user_tables where relname = '{table}'");
        self.rows(&statement)
            .first()
            .and_then(|row| row.get::<_, Option<i64>>(0))
            .unwrap_or_else(|| panic!("nothing is known of the table {table}"))
    }

    /// All points of all runs.
    pub(crate) fn points(&self) -> Vec<(String, Point)> {
        self.rows("select run_uuid, key, step, timestamp, value from metrics where not is_nan")
            .iter()
            .map(|row| {
                let (step, value) = (row.get::<_, i64>(2), row.get::<_, f64>(4));
                assert_eq!(row.get::<_, i64>(3), step, "timestamps are the steps here");
                #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
                let value = value as i64;
                let key = row.get(1);
                (row.get(0), Point { key, step, value })
            })
            .collect()
    }

    /// The values of `params` or `tags` by run and key.
    pub(crate) fn pairs(&self, table: &str) -> BTreeMap<(String, String), String> {
        self.rows(&format!("select run_uuid, key, value from {table}"))
            .iter()
            .map(|row| ((row.get(0), row.get(1)), row.get(2)))
            .collect()
    }

    /// The ids of `experiments` or `runs` by name.
    pub(crate) fn ids_by_name(&self, table: &str) -> BTreeMap<String, Vec<String>> {
        let columns = match table {
            "runs" => "name, run_uuid",
            _ => "name, experiment_id::text",
        };
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in self.rows(&format!("select {columns} from {table}")) {
            ids.entry(row.get(0)).or_default().push(row.get(1));
        }
        ids
    }

    /// The latest point of each key is the one with the highest step, then time, then value.
    pub(crate) fn check_latest_metrics(&self) {
        let wrong = self.rows(
            "with newest as (
                 select distinct on (run_uuid, key) run_uuid, key, step, timestamp, value, is_nan
                 from metrics
                 order by run_uuid, key, step desc, timestamp desc, value desc
             )
             select run_uuid, key, newest.step, latest.step
             from newest
             full join latest_metrics latest using (run_uuid, key)
             where (newest.step, newest.timestamp, newest.value, newest.is_nan)
                 is distinct from (latest.step, latest.timestamp, latest.value, latest.is_nan)",
        );
        let shown: Vec<_> = wrong
            .iter()
            .take(10)
            .map(|row| {
                let (run, key): (String, String) = (row.get(0), row.get(1));
                let (newest, latest): (Option<i64>, Option<i64>) = (row.get(2), row.get(3));
                format!("{key} of {run}: step {newest:?} in the history, {latest:?} as the latest")
            })
            .collect();
        assert!(
            wrong.is_empty(),
            "{} latest metrics are wrong: {shown:?}",
            wrong.len()
        );
    }

    fn rows(&self, statement: &str) -> Vec<Row> {
        let client = connect(&self.runtime, &self.url);
        self.runtime
            .block_on(client.query(statement, &[]))
            .expect("rows")
    }
}

impl Drop for Database {
    #[expect(clippy::print_stdout, reason = "it may be dropped by a panic")]
    fn drop(&mut self) {
        let statement = format!("drop database if exists {} with (force)", self.name);
        if let Err(error) = self.runtime.block_on(self.beside.batch_execute(&statement)) {
            println!("note: the database {} is left behind: {error}", self.name);
        }
    }
}

fn connect(runtime: &Runtime, url: &str) -> Client {
    let (client, connection) = runtime
        .block_on(tokio_postgres::connect(url, NoTls))
        .expect("a connection");
    // It ends with its client, and tells the client what goes wrong.
    runtime.spawn(connection);
    client
}
