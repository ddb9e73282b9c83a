//! The parts of an order, and how to walk along them: pages of runs without
//! reading all runs (decision 0015).

use runledger_store::StoreError;
use serde_json::Value;

use super::{ALIASES, Key, Kind, Place, RunOrder, after_all};
use crate::{dialect::Dialect, sql::Sql};

/// A part of an order: the rows that have a value in its first key, those where
/// it is NaN, those that have none.
///
/// Asked for one after the other, each is an order by columns alone, which an
/// index may have: a page is then as many steps along it, wherever it begins.
pub(crate) struct Stretch {
    /// The tables beside `runs r`.
    pub(crate) joins: Sql,
    /// Those of the later keys among them.
    pub(crate) rest: Sql,
    /// Which rows belong to it, and come after the place where the page begins.
    pub(crate) condition: Sql,
    /// The `order by` clause.
    pub(crate) order: Sql,
    /// How to walk along it, where it has an index.
    pub(crate) walk: Option<Walk>,
}

/// The first rows of a stretch, in the order of its index.
///
/// A search that filters looks there first: where many runs match, the page is
/// full before the end, however many runs there are. A database cannot know how
/// the values of a filter and an order go together, and left alone tends to look
/// at all runs.
pub(crate) struct Walk {
    /// What is selected of the rows.
    columns: &'static str,
    /// Their table and condition.
    from: Sql,
    /// Whether the condition is to name the experiment.
    of_runs: bool,
    /// Their order.
    order: Sql,
    /// The column that they are ordered by, and how those up to one of them are
    /// compared with it.
    value: Sql,
    up_to: &'static str,
    /// Selects this column, up to the id of a run.
    of_run: Sql,
    /// The name of the rows, and how `runs r` is joined to it.
    pub(crate) joined: &'static str,
    /// The column of the rows that has the id of the run.
    pub(crate) run: &'static str,
}

impl Walk {
    /// The first rows, so many of them.
    pub(crate) fn first(&self, scope: &Sql, rows: i64) -> Sql {
        self.rows(self.columns, scope)
            .with(self.order.clone())
            .sql(" limit ")
            .int(rows)
    }

    /// The value that rows are ordered by.
    pub(crate) fn value_as_double(&self, dialect: Dialect) -> Sql {
        Sql::varying("cast(")
            .with(self.value.clone())
            .sql(" as ")
            .sql(dialect.double())
            .sql(")")
    }

    /// How many rows come before a run and its equals, or are these; `most` if
    /// there are more.
    pub(crate) fn up_to(&self, scope: &Sql, run: &str, most: i64) -> Sql {
        Sql::varying("select count(*) from (")
            .with(self.rows("1 as one", scope))
            .sql(" and ")
            .with(self.value.clone())
            .sql(self.up_to)
            .sql("(")
            .with(self.of_run.clone())
            .text(run)
            .sql(")")
            // Not needed for a count: without it PostgreSQL scans the table.
            .with(self.order.clone())
            .sql(" limit ")
            .int(most)
            .sql(") seen")
    }

    fn rows(&self, columns: &'static str, scope: &Sql) -> Sql {
        let sql = Sql::varying("select ").sql(columns).with(self.from.clone());
        if self.of_runs {
            sql.sql(" and ").with(scope.clone())
        } else {
            sql
        }
    }
}

impl RunOrder {
    /// The stretches of the order from this place on: see [`Stretch`].
    pub(crate) fn stretches(&self, after: Option<&[Value]>) -> Result<Vec<Stretch>, StoreError> {
        let places = after.map(|place| self.places(place)).transpose()?;
        let places = places.as_deref();
        let Some((first, rest)) = self.keys.split_first() else {
            return Ok(Vec::new());
        };
        let begun = places.map_or(0, |places| places[0].class());
        let classes: &[i64] = match (&first.class, first.kind) {
            (None, _) => &[0],
            (Some(_), Kind::Metric) => &[0, 1, 2],
            (Some(_), Kind::Text | Kind::Integer) => &[0, 2],
        };
        let of_class = |class: i64| {
            let (join, mut condition) = first.of_class(self.dialect, class);
            if let Some(places) = places.filter(|_| class == begun) {
                condition.push(" and ");
                condition.append(first.within(&places[0], after_all(rest, &places[1..])));
            }
            let mut order = Sql::varying(" order by ");
            if class == 0 {
                order.append(first.value.clone());
                order.push(first.direction());
                order.push(if rest.is_empty() { "" } else { ", " });
            }
            let walk = (class == 0)
                .then(|| first.walk(self.dialect, places))
                .flatten();
            Stretch {
                joins: join.with(self.joins_of(rest)),
                rest: self.joins_of(rest),
                condition,
                order: order.with(self.clause_of(rest)),
                walk,
            }
        };
        let left = classes.iter().copied().filter(|class| *class >= begun);
        Ok(left.map(of_class).collect())
    }
}

impl Key {
    /// The join and the condition of the rows of one class: see [`Place::class`].
    fn of_class(&self, dialect: Dialect, class: i64) -> (Sql, Sql) {
        let is_null = |negated: bool| {
            self.value
                .clone()
                .sql(if negated { " is not null" } else { " is null" })
        };
        let Some(row) = &self.row else {
            let always = || Sql::varying("1 = 1");
            let condition = match (&self.class, class) {
                (None, _) => always(),
                (Some(_), 0) => is_null(true),
                (Some(_), _) => is_null(false),
            };
            return (Sql::varying(""), condition);
        };
        if class == 2 {
            let none = Sql::varying("not exists (select 1 from ")
                .sql(row.table)
                .sql(" ")
                .sql(row.alias)
                .sql(" where ")
                .with(row.condition(dialect))
                .sql(" and ")
                .with(is_null(true))
                .sql(")");
            return (Sql::varying(""), none);
        }
        let join = Sql::varying(" join ").with(row.joined(dialect));
        let condition = match self.kind {
            Kind::Metric => Sql::varying(if class == 1 { "" } else { "not " })
                .sql(row.alias)
                .sql(".is_nan"),
            Kind::Text | Kind::Integer => is_null(true),
        };
        (join, condition)
    }

    /// See [`Walk`].
    fn walk(&self, dialect: Dialect, places: Option<&[Place]>) -> Option<Walk> {
        let begin = |sql: Sql| match places {
            Some([place, ..]) if place.class() == 0 => {
                let at_most = if self.descending { " <= " } else { " >= " };
                place.bind(sql.sql(" and ").with(self.value.clone()).sql(at_most))
            }
            _ => sql,
        };
        let order = Sql::varying(" order by ")
            .with(self.value.clone())
            .sql(self.direction());
        let up_to = if self.descending { " >= " } else { " <= " };
        match &self.row {
            Some(row) if self.kind == Kind::Metric && row.alias == ALIASES[0] => {
                let of_key = |select| Sql::varying(select).with(dialect.equal("o0.key", &row.key));
                Some(Walk {
                    // Nothing but what the index has: the table need not be read.
                    columns: "o0.run_uuid, o0.value, false as is_nan",
                    from: begin(of_key(" from latest_metrics o0 where ").sql(" and not o0.is_nan")),
                    of_runs: false,
                    order,
                    value: self.value.clone(),
                    up_to,
                    of_run: of_key("select o0.value from latest_metrics o0 where ")
                        .sql(" and o0.run_uuid = "),
                    joined: ") o0 join runs r on r.run_uuid = o0.run_uuid",
                    run: "o0.run_uuid",
                })
            }
            None if self.is_start_time() => Some(Walk {
                columns: "r.run_uuid, r.experiment_id, r.name, r.user_id, r.status, \
                          r.start_time, r.end_time, r.artifact_uri, r.lifecycle_stage",
                from: begin(Sql::varying(" from runs r where r.start_time is not null")),
                of_runs: true,
                order,
                value: self.value.clone(),
                up_to,
                of_run: Sql::varying("select r.start_time from runs r where r.run_uuid = "),
                joined: ") r",
                run: "r.run_uuid",
            }),
            _ => None,
        }
    }

    /// That a row of the same class as `place` comes after it, or is equal to it
    /// and comes `then`: as a range, which an index can begin at.
    fn within(&self, place: &Place, then: Sql) -> Sql {
        if place.class() != 0 {
            return then;
        }
        let (at_most, before) = if self.descending {
            (" <= ", " < ")
        } else {
            (" >= ", " > ")
        };
        let sql = place.bind(Sql::varying("").with(self.value.clone()).sql(at_most));
        let sql = sql.sql(" and (").with(self.value.clone()).sql(before);
        place.bind(sql).sql(" or ").with(then).sql(")")
    }
}
