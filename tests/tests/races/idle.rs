//! What a read leaves at the database: its end is not waited for, and comes all the same.

use serde_json::json;

use runledger_e2e::api;
use runledger_e2e::server::Home;

use crate::database::Database;

#[test]
fn a_read_leaves_no_transaction_open() {
    let database = Database::new("idle");
    let home = Home::on(&database.uri).expect("a folder");
    let server = home.start();
    let mut client = server.client();
    let experiment = api::create_experiment(&mut client, "idle");
    let run = api::create_run(&mut client, &experiment, "run");
    let connections = database.wait_for_idle();

    // The database closes a connection that lies in a transaction for a minute.
    for _ in 0..3 {
        let body = json!({ "experiment_ids": [experiment] });
        let found = api::call(&mut client, "runs/search", &body);
        assert_eq!(api::list(&found["runs"]).len(), 1);
        assert_eq!(database.wait_for_idle(), connections);
        api::ask(&mut client, &format!("runs/get?run_id={run}"));
        assert_eq!(database.wait_for_idle(), connections);
    }
}
