//! What holds for every endpoint: paths, methods, bodies, bounds.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, header};
use runledger_protocol::{Area, Endpoint, Method, Scope};
use runledger_server::{Asset, BuildError, Limits, SecurityConfig, Server};
use serde_json::json;

use crate::world::{API, Answer, World};

#[tokio::test]
async fn the_server_says_what_it_is() {
    let world = World::new().await;
    assert_eq!(world.fetch("/health").await.body, "OK");
    assert_eq!(world.fetch("/version").await.body, "3.17.2");
    for prefix in ["api", "ajax-api"] {
        let info = world
            .fetch(&format!("/{prefix}/3.0/mlflow/server-info"))
            .await;
        assert_eq!(info.ok()["store_type"], "SqlStore");
    }
}

#[tokio::test]
async fn both_prefixes_reach_the_same_handler() {
    let world = World::new().await;
    for prefix in ["api", "ajax-api"] {
        let path = format!("/{prefix}/2.0/mlflow/experiments/get?experiment_id=0");
        assert_eq!(
            world.fetch(&path).await.ok()["experiment"]["name"],
            "Default"
        );
    }
}

#[tokio::test]
async fn the_static_prefix_stands_before_everything() {
    let world = World::with(|builder| builder.static_prefix("/ml").assets(ASSETS)).await;
    let path = "/ml/api/2.0/mlflow/experiments/get?experiment_id=0";
    assert_eq!(world.fetch(path).await.status, 200);
    assert_eq!(world.fetch("/ml/health").await.status, 200);
    assert_eq!(world.fetch("/ml/").await.body, "page");
    assert_eq!(world.fetch("/ml").await.headers[header::LOCATION], "/ml/");
    assert_eq!(world.fetch("/health").await.status, 404);
}

const ASSETS: &[Asset] = &[
    Asset {
        path: "",
        content_type: "text/html",
        immutable: false,
        etag: "\"1\"",
        content_security_policy: "default-src 'none'",
        bytes: b"page",
        brotli: None,
        gzip: None,
    },
    Asset {
        path: "a/b.js",
        content_type: "text/javascript",
        immutable: true,
        etag: "\"2\"",
        content_security_policy: "default-src 'self'",
        bytes: b"code",
        brotli: Some(b"small"),
        gzip: Some(b"middle"),
    },
];

#[tokio::test]
async fn assets_are_served_with_their_headers() {
    let world = World::with(|builder| builder.assets(ASSETS)).await;
    let page = world.fetch("/").await;
    assert_eq!(page.body, "page");
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-cache");
    assert_eq!(page.headers[header::ETAG], "\"1\"");
    assert_eq!(
        page.headers[header::CONTENT_SECURITY_POLICY],
        "default-src 'none'"
    );
    let script = world.fetch("/a/b.js").await;
    assert_eq!(script.headers[header::CONTENT_TYPE], "text/javascript");
    assert!(
        script.headers[header::CACHE_CONTROL]
            .to_str()
            .unwrap()
            .contains("immutable")
    );
}

#[tokio::test]
async fn an_asset_that_the_browser_has_is_not_sent_again() {
    let world = World::with(|builder| builder.assets(ASSETS)).await;
    for (etag, status, body) in [("\"1\"", 304, ""), ("\"0\"", 200, "page")] {
        let request = Request::get("/")
            .header(header::IF_NONE_MATCH, etag)
            .body(Body::empty())
            .unwrap();
        let answer = world.send(request).await;
        assert_eq!((answer.status, &answer.body[..]), (status, body.as_bytes()));
        assert_eq!(answer.headers[header::ETAG], "\"1\"");
    }
}

#[tokio::test]
async fn an_asset_is_sent_compressed_to_whom_can_read_it() {
    let world = World::with(|builder| builder.assets(ASSETS)).await;
    for (accepted, coding, body, etag) in [
        ("gzip, br", Some("br"), "small", "\"2-br\""),
        ("gzip", Some("gzip"), "middle", "\"2-gzip\""),
        ("identity", None, "code", "\"2\""),
    ] {
        let request = Request::get("/a/b.js").header(header::ACCEPT_ENCODING, accepted);
        let answer = world.send(request.body(Body::empty()).unwrap()).await;
        let sent = answer.headers.get(header::CONTENT_ENCODING);
        assert_eq!(sent.map(|value| value.to_str().unwrap()), coding);
        assert_eq!(answer.body, body);
        assert_eq!(answer.headers[header::ETAG], etag);
        let vary = answer.headers.get_all(header::VARY).iter();
        assert!(vary.into_iter().any(|value| value == "Accept-Encoding"));
    }
}

#[tokio::test]
async fn what_is_meant_for_a_workspace_is_refused() {
    let world = World::new().await;
    let request = Request::get(format!("{API}/experiments/get?experiment_id=0"))
        .header("X-MLFLOW-WORKSPACE", "team");
    let answer = world.send(request.body(Body::empty()).unwrap()).await;
    answer.refused(400, "FEATURE_DISABLED", "workspaces are not enabled");
}

/// A body that was not read is read and dropped, or the client is told that the
/// connection ends.
#[tokio::test]
async fn an_early_answer_leaves_a_connection_that_works() {
    let world = World::new().await;
    let pieces = |count: usize, size: usize| {
        let piece = Bytes::from(vec![b'x'; size]);
        Body::from_stream(
            stream::iter(0..count).map(move |_| Ok::<_, std::io::Error>(piece.clone())),
        )
    };
    let never = || Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
    for (body, closes) in [
        (pieces(3, 1000), false),
        (pieces(100, 1000), true),
        (Body::from(vec![0; 100_000]), true),
        (never(), true),
    ] {
        let request = Request::post("/nothing/here").body(body).unwrap();
        let answer = world.send(request).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.headers.contains_key(header::CONNECTION), closes);
    }
    let request = Request::post("/nothing/here").header(header::EXPECT, "100-continue");
    let answer = world.send(request.body(pieces(1, 10)).unwrap()).await;
    assert_eq!(answer.headers[header::CONNECTION], "close");
}

#[test]
fn an_asset_that_no_header_can_describe_is_refused() {
    const BROKEN: &[Asset] = &[Asset {
        etag: "\n",
        ..ASSETS[0]
    }];
    let built = Server::builder().assets(BROKEN).build();
    assert!(matches!(built, Err(BuildError::Asset { path: "" })));
}

#[tokio::test]
async fn slashes_too_many_before_the_path_do_no_harm() {
    let world = World::with(|builder| builder.static_prefix("/ml")).await;
    for path in ["//ml/health", "/ml//health", "///ml//health"] {
        assert_eq!(world.fetch(path).await.body, "OK", "{path}");
    }
    let world = World::new().await;
    let query = "/api/2.0/mlflow/experiments/get?experiment_id=0";
    let answer = world.fetch(&format!("/{query}")).await;
    assert_eq!(answer.ok()["experiment"]["name"], "Default");
    assert_eq!(world.fetch("//nothing").await.status, 404);
    assert_eq!(
        world.fetch("/api//2.0/mlflow/server-info").await.status,
        404
    );
}

#[test]
fn a_prefix_of_another_form_is_refused() {
    for prefix in ["ml", "/ml/", "/", "/a b", "/{x}", "/a//b"] {
        let built = Server::builder().static_prefix(prefix).build();
        assert!(
            matches!(built, Err(BuildError::StaticPrefix { .. })),
            "{prefix}"
        );
    }
}

#[tokio::test]
async fn unknown_paths_and_methods_are_pages() {
    let world = World::new().await;
    let unknown = world.get("/nothing").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.body.starts_with(b"<!doctype html>"));
    let wrong = world.post("/runs/get", json!({})).await;
    assert_eq!(wrong.status, 405);
    assert_eq!(methods(&wrong.headers), ["GET", "HEAD", "OPTIONS"]);
}

/// The methods of `Allow`, sorted.
fn methods(headers: &HeaderMap) -> Vec<&str> {
    let mut methods: Vec<&str> = headers[header::ALLOW]
        .to_str()
        .unwrap()
        .split(',')
        .map(str::trim)
        .collect();
    methods.sort_unstable();
    methods
}

#[tokio::test]
async fn options_and_head_are_answered() {
    let world = World::new().await;
    let path = format!("{API}/runs/search");
    let options = Request::options(&path).body(Body::empty()).unwrap();
    let answer = world.send(options).await;
    assert_eq!(answer.status, 204);
    assert_eq!(methods(&answer.headers), ["OPTIONS", "POST"]);
    let preflight = Request::options(&path)
        .header(header::ORIGIN, "http://localhost:3000")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let answer = world.send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key(header::ALLOW));
    let head = Request::head("/health").body(Body::empty()).unwrap();
    let answer = world.send(head).await;
    assert_eq!((answer.status, answer.body.len()), (200, 0));
}

#[tokio::test]
async fn strange_hosts_are_refused_and_answers_are_hardened() {
    let world = World::new().await;
    let request = Request::get(format!("{API}/experiments/get?experiment_id=0"))
        .header(header::HOST, "evil.example")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.status, 403);
    let answer = world.fetch("/health").await;
    assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
    let open = SecurityConfig {
        disabled: true,
        ..SecurityConfig::default()
    };
    let world = World::with(|builder| builder.security(open)).await;
    let request = Request::get("/api/3.0/mlflow/server-info")
        .header(header::HOST, "other.example")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.status, 200);
}

#[tokio::test]
async fn a_post_says_that_it_is_json() {
    let world = World::new().await;
    for (content_type, words) in [
        (None, "Content-Type header is missing."),
        (
            Some("text/plain"),
            "Content-Type must be one of ['application/json'].",
        ),
    ] {
        let mut request = Request::post(format!("{API}/runs/search"));
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        world
            .send(request.body(Body::from("{}")).unwrap())
            .await
            .invalid(words);
    }
}

fn small_bodies() -> Limits {
    Limits {
        body_bytes: 100,
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let world = World::with(|builder| builder.limits(small_bodies())).await;
    let long = json!({"experiment_ids": ["0"], "filter": "x".repeat(200)});
    let words = "At most 100 bytes are allowed.";
    world
        .post("/runs/search", long)
        .await
        .refused(413, "INVALID_PARAMETER_VALUE", words);
}

#[tokio::test]
async fn a_body_that_never_ends_is_refused() {
    let world = World::with(|builder| builder.limits(small_bodies())).await;
    let endless =
        stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(b"          ")));
    let request = Request::post(format!("{API}/runs/search"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from_stream(endless))
        .unwrap();
    assert_eq!(world.send(request).await.status, 413);
}

#[tokio::test]
async fn a_body_that_does_not_come_ends_in_time() {
    let limits = Limits {
        request_time: Duration::from_millis(20),
        ..Limits::default()
    };
    let world = World::with(|builder| builder.limits(limits)).await;
    let request = Request::post(format!("{API}/runs/search"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from_stream(
            stream::pending::<std::io::Result<Bytes>>(),
        ))
        .unwrap();
    world
        .send(request)
        .await
        .refused(504, "DEADLINE_EXCEEDED", "longer than 0.02 seconds");
}

/// A body that begins and does not go on.
fn stuck() -> Body {
    let start = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b"{")) });
    Body::from_stream(start.chain(stream::pending()))
}

#[tokio::test]
async fn a_body_that_pauses_for_long_is_a_timeout() {
    let limits = Limits {
        body_idle_time: Duration::from_millis(20),
        ..Limits::default()
    };
    let world = World::with(|builder| builder.limits(limits)).await;
    for request in [
        Request::post(format!("{API}/runs/search")),
        Request::put("/api/2.0/mlflow-artifacts/artifacts/f"),
    ] {
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(stuck())
            .unwrap();
        let answer = world.send(request).await;
        answer.refused(408, "BAD_REQUEST", "came for 0.02 seconds");
        assert_eq!(answer.headers[header::CONNECTION], "close");
    }
}

#[tokio::test]
async fn a_slow_body_holds_no_place() {
    let limits = Limits {
        requests: 1,
        body_idle_time: Duration::from_secs(5),
        ..Limits::default()
    };
    let world = World::with(|builder| builder.limits(limits)).await;
    let slow = Request::post(format!("{API}/runs/search"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(stuck())
        .unwrap();
    let other = async {
        tokio::task::yield_now().await;
        world.get("/experiments/get?experiment_id=0").await
    };
    tokio::select! {
        _ = world.send(slow) => panic!("a body that does not end was answered"),
        answer = other => assert_eq!(answer.status, 200),
    }
}

#[tokio::test]
async fn only_bodies_with_values_may_be_large() {
    let world = World::new().await;
    let id = world.run().await;
    let filler = "x".repeat(5 << 20);
    world
        .post("/runs/search", json!({"filler": filler}))
        .await
        .refused(413, "INVALID_PARAMETER_VALUE", "At most 4194304 bytes");
    let batch = json!({
        "run_id": id, "filler": filler, "params": [{"key": "p", "value": "1"}],
    });
    world.post("/runs/log-batch", batch).await.ok();
    let inputs = json!({"run_id": id, "filler": "x".repeat(33 << 20)});
    world.post("/runs/log-inputs", inputs).await.ok();
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_again() {
    let limits = Limits {
        requests: 0,
        queue: 0,
        ..Limits::default()
    };
    let world = World::with(|builder| builder.limits(limits)).await;
    let answer = world.post("/runs/search", json!({})).await;
    answer.refused(503, "TEMPORARILY_UNAVAILABLE", "Try again.");
    assert_eq!(answer.headers[header::RETRY_AFTER], "1");
    assert_eq!(world.fetch("/health").await.status, 200);
}

/// A path of the endpoint, its variables filled in.
pub(crate) fn path_of(endpoint: Endpoint) -> String {
    let mut path = endpoint.paths("").swap_remove(0);
    while let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
        path.replace_range(open..=close, "x");
    }
    path
}

#[tokio::test]
async fn without_a_store_of_webhooks_they_are_not_implemented() {
    let world = World::without_webhooks().await;
    for &endpoint in Endpoint::ALL {
        if endpoint.template().contains("/webhooks") {
            let answer = ask(&world, endpoint).await;
            answer.refused(501, "NOT_IMPLEMENTED", "Webhooks are kept in a database");
        }
    }
}

#[tokio::test]
async fn without_a_store_of_traces_they_are_not_here() {
    let world = World::without_registry().await;
    for &endpoint in Endpoint::ALL {
        if endpoint.area() != Area::Tracing {
            continue;
        }
        if endpoint == Endpoint::ExportSpans {
            let answer = ask(&world, endpoint).await;
            answer.refused(
                501,
                "NOT_IMPLEMENTED",
                "REST OTLP span logging is not supported",
            );
        } else {
            not_here(&world, endpoint).await;
        }
    }
}

async fn not_here(world: &World, endpoint: Endpoint) {
    let answer = ask(world, endpoint).await;
    answer.refused(404, "ENDPOINT_NOT_FOUND", "does not have the endpoint");
}

async fn ask(world: &World, endpoint: Endpoint) -> Answer {
    let method = match endpoint.method() {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    };
    let request = Request::builder().method(method).uri(path_of(endpoint));
    world.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn without_a_registry_it_is_not_here() {
    let world = World::without_registry().await;
    for &endpoint in Endpoint::ALL {
        if endpoint.area() == Area::Registry && endpoint.method() == Method::Get {
            let request = Request::get(path_of(endpoint)).body(Body::empty()).unwrap();
            let answer = world.send(request).await;
            answer.refused(404, "ENDPOINT_NOT_FOUND", "does not have the endpoint");
        }
    }
}

#[tokio::test]
async fn without_a_store_only_artifacts_are_served() {
    let world = World::bare(runledger_artifacts::ArtifactRoots::new());
    for &endpoint in Endpoint::ALL {
        if endpoint.scope() == Scope::Root || endpoint.method() != Method::Post {
            continue;
        }
        if endpoint.area() == Area::Tracking {
            let request = Request::post(path_of(endpoint))
                .body(Body::empty())
                .unwrap();
            let answer = world.send(request).await;
            assert_eq!(answer.status, 503, "{endpoint:?}");
        }
    }
    assert_eq!(
        world
            .fetch("/api/2.0/mlflow-artifacts/artifacts")
            .await
            .status,
        503
    );
    assert_eq!(world.fetch("/health").await.status, 200);
}
