//! Running the statements of a script.
//!
//! SQLite and PostgreSQL undo a step that fails. MySQL commits every change of
//! the schema by itself: there, each statement is first asked whether it has
//! been run, so that a step that was cut short is run again from its beginning.

use crate::{connection::Connection, dialect::Dialect};

use super::{
    Failure, catalog, rebuild,
    report::Report,
    script::{Effect, Statement},
    traces,
};

/// Runs one statement.
pub(super) fn run(
    connection: &mut Connection,
    statement: &Statement,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    match statement {
        Statement::Rebuild { table, definition } => {
            report.table(connection, table)?;
            rebuild::rebuild(connection, table, definition)
        }
        Statement::DropForeignKeys { table, columns } => {
            drop_keys(connection, table, columns, Kind::Foreign)
        }
        Statement::DropUnique { table, columns } => {
            drop_keys(connection, table, columns, Kind::Unique)
        }
        Statement::Call("check_traces") => traces::check(connection),
        Statement::Call("move_traces") => traces::copy(connection, report),
        Statement::Call(name) => Err(Failure::Refused(format!("there is no step `{name}`"))),
        Statement::Sql { text, effect } => {
            if let Some(text) = pending(connection, text, effect)? {
                for table in statement.large() {
                    report.table(connection, table)?;
                }
                connection.batch_execute(&text)?;
            }
            Ok(())
        }
    }
}

/// The statement as it must be run; nothing if it has been.
fn pending(
    connection: &mut Connection,
    text: &str,
    effect: &Effect,
) -> Result<Option<String>, Failure> {
    let done = match connection.dialect() {
        Dialect::Mysql => done(connection, effect)?,
        Dialect::Sqlite => match effect {
            // SQLite has no `if not exists` for columns.
            Effect::AddColumn { table, column } if text.contains(IF_NOT_EXISTS) => {
                if catalog::has_column(connection, table, column)? {
                    true
                } else {
                    return Ok(Some(text.replacen(IF_NOT_EXISTS, " ", 1)));
                }
            }
            _ => false,
        },
        Dialect::Postgres => false,
    };
    Ok((!done).then(|| text.to_owned()))
}

const IF_NOT_EXISTS: &str = " if not exists ";

/// Whether a statement has been run on a MySQL database.
fn done(connection: &mut Connection, effect: &Effect) -> Result<bool, Failure> {
    let named = |keys: &[catalog::Key], name: &str| keys.iter().any(|(key, _)| key == name);
    Ok(match effect {
        Effect::CreateTable(table) => catalog::has_table(connection, table)?,
        Effect::CreateTrigger(name) => catalog::mysql_triggers(connection)?
            .iter()
            .any(|trigger| trigger == name),
        Effect::CreateIndex { table, index } => {
            named(&catalog::mysql_indexes(connection, table)?, index)
        }
        Effect::DropIndex { table, index } => match table {
            Some(table) => !named(&catalog::mysql_indexes(connection, table)?, index),
            None => false,
        },
        Effect::AddColumn { table, column } => catalog::has_column(connection, table, column)?,
        Effect::DropColumn { table, column }
        | Effect::RenameColumn {
            table,
            from: column,
        } => !catalog::has_column(connection, table, column)?,
        Effect::AddConstraint { table, name } => catalog::mysql_constraints(connection, table)?
            .iter()
            .any(|constraint| constraint == name),
        Effect::DropForeignKey { table, name } => {
            !named(&catalog::foreign_keys(connection, table)?, name)
        }
        Effect::PrimaryKey { table, columns } => catalog::mysql_indexes(connection, table)?
            .iter()
            .any(|(name, key)| name == "PRIMARY" && key == columns),
        Effect::Retype(_) | Effect::Other => false,
    })
}

#[derive(Clone, Copy)]
enum Kind {
    Foreign,
    Unique,
}

/// Drops the keys of exactly these columns.
fn drop_keys(
    connection: &mut Connection,
    table: &'static str,
    columns: &[&str],
    kind: Kind,
) -> Result<(), Failure> {
    let keys = match kind {
        Kind::Foreign => catalog::foreign_keys(connection, table)?,
        Kind::Unique => catalog::unique_keys(connection, table)?,
    };
    let what = match (connection.dialect(), kind) {
        (Dialect::Mysql, Kind::Foreign) => "foreign key",
        (Dialect::Mysql, Kind::Unique) => "index",
        (Dialect::Postgres | Dialect::Sqlite, _) => "constraint",
    };
    for (name, _) in keys.iter().filter(|(_, key)| key == columns) {
        let name = catalog::quoted(name);
        connection.batch_execute(&format!("alter table {table} drop {what} {name}"))?;
    }
    Ok(())
}
