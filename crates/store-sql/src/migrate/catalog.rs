//! What is in a database: its tables, columns and keys, as its catalog says.
//!
//! Names of tables come from the scripts and are part of the text: MariaDB looks
//! through the whole catalog where they are bound.

use diesel::{QueryResult, sql_types::Text};

use crate::{connection::Connection, dialect::Dialect, sql::Sql};

/// A key or constraint: its name, and its columns in order.
pub(super) type Key = (String, Vec<String>);

/// The names of all tables.
pub(super) fn tables(connection: &mut Connection) -> QueryResult<Vec<String>> {
    Sql::new(match connection.dialect() {
        Dialect::Sqlite => "select name from sqlite_master where type = 'table'",
        Dialect::Postgres => {
            "select relname::text from pg_class where relnamespace = current_schema()::regnamespace \
             and relkind in ('r', 'p')"
        }
        Dialect::Mysql => {
            "select table_name from information_schema.tables where table_schema = database() \
             and table_type = 'BASE TABLE'"
        }
    })
    .rows::<Text, _>(connection)
}

/// Whether there is a table of this name.
pub(super) fn has_table(connection: &mut Connection, table: &'static str) -> QueryResult<bool> {
    // MySQL opens the tables that are asked for: one, not all.
    Ok(!columns(connection, table)?.is_empty())
}

/// The columns of a table, in order.
pub(super) fn columns(
    connection: &mut Connection,
    table: &'static str,
) -> QueryResult<Vec<String>> {
    match connection.dialect() {
        Dialect::Sqlite => Sql::new("select name from pragma_table_xinfo(")
            .text(table)
            .sql(")"),
        Dialect::Postgres => Sql::new(
            "select attname::text from pg_attribute where attnum > 0 and not attisdropped \
             and attrelid = to_regclass(",
        )
        .text(table)
        .sql(") order by attnum"),
        Dialect::Mysql => Sql::varying(
            "select column_name from information_schema.columns \
             where table_schema = database() and table_name = '",
        )
        .sql(table)
        .sql("' order by ordinal_position"),
    }
    .rows::<Text, _>(connection)
}

/// Whether a table has a column.
pub(super) fn has_column(
    connection: &mut Connection,
    table: &'static str,
    column: &str,
) -> QueryResult<bool> {
    Ok(columns(connection, table)?
        .iter()
        .any(|name| name == column))
}

/// The foreign keys of a table on a server.
pub(super) fn foreign_keys(
    connection: &mut Connection,
    table: &'static str,
) -> QueryResult<Vec<Key>> {
    let keys = match connection.dialect() {
        Dialect::Mysql => Sql::varying(
            "select constraint_name, group_concat(column_name order by ordinal_position) \
             from information_schema.key_column_usage where table_schema = database() \
             and referenced_table_name is not null and table_name = '",
        )
        .sql(table)
        .sql("' group by constraint_name"),
        Dialect::Postgres | Dialect::Sqlite => constraints(table, "f"),
    };
    rows(keys, connection)
}

/// The unique keys of a table on MySQL, or its unique constraints on PostgreSQL.
pub(super) fn unique_keys(
    connection: &mut Connection,
    table: &'static str,
) -> QueryResult<Vec<Key>> {
    let keys = match connection.dialect() {
        Dialect::Mysql => indexes(table)
            .sql(" and non_unique = 0 and index_name <> 'PRIMARY' group by index_name"),
        Dialect::Postgres | Dialect::Sqlite => constraints(table, "u"),
    };
    rows(keys, connection)
}

/// The indexes of a table of MySQL, its primary key (`PRIMARY`) included.
pub(super) fn mysql_indexes(
    connection: &mut Connection,
    table: &'static str,
) -> QueryResult<Vec<Key>> {
    rows(indexes(table).sql(" group by index_name"), connection)
}

/// The names of the constraints of a table of MySQL.
pub(super) fn mysql_constraints(
    connection: &mut Connection,
    table: &'static str,
) -> QueryResult<Vec<String>> {
    Sql::varying(
        "select constraint_name from information_schema.table_constraints \
         where table_schema = database() and table_name = '",
    )
    .sql(table)
    .sql("'")
    .rows::<Text, _>(connection)
}

/// The names of the triggers of a MySQL database.
pub(super) fn mysql_triggers(connection: &mut Connection) -> QueryResult<Vec<String>> {
    Sql::new(
        "select trigger_name from information_schema.triggers where trigger_schema = database()",
    )
    .rows::<Text, _>(connection)
}

fn indexes(table: &'static str) -> Sql {
    Sql::varying(
        "select index_name, group_concat(column_name order by seq_in_index) \
         from information_schema.statistics where table_schema = database() and table_name = '",
    )
    .sql(table)
    .sql("'")
}

/// The constraints of one kind of a table of PostgreSQL.
fn constraints(table: &'static str, kind: &str) -> Sql {
    Sql::new(
        "select conname::text, (select string_agg(attname, ',' order by place)::text \
           from unnest(conkey) with ordinality as key(number, place) \
           join pg_attribute on attrelid = conrelid and attnum = number) \
         from pg_constraint where conrelid = to_regclass(",
    )
    .text(table)
    .sql(") and contype::text = ")
    .text(kind)
}

fn rows(keys: Sql, connection: &mut Connection) -> QueryResult<Vec<Key>> {
    let rows: Vec<(String, String)> = keys.rows::<(Text, Text), _>(connection)?;
    Ok(rows
        .into_iter()
        .map(|(name, columns)| (name, columns.split(',').map(str::to_owned).collect()))
        .collect())
}

/// A name between double quotes.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
