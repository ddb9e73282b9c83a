//! A web UI from a folder, and the description of the API.

use std::fs;

use serde_json::Value;

use crate::world::World;

#[tokio::test]
async fn a_folder_is_served_in_the_place_of_the_assets() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("ui/static/js")).unwrap();
    fs::write(folder.path().join("ui/index.html"), "<title>theirs</title>").unwrap();
    fs::write(folder.path().join("ui/static/js/main.js"), "1").unwrap();
    fs::write(folder.path().join("secret"), "secret").unwrap();
    let ui = folder.path().join("ui");
    let world = World::with(|builder| builder.ui_folder(ui).static_prefix("/ml")).await;

    let page = world.fetch("/ml/").await;
    assert_eq!(
        (page.status, &page.body[..]),
        (200, &b"<title>theirs</title>"[..])
    );
    assert_eq!(page.headers["cache-control"], "no-cache");
    assert!(page.headers.contains_key("content-security-policy"));
    let script = world.fetch("/ml/static-files/static/js/main.js").await;
    assert_eq!((script.status, &script.body[..]), (200, &b"1"[..]));
    assert_eq!(world.fetch("/ml").await.status, 308);
    for outside in [
        "/ml/static-files/../secret",
        "/ml/static-files/%2e%2e/secret",
        "/ml/static-files/static/..%2f..%2f..%2fsecret",
        "/ml/static-files//etc/passwd",
        "/ml/static-files/nothing",
        "/ml/static-files/static",
    ] {
        let answer = world.fetch(outside).await;
        assert_ne!(answer.status, 200, "{outside}");
        assert!(
            !answer.body.windows(6).any(|part| part == b"secret"),
            "{outside}"
        );
    }
    assert_eq!(world.fetch("/ml/health").await.body, "OK");
}

#[tokio::test]
async fn the_api_is_described_as_it_is_served() {
    let world = World::with(|builder| builder.static_prefix("/ml")).await;
    let document = world.fetch("/ml/openapi.json").await.ok();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/ml/api/2.0/mlflow/runs/log-batch"));
    for (path, operations) in paths {
        let operations: &Value = operations;
        // No description promises what the server says it does not have.
        if operations.get("get").is_some() && !path.contains('{') {
            let answer = world.fetch(path).await;
            let text = String::from_utf8_lossy(&answer.body);
            assert!(
                !text.contains("\"error_code\":\"ENDPOINT_NOT_FOUND\""),
                "{path}"
            );
        }
    }
}
