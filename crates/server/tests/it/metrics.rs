//! Histories of metrics.

use serde_json::json;

use crate::world::World;

async fn run_with_history(world: &World) -> String {
    let id = world.run().await;
    for (step, value) in [json!(1), json!(2.5), json!("NaN")].into_iter().enumerate() {
        let metric = json!({
            "run_id": id, "key": "m", "value": value, "timestamp": 100 + step, "step": step,
        });
        world.post("/runs/log-metric", metric).await.ok();
    }
    id
}

#[tokio::test]
async fn a_history_is_paged() {
    let world = World::new().await;
    let id = run_with_history(&world).await;
    let all = world
        .get(&format!("/metrics/get-history?run_id={id}&metric_key=m"))
        .await
        .ok();
    assert_eq!(all["metrics"].as_array().unwrap().len(), 3);
    assert_eq!(
        all["metrics"][0],
        json!({"key": "m", "value": 1.0, "timestamp": 100, "step": 0})
    );
    let page = format!("/metrics/get-history?run_id={id}&metric_key=m&max_results=2");
    let first = world.get(&page).await.ok();
    assert_eq!(first["metrics"].as_array().unwrap().len(), 2);
    let token = first["next_page_token"]
        .as_str()
        .unwrap()
        .replace('=', "%3D");
    let second = world.get(&format!("{page}&page_token={token}")).await.ok();
    assert_eq!(second["metrics"][0]["value"], "NaN");
    assert_eq!(second.get("next_page_token"), None);
    let unknown = world
        .get("/metrics/get-history?run_id=nope&metric_key=m")
        .await;
    assert_eq!(unknown.ok(), json!({}));
    world
        .get(&format!("/metrics/get-history?run_id={id}"))
        .await
        .invalid("'metric_key'");
}

#[tokio::test]
async fn a_bulk_history_has_bare_tokens() {
    let world = World::new().await;
    let id = run_with_history(&world).await;
    let path = "/ajax-api/2.0/mlflow/metrics/get-history-bulk";
    let answer = world
        .fetch(&format!("{path}?run_id={id}&run_id=nope&metric_key=m"))
        .await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert_eq!(answer.status, 200);
    assert!(text.contains("\"value\":NaN"), "{text}");
    world
        .fetch(path)
        .await
        .invalid("must specify at least one run_id.");
    let only_ajax = world
        .get(&format!(
            "/metrics/get-history-bulk?run_id={id}&metric_key=m"
        ))
        .await;
    assert_eq!(only_ajax.status, 404);
}

#[tokio::test]
async fn an_interval_is_a_sample_between_steps() {
    let world = World::new().await;
    let id = run_with_history(&world).await;
    let path = format!("/metrics/get-history-bulk-interval?run_ids={id}&metric_key=m");
    let between = world
        .get(&format!("{path}&start_step=1&end_step=2"))
        .await
        .ok();
    let expected = json!({
        "key": "m", "value": 2.5, "timestamp": 101, "step": 1, "run_id": id,
    });
    assert_eq!(between["metrics"][0], expected);
    assert_eq!(between["metrics"][1]["value"], "NaN");
    world
        .get(&format!("{path}&start_step=1"))
        .await
        .invalid("both must be specified");
    world
        .get(&format!("{path}&max_results=0"))
        .await
        .invalid("between 1 and 2500");
}
