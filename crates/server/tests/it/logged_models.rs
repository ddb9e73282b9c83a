//! Logged models.

use serde_json::{Value, json};

use crate::world::World;

async fn create(world: &World, body: Value) -> (String, Value) {
    let model = world.post("/logged-models", body).await.ok()["model"].clone();
    let id = model["info"]["model_id"].as_str().unwrap().to_owned();
    (id, model)
}

#[tokio::test]
async fn a_model_lives() {
    let world = World::new().await;
    let (id, model) = create(&world, json!({"experiment_id": "0", "name": "mm"})).await;
    assert_eq!(model["info"]["status"], "LOGGED_MODEL_PENDING");
    assert_eq!(
        model["info"]["artifact_uri"],
        format!("mlflow-artifacts:/0/models/{id}/artifacts")
    );
    assert_eq!(
        (&model["info"]["model_type"], &model["data"]),
        (&json!(""), &json!({}))
    );

    let path = format!("/logged-models/{id}");
    let ready = json!({"model_id": id, "status": "LOGGED_MODEL_READY"});
    let ready = world.call("PATCH", &path, &ready).await.ok();
    assert_eq!(ready["model"]["info"]["status"], "LOGGED_MODEL_READY");

    let pair = json!([{"key": "a", "value": "b"}]);
    let tags = world
        .call("PATCH", &format!("{path}/tags"), &json!({"tags": pair}))
        .await;
    assert_eq!(tags.ok(), json!({}));
    world
        .post(
            &format!("{path}/params"),
            json!({"model_id": id, "params": pair}),
        )
        .await
        .ok();
    let run = world.run().await;
    let metric = json!({"run_id": run, "key": "m", "value": 1, "timestamp": 5, "model_id": id});
    world.post("/runs/log-metric", metric).await.ok();
    let model = world.get(&path).await.ok()["model"].clone();
    assert_eq!(
        (&model["info"]["tags"], &model["data"]["params"]),
        (&pair, &pair)
    );
    let expected = json!([{
        "key": "m", "value": 1.0, "timestamp": 5, "step": 0, "model_id": id, "run_id": run,
    }]);
    assert_eq!(model["data"]["metrics"], expected);

    let tag = format!("{path}/tags/a");
    world.call("DELETE", &tag, &json!({})).await.ok();
    world
        .call("DELETE", &tag, &json!({}))
        .await
        .not_found("No tag with key 'a' found");
    world.call("DELETE", &path, &json!({})).await.ok();
    world
        .get(&path)
        .await
        .not_found(&format!("Logged model with ID '{id}' not found."));
}

#[tokio::test]
async fn models_are_searched() {
    let world = World::new().await;
    for name in ["a", "b"] {
        create(&world, json!({"experiment_id": "0", "name": name})).await;
    }
    let search = json!({
        "experiment_ids": ["0"], "filter": "name = 'b'", "order_by": [{"field_name": "name"}],
    });
    let page = world.post("/logged-models/search", search).await.ok();
    assert_eq!(page["models"].as_array().unwrap().len(), 1);
    assert_eq!(page["models"][0]["info"]["name"], "b");
    let search = |body| world.post("/logged-models/search", body);
    search(json!({})).await.invalid("'experiment_ids'");
    search(json!({"experiment_ids": ["0"], "filter": "bad"}))
        .await
        .invalid("bad");
    search(json!({"experiment_ids": ["0"], "order_by": [{"field_name": "bad"}]}))
        .await
        .invalid("bad");
    search(json!({"experiment_ids": ["0"], "datasets": [{}]}))
        .await
        .invalid("`dataset_name`");
}

#[tokio::test]
async fn what_names_no_model_is_refused() {
    let world = World::new().await;
    let name = json!({"experiment_id": "0", "name": "a/b"});
    world
        .post("/logged-models", name)
        .await
        .invalid("Invalid model name ('a/b') provided.");
    let nowhere = json!({"experiment_id": "77"});
    world
        .post("/logged-models", nowhere)
        .await
        .not_found("No Experiment with id=77 exists");
    world
        .get("/logged-models/m-nope")
        .await
        .not_found("'m-nope'");
    let other = json!({"model_id": "m-other", "status": 2});
    world
        .call("PATCH", "/logged-models/m-x", &other)
        .await
        .invalid("the path names 'm-x'");
    world
        .call("PATCH", "/logged-models/m-x", &json!({}))
        .await
        .invalid("'model_id'");
    world
        .call("PATCH", "/logged-models/m-x", &json!({"model_id": "m-x"}))
        .await
        .invalid("'status'");
    world
        .post("/logged-models/m-x/params", json!({"params": []}))
        .await
        .invalid("'model_id'");
}
