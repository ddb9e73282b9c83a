//! Indexes of ours on a server's tables.
//!
//! MLflow's schema has none for the two orders that are asked for most, the
//! newest runs and the runs with the best value of a metric, and none for the
//! runs with a certain value of a param or tag. Without one a search looks at
//! every run of the experiment. Their names begin with `runledger_`; MLflow
//! neither needs nor minds them, and they may be dropped.
//! On SQLite, where the one writer pays for every index, there are none
//! (decision 0015).

use diesel::{
    QueryResult,
    sql_types::{Bool, Text},
};

use crate::{connection::Connection, dialect::Dialect, sql::Sql};

/// An index, and the table and columns it is on.
struct Index {
    name: &'static str,
    postgres: &'static str,
    mysql: &'static str,
}

const INDEXES: [Index; 4] = [
    Index {
        name: "runledger_runs_by_start",
        postgres: "runs (experiment_id, start_time desc, run_uuid)",
        mysql: "runs (experiment_id, start_time desc, run_uuid)",
    },
    Index {
        name: "runledger_metrics_by_value",
        postgres: "latest_metrics (key, value, run_uuid) where not is_nan",
        mysql: "latest_metrics (\"key\", value, run_uuid)",
    },
    // An index of PostgreSQL holds no long values, one of MySQL the beginnings
    // of all. The limit of 500 bytes is also in [`Dialect::in_value_index`].
    // These are for looking up what is equal, which takes three fifths of the
    // time where the order of texts is that of their bytes, not of a language.
    Index {
        name: "runledger_params_by_value",
        postgres: "params (key text_pattern_ops, value text_pattern_ops, \
             run_uuid text_pattern_ops) where octet_length(value) <= 500",
        mysql: "params (\"key\", value(100), run_uuid)",
    },
    Index {
        name: "runledger_tags_by_value",
        postgres: "tags (key text_pattern_ops, value text_pattern_ops, \
             run_uuid text_pattern_ops) where octet_length(value) <= 500",
        mysql: "tags (\"key\", value(100), run_uuid)",
    },
];

/// A key of PostgreSQL's advisory locks: "runledg" in ASCII, and 1.
const LOCK: i64 = 0x7275_6e6c_6564_6701;

/// Makes the indexes in a database without runs, where it takes no time.
/// Returns whether there are some to be made: see [`make`].
pub(crate) fn prepare(connection: &mut Connection) -> QueryResult<bool> {
    if connection.dialect() == Dialect::Sqlite || missing(connection)?.is_empty() {
        return Ok(false);
    }
    let run = Sql::new("select run_uuid from runs limit 1").first::<Text, String>(connection)?;
    if run.is_some() {
        return Ok(true);
    }
    for index in missing(connection)? {
        create(connection, index, "")?;
    }
    Ok(false)
}

/// Makes the indexes that are missing. It may take minutes where the tables are
/// large; neither reads nor writes wait for it.
pub(crate) fn make(connection: &mut Connection) -> QueryResult<()> {
    let mut concurrently = "";
    if connection.dialect() == Dialect::Postgres {
        connection.batch_execute("set statement_timeout = 0; set lock_timeout = 0")?;
        let locked = Sql::new("select pg_try_advisory_lock(")
            .int(LOCK)
            .sql(")")
            .first::<Bool, bool>(connection)?;
        if locked != Some(true) {
            // Another server is at it.
            return Ok(());
        }
        concurrently = "concurrently";
    }
    for index in missing(connection)? {
        tracing::info!(index = index.name, "making an index");
        create(connection, index, concurrently)?;
        tracing::info!(index = index.name, "made an index");
    }
    Ok(())
}

fn create(connection: &mut Connection, index: &Index, concurrently: &str) -> QueryResult<()> {
    let Index {
        name,
        postgres,
        mysql,
    } = index;
    if connection.dialect() == Dialect::Mysql {
        return connection.batch_execute(&format!("create index {name} on {mysql}"));
    }
    // One that is there and does not count is of a build that was cut short.
    connection.batch_execute(&format!("drop index if exists {name}"))?;
    connection.batch_execute(&format!("create index {concurrently} {name} on {postgres}"))
}

/// The indexes that are not there, or not whole.
fn missing(connection: &mut Connection) -> QueryResult<Vec<&'static Index>> {
    let there = match connection.dialect() {
        Dialect::Sqlite => return Ok(Vec::new()),
        Dialect::Postgres => Sql::new(
            "select c.relname::text from pg_index i join pg_class c on c.oid = i.indexrelid \
             where i.indisvalid and c.relnamespace = current_schema()::regnamespace",
        ),
        Dialect::Mysql => Sql::new(
            "select distinct index_name from information_schema.statistics \
             where table_schema = database()",
        ),
    };
    let there: Vec<String> = there.rows::<Text, _>(connection)?;
    let is_missing = |index: &&Index| !there.iter().any(|name| name == index.name);
    Ok(INDEXES.iter().filter(is_missing).collect())
}
