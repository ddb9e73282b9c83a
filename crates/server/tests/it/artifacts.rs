//! Artifacts, from the route to the file and back.

use axum::body::Body;
use http::{Request, header};
use serde_json::json;

use crate::world::World;

const PROXY: &str = "/api/2.0/mlflow-artifacts/artifacts";

async fn put(world: &World, path: &str, content: &'static str) -> u16 {
    let request = Request::put(format!("{PROXY}/{path}"))
        .body(Body::from(content))
        .unwrap();
    world.send(request).await.status
}

#[tokio::test]
async fn a_file_is_put_listed_read_and_deleted() {
    let world = World::new().await;
    let id = world.run().await;
    let path = format!("0/{id}/artifacts/d/f.txt");
    assert_eq!(put(&world, &path, "content").await, 200);
    assert_eq!(
        world.fetch(&format!("{PROXY}/{path}")).await.body,
        "content"
    );
    let listed = world
        .get(&format!("/artifacts/list?run_id={id}&path=d"))
        .await
        .ok();
    let file = json!({"path": "d/f.txt", "is_dir": false, "file_size": 7});
    assert_eq!(listed["files"], json!([file]));
    let download = world
        .fetch(&format!("/get-artifact?run_id={id}&path=d/f.txt"))
        .await;
    assert_eq!(download.body, "content");
    assert!(download.headers.contains_key(header::CONTENT_DISPOSITION));
    let delete = Request::delete(format!("{PROXY}/{path}"))
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(delete).await.ok(), json!({}));
    let gone = world.fetch(&format!("{PROXY}/{path}")).await;
    gone.not_found("No such artifact");
}

#[tokio::test]
async fn the_ui_uploads_a_file() {
    let world = World::new().await;
    let id = world.run().await;
    let path = format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={id}&path=f.txt");
    let upload = Request::post(&path).body(Body::from("x")).unwrap();
    assert_eq!(world.send(upload).await.status, 200);
    let file = world
        .fetch(&format!("/get-artifact?run_uuid={id}&path=f.txt"))
        .await;
    assert_eq!(file.body, "x");
}

#[tokio::test]
async fn a_models_files_are_read() {
    let world = World::new().await;
    let model = world
        .post("/logged-models", json!({"experiment_id": "0"}))
        .await
        .ok();
    let id = model["model"]["info"]["model_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        put(&world, &format!("0/models/{id}/artifacts/MLmodel"), "m").await,
        200
    );
    let path = format!("/logged-models/{id}/artifacts");
    let listed = world.get(&format!("{path}/directories")).await.ok();
    assert_eq!(listed["files"][0]["path"], "MLmodel");
    let file = format!("/ajax-api/2.0/mlflow{path}/files?artifact_file_path=MLmodel");
    assert_eq!(world.fetch(&file).await.body, "m");
}

#[tokio::test]
async fn paths_that_leave_their_root_are_refused() {
    let world = World::new().await;
    let id = world.run().await;
    for path in [
        "../x",
        "%2e%2e/x",
        "%252e%252e/x",
        "/etc/passwd",
        "C:/x",
        "a/../../x",
    ] {
        let list = world
            .get(&format!("/artifacts/list?run_id={id}&path={path}"))
            .await;
        list.invalid("Invalid path");
        let read = world.fetch(&format!("{PROXY}/{path}")).await;
        assert!((400..500).contains(&read.status), "{path}: {}", read.status);
        let write = put(&world, path, "x").await;
        assert!((400..500).contains(&write), "{path}: {write}");
    }
}

#[tokio::test]
async fn urls_of_its_own_has_no_storage_here() {
    let world = World::new().await;
    let id = world.run().await;
    let wanted = json!({"run_id": id, "path": "f"});
    for which in ["upload", "download"] {
        let path = format!("/artifacts/presigned-{which}-url");
        let answer = world.post(&path, wanted.clone()).await;
        answer.invalid("is not supported for proxied artifact storage");
    }
    let request = Request::post("/api/2.0/mlflow-artifacts/mpu/create/f")
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from("{\"path\": \"f\", \"num_parts\": 1}"))
        .unwrap();
    assert_eq!(world.send(request).await.status, 501);
    assert_eq!(
        world
            .fetch("/api/2.0/mlflow-artifacts/presigned/f")
            .await
            .status,
        501
    );
}
