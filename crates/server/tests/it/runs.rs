//! The life of runs.

use serde_json::{Value, json};

use crate::world::World;

async fn get(world: &World, id: &str) -> Value {
    world.get(&format!("/runs/get?run_id={id}")).await.ok()["run"].clone()
}

#[tokio::test]
async fn a_new_run_has_mlflows_fields() {
    let world = World::new().await;
    let new = json!({"experiment_id": "0", "run_name": "r", "start_time": 5, "user_id": "u"});
    let run = world.post("/runs/create", new).await.ok()["run"].clone();
    let info = &run["info"];
    assert_eq!(info["run_id"], info["run_uuid"]);
    let mut rest = info.as_object().unwrap().clone();
    for key in ["run_id", "run_uuid", "artifact_uri"] {
        assert!(rest.remove(key).is_some());
    }
    let expected = json!({
        "experiment_id": "0", "run_name": "r", "user_id": "u", "status": "RUNNING",
        "start_time": 5, "lifecycle_stage": "active",
    });
    assert_eq!(Value::Object(rest), expected);
    assert_eq!(
        run["data"],
        json!({"tags": [{"key": "mlflow.runName", "value": "r"}]})
    );
    assert_eq!(run["inputs"], json!({}));
    assert_eq!(run.get("outputs"), None);
}

#[tokio::test]
async fn a_run_is_changed_deleted_and_restored() {
    let world = World::new().await;
    let id = world.run().await;
    let change = json!({"run_id": id, "status": 3, "end_time": 7, "run_name": "n"});
    let info = world.post("/runs/update", change).await.ok()["run_info"].clone();
    assert_eq!(
        (&info["status"], &info["end_time"]),
        (&json!("FINISHED"), &json!(7))
    );
    assert_eq!(info["run_name"], "n");
    let unknown = json!({"run_id": id, "status": "BOGUS", "run_name": ""});
    let info = world.post("/runs/update", unknown).await.ok()["run_info"].clone();
    assert_eq!(
        (&info["status"], &info["run_name"]),
        (&json!("FINISHED"), &json!("n"))
    );

    for _ in 0..2 {
        world.post("/runs/delete", json!({"run_id": id})).await.ok();
    }
    assert_eq!(get(&world, &id).await["info"]["lifecycle_stage"], "deleted");
    world
        .post("/runs/update", json!({"run_id": id, "status": "FAILED"}))
        .await
        .invalid("must be in the 'active' state");
    world
        .post("/runs/restore", json!({"run_id": id}))
        .await
        .ok();
    let run = get(&world, &id).await;
    assert_eq!(run["info"]["lifecycle_stage"], "active");
    assert_eq!(run["outputs"], json!({}));
}

#[tokio::test]
async fn what_contradicts_or_is_not_there_is_refused() {
    let world = World::new().await;
    let names = json!({
        "experiment_id": "0", "run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}],
    });
    world
        .post("/runs/create", names)
        .await
        .invalid("Both 'run_name' argument and");
    world
        .post("/runs/create", json!({}))
        .await
        .invalid("'experiment_id'");
    let nowhere = json!({"experiment_id": "77"});
    world
        .post("/runs/create", nowhere)
        .await
        .not_found("No Experiment with id=77 exists");
    world
        .get("/runs/get?run_id=nope")
        .await
        .not_found("Run with id=nope not found");
    world.get("/runs/get").await.invalid("'run_id'");
    world
        .post("/runs/delete", json!({"run_id": "nope"}))
        .await
        .not_found("nope");
}

#[tokio::test]
async fn runs_are_searched() {
    let world = World::new().await;
    for value in 1..=3 {
        let id = world.run().await;
        let metric = json!({"run_id": id, "key": "m", "value": value, "timestamp": 1});
        world.post("/runs/log-metric", metric).await.ok();
    }
    let search = json!({
        "experiment_ids": ["0"], "filter": "metrics.m < 3", "order_by": ["metrics.m DESC"],
        "max_results": 1,
    });
    let page = world.post("/runs/search", search).await.ok();
    assert_eq!(page["runs"][0]["data"]["metrics"][0]["value"], 2.0);
    assert!(page["next_page_token"].is_string());
    assert_eq!(world.post("/runs/search", json!({})).await.ok(), json!({}));
    let bad = json!({"experiment_ids": ["abc"], "filter": "bad"});
    world
        .post("/runs/search", bad)
        .await
        .invalid("Invalid clause(s) in filter string: 'bad'");
    let bad = json!({"experiment_ids": ["abc"]});
    world
        .post("/runs/search", bad)
        .await
        .invalid("Invalid experiment ID 'abc'");
    let bad = json!({"experiment_ids": ["0"], "max_results": 50_001});
    world
        .post("/runs/search", bad)
        .await
        .invalid("'max_results'");
    let bad = json!({"experiment_ids": ["0"], "page_token": "no token"});
    world.post("/runs/search", bad).await.invalid("page token");
}
