//! Bringing a schema to the newest version, step by step.

use diesel::sql_types::BigInt;

use crate::{OpenError, SCHEMA_VERSION, connection::Connection, dialect::Dialect, sql::Sql};

use super::{
    Failure,
    lock::{self, Wait},
    open::{self, Open},
    prepare,
    report::Report,
    revisions::{Level, Revision},
    state::{State, state, unusable},
    steps,
};

/// How far an upgrade is. Told when a step begins, when it goes through a table,
/// and while it moves rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress<'a> {
    /// The place of the step among the steps of this upgrade, from 1.
    pub step: usize,
    /// How many steps there are.
    pub of: usize,
    /// The version that the step leads to, in Alembic's name.
    pub revision: &'static str,
    /// What is new in it, in a few words.
    pub title: &'static str,
    /// The table that is gone through, if it is one that can take long.
    pub table: Option<&'a str>,
    /// How many rows that table has.
    pub rows: Option<u64>,
    /// How many of them are done; 0 where the database does all at once.
    pub rows_done: u64,
}

/// What an upgrade did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Upgraded {
    /// The version before; nothing if the database had no tables.
    pub from: Option<&'static str>,
    /// The version now, which is the newest.
    pub to: &'static str,
    /// How many steps were done; 0 if it was the newest.
    pub steps: usize,
}

/// Brings the schema of a database to the newest version. Every row is kept, and
/// values are where MLflow's own `mlflow db upgrade` leaves them.
///
/// Blocks, as long as the database needs. On SQLite and PostgreSQL everything is
/// one transaction: an error leaves the database as it was. MySQL keeps each
/// change at once: an upgrade that was cut short there goes on when it is run
/// again, and from the last whole step in MLflow too. Nobody else should use the
/// database meanwhile, as with MLflow.
///
/// # Errors
/// [`OpenError::Busy`] if another program is about it, [`OpenError::Upgrade`] if
/// a step failed, and those of [`current`](super::current).
pub fn upgrade(uri: &str, progress: &mut dyn FnMut(Progress<'_>)) -> Result<Upgraded, OpenError> {
    let (mut connection, shown) = open::open(uri, Open::Writable)?;
    upgrade_on(&mut connection, &shown, progress)
}

/// As [`upgrade`].
pub(crate) fn upgrade_on(
    connection: &mut Connection,
    uri: &str,
    progress: &mut dyn FnMut(Progress<'_>),
) -> Result<Upgraded, OpenError> {
    // Looked at before the lock: a database that cannot be upgraded is not touched.
    if state(connection, uri)? == State::At(Level::NEWEST) {
        return Ok(Upgraded {
            from: Some(Level::NEWEST.id()),
            to: Level::NEWEST.id(),
            steps: 0,
        });
    }
    lock::locked(connection, uri, Wait::No, |connection| {
        let found = state(connection, uri)?;
        let State::At(level) = found else {
            prepare::make(connection, found).map_err(|error| unusable(uri, error))?;
            return Ok(Upgraded {
                from: None,
                to: Level::NEWEST.id(),
                steps: 1,
            });
        };
        let revisions = level.steps();
        let failed = |revision: &'static str, failure: Failure, dialect| OpenError::Upgrade {
            uri: uri.to_owned(),
            revision,
            reason: failure.to_string(),
            state: left(dialect),
        };
        let dialect = connection.dialect();
        let broken = broken_references(connection).map_err(|error| unusable(uri, error))?;
        for (place, revision) in revisions.iter().enumerate() {
            let mut report = Report {
                step: place + 1,
                of: revisions.len(),
                revision: revision.id,
                title: revision.title,
                sink: progress,
            };
            step(connection, revision, &mut report)
                .map_err(|failure| failed(revision.id, failure, dialect))?;
        }
        if broken_references(connection).map_err(|error| unusable(uri, error))? > broken {
            let reason = "rows would name rows that are missing".to_owned();
            return Err(failed(SCHEMA_VERSION, Failure::Refused(reason), dialect));
        }
        Ok(Upgraded {
            from: Some(level.id()),
            to: Level::NEWEST.id(),
            steps: revisions.len(),
        })
    })
}

/// What a failed upgrade leaves behind, in words for the error.
fn left(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite | Dialect::Postgres => "the database is as it was",
        Dialect::Mysql => "the steps before it are done; run the upgrade again to go on",
    }
}

fn step(
    connection: &mut Connection,
    revision: &'static Revision,
    report: &mut Report<'_>,
) -> Result<(), Failure> {
    report.step();
    for statement in revision.statements(connection.dialect()) {
        steps::run(connection, &statement, report)?;
    }
    Sql::new("update alembic_version set version_num = ")
        .text(revision.id)
        .run(connection)?;
    Ok(())
}

/// How many rows of a SQLite file name rows that are missing.
///
/// There may be some before: MLflow's migrations do not look. None may be added
/// while foreign keys are off.
fn broken_references(connection: &mut Connection) -> Result<i64, Failure> {
    if connection.dialect() != Dialect::Sqlite {
        return Ok(0);
    }
    let broken = Sql::new("select count(*) from pragma_foreign_key_check")
        .first::<BigInt, i64>(connection)?;
    Ok(broken.unwrap_or_default())
}
