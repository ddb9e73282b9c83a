//! `webhooks`: what is answered, and what is refused. Deliveries are tested on real processes.

use runledger_server::WebhookOptions;
use serde_json::{Value, json};

use crate::world::World;

/// A server that may tell anybody.
async fn open_world() -> World {
    World::with(|builder| {
        builder.webhook_options(WebhookOptions {
            allowed_schemes: vec!["http".to_owned(), "https".to_owned()],
            allow_private_addresses: true,
            ..WebhookOptions::default()
        })
    })
    .await
}

fn webhook(changes: &Value) -> Value {
    let mut body = json!({
        "name": "w",
        "url": "https://example.com/hook",
        "events": [{"entity": "PROMPT_TAG", "action": "SET"}],
    });
    for (key, value) in changes.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

async fn create(world: &World, changes: Value) -> Value {
    let answer = world.post("/webhooks", webhook(&changes)).await;
    answer.ok()["webhook"].clone()
}

#[tokio::test]
async fn a_webhook_is_made_changed_and_deleted() {
    let world = open_world().await;
    let made = create(&world, json!({"description": "d", "status": "DISABLED"})).await;
    let id = made["webhook_id"].as_str().unwrap();
    assert_eq!(made["name"], "w");
    assert_eq!(made["status"], "DISABLED");
    assert_eq!(
        made["events"],
        json!([{"entity": "PROMPT_TAG", "action": "SET"}])
    );
    assert!(made["creation_timestamp"].is_i64());
    let path = format!("/webhooks/{id}");
    assert_eq!(world.get(&path).await.ok()["webhook"], made);

    let change = json!({"name": "v", "description": "", "status": "ACTIVE"});
    let changed = world.call("PATCH", &path, &change).await.ok();
    assert_eq!(changed["webhook"]["name"], "v");
    assert_eq!(changed["webhook"]["status"], "ACTIVE");
    assert_eq!(changed["webhook"]["url"], made["url"]);
    assert_eq!(changed["webhook"].get("description"), None);

    assert_eq!(
        world.call("DELETE", &path, &json!({})).await.ok(),
        json!({})
    );
    let message = format!("Webhook with ID {id} not found.");
    for (method, path) in [
        ("GET", path.clone()),
        ("PATCH", path.clone()),
        ("DELETE", path.clone()),
        ("POST", format!("{path}/test")),
    ] {
        let answer = world.call(method, &path, &json!({"name": "-"})).await;
        answer.refused(404, "RESOURCE_DOES_NOT_EXIST", &message);
    }
}

#[tokio::test]
async fn pages_of_webhooks_follow_each_other() {
    let world = open_world().await;
    assert_eq!(world.get("/webhooks").await.ok(), json!({}));
    for _ in 0..3 {
        create(&world, json!({})).await;
    }
    let first = world.get("/webhooks?max_results=2").await.ok();
    assert_eq!(first["webhooks"].as_array().unwrap().len(), 2);
    let token = first["next_page_token"].as_str().unwrap();
    let path = format!("/webhooks?max_results=2&page_token={token}");
    let second = world.get(&path).await.ok();
    assert_eq!(second["webhooks"].as_array().unwrap().len(), 1);
    assert_eq!(second.get("next_page_token"), None);
    let refused = world.get("/webhooks?page_token=x").await;
    refused.refused(400, "INVALID_PARAMETER_VALUE", "Invalid page token");
}

#[tokio::test]
async fn what_is_wrong_is_refused_in_mlflows_order() {
    let world = World::new().await;
    for (changes, message) in [
        (
            json!({"name": "-", "url": "ftp://x", "events": []}),
            "Webhook name '-' is invalid",
        ),
        (
            json!({"url": "ftp://x", "events": []}),
            "Invalid webhook URL scheme: 'ftp'",
        ),
        (
            json!({"url": "http://example.com"}),
            "Allowed schemes are: https.",
        ),
        (
            json!({"url": "https://127.0.0.1/"}),
            "'127.0.0.1' resolves to 127.0.0.1.",
        ),
        (json!({"url": "https://[::1]/"}), "'::1' resolves to ::1."),
        (json!({"url": "https://h:99999/"}), "its port is no number"),
        (
            json!({"url": "https://1.1.1.1/", "events": []}),
            "must be a non-empty list",
        ),
        (
            json!({"url": "https://1.1.1.1/", "secret": "s"}),
            "no key to encrypt it with",
        ),
        (
            json!({"url": "https://1.1.1.1/", "description": "d".repeat(1001)}),
            "at most 1000 characters",
        ),
    ] {
        let answer = world.post("/webhooks", webhook(&changes)).await;
        answer.refused(400, "INVALID_PARAMETER_VALUE", message);
    }
    let event = json!({"entity": "PROMPT_TAG", "action": "SET"});
    let twice = json!({"url": "https://1.1.1.1/", "events": [event, event]});
    let answer = world.post("/webhooks", webhook(&twice)).await;
    answer.refused(400, "BAD_REQUEST", "is there twice");
    assert_eq!(world.get("/webhooks").await.ok(), json!({}));
}

#[tokio::test]
async fn a_test_says_what_came_of_it() {
    let world = open_world().await;
    // Nobody listens at port 1.
    let made = create(&world, json!({"url": "http://127.0.0.1:1/"})).await;
    let path = format!("/webhooks/{}/test", made["webhook_id"].as_str().unwrap());
    let result = world.post(&path, json!({})).await.ok()["result"].clone();
    assert_eq!(result["success"], false);
    assert_eq!(result.get("response_status"), None);
    let message = result["error_message"].as_str().unwrap();
    assert!(
        message.starts_with("Failed to test webhook: no connection"),
        "{message}"
    );
    let event = json!({"event": {"entity": "PROMPT", "action": "DELETED"}});
    let answer = world.post(&path, event).await;
    answer.refused(400, "INVALID_PARAMETER_VALUE", "Invalid action 'deleted'");
}
