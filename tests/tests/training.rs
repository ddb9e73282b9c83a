//! A training goes on while its server is stopped for a while, and then killed again and again: afterwards every metric
//! is there once, in order.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use runledger_e2e::api;
use runledger_e2e::binary::example;
use runledger_e2e::http::Client;
use runledger_e2e::server::{Home, Server, eventually, free_port};
use rustix::process::Signal;
use serde_json::{Value, json};

/// How long the server is away when it is stopped.
const AWAY: Duration = Duration::from_secs(10);
const KILLS: usize = 5;
const STEPS: i64 = 60_000;
/// What a step takes, in microseconds: the training lasts longer than all that happens to its server.
const STEP: &str = "500";

/// The run of the program that trains, once it is there.
fn run_of(client: &mut Client) -> String {
    let mut run = String::new();
    eventually("the program starts a run", || {
        let all = api::call(client, "experiments/search", &json!({ "max_results": 10 }));
        let ids: Vec<&Value> = api::list(&all["experiments"])
            .iter()
            .map(|experiment| &experiment["experiment_id"])
            .collect();
        let found = api::call(client, "runs/search", &json!({ "experiment_ids": ids }));
        match found["runs"][0]["info"]["run_id"].as_str() {
            Some(id) => id.clone_into(&mut run),
            None => return false,
        }
        true
    });
    run
}

/// Waits for a step after this one; the last that has arrived by then.
fn more(server: &Server, run: &str, after: i64) -> i64 {
    let mut client = server.client();
    let mut last = after;
    eventually("more of the training arrives", || {
        let found = api::ask(&mut client, &format!("runs/get?run_id={run}"));
        let metrics = api::list(&found["run"]["data"]["metrics"]).iter();
        let step = metrics.filter_map(|metric| metric["step"].as_i64()).max();
        last = step.unwrap_or(after).max(last);
        last > after
    });
    last
}

fn every_metric_is_there_once(store: &str) {
    let home = Home::on(store).expect("a folder");
    let spill = home.path().join("spill");
    let port = free_port();
    let mut server = home.start_at(port);
    let mut training = Command::new(example("train"))
        .args([
            &format!("http://127.0.0.1:{port}"),
            &STEPS.to_string(),
            STEP,
        ])
        .env("RUNLEDGER_SPILL_DIR", &spill)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let run = run_of(&mut server.client());

    let mut last = more(&server, &run, 0);
    server.signal(Signal::TERM);
    assert!(server.exit().success());
    thread::sleep(AWAY);
    server = home.start_at(port);
    for _ in 0..KILLS {
        last = more(&server, &run, last);
        let ended = training.try_wait().expect("a child of ours");
        assert_eq!(
            ended, None,
            "the training ended before its server was killed"
        );
        server.kill();
        server = home.start_at(port);
    }

    assert!(training.wait().expect("a child of ours").success());
    let mut client = server.client();
    let history = api::history(&mut client, &run, "loss");
    let steps = history.iter().map(|point| point.step);
    assert!(
        steps.eq(0..STEPS),
        "{store}: {} points, not each once and in order",
        history.len()
    );
    let found = api::ask(&mut client, &format!("runs/get?run_id={run}"));
    assert_eq!(found["run"]["info"]["status"], "FINISHED");
    let left = fs::read_dir(&spill).map_or(0, Iterator::count);
    assert_eq!(left, 0, "files of what was not sent");
}

#[test]
fn on_a_database() {
    every_metric_is_there_once("sqlite:///mlflow.db");
}

#[test]
fn on_a_folder() {
    every_metric_is_there_once("./mlruns");
}
