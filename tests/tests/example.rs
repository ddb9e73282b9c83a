//! The example of a custom server in `crates/server` works as its reader will try it.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use runledger_e2e::api;
use runledger_e2e::binary::example;
use runledger_e2e::server::{Home, Server, free_port};
use serde_json::json;

#[test]
fn custom_server_logs_and_reads() {
    let home = Home::new().expect("a folder");
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let mut command = Command::new(example("custom_server"));
    command
        .arg(home.database())
        .arg(home.artifacts())
        .arg(address.to_string())
        .current_dir(home.path());
    let mut server = Server::spawn(command, address, home.path().join("server.log"));
    server.healthy();

    let mut client = server.client();
    let experiment = api::create_experiment(&mut client, "custom");
    let run = api::create_run(&mut client, &experiment, "custom");
    api::call(
        &mut client,
        "runs/log-metric",
        &json!({ "run_id": run, "key": "loss", "value": 0.25, "timestamp": 1, "step": 7 }),
    );
    let points = api::history(&mut client, &run, "loss");
    assert_eq!(
        points,
        [api::Point {
            step: 7,
            timestamp: 1,
            value: 0.25
        }]
    );
}
