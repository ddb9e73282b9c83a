//! A new definition for a table of SQLite, which cannot change a column.
//!
//! The order is that of SQLite's manual: make, copy, drop, rename. Foreign keys
//! must be off, so that dropping the old table deletes nothing elsewhere.

use diesel::sql_types::{BigInt, Text};

use crate::{connection::Connection, sql::Sql};

use super::{Failure, catalog};

/// Gives a table a new definition. All rows are kept in their order, and all
/// indexes and triggers, also those that MLflow does not know.
///
/// A column that the definition lacks would be lost with what is in it: the
/// table is left alone, and the column named.
pub(super) fn rebuild(
    connection: &mut Connection,
    table: &str,
    definition: &str,
) -> Result<(), Failure> {
    let new = format!("_runledger_new_{table}");
    let (name, new_name) = (catalog::quoted(table), catalog::quoted(&new));
    connection.batch_execute(&format!("create table {new_name} {definition}"))?;
    let kept = stored(connection, &new)?;
    let there = stored(connection, table)?;
    if let Some(unknown) = there.iter().find(|column| !kept.contains(column)) {
        return Err(Failure::Refused(format!(
            "the table `{table}` has a column `{unknown}` that is not MLflow's: drop it, or move \
             it to a table of its own"
        )));
    }
    let columns: Vec<_> = there.iter().map(|column| catalog::quoted(column)).collect();
    let columns = columns.join(", ");
    let dependent: Vec<String> = Sql::new(
        "select sql from sqlite_master where sql is not null and type in ('index', 'trigger') \
         and tbl_name = ",
    )
    .text(table)
    .sql(" order by rowid")
    .rows::<Text, _>(connection)?;
    connection.batch_execute(&format!(
        "insert into {new_name} ({columns}) select {columns} from {name} order by rowid; \
         drop table {name}; \
         alter table {new_name} rename to {name}"
    ))?;
    for statement in dependent {
        connection.batch_execute(&statement)?;
    }
    Ok(())
}

/// The columns of a table whose values are not computed.
fn stored(connection: &mut Connection, table: &str) -> Result<Vec<String>, Failure> {
    let columns: Vec<(String, i64)> = Sql::new("select name, hidden from pragma_table_xinfo(")
        .text(table)
        .sql(")")
        .rows::<(Text, BigInt), _>(connection)?;
    Ok(columns
        .into_iter()
        .filter(|(_, hidden)| *hidden == 0)
        .map(|(name, _)| name)
        .collect())
}
