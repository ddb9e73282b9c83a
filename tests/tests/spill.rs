//! A training program is killed while its server is away: `runledger sync` brings what it
//! left to the server, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use runledger_e2e::binary::{example, runledger};
use runledger_e2e::server::{Home, eventually, free_port};
use runledger_e2e::{api, http};
use serde_json::{Value, json};

/// Bytes of unsent lines after which the program is killed: more than its queue holds.
const UNSENT: u64 = 3_000_000;

/// A program that logs a step every now and then, for longer than any test.
fn train(uri: &str, spill: &Path) -> Child {
    Command::new(example("train"))
        .args([uri, "100000000", "50"])
        .env("RUNLEDGER_SPILL_DIR", spill)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts")
}

fn sync(spill: &Path) -> Command {
    let mut command = Command::new(runledger());
    command
        .args(["sync", "--json"])
        .arg(spill)
        .env_remove("MLFLOW_TRACKING_URI");
    command
}

fn files(output: &Output) -> Vec<Value> {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// The only run of all experiments, if there is one.
fn first_run(client: &mut http::Client) -> Option<String> {
    let all = api::call(client, "experiments/search", &json!({ "max_results": 10 }));
    let ids: Vec<Value> = api::list(&all["experiments"])
        .iter()
        .map(|experiment| experiment["experiment_id"].clone())
        .collect();
    let found = api::call(client, "runs/search", &json!({ "experiment_ids": ids }));
    let id = found["runs"][0]["info"]["run_id"].as_str();
    id.map(str::to_owned)
}

/// The files in a folder with this ending.
fn with_ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter(|path| path.extension().is_some_and(|own| own == ending))
        .collect()
}

fn unsent(folder: &Path) -> u64 {
    let paths = with_ending(folder, "spill").into_iter();
    paths
        .map(|path| fs::metadata(path).map_or(0, |about| about.len()))
        .sum()
}

fn what_a_killed_program_left_arrives_once(store: &str) {
    let home = Home::on(store).expect("a folder");
    let spill = home.path().join("spill");
    let port = free_port();
    let uri = format!("http://127.0.0.1:{port}");
    let server = home.start_at(port);
    let mut training = train(&uri, &spill);
    let mut client = server.client();
    let mut run = String::new();
    eventually("the program logs", || match first_run(&mut client) {
        Some(id) => {
            run = id;
            !api::history(&mut client, &run, "loss").is_empty()
        }
        None => false,
    });
    server.kill();
    eventually("what is logged goes to a file", || unsent(&spill) > UNSENT);
    training.kill().expect("it goes on");
    training.wait().expect("it ends");

    // Nobody is there yet.
    let away = sync(&spill)
        .env("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
        .output()
        .expect("the command starts");
    assert_eq!(away.status.code(), Some(1));
    assert_eq!(files(&away)[0]["state"], "failed");

    let server = home.start_at(port);
    // A first attempt is killed in its middle.
    let mut first = sync(&spill)
        .stdout(Stdio::null())
        .spawn()
        .expect("the command starts");
    eventually("some of it is sent", || {
        !with_ending(&spill, "sent").is_empty()
    });
    first.kill().expect("it goes on");
    first.wait().expect("it ends");
    let output = sync(&spill).output().expect("the command starts");
    let sent = files(&output);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["state"], "sent", "{sent:?}");
    assert_eq!(sent[0]["run_id"], run.as_str());
    assert_eq!(sent[0]["is_ended"], false);
    let again = sync(&spill).output().expect("the command starts");
    assert_eq!(files(&again), Vec::<Value>::new());
    assert_eq!(fs::read_dir(&spill).expect("the folder").count(), 0);

    let mut client = server.client();
    let steps: Vec<i64> = api::history(&mut client, &run, "loss")
        .iter()
        .map(|point| point.step)
        .collect();
    let count = i64::try_from(steps.len()).expect("a count");
    assert!(count > 20_000, "{count} points");
    assert!(
        steps.iter().copied().eq(0..count),
        "{store}: {count} points, not each once and in order"
    );
}

#[test]
fn on_a_database() {
    what_a_killed_program_left_arrives_once("sqlite:///mlflow.db");
}

#[test]
fn on_a_folder() {
    what_a_killed_program_left_arrives_once("./mlruns");
}
