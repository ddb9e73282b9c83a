//! `runledger models` and `runledger traces`: through a server, and beside it on its
//! database.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::world::{Kind, World};

/// Asks the server of a world.
fn post(world: &World, path: &str, body: &Value) -> Value {
    let address = world.uri.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = body.to_string();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: \
         application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    serde_json::from_str(body).unwrap_or_default()
}

/// The two ways to what a server keeps.
fn ways(world: &World) -> [String; 2] {
    [world.uri.clone(), "sqlite:///t.db".to_owned()]
}

fn model(world: &World, name: &str) {
    let api = "/api/2.0/mlflow";
    post(
        world,
        &format!("{api}/registered-models/create"),
        &json!({"name": name}),
    );
    for source in ["s3://bucket/a", "s3://bucket/b"] {
        let version = json!({"name": name, "source": source});
        post(world, &format!("{api}/model-versions/create"), &version);
    }
}

#[test]
fn models_are_found_and_named() {
    let world = World::of(Kind::Server);
    model(&world, "churn");
    model(&world, "it's");
    for uri in ways(&world) {
        let on = ["--tracking-uri", &uri];
        let ok = |arguments: &[&str]| world.ok(&[arguments, &on].concat());
        let said = ok(&[
            "models",
            "set-alias",
            "-n",
            "churn",
            "--alias",
            "champion",
            "--version",
            "1",
        ]);
        assert_eq!(said, "models:/churn@champion is version 1 now.\n");
        let found = ok(&["models", "search", "--filter", "name LIKE 'ch%'"]);
        assert_eq!(found.lines().count(), 2, "{found}");
        assert!(found.contains("champion (1)"), "{found}");
        let page = ok(&["models", "describe", "-n", "churn"]);
        assert!(
            page.contains("Aliases  champion (1)") && page.contains("s3://bucket/b"),
            "{page}"
        );
        let versions = ok(&["models", "versions", "-n", "churn", "--json"]);
        let versions: Value = serde_json::from_str(&versions).unwrap();
        let numbers: Vec<_> = versions["model_versions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|version| version["version"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(numbers, ["2", "1"]);
        let quoted = ok(&["models", "versions", "-n", "it's"]);
        assert_eq!(quoted.lines().count(), 3, "{quoted}");
        let model = ok(&[
            "models",
            "delete-alias",
            "-n",
            "churn",
            "--alias",
            "champion",
            "--json",
        ]);
        let model: Value = serde_json::from_str(&model).unwrap();
        assert!(model["registered_model"]["aliases"].is_null(), "{model}");
        let missing = world.fails(&[&["models", "describe", "-n", "no"][..], &on].concat(), 1);
        assert!(missing.contains("models search"), "{missing}");
        world.fails(
            &[&["models", "search", "--filter", "nam = 1"][..], &on].concat(),
            2,
        );
    }
}

fn trace(world: &World, experiment: &str, name: &str, second: u32) -> String {
    let id = format!("tr-{second:032x}");
    let body = json!({"trace": {"trace_info": {
        "trace_id": id,
        "trace_location": {
            "type": "MLFLOW_EXPERIMENT",
            "mlflow_experiment": {"experiment_id": experiment},
        },
        "request_time": format!("2026-01-01T00:00:{second:02}Z"),
        "execution_duration": "0.250s",
        "state": if second == 1 { "OK" } else { "ERROR" },
        "request_preview": "what\u{1b}[2J?",
        "tags": {"mlflow.traceName": name},
    }}});
    post(world, "/api/3.0/mlflow/traces", &body);
    id
}

#[test]
fn traces_are_found_assessed_and_deleted() {
    let world = World::of(Kind::Server);
    for (at, uri) in ways(&world).iter().enumerate() {
        let x = super::experiments::create(&world, &format!("e{at}"));
        let offset = u32::try_from(at).unwrap() * 10;
        let first = trace(&world, &x, "ask", 1 + offset);
        let second = trace(&world, &x, "answer", 2 + offset);
        let on = ["--tracking-uri", uri];
        let ok = |arguments: &[&str]| world.ok(&[arguments, &on].concat());
        let found = ok(&["traces", "search", "-x", &x]);
        let lines: Vec<_> = found.lines().collect();
        assert!(
            lines[1].contains("answer") && lines[1].contains("250ms"),
            "{found}"
        );
        assert!(
            lines[1].ends_with(&second) && lines[2].ends_with(&first),
            "{found}"
        );
        for json in [&[][..], &["--json"]] {
            let arguments = ["traces", "search", "-x", &x, "--max-results", "1"];
            let output = world.output(&[&arguments[..], json, &on].concat());
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("more traces"), "{said}");
            let found = String::from_utf8(output.stdout).unwrap();
            assert!(
                found.contains(&second) && !found.contains(&first),
                "{found}"
            );
        }
        let wrong = ok(&[
            "traces",
            "search",
            "-x",
            &x,
            "--filter-string",
            "name = 'ask'",
            "--json",
        ]);
        let wrong: Value = serde_json::from_str(&wrong).unwrap();
        assert_eq!(wrong["traces"][0]["trace_id"], first.as_str());
        let of = ["--trace-id", &first];
        let on_trace = |arguments: &[&str]| ok(&[arguments, &of].concat());
        on_trace(&["traces", "set-tag", "--key", "team", "--value", "x"]);
        let said = on_trace(&[
            "traces",
            "log-feedback",
            "--name",
            "good",
            "--value",
            "0.5",
            "--source-id",
            "ada",
        ]);
        assert!(said.starts_with("Logged feedback a-"), "{said}");
        on_trace(&[
            "traces",
            "log-expectation",
            "--name",
            "answer",
            "--value",
            "forty two",
        ]);
        let page = on_trace(&["traces", "get"]);
        for words in [
            "ask  ",
            "team",
            "good",
            "0.5",
            "ada",
            "forty two",
            "what\\x1b[2J?",
        ] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let id = said.split(' ').nth(2).unwrap();
        on_trace(&["traces", "delete-assessment", "--assessment-id", id]);
        on_trace(&["traces", "delete-tag", "--key", "team"]);
        let page = on_trace(&["traces", "get"]);
        assert!(!page.contains("team") && !page.contains("good"), "{page}");
        let said = ok(&["traces", "delete", "-x", &x, "--trace-ids", &second]);
        assert_eq!(said, format!("Deleted 1 trace from experiment {x}.\n"));
        let said = ok(&[
            "traces",
            "delete",
            "-x",
            &x,
            "--max-timestamp-millis",
            "9999999999999",
            "--json",
        ]);
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["traces_deleted"], 1);
        let missing = world.fails(
            &[&["traces", "get", "--trace-id", &first][..], &on].concat(),
            1,
        );
        assert!(missing.contains(&first), "{missing}");
        world.fails(&[&["traces", "delete", "-x", &x][..], &on].concat(), 2);
    }
}
