//! The middleware around a small router.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::*;

async fn ask(
    config: SecurityConfig,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let security = Arc::new(Security::new(&config, "/ml").unwrap());
    let app = Router::new()
        .route("/health", get(|| async { "OK" }))
        .route("/ml/health", get(|| async { "OK" }))
        .route(
            "/api/2.0/x",
            post(|| async { "written" }).get(|| async { "read" }),
        )
        .layer(from_fn_with_state(security, guard));
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    app.oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

async fn ask_default(method: &str, path: &str, headers: &[(&str, &str)]) -> Response {
    ask(SecurityConfig::default(), method, path, headers).await
}

async fn body(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers()
        .get(name)
        .map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let response = ask_default("GET", "/api/2.0/x", &[("host", "localhost:5000")]).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"));
    assert_eq!(header(&response, "x-frame-options"), Some("SAMEORIGIN"));
    assert_eq!(header(&response, "vary"), Some("Origin"));
    assert_eq!(header(&response, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn an_unknown_host_is_told_what_to_do() {
    let response = ask_default("GET", "/api/2.0/x", &[("host", "mlflow.lan:80")]).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let text = body(response).await;
    assert!(text.starts_with("Invalid Host header - possible DNS rebinding attack detected"));
    assert!(text.contains("`--allowed-hosts mlflow.lan:80`"), "{text}");
}

#[tokio::test]
async fn a_host_must_be_there_once() {
    for headers in [&[][..], &[("host", "localhost"), ("host", "evil.com")]] {
        let response = ask_default("GET", "/api/2.0/x", headers).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn health_is_served_to_every_host() {
    for path in ["/health", "/ml/health"] {
        let response = ask_default("GET", path, &[("host", "evil.com")]).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
}

#[tokio::test]
async fn a_foreign_write_is_refused_and_a_foreign_read_is_unreadable() {
    let headers = [("host", "localhost"), ("origin", "http://evil.com")];
    let write = ask_default("POST", "/api/2.0/x", &headers).await;
    assert_eq!(write.status(), StatusCode::FORBIDDEN);
    assert_eq!(header(&write, "access-control-allow-origin"), None);
    let text = body(write).await;
    assert!(text.starts_with("Cross-origin request blocked"), "{text}");
    assert!(
        text.contains("`--cors-allowed-origins http://evil.com`"),
        "{text}"
    );

    let read = ask_default("GET", "/api/2.0/x", &headers).await;
    assert_eq!(read.status(), StatusCode::OK);
    assert_eq!(header(&read, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_write_of_two_origins_is_refused() {
    let headers = [
        ("host", "localhost"),
        ("origin", "http://localhost:3000"),
        ("origin", "http://evil.com"),
    ];
    let write = ask_default("POST", "/api/2.0/x", &headers).await;
    assert_eq!(write.status(), StatusCode::FORBIDDEN);
    let read = ask_default("GET", "/api/2.0/x", &headers).await;
    assert_eq!(header(&read, "access-control-allow-origin"), None);
}

#[tokio::test]
async fn a_local_page_may_write_and_read() {
    let headers = [
        ("host", "localhost:5000"),
        ("origin", "http://localhost:3000"),
    ];
    let response = ask_default("POST", "/api/2.0/x", &headers).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(
        header(&response, "access-control-allow-origin"),
        Some("http://localhost:3000")
    );
    assert_eq!(
        header(&response, "access-control-allow-credentials"),
        Some("true")
    );
}

#[tokio::test]
async fn a_preflight_is_answered_for_those_who_may_write() {
    let preflight = |origin| {
        [
            ("host", "localhost"),
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "x-a"),
        ]
    };
    let local = ask_default("OPTIONS", "/api/2.0/x", &preflight("http://localhost:3")).await;
    assert_eq!(local.status(), StatusCode::OK);
    assert_eq!(header(&local, "access-control-allow-headers"), Some("x-a"));
    assert_eq!(body(local).await, "OK");
    let foreign = ask_default("OPTIONS", "/api/2.0/x", &preflight("http://evil.com")).await;
    assert_eq!(foreign.status(), StatusCode::BAD_REQUEST);
    assert!(body(foreign).await.starts_with("Disallowed CORS origin"));
}

#[tokio::test]
async fn every_origin_may_be_allowed_without_credentials() {
    let config = SecurityConfig {
        cors_allowed_origins: vec!["*".to_owned()],
        ..SecurityConfig::default()
    };
    let headers = [("host", "localhost"), ("origin", "http://other.com")];
    let response = ask(config, "POST", "/api/2.0/x", &headers).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("*"));
    assert_eq!(header(&response, "access-control-allow-credentials"), None);
}

#[tokio::test]
async fn disabled_means_no_check_and_no_header() {
    let config = SecurityConfig {
        disabled: true,
        ..SecurityConfig::default()
    };
    let headers = [("host", "evil.com"), ("origin", "http://evil.com")];
    let response = ask(config, "POST", "/api/2.0/x", &headers).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(header(&response, "x-frame-options"), None);
}

#[test]
fn frame_options_are_checked() {
    let with = |value: &str| {
        Security::new(
            &SecurityConfig {
                x_frame_options: value.to_owned(),
                ..SecurityConfig::default()
            },
            "",
        )
    };
    assert!(with("deny").is_ok());
    assert!(with("NONE").is_ok_and(|security| security.x_frame_options.is_none()));
    assert!(with("ALLOWALL").is_err());
}
