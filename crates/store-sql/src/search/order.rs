//! The order of runs, and the place of a row in it.
//!
//! A page token holds the sort keys of the last row of its page, so that the
//! next page begins right after it whatever was added or removed meanwhile, and
//! costs no more the deeper it lies. MLflow's own tokens hold an offset; both
//! are read.

mod stretch;

use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text};
use runledger_entities::Run;
use runledger_search::{Order, RunKey, RunNumber, RunText};
use runledger_store::StoreError;
use serde_json::Value;

use super::page;
use crate::{connection::Connection, dialect::Dialect, nouns::OrStoreError as _, sql::Sql};

pub(crate) use stretch::{Stretch, Walk};

/// Tokens with longer texts than this (bytes) hold the offset only.
const LONGEST_TEXT: usize = 1000;

/// The names of the joined tables, by the place of their clause: as many clauses
/// as an order may have.
const ALIASES: [&str; 16] = [
    "o0", "o1", "o2", "o3", "o4", "o5", "o6", "o7", "o8", "o9", "o10", "o11", "o12", "o13", "o14",
    "o15",
];

/// What rows are compared by: expressions, each with its direction.
pub(crate) struct RunOrder {
    dialect: Dialect,
    keys: Vec<Key>,
}

struct Key {
    /// The row that holds the value, where it is not the run's own.
    row: Option<Joined>,
    /// Orders the row among numbers, NaN and missing values, where there are such.
    class: Option<Sql>,
    value: Sql,
    kind: Kind,
    descending: bool,
    by: RunKey,
}

/// What a key's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Integer,
    Metric,
}

/// The value of a row in one key.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Text(String),
    Integer(i64),
    Real(f64),
    NaN,
    Missing,
}

impl RunOrder {
    /// The order of a search: what was asked for, then newest first, then by id.
    pub(crate) fn new(dialect: Dialect, order_by: &[Order<RunKey>]) -> Result<Self, StoreError> {
        if order_by.len() > ALIASES.len() {
            return Err(StoreError::invalid(format!(
                "`order_by` has {} clauses, at most {} are possible.",
                order_by.len(),
                ALIASES.len()
            )));
        }
        let mut order = Self {
            dialect,
            keys: Vec::new(),
        };
        for (by, alias) in order_by.iter().zip(ALIASES) {
            order.add(by, alias);
        }
        let start = RunKey::Number(RunNumber::StartTime);
        if !order_by.iter().any(|by| by.key == start) {
            order.add(
                &Order {
                    key: start,
                    descending: true,
                },
                "",
            );
        }
        let id = RunKey::Text(RunText::RunId);
        order.add(
            &Order {
                key: id,
                descending: false,
            },
            "",
        );
        Ok(order)
    }

    fn add(&mut self, by: &Order<RunKey>, alias: &'static str) {
        let column = |column: &'static str, nullable: bool| {
            (
                nullable.then(|| missing_last(column, "")),
                Sql::varying(column),
            )
        };
        let joined = |alias: &'static str| {
            (
                Some(missing_last(alias, ".value")),
                Sql::varying(alias).sql(".value"),
            )
        };
        let (class, value) = match &by.key {
            RunKey::Text(text @ RunText::RunId) => column(text_column(*text), false),
            RunKey::Text(text) => column(text_column(*text), true),
            RunKey::Number(number) => column(number_column(*number), true),
            RunKey::Metric(_) => {
                let class = Sql::varying("case when ")
                    .sql(alias)
                    .sql(".value is null then 2 when ")
                    .sql(alias)
                    .sql(".is_nan then 1 else 0 end");
                (Some(class), Sql::varying(alias).sql(".value"))
            }
            RunKey::Param(_) | RunKey::Tag(_) => joined(alias),
        };
        let kind = match by.key {
            RunKey::Metric(_) => Kind::Metric,
            RunKey::Number(_) => Kind::Integer,
            RunKey::Text(_) | RunKey::Param(_) | RunKey::Tag(_) => Kind::Text,
        };
        let row = |table, key: &String| {
            Some(Joined {
                table,
                alias,
                key: key.clone(),
            })
        };
        let row = match &by.key {
            RunKey::Metric(key) => row("latest_metrics", key),
            RunKey::Param(key) => row("params", key),
            RunKey::Tag(key) => row("tags", key),
            RunKey::Text(_) | RunKey::Number(_) => None,
        };
        self.keys.push(Key {
            row,
            class,
            value,
            kind,
            descending: by.descending,
            by: by.key.clone(),
        });
    }

    /// The joins that the order needs.
    pub(crate) fn joins(&self) -> Sql {
        self.joins_of(&self.keys)
    }

    fn joins_of(&self, keys: &[Key]) -> Sql {
        keys.iter()
            .filter_map(|key| key.row.as_ref())
            .fold(Sql::varying(""), |sql, row| {
                sql.sql(" left join ").with(row.joined(self.dialect))
            })
    }

    /// The `order by` clause.
    pub(crate) fn clause(&self) -> Sql {
        Sql::varying(" order by ").with(self.clause_of(&self.keys))
    }

    fn clause_of(&self, keys: &[Key]) -> Sql {
        let mut sql = Sql::varying("");
        for (number, key) in keys.iter().enumerate() {
            if number > 0 {
                sql.push(", ");
            }
            // Where null is the smallest value it is last without more ado in a
            // descending order, where it is the largest in an ascending one.
            // NaN is kept as 0 and must be moved.
            let moved =
                key.descending != self.dialect.null_is_smallest() || key.kind == Kind::Metric;
            if let Some(class) = key.class.as_ref().filter(|_| moved) {
                sql.append(class.clone());
                sql.push(", ");
            }
            sql.append(key.value.clone());
            sql.push(key.direction());
        }
        sql
    }

    /// The sort keys of a run, for a token; nothing where they are too long.
    ///
    /// The database says what they are, since it does the sorting, but for those
    /// that the run was read with.
    pub(crate) fn place(
        &self,
        connection: &mut Connection,
        run: &Run,
    ) -> Result<Option<Vec<Value>>, StoreError> {
        let mut place = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            if let Some(known) = key.place_in(run) {
                let Some(value) = known.to_token() else {
                    return Ok(None);
                };
                place.push(value);
                continue;
            }
            let mut sql = Sql::varying("select ");
            sql.append(key.class.clone().unwrap_or_else(|| Sql::varying("0")));
            sql.push(", ");
            sql.append(key.value.clone());
            sql.push(" from runs r");
            sql.append(self.joins());
            let sql = sql
                .sql(" where r.run_uuid = ")
                .text(run.info.run_id.as_str());
            let found = key.kind.read(sql, connection)?;
            let Some(value) = found.and_then(|found| found.to_token()) else {
                return Ok(None);
            };
            place.push(value);
        }
        Ok(Some(place))
    }

    /// The condition that a row comes after the one with these sort keys.
    pub(crate) fn after(&self, place: &[Value]) -> Result<Sql, StoreError> {
        let places = self.places(place)?;
        Ok(after_all(&self.keys, &places))
    }

    fn places(&self, place: &[Value]) -> Result<Vec<Place>, StoreError> {
        if place.len() != self.keys.len() {
            return Err(page::foreign());
        }
        place
            .iter()
            .map(Place::of_token)
            .collect::<Option<_>>()
            .ok_or_else(page::foreign)
    }
}

/// A row of another table, by its run and its key.
struct Joined {
    table: &'static str,
    alias: &'static str,
    key: String,
}

impl Joined {
    /// The table and its condition, behind `join`.
    fn joined(&self, dialect: Dialect) -> Sql {
        Sql::varying(self.table)
            .sql(" ")
            .sql(self.alias)
            .sql(" on ")
            .with(self.condition(dialect))
    }

    fn condition(&self, dialect: Dialect) -> Sql {
        Sql::varying(self.alias)
            .sql(".run_uuid = r.run_uuid and ")
            .with(dialect.equal_in(self.alias, ".key", &self.key))
    }
}

/// That a row comes after these places: (a > x) or (a = x and b > y) or … as
/// nested conditions, last key first.
fn after_all(keys: &[Key], places: &[Place]) -> Sql {
    let mut after: Option<Sql> = None;
    for (key, place) in keys.iter().zip(places).rev() {
        after = Some(key.after(place, after));
    }
    after.unwrap_or_else(|| Sql::varying("false"))
}

impl Key {
    fn direction(&self) -> &'static str {
        if self.descending { " desc" } else { " asc" }
    }

    /// The order that runs have an index for.
    fn is_start_time(&self) -> bool {
        self.by == RunKey::Number(RunNumber::StartTime)
    }

    /// The value of a run, where it is read as it is kept: what may be null and
    /// is read as something else is left to the database.
    fn place_in(&self, run: &Run) -> Option<Place> {
        match &self.by {
            RunKey::Metric(key) => {
                let mut metrics = run.data.metrics.iter();
                Some(match metrics.find(|metric| metric.key == *key) {
                    None => Place::Missing,
                    Some(metric) if metric.value.is_nan() => Place::NaN,
                    Some(metric) => Place::Real(metric.value),
                })
            }
            RunKey::Param(key) => {
                let mut params = run.data.params.iter();
                let param = params.find(|param| param.key == *key);
                Some(param.map_or(Place::Missing, |param| Place::Text(param.value.clone())))
            }
            RunKey::Text(RunText::RunId) => Some(Place::Text(run.info.run_id.as_str().to_owned())),
            RunKey::Number(RunNumber::StartTime) if run.info.start_time != 0 => {
                Some(Place::Integer(run.info.start_time))
            }
            _ => None,
        }
    }

    /// That a row comes after `place` by this key or, where it is equal, by `then`.
    fn after(&self, place: &Place, then: Option<Sql>) -> Sql {
        let mut sql = Sql::varying("(");
        if let Some(class) = &self.class {
            sql.append(class.clone());
            sql = sql.sql(" > ").int(place.class()).sql(" or (");
            sql.append(class.clone());
            sql = sql.sql(" = ").int(place.class()).sql(" and (");
        }
        // All missing values are equal, and so are all NaN.
        if place.class() == 0 {
            sql.append(self.value.clone());
            sql = place.bind(sql.sql(if self.descending { " < " } else { " > " }));
            if let Some(then) = then {
                sql.push(" or (");
                sql.append(self.value.clone());
                sql = place.bind(sql.sql(" = ")).sql(" and ");
                sql.append(then);
                sql.push(")");
            }
        } else {
            sql.append(then.unwrap_or_else(|| Sql::varying("false")));
        }
        if self.class.is_some() {
            sql.push("))");
        }
        sql.sql(")")
    }
}

impl Place {
    /// Where the value lies among numbers and texts (0), NaN (1) and missing
    /// values (2), in both directions.
    fn class(&self) -> i64 {
        match self {
            Self::Text(_) | Self::Integer(_) | Self::Real(_) => 0,
            Self::NaN => 1,
            Self::Missing => 2,
        }
    }

    fn bind(&self, sql: Sql) -> Sql {
        match self {
            Self::Text(text) => sql.text(&**text),
            Self::Integer(number) => sql.int(*number),
            Self::Real(number) => sql.real(*number),
            Self::NaN | Self::Missing => sql.optional_int(None),
        }
    }

    fn to_token(&self) -> Option<Value> {
        Some(match self {
            Self::Text(text) if text.len() > LONGEST_TEXT => return None,
            Self::Text(text) => text.clone().into(),
            Self::Integer(number) => (*number).into(),
            // The bits, since JSON has no exact form for every number.
            Self::Real(number) => Value::from(vec![number.to_bits()]),
            Self::NaN => true.into(),
            Self::Missing => Value::Null,
        })
    }

    fn of_token(value: &Value) -> Option<Self> {
        Some(match value {
            Value::String(text) => Self::Text(text.clone()),
            Value::Number(number) => Self::Integer(number.as_i64()?),
            Value::Array(bits) => match bits.as_slice() {
                [bits] => Self::Real(f64::from_bits(bits.as_u64()?)),
                _ => return None,
            },
            Value::Bool(true) => Self::NaN,
            Value::Null => Self::Missing,
            _ => return None,
        })
    }
}

impl Kind {
    /// Reads a class and a value.
    fn read(self, sql: Sql, connection: &mut Connection) -> Result<Option<Place>, StoreError> {
        let (class, place) = match self {
            Self::Text => {
                let row: Option<(i32, Option<String>)> = sql
                    .first::<(Integer, Nullable<Text>), _>(connection)
                    .or_store_error()?;
                let Some((class, value)) = row else {
                    return Ok(None);
                };
                (class, value.map(Place::Text))
            }
            Self::Integer => {
                let row: Option<(i32, Option<i64>)> = sql
                    .first::<(Integer, Nullable<BigInt>), _>(connection)
                    .or_store_error()?;
                let Some((class, value)) = row else {
                    return Ok(None);
                };
                (class, value.map(Place::Integer))
            }
            Self::Metric => {
                let row: Option<(i32, Option<f64>)> = sql
                    .first::<(Integer, Nullable<Double>), _>(connection)
                    .or_store_error()?;
                let Some((class, value)) = row else {
                    return Ok(None);
                };
                (class, value.map(Place::Real))
            }
        };
        Ok(Some(if class == 1 {
            Place::NaN
        } else {
            place.unwrap_or(Place::Missing)
        }))
    }
}

/// The class of a value that is there or missing: see [`Place::class`].
fn missing_last(column: &'static str, rest: &'static str) -> Sql {
    Sql::varying("case when ")
        .sql(column)
        .sql(rest)
        .sql(" is null then 2 else 0 end")
}

/// The column of a text attribute.
pub(crate) fn text_column(attribute: RunText) -> &'static str {
    match attribute {
        RunText::RunId => "r.run_uuid",
        RunText::RunName => "r.name",
        RunText::Status => "r.status",
        RunText::UserId => "r.user_id",
        RunText::ArtifactUri => "r.artifact_uri",
    }
}

/// The column of a number attribute.
pub(crate) fn number_column(attribute: RunNumber) -> &'static str {
    match attribute {
        RunNumber::StartTime => "r.start_time",
        RunNumber::EndTime => "r.end_time",
    }
}
