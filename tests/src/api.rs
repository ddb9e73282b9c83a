//! The few calls of MLflow's REST API that tests need again and again. They panic where the server says no.

use serde_json::{Value, json};

use crate::http::{Client, Request, Response};

/// Prefix of the REST API.
pub const API: &str = "/api/2.0/mlflow";

/// Prefix of the artifact proxy.
pub const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";

/// Points that one request for a history asks for.
const PAGE: usize = 25_000;

/// POSTs to an endpoint of the API and gives its answer.
pub fn call(client: &mut Client, endpoint: &str, body: &Value) -> Value {
    accepted(endpoint, client.post(&format!("{API}/{endpoint}"), body))
}

/// GETs from an endpoint of the API, query included, and gives its answer.
pub fn ask(client: &mut Client, endpoint: &str) -> Value {
    accepted(
        endpoint,
        client.send(&Request::new("GET", &format!("{API}/{endpoint}"))),
    )
}

fn accepted<E: std::fmt::Display>(endpoint: &str, answer: Result<Response, E>) -> Value {
    let answer = answer.unwrap_or_else(|e| panic!("{endpoint}: {e}"));
    assert_eq!(answer.status, 200, "{endpoint}: {}", answer.text());
    answer.json()
}

/// Makes an experiment; its id.
pub fn create_experiment(client: &mut Client, name: &str) -> String {
    string(&call(client, "experiments/create", &json!({ "name": name }))["experiment_id"])
}

/// Makes a run; its id.
pub fn create_run(client: &mut Client, experiment: &str, name: &str) -> String {
    let body = json!({ "experiment_id": experiment, "run_name": name, "start_time": 1 });
    string(&call(client, "runs/create", &body)["run"]["info"]["run_id"])
}

/// One point of a metric's history.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Step.
    pub step: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// Value.
    pub value: f64,
}

/// All points of a metric, in the server's order.
pub fn history(client: &mut Client, run: &str, key: &str) -> Vec<Point> {
    let (mut points, mut token) = (Vec::new(), String::new());
    loop {
        let query = format!(
            "metrics/get-history?run_id={run}&metric_key={key}&max_results={PAGE}&page_token={token}"
        );
        let query = query.trim_end_matches("&page_token=").to_owned();
        let page = ask(client, &query);
        points.extend(list(&page["metrics"]).iter().map(|m| Point {
            step: m["step"].as_i64().unwrap_or_default(),
            timestamp: m["timestamp"].as_i64().expect("a timestamp"),
            value: m["value"].as_f64().expect("a value"),
        }));
        match page["next_page_token"].as_str() {
            Some(next) if !next.is_empty() => next.clone_into(&mut token),
            _ => return points,
        }
    }
}

/// A JSON list; empty where the field is left out, as MLflow does with empty ones.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A JSON string.
///
/// # Panics
/// If it is none.
pub fn string(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("not a string: {value}"))
        .to_owned()
}
