//! The search of runs.

mod walk;

use diesel::sql_types::Text;
use runledger_entities::{Run, Tag};
use runledger_search::{DatasetField, PageToken, RunClause, RunText, TextOp, TextTest};
use runledger_store::{Page, RunQuery, StoreError};

use super::{
    order::{RunOrder, number_column, text_column},
    page, predicates,
};
use crate::{
    connection::Connection,
    dialect::{Dialect, Exists},
    nouns::{OrStoreError as _, run_data, runs},
    sql::Sql,
};

/// A page of runs.
pub(crate) fn search(
    connection: &mut Connection,
    query: &RunQuery,
) -> Result<Page<Run>, StoreError> {
    let of_dataset = |clause: &RunClause| matches!(clause, RunClause::Dataset { .. });
    let impossible = !connection.schema().datasets && query.filter.iter().any(of_dataset);
    if query.experiment_ids.is_empty() || impossible {
        return Ok(Page::empty());
    }
    let dialect = connection.dialect();
    let order = RunOrder::new(dialect, &query.order_by)?;
    let start = match query.page.token.as_deref() {
        Some(token) => page::decode(token)?,
        None => PageToken::default(),
    };
    let after = start.after.as_deref();
    let most = i64::from(query.page.max_results) + 1;
    let in_stretches = dialect.has_order_indexes() && (after.is_some() || start.offset == 0);
    let (items, more) = if in_stretches {
        let mut rows: Vec<runs::Row> = Vec::new();
        for stretch in order.stretches(after)? {
            let left = most - i64::try_from(rows.len()).unwrap_or(most);
            if left == 0 {
                break;
            }
            rows.extend(walk::of_stretch(connection, query, &stretch, left)?);
        }
        let more = cut(&mut rows, query.page.max_results);
        (run_data::of_rows(connection, rows)?, more)
    } else {
        let mut sql = statement(dialect, query, &order, after)?
            .sql(" limit ")
            .int(most);
        if after.is_none() {
            sql = sql
                .sql(" offset ")
                .int(i64::try_from(start.offset).unwrap_or(i64::MAX));
        }
        let mut ids: Vec<String> = sql.rows::<Text, _>(connection).or_store_error()?;
        let more = cut(&mut ids, query.page.max_results);
        (run_data::load(connection, &ids)?, more)
    };
    let next_token = match items.last() {
        Some(last) if more => {
            let offset = start.offset + items.len() as u64;
            let after = order.place(connection, last)?;
            Some(PageToken { offset, after }.encode())
        }
        _ => None,
    };
    Ok(Page { items, next_token })
}

/// Takes away what is behind the page; returns whether there was something.
fn cut<T>(found: &mut Vec<T>, max_results: u32) -> bool {
    let most = usize::try_from(max_results).unwrap_or(usize::MAX);
    let more = found.len() > most;
    found.truncate(most);
    more
}

/// The statement that finds the ids, without its limit.
///
/// Ids only: what is sorted stays narrow, and the rest is read for the page alone.
pub(crate) fn statement(
    dialect: Dialect,
    query: &RunQuery,
    order: &RunOrder,
    after: Option<&[serde_json::Value]>,
) -> Result<Sql, StoreError> {
    let mut sql = matching(dialect, query, order.joins());
    if let Some(after) = after {
        sql.push(" and ");
        sql.append(order.after(after)?);
    }
    sql.append(order.clause());
    Ok(sql)
}

/// The ids of the runs that match, in no order.
fn matching(dialect: Dialect, query: &RunQuery, joins: Sql) -> Sql {
    Sql::varying("select r.run_uuid from runs r")
        .with(joins)
        .sql(" where ")
        .with(scope(query))
        .with(filter(query, &Tests::of(dialect)))
}

/// That a run is of the experiments and in the stage that are searched.
fn scope(query: &RunQuery) -> Sql {
    let sql = match query.experiment_ids.as_slice() {
        // An index can give the runs of one experiment in their order.
        [one] => Sql::varying("r.experiment_id = ").int(one.0),
        several => {
            Sql::varying("r.experiment_id").in_ints(false, several.iter().map(|id| id.0).collect())
        }
    };
    match query.view.stage() {
        Some(stage) => sql.sql(" and r.lifecycle_stage = ").text(stage.name()),
        None => sql,
    }
}

/// How the tests of a filter find what a run logged.
struct Tests {
    dialect: Dialect,
    /// The column that has the id of the run.
    run: &'static str,
    exists: Exists,
}

impl Tests {
    /// As the database sees fit.
    fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            run: "r.run_uuid",
            exists: dialect.exists(),
        }
    }

    /// A row of a table that has the id of its run.
    fn row(&self, select: &'static str) -> Sql {
        Sql::varying(select).sql(" = ").sql(self.run)
    }

    /// A row of `params` or `tags` of the run.
    fn pair(&self, select: &'static str, key: &str, test: &TextTest) -> Sql {
        let select = self
            .row(select)
            .sql(" and ")
            .with(self.dialect.equal("p.key", key))
            .sql(match test {
                TextTest::Compare {
                    op: TextOp::Equal,
                    value,
                } => self.dialect.in_value_index(value),
                _ => "",
            });
        predicates::row_text(self.dialect, self.exists, select, "p.value", test)
    }
}

/// The clauses of the filter, each behind an `and`.
fn filter(query: &RunQuery, tests: &Tests) -> Sql {
    let mut sql = Sql::varying("");
    let mut clauses: Vec<&RunClause> = query.filter.iter().collect();
    clauses.sort_by_key(|clause| cost(clause));
    for clause in clauses {
        sql.push(" and ");
        sql.append(condition(clause, tests));
    }
    sql
}

/// What comes first in the statement: columns of the run itself, then the tests
/// that few rows are likely to pass. SQLite tries conditions in their order.
fn cost(clause: &RunClause) -> u8 {
    match clause {
        RunClause::Text { attribute, .. } if *attribute != RunText::RunName => 0,
        RunClause::Number { .. } => 0,
        RunClause::Param { test, .. }
        | RunClause::Tag { test, .. }
        | RunClause::Text { test, .. } => match test {
            TextTest::Compare {
                op: TextOp::Equal, ..
            }
            | TextTest::In { negated: false, .. } => 1,
            TextTest::Compare {
                op: TextOp::Like | TextOp::ILike | TextOp::RLike,
                ..
            }
            | TextTest::IsNull => 2,
            _ => 3,
        },
        RunClause::Metric { .. } => 2,
        RunClause::Dataset { .. } => 4,
    }
}

fn condition(clause: &RunClause, tests: &Tests) -> Sql {
    const PARAM: &str = "select 1 from params p where p.run_uuid";
    const TAG: &str = "select 1 from tags p where p.run_uuid";
    let dialect = tests.dialect;
    match clause {
        RunClause::Metric { key, test } => tests.exists.of(tests
            .row("select 1 from latest_metrics m where m.run_uuid")
            .sql(" and ")
            .with(dialect.equal("m.key", key))
            .sql(" and ")
            .with(predicates::metric("m.value", "m.is_nan", *test))),
        RunClause::Param { key, test } => tests.pair(PARAM, key, test),
        RunClause::Tag { key, test } => tests.pair(TAG, key, test),
        RunClause::Text {
            attribute: RunText::RunName,
            test,
        } => tests.pair(TAG, Tag::RUN_NAME, test),
        RunClause::Text { attribute, test } => {
            predicates::text(dialect, text_column(*attribute), test)
        }
        RunClause::Number { attribute, test } => {
            predicates::number(number_column(*attribute), *test)
        }
        RunClause::Dataset { field, test } => {
            let select = Sql::varying(
                "select 1 from inputs i join datasets d on d.dataset_uuid = i.source_id",
            );
            let select = match field {
                DatasetField::Name | DatasetField::Digest => select,
                DatasetField::Context => select
                    .sql(" join input_tags t on t.input_uuid = i.input_uuid and t.name = ")
                    .text(Tag::DATASET_CONTEXT),
            };
            let select = select
                .sql(
                    " where i.destination_type = 'RUN' and i.source_type = 'DATASET' \
                     and i.destination_id = ",
                )
                .sql(tests.run);
            let column = match field {
                DatasetField::Name => "d.name",
                DatasetField::Digest => "d.digest",
                DatasetField::Context => "t.value",
            };
            predicates::row_text(dialect, tests.exists, select, column, test)
        }
    }
}
