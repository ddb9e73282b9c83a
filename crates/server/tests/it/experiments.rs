//! `experiments/*`.

use serde_json::{Value, json};

use crate::world::World;

async fn create(world: &World, name: &str) -> String {
    let created = world
        .post("/experiments/create", json!({"name": name}))
        .await;
    created.ok()["experiment_id"].as_str().unwrap().to_owned()
}

async fn get(world: &World, id: &str) -> Value {
    let answer = world
        .get(&format!("/experiments/get?experiment_id={id}"))
        .await;
    answer.ok()["experiment"].clone()
}

#[tokio::test]
async fn an_experiment_lives() {
    let world = World::new().await;
    let id = create(&world, "e").await;
    let experiment = get(&world, &id).await;
    assert_eq!(
        experiment["artifact_location"],
        format!("mlflow-artifacts:/{id}")
    );
    assert_eq!(experiment["workspace"], "default");
    assert!(experiment.get("tags").is_none());

    let tag = json!({"experiment_id": id, "key": "k", "value": "v"});
    assert_eq!(
        world
            .post("/experiments/set-experiment-tag", tag)
            .await
            .ok(),
        json!({})
    );
    let rename = json!({"experiment_id": id, "new_name": "f"});
    world.post("/experiments/update", rename).await.ok();
    let by_name = world
        .get("/experiments/get-by-name?experiment_name=f")
        .await
        .ok();
    assert_eq!(
        by_name["experiment"]["tags"],
        json!([{"key": "k", "value": "v"}])
    );

    let untag = json!({"experiment_id": id, "key": "k"});
    world
        .post("/experiments/delete-experiment-tag", untag.clone())
        .await
        .ok();
    world
        .post("/experiments/delete-experiment-tag", untag)
        .await
        .not_found("No tag with name: k");

    let named = json!({"experiment_id": id});
    world.post("/experiments/delete", named.clone()).await.ok();
    assert_eq!(get(&world, &id).await["lifecycle_stage"], "deleted");
    world.post("/experiments/restore", named).await.ok();
    assert_eq!(get(&world, &id).await["lifecycle_stage"], "active");
}

#[tokio::test]
async fn a_name_is_given_once() {
    let world = World::new().await;
    let again = world
        .post("/experiments/create", json!({"name": "Default"}))
        .await;
    again.refused(
        400,
        "RESOURCE_ALREADY_EXISTS",
        "Experiment(name=Default) already exists.",
    );
}

#[tokio::test]
async fn an_artifact_location_is_a_plain_uri_of_bounded_length() {
    let world = World::new().await;
    let create = |location: String| {
        world.post(
            "/experiments/create",
            json!({"name": "e", "artifact_location": location}),
        )
    };
    create("s3://a/b#c".to_owned())
        .await
        .invalid("can't include fragments or params");
    create(format!("s3://{}", "x".repeat(2050)))
        .await
        .invalid("2048 characters");
}

#[tokio::test]
async fn ids_and_names_are_checked() {
    let world = World::new().await;
    let ask = |query: &'static str| world.get(query);
    ask("/experiments/get")
        .await
        .invalid("Missing value for required parameter 'experiment_id'");
    ask("/experiments/get?experiment_id=abc")
        .await
        .invalid("Invalid experiment ID 'abc'");
    ask("/experiments/get?experiment_id=99999999999999999999")
        .await
        .invalid("must be a valid integer");
    ask("/experiments/get?experiment_id=77")
        .await
        .not_found("No Experiment with id=77 exists");
    ask("/experiments/get-by-name?experiment_name=nope")
        .await
        .not_found("'nope'");
    let long = "n".repeat(501);
    world
        .post("/experiments/create", json!({"name": long}))
        .await
        .invalid("'name' exceeds the maximum length of 500 characters");
    let tag = json!({"name": "e", "tags": [{"key": "&", "value": ""}]});
    world
        .post("/experiments/create", tag)
        .await
        .invalid("Names may only contain");
}

#[tokio::test]
async fn a_search_pages_by_get_and_by_post() {
    let world = World::new().await;
    for name in ["a", "b", "c"] {
        create(&world, name).await;
    }
    let first = world
        .get("/experiments/search?max_results=3&order_by=name%20ASC")
        .await
        .ok();
    assert_eq!(first["experiments"].as_array().unwrap().len(), 3);
    let next = json!({
        "max_results": 3, "order_by": ["name ASC"], "page_token": first["next_page_token"],
    });
    let second = world.post("/experiments/search", next).await.ok();
    assert_eq!(second["experiments"].as_array().unwrap().len(), 1);
    assert_eq!(second.get("next_page_token"), None);
    world
        .post("/experiments/search", json!({}))
        .await
        .invalid("It must be a positive integer");
    world
        .post(
            "/experiments/search",
            json!({"max_results": 1, "filter": "nonsense"}),
        )
        .await
        .invalid("nonsense");
}
