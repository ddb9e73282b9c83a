//! `/graphql`, with the queries of MLflow's web UI.

use axum::body::Body;
use http::{Request, header};
use serde_json::{Value, json};

use crate::world::{Answer, World};

async fn send(world: &World, body: String) -> Answer {
    let request = Request::post("/graphql")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body));
    world.send(request.unwrap()).await
}

/// The data of an answer, and its errors.
async fn ask(world: &World, query: &str, variables: Value) -> (Value, Value) {
    let body = json!({ "query": query, "variables": variables });
    let mut answer = send(world, body.to_string()).await.ok();
    (answer["data"].take(), answer["errors"].take())
}

#[tokio::test]
async fn a_run_has_the_fields_that_are_asked_for() {
    let world = World::new().await;
    let id = world.run().await;
    let metric = json!({"run_id": id, "key": "m", "value": 0.5, "timestamp": 9_007_199_254_740_993_i64, "step": 2});
    world.post("/runs/log-metric", metric).await.ok();
    let query = "query GetRun($data: MlflowGetRunInput!) { mlflowGetRun(input: $data) { \
                 apiError { message } run { info { runId status endTime lifecycleStage } \
                 data { metrics { key value timestamp step } params { key } } \
                 inputs { datasetInputs { dataset { digest } } } \
                 experiment { experimentId name } } } }";
    let (data, errors) = ask(&world, query, json!({"data": {"runId": id}})).await;
    assert_eq!(errors, Value::Null);
    assert_eq!(
        data["mlflowGetRun"],
        json!({
            "apiError": null,
            "run": {
                // What is not there has protobuf's default.
                "info": {"runId": id, "status": "RUNNING", "endTime": "0", "lifecycleStage": "active"},
                "data": {
                    "metrics": [{"key": "m", "value": 0.5, "timestamp": "9007199254740993", "step": "2"}],
                    "params": [],
                },
                "inputs": {"datasetInputs": []},
                "experiment": {"experimentId": "0", "name": "Default"},
            },
        })
    );
}

#[tokio::test]
async fn searches_are_queries_and_mutations() {
    let world = World::new().await;
    for _ in 0..3 {
        world.run().await;
    }
    for kind in ["query", "mutation"] {
        let query = format!(
            "{kind} {{ mlflowSearchRuns(input: {{experimentIds: [\"0\"], maxResults: 2, \
             runViewType: ACTIVE_ONLY}}) {{ nextPageToken runs {{ info {{ runId }} \
             experiment {{ name }} }} }} }}"
        );
        let (data, errors) = ask(&world, &query, Value::Null).await;
        assert_eq!(errors, Value::Null);
        let found = &data["mlflowSearchRuns"];
        assert_eq!(found["runs"].as_array().unwrap().len(), 2, "{kind}");
        assert_eq!(found["runs"][1]["experiment"]["name"], "Default");
        assert_ne!(found["nextPageToken"], "");
    }
}

#[tokio::test]
async fn what_fails_is_null_and_says_why() {
    let world = World::new().await;
    let query = "{ mlflowGetRun(input: {runId: \"nope\"}) { run { info { runId } } } \
                 mlflowGetExperiment(input: {experimentId: \"0\"}) { experiment { name } } }";
    let (data, errors) = ask(&world, query, Value::Null).await;
    assert_eq!(data["mlflowGetRun"], Value::Null);
    assert_eq!(data["mlflowGetExperiment"]["experiment"]["name"], "Default");
    assert_eq!(errors, json!(["Run with id=nope not found"]));
}

#[tokio::test]
async fn nan_has_no_value() {
    let world = World::new().await;
    let id = world.run().await;
    let metric = json!({"run_id": id, "key": "m", "value": "NaN", "timestamp": 1, "step": 0});
    world.post("/runs/log-metric", metric).await.ok();
    let query = format!(
        "{{ mlflowGetMetricHistoryBulkInterval(input: {{runIds: [\"{id}\"], metricKey: \"m\", \
         maxResults: 10}}) {{ metrics {{ runId value step }} }} }}"
    );
    let (data, errors) = ask(&world, &query, Value::Null).await;
    assert_eq!(errors, Value::Null);
    assert_eq!(
        data["mlflowGetMetricHistoryBulkInterval"]["metrics"],
        json!([{"runId": id, "value": null, "step": "0"}])
    );
}

#[tokio::test]
async fn a_query_that_asks_too_much_gets_nothing() {
    let world = World::new().await;
    let root = |n| format!("r{n}: test(inputString: \"x\") {{ output }}");
    let roots = (0..11).map(root).collect::<Vec<_>>().join(" ");
    for (query, words) in [
        (format!("{{ {roots} }}"), "at most 10"),
        (
            format!("{{ {}x{} }}", "a { ".repeat(20), " }".repeat(20)),
            "maximum depth of 10",
        ),
    ] {
        let (data, errors) = ask(&world, &query, Value::Null).await;
        assert_eq!(data, Value::Null);
        let message = errors[0].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test]
async fn a_list_of_runs_takes_few_lookups() {
    let world = World::new().await;
    for _ in 0..3 {
        world.run().await;
    }
    let query =
        "{ mlflowSearchRuns(input: {experimentIds: [\"0\"]}) { runs { experiment { name } } } }";
    let (data, errors) = ask(&world, query, Value::Null).await;
    assert_eq!(errors, Value::Null);
    assert_eq!(
        data["mlflowSearchRuns"]["runs"].as_array().unwrap().len(),
        3
    );
}

#[tokio::test]
async fn what_is_no_query_is_refused() {
    let world = World::new().await;
    let deep = format!("{}{}", "{a".repeat(50_000), "}".repeat(50_000));
    for (body, words) in [
        ("[]".to_owned(), "GraphQL request"),
        ("{\"query\": \"{\"}".to_owned(), "'query'"),
        ("{}".to_owned(), "'query'"),
        (json!({ "query": deep }).to_string(), "'query'"),
        (
            "[{\"query\": \"{ test { output } }\"}]".to_owned(),
            "one query in each request",
        ),
    ] {
        send(&world, body).await.invalid(words);
    }
    // What the schema does not have.
    let (data, errors) = ask(&world, "{ nothing }", Value::Null).await;
    assert_eq!(data, Value::Null);
    assert!(errors[0].as_str().unwrap().contains("nothing"), "{errors}");
}
