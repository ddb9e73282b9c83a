//! How SQLite runs the searches: every test of what a run logged is a lookup by
//! key, whatever the size of the tables.

use runledger_entities::{ExperimentId, RunId, ViewType};
use runledger_search::{parse_run_filter, parse_run_order, parse_trace_filter};
use runledger_store::{HistoryQuery, PageRequest, RunQuery, TraceQuery};

use super::{order::RunOrder, runs, traces};
use crate::{
    connection::Connection,
    dialect::Dialect,
    migrate,
    nouns::history::{self, Path, Place},
    sqlite::{Access, connect},
};

fn in_database(test: impl FnOnce(&mut Connection)) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("plans.db");
    let mut connection =
        connect(&path, Access::Write, std::time::Duration::ZERO).expect("a new database");
    migrate::prepare(&mut connection, "plans.db").expect("the schema");
    test(&mut connection);
}

fn page() -> PageRequest {
    PageRequest {
        max_results: 100,
        token: None,
    }
}

fn plan_of(connection: &mut Connection, filter: &str, order_by: &[&str]) -> Vec<String> {
    plan_after(connection, filter, order_by, None)
}

/// The plan of the page after the row with these sort keys.
fn plan_after(
    connection: &mut Connection,
    filter: &str,
    order_by: &[&str],
    after: Option<&[serde_json::Value]>,
) -> Vec<String> {
    let order_by: Vec<String> = order_by.iter().map(ToString::to_string).collect();
    let query = RunQuery {
        experiment_ids: vec![ExperimentId(1), ExperimentId(2)],
        view: ViewType::ActiveOnly,
        filter: parse_run_filter(filter).expect("a filter"),
        order_by: parse_run_order(&order_by).expect("an order"),
        page: page(),
    };
    let order = RunOrder::new(Dialect::Sqlite, &query.order_by).expect("an order");
    runs::statement(Dialect::Sqlite, &query, &order, after)
        .expect("a statement")
        .plan(connection)
}

#[test]
fn no_search_scans_what_runs_logged() {
    let filters = [
        "",
        "metrics.loss < 0.5 and params.lr = '0.1' and tags.kind != 'x'",
        "params.lr ilike '%1' and tags.kind is null and run_name like 'a%'",
        "datasets.name = 'd' and datasets.context in ('train', 'test')",
    ];
    let orders: [&[&str]; 3] = [
        &[],
        &["metrics.loss asc", "params.lr desc"],
        &["tags.kind", "attributes.end_time"],
    ];
    in_database(|connection| {
        for filter in filters {
            for order in orders {
                let plan = plan_of(connection, filter, order);
                let scans = plan.iter().filter(|step| step.starts_with("SCAN"));
                let scanned: Vec<_> = scans
                    .filter(|step| {
                        !["SCAN r", "SCAN json_each VIRTUAL TABLE INDEX 1:"]
                            .contains(&step.as_str())
                    })
                    .collect();
                assert!(scanned.is_empty(), "{filter}: {plan:#?}");
            }
        }
    });
}

#[test]
fn a_test_of_a_metric_is_a_lookup_by_its_primary_key() {
    in_database(|connection| {
        let plan = plan_of(connection, "metrics.loss < 0.5", &[]);
        let by_key = "INDEX sqlite_autoindex_latest_metrics_1 (key=? AND run_uuid=?)";
        assert!(plan.iter().any(|step| step.ends_with(by_key)), "{plan:#?}");
    });
}

#[test]
fn a_later_page_filters_before_it_orders() {
    let last = [vec![0.5_f64.to_bits()].into(), 5.into(), "r".into()];
    in_database(|connection| {
        let filter = "metrics.loss < 0.5 and params.lr = 'x'";
        let plan = plan_after(connection, filter, &["metrics.acc DESC"], Some(&last));
        let place = |table: &str| plan.iter().position(|step| step.starts_with(table));
        let (param, metric, order) = (place("SEARCH p "), place("SEARCH m "), place("SEARCH o0 "));
        assert!(
            param.is_some() && param < order && metric < order,
            "{plan:#?}"
        );
    });
}

#[test]
fn a_history_reads_its_own_series_or_its_key_in_order() {
    let query = HistoryQuery {
        run_id: RunId::new("r"),
        key: "loss".to_owned(),
        page: page(),
    };
    let last = Place::of((0.5, 1_000, 10, false));
    in_database(|connection| {
        for after in [None, Some(&last)] {
            let series = history::statement(
                Dialect::Sqlite,
                connection.series(),
                &query,
                0,
                after,
                Path::Series,
            )
            .plan(connection);
            let by_series = "SEARCH metrics USING INDEX index_metrics_run_uuid_key_step \
                             (run_uuid=? AND key=?)";
            assert_eq!(series.first().map(String::as_str), Some(by_series));

            let key = history::statement(
                Dialect::Sqlite,
                connection.series(),
                &query,
                0,
                after,
                Path::Key,
            )
            .plan(connection);
            let by_key = "SEARCH metrics USING COVERING INDEX sqlite_autoindex_metrics_1";
            assert!(key[0].starts_with(by_key), "{key:#?}");
        }
        let after = history::statement(
            Dialect::Sqlite,
            connection.series(),
            &query,
            0,
            Some(&last),
            Path::Key,
        )
        .plan(connection);
        assert!(after[0].contains("timestamp"), "{after:#?}");
    });
}

#[test]
fn traces_of_an_experiment_are_read_in_their_order() {
    let filters = [
        "",
        "tags.k = 'v' and metadata.m like 'x%' and status != 'ERROR'",
        "span.name = 'n' and span.type = 'LLM'",
        "feedback.q = 'yes' and trace.run_id = 'r' and prompt = 'p/1'",
    ];
    let last = [5.into(), "tr".into()];
    in_database(|connection| {
        for filter in filters {
            for after in [None, Some(&last[..])] {
                let query = TraceQuery {
                    experiment_ids: vec![ExperimentId(1)],
                    filter: parse_trace_filter(filter).expect("a filter"),
                    order_by: Vec::new(),
                    page: page(),
                };
                let plan = traces::statement(Dialect::Sqlite, &query, after)
                    .expect("a statement")
                    .plan(connection);
                let first = plan.first().map(String::as_str).unwrap_or_default();
                assert!(
                    first.starts_with("SEARCH t USING INDEX index_trace_info_experiment_id_"),
                    "{filter}: {plan:#?}"
                );
                for step in &plan {
                    let scans = step.starts_with("SCAN") && !step.starts_with("SCAN json_each");
                    assert!(!scans, "{filter}: {plan:#?}");
                    let of_spans = step.starts_with("SEARCH s ");
                    assert!(
                        !of_spans || step.contains("trace_id=?"),
                        "{filter}: {plan:#?}"
                    );
                }
                let own = plan.iter().find(|step| step.starts_with("SEARCH a "));
                assert!(
                    own.is_none_or(|step| step.contains("trace_id=?")),
                    "{filter}: {plan:#?}"
                );
            }
        }
    });
}
