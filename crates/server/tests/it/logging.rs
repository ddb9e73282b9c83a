//! What runs log.

use serde_json::{Value, json};

use crate::world::World;

async fn data(world: &World, id: &str) -> Value {
    world.get(&format!("/runs/get?run_id={id}")).await.ok()["run"].clone()
}

#[tokio::test]
async fn single_values_come_back() {
    let world = World::new().await;
    let id = world.run().await;
    let metric = json!({"run_uuid": id, "key": "m", "value": "NaN", "timestamp": "5", "step": -1});
    assert_eq!(world.post("/runs/log-metric", metric).await.ok(), json!({}));
    let param = json!({"run_id": id, "key": "p", "value": "1"});
    world.post("/runs/log-parameter", param).await.ok();
    let tag = json!({"run_id": id, "key": "t", "value": "x"});
    world.post("/runs/set-tag", tag).await.ok();
    let run = data(&world, &id).await;
    let expected = json!([{"key": "m", "value": "NaN", "timestamp": 5, "step": -1}]);
    assert_eq!(run["data"]["metrics"], expected);
    assert_eq!(run["data"]["params"], json!([{"key": "p", "value": "1"}]));
    assert!(
        run["data"]["tags"]
            .as_array()
            .unwrap()
            .contains(&json!({"key": "t", "value": "x"}))
    );

    let key = json!({"run_id": id, "key": "t"});
    world.post("/runs/delete-tag", key.clone()).await.ok();
    world
        .post("/runs/delete-tag", key)
        .await
        .not_found("No tag with name: t in run");
}

#[tokio::test]
async fn a_param_keeps_its_value() {
    let world = World::new().await;
    let id = world.run().await;
    let param = |value| json!({"run_id": id, "key": "p", "value": value});
    world.post("/runs/log-parameter", param("1")).await.ok();
    world.post("/runs/log-parameter", param("1")).await.ok();
    world
        .post("/runs/log-parameter", param("2"))
        .await
        .invalid("Param with key='p' was already logged with value='1'");
    let batch = json!({"run_id": id, "params": [{"key": "p", "value": "2"}]});
    world
        .post("/runs/log-batch", batch)
        .await
        .invalid("Params were already logged=");
}

#[tokio::test]
async fn a_batch_is_logged_whole_or_not_at_all() {
    let world = World::new().await;
    let id = world.run().await;
    let mut metrics: Vec<_> = (0..998)
        .map(|step| json!({"key": "m", "value": step, "timestamp": 1, "step": step, "run_id": id}))
        .collect();
    let mut batch = json!({
        "run_id": id, "metrics": metrics,
        "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": "x"}],
    });
    world.post("/runs/log-batch", batch.clone()).await.ok();
    let run = data(&world, &id).await;
    assert_eq!(run["data"]["metrics"][0]["value"], 997.0);

    metrics.push(json!({"key": "&", "value": 1, "timestamp": 1}));
    batch["metrics"] = json!(metrics);
    batch["params"] = json!([{"key": "q", "value": "1"}]);
    world
        .post("/runs/log-batch", batch)
        .await
        .invalid("'metrics[998].name'");
    let run = data(&world, &id).await;
    assert_eq!(run["data"]["params"], json!([{"key": "p", "value": "1"}]));
}

#[tokio::test]
async fn batches_are_bounded_and_name_params_once() {
    let world = World::new().await;
    let id = world.run().await;
    let metric = json!({"key": "m", "value": 1, "timestamp": 1});
    let many = json!({"run_id": id, "metrics": vec![metric; 1001]});
    world
        .post("/runs/log-batch", many)
        .await
        .invalid("at most 1000 metrics. Got 1001 metrics.");
    let param = json!({"key": "y", "value": "1"});
    let twice = json!({"run_id": id, "params": [param, param]});
    world
        .post("/runs/log-batch", twice)
        .await
        .invalid("have been submitted: ['y']");
    world
        .post("/runs/log-batch", json!({"run_id": id}))
        .await
        .ok();
}

#[tokio::test]
async fn what_is_over_the_limit_of_a_batch_is_counted_and_not_kept() {
    let world = World::new().await;
    let id = world.run().await;
    let metric = json!({"key": "m", "value": 1, "timestamp": 1});
    let mut metrics = vec![metric; 1000];
    // Whatever they are: so many need not be looked at.
    metrics.resize(50_000, json!({}));
    world
        .post("/runs/log-batch", json!({"run_id": id, "metrics": metrics}))
        .await
        .invalid("at most 1000 metrics. Got 50000 metrics.");
    let params = vec![json!({"key": "p", "value": "1"}); 300];
    world
        .post("/runs/log-batch", json!({"run_id": id, "params": params}))
        .await
        .invalid("at most 100 params. Got 300 params.");
}

#[tokio::test]
async fn bad_values_are_named() {
    let world = World::new().await;
    let id = world.run().await;
    let metric = |changes: Value| {
        let mut metric = json!({"run_id": id, "key": "m", "value": 1, "timestamp": 1});
        metric
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        world.post("/runs/log-metric", metric)
    };
    metric(json!({"timestamp": -1}))
        .await
        .invalid("metric 'm' (value=1.0)");
    metric(json!({"key": "a//b"}))
        .await
        .invalid("must not resolve to other names");
    metric(json!({"value": "x"}))
        .await
        .invalid("Invalid value \"x\" for parameter 'value'");
    metric(json!({"timestamp": 1.5}))
        .await
        .invalid("Invalid value 1.5 for parameter 'timestamp'");
    metric(json!({"runId": id}))
        .await
        .invalid("both 'run_id' and 'runId'");
    metric(json!({"run_id": "nope"}))
        .await
        .not_found("Run with id=nope not found");
    let long = json!({"run_id": id, "key": "k".repeat(251), "value": ""});
    world
        .post("/runs/set-tag", long)
        .await
        .invalid("'key' exceeds the maximum length of 250");
}

#[tokio::test]
async fn inputs_and_outputs_come_back() {
    let world = World::new().await;
    let id = world.run().await;
    let dataset = json!({
        "name": "n", "digest": "d", "source_type": "local", "source": "{}", "schema": "s",
    });
    let inputs = json!({
        "run_id": id,
        "datasets": [{
            "tags": [{"key": "mlflow.data.context", "value": "train"}], "dataset": dataset,
        }],
        "models": [{"model_id": "m-x"}],
    });
    world.post("/runs/log-inputs", inputs).await.ok();
    let outputs = json!({"run_id": id, "models": [{"model_id": "m-y", "step": 3}]});
    world.post("/runs/outputs", outputs).await.ok();
    let run = data(&world, &id).await;
    assert_eq!(run["inputs"]["dataset_inputs"][0]["dataset"], dataset);
    assert_eq!(run["inputs"]["model_inputs"], json!([{"model_id": "m-x"}]));
    assert_eq!(
        run["outputs"]["model_outputs"],
        json!([{"model_id": "m-y", "step": 3}])
    );

    let body = serde_json::to_vec(&json!({"experiment_ids": ["0"]})).unwrap();
    let request = http::Request::post("/ajax-api/2.0/mlflow/experiments/search-datasets")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body))
        .unwrap();
    let found = world.send(request).await.ok();
    let summary = json!({"experiment_id": "0", "name": "n", "digest": "d", "context": "train"});
    assert_eq!(found["dataset_summaries"], json!([summary]));

    let long = json!({
        "run_id": id, "datasets": [{"dataset": {"name": "n", "digest": "d".repeat(37)}}],
    });
    world
        .post("/runs/log-inputs", long)
        .await
        .invalid("'digest' exceeds the maximum length of 36");
}

#[tokio::test]
async fn old_clients_record_models_in_a_tag() {
    let world = World::new().await;
    let id = world.run().await;
    let model = json!({"artifact_path": "a", "flavors": {}, "utc_time_created": "x", "run_id": id});
    let request = json!({"run_id": id, "model_json": model.to_string()});
    world.post("/runs/log-model", request).await.ok();
    let run = data(&world, &id).await;
    let tags = run["data"]["tags"].as_array().unwrap();
    assert!(
        tags.iter()
            .any(|tag| tag["key"] == "mlflow.log-model.history")
    );
    let bad = json!({"run_id": id, "model_json": "{}"});
    world
        .post("/runs/log-model", bad)
        .await
        .invalid("missing mandatory fields");
}
