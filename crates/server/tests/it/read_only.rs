//! A server that only reads.

use axum::body::Body;
use http::Request;
use runledger_protocol::{Endpoint, Method};
use serde_json::json;

use crate::world::World;

fn method(endpoint: Endpoint) -> &'static str {
    match endpoint.method() {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

#[tokio::test]
async fn whatever_writes_is_refused_before_its_body_is_read() {
    let world = World::with(|builder| builder.read_only(true)).await;
    let writing = Endpoint::ALL.iter().filter(|it| it.permission().writes());
    for &endpoint in writing {
        for path in endpoint.paths("") {
            let path = path.replace(['{', '}', '*'], "");
            let request = Request::builder()
                .method(method(endpoint))
                .uri(&path)
                .body(Body::from("not JSON"))
                .unwrap();
            let answer = world.send(request).await;
            answer.refused(403, "PERMISSION_DENIED", "`--read-only`");
        }
    }
}

#[tokio::test]
async fn what_reads_is_served() {
    let world = World::with(|builder| builder.read_only(true)).await;
    let found = world.get("/experiments/get?experiment_id=0").await.ok();
    assert_eq!(found["experiment"]["name"], "Default");
    let runs = json!({"experiment_ids": ["0"]});
    assert_eq!(world.post("/runs/search", runs).await.status, 200);
    let listed = world.fetch("/api/2.0/mlflow-artifacts/artifacts").await;
    assert_eq!(listed.status, 200);
}
