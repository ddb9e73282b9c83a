//! How PostgreSQL reads the largest tables: by their indexes, whatever is asked.
//!
//! Beside the races because it needs the same database.

use serde_json::{Value, json};

use runledger_e2e::api;
use runledger_e2e::http::Client;

use crate::database::Database;
use crate::servers::Servers;

const RUNS: usize = 40;
const KEYS: usize = 20;
const STEPS: usize = 50;

#[test]
fn no_call_reads_the_whole_table_of_metrics() {
    let database = Database::new("plans");
    let servers = Servers::start(1, &database.uri);
    let mut client = servers.client(0);
    let experiment = api::create_experiment(&mut client, "plans");
    let runs: Vec<String> = (0..RUNS)
        .map(|n| filled_run(&mut client, &experiment, n))
        .collect();
    database.analyze();

    for body in searches(&experiment) {
        let found = api::call(&mut client, "runs/search", &body);
        assert!(!api::list(&found["runs"]).is_empty(), "{body}");
    }
    let run = &runs[0];
    for question in [
        format!("runs/get?run_id={run}"),
        format!("metrics/get-history?run_id={run}&metric_key=m1&max_results=10"),
    ] {
        api::ask(&mut client, &question);
    }
    assert_eq!(api::history(&mut client, run, "m2").len(), STEPS);
    // Again, as a client does that got no answer.
    api::call(&mut client, "runs/log-batch", &batch(run, 0, KEYS, STEPS));
    api::call(
        &mut client,
        "runs/log-metric",
        &json!({ "run_id": run, "key": "m1", "value": 1.5, "timestamp": 1, "step": STEPS }),
    );
    drop(client);
    drop(servers);
    database.settle();
    assert_eq!(database.rows_of_scans("metrics"), 0);
}

/// Two of twenty runs have so much of the table that PostgreSQL, left alone, reads all of it.
#[test]
fn a_page_of_huge_runs_does_not_read_the_metrics_of_others() {
    let database = Database::new("huge");
    let servers = Servers::start(1, &database.uri);
    let mut client = servers.client(0);
    let experiment = api::create_experiment(&mut client, "huge");
    for n in 0..20 {
        let run = api::create_run(&mut client, &experiment, &format!("run-{n}"));
        api::call(&mut client, "runs/log-batch", &batch(&run, n, 1000, 1));
    }
    database.analyze();
    let body = json!({ "experiment_ids": [experiment], "max_results": 2 });
    let found = api::call(&mut client, "runs/search", &body);
    for run in api::list(&found["runs"]) {
        assert_eq!(api::list(&run["data"]["metrics"]).len(), 1000);
    }
    assert_eq!(api::list(&found["runs"]).len(), 2);
    drop(client);
    drop(servers);
    database.settle();
    assert_eq!(database.rows_of_scans("latest_metrics"), 0);
}

/// Each run has a value of its own, and the last of them is searched.
#[test]
fn a_search_for_one_value_of_a_param_or_tag_does_not_read_those_of_other_runs() {
    const RUNS: usize = 500;
    let database = Database::new("values");
    let servers = Servers::start(1, &database.uri);
    let mut client = servers.client(0);
    let experiment = api::create_experiment(&mut client, "values");
    for n in 0..RUNS {
        let run = api::create_run(&mut client, &experiment, &format!("run-{n}"));
        let pairs: Vec<Value> = (0..20)
            .map(|key| json!({ "key": format!("k{key}"), "value": format!("value-{n}") }))
            .collect();
        let pairs = json!({ "run_id": run, "params": pairs, "tags": pairs });
        api::call(&mut client, "runs/log-batch", &pairs);
    }
    database.analyze();
    for filter in ["params.k3 = 'value-0'", "tags.k3 = 'value-0'"] {
        let body = json!({ "experiment_ids": [experiment], "filter": filter });
        let found = api::call(&mut client, "runs/search", &body);
        let found = api::list(&found["runs"]);
        assert_eq!(found.len(), 1, "{filter}");
        assert_eq!(found[0]["info"]["run_name"], "run-0", "{filter}");
    }
    drop(client);
    drop(servers);
    database.settle();
    for table in ["params", "tags"] {
        let read = database.rows_read(table);
        assert!(read < 100, "{read} rows of {table}");
    }
}

fn searches(experiment: &str) -> Vec<Value> {
    let search = |filter: &str, order: &[&str]| {
        json!({
            "experiment_ids": [experiment], "filter": filter, "order_by": order, "max_results": 5
        })
    };
    vec![
        search("", &[]),
        search("metrics.m1 >= 0 and params.p = 'x'", &["metrics.m2 DESC"]),
        search("tags.t like 'a%'", &["metrics.m3 ASC", "params.p DESC"]),
        search("metrics.m4 != 1000", &["attributes.end_time DESC"]),
    ]
}

fn filled_run(client: &mut Client, experiment: &str, n: usize) -> String {
    let run = api::create_run(client, experiment, &format!("run-{n}"));
    api::call(client, "runs/log-batch", &batch(&run, n, KEYS, STEPS));
    let pairs = json!({
        "run_id": run,
        "params": [{ "key": "p", "value": "x" }],
        "tags": [{ "key": "t", "value": "abc" }],
    });
    api::call(client, "runs/log-batch", &pairs);
    run
}

/// All points of a run.
fn batch(run: &str, n: usize, keys: usize, steps: usize) -> Value {
    let metrics: Vec<Value> = (0..keys * steps)
        .map(|i| {
            let (key, step) = (format!("m{}", i % keys), i / keys);
            json!({ "key": key, "value": n * i % 97, "timestamp": step, "step": step })
        })
        .collect();
    json!({ "run_id": run, "metrics": metrics })
}
