//! A database that was started again: the server that it was taken from goes on at once.

use std::thread;

use serde_json::json;

use runledger_e2e::api;
use runledger_e2e::http::Client;
use runledger_e2e::server::Home;

use crate::database::Database;

/// More than the attempts of a call that loses its connection.
const CONNECTIONS: usize = 16;

#[test]
fn closed_connections_are_replaced_without_an_error() {
    let database = Database::new("closed");
    let home = Home::on(&database.uri).expect("a folder");
    let server = home.start_with(|command| {
        command.env("MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", CONNECTIONS.to_string());
    });
    let mut client = server.client();
    let experiment = api::create_experiment(&mut client, "closed");
    let run = api::create_run(&mut client, &experiment, "run");
    let close_many = || {
        database.hold_runs(|wait_for_readers| {
            thread::scope(|scope| {
                for _ in 0..CONNECTIONS {
                    scope.spawn(|| search(&mut server.client(), &experiment));
                }
                wait_for_readers(CONNECTIONS);
            });
        });
        database.close_connections();
    };

    close_many();
    search(&mut client, &experiment);
    close_many();
    api::ask(&mut client, &format!("runs/get?run_id={run}"));
    close_many();
    api::create_run(&mut client, &experiment, "another");
    close_many();
    let metric = json!({ "run_id": run, "key": "m", "value": 1.5, "timestamp": 1, "step": 0 });
    api::call(&mut client, "runs/log-metric", &metric);
    assert_eq!(api::history(&mut client, &run, "m").len(), 1);
}

fn search(client: &mut Client, experiment: &str) {
    let body = json!({ "experiment_ids": [experiment], "filter": "attributes.run_name = 'run'" });
    let found = api::call(client, "runs/search", &body);
    assert_eq!(api::list(&found["runs"]).len(), 1);
}
