//! What an upgrade would do, without doing it.

use crate::{OpenError, connection::Connection};

use super::{
    count_rows,
    open::{self, Open},
    revisions::Level,
    state::{State, state, unusable},
};

/// The schema version of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Current {
    /// Alembic's name for it, as in the table `alembic_version`; nothing if the
    /// database has no tables yet.
    pub revision: Option<&'static str>,
    /// What is new in it, in a few words.
    pub title: &'static str,
    /// Whether it is the newest.
    pub is_newest: bool,
    /// How many steps lead to the newest.
    pub steps_behind: usize,
}

/// The steps that lead to the newest schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Plan {
    /// The steps, in order; none if the schema is the newest. An empty database
    /// gets the newest schema in one step.
    pub steps: Vec<PlannedStep>,
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedStep {
    /// The version that the step leads to.
    pub revision: &'static str,
    /// What is new in it, in a few words.
    pub title: &'static str,
    /// The tables whose rows are rewritten, moved or indexed, with their number
    /// of rows now. Tables that an earlier step makes are left out.
    pub tables: Vec<(String, u64)>,
}

/// Reads the schema version of a database.
///
/// Blocks; nothing is changed.
///
/// # Errors
/// Those of opening a database, [`OpenError::Newer`], [`OpenError::TooOld`] and
/// [`OpenError::Foreign`].
pub fn current(uri: &str) -> Result<Current, OpenError> {
    let (mut connection, shown) = open::open(uri, Open::Existing)?;
    current_of(&mut connection, &shown)
}

/// As [`current`].
pub(crate) fn current_of(connection: &mut Connection, uri: &str) -> Result<Current, OpenError> {
    Ok(match state(connection, uri)? {
        State::At(level) => Current {
            revision: Some(level.id()),
            title: level.title(),
            is_newest: level == Level::NEWEST,
            steps_behind: level.steps().len(),
        },
        State::Empty | State::Begun => Current {
            revision: None,
            title: "no tables yet",
            is_newest: false,
            steps_behind: 1,
        },
    })
}

/// Lists what [`upgrade`](super::upgrade()) would do, with the number of rows of
/// the tables that take time.
///
/// Blocks; nothing is changed.
///
/// # Errors
/// As [`current`].
pub fn plan(uri: &str) -> Result<Plan, OpenError> {
    let (mut connection, shown) = open::open(uri, Open::Existing)?;
    plan_of(&mut connection, &shown)
}

/// As [`plan`].
pub(crate) fn plan_of(connection: &mut Connection, uri: &str) -> Result<Plan, OpenError> {
    let State::At(level) = state(connection, uri)? else {
        return Ok(Plan {
            steps: vec![PlannedStep {
                revision: Level::NEWEST.id(),
                title: "all tables, in an empty database",
                tables: Vec::new(),
            }],
        });
    };
    let mut steps = Vec::new();
    for revision in level.steps() {
        let mut tables: Vec<(String, u64)> = Vec::new();
        for statement in revision.statements(connection.dialect()) {
            for table in statement.large() {
                if !tables.iter().any(|(name, _)| name == table)
                    && let Some(rows) =
                        count_rows(connection, table).map_err(|error| unusable(uri, error))?
                {
                    tables.push(((*table).to_owned(), rows));
                }
            }
        }
        steps.push(PlannedStep {
            revision: revision.id,
            title: revision.title,
            tables,
        });
    }
    Ok(Plan { steps })
}
