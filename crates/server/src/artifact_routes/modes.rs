//! What a server answers for the half of it that is switched off.

use axum::body::Body;
use axum::response::Response;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};

/// The answer of the artifact proxy under `--no-serve-artifacts`. `route` is
/// the pattern of the route.
pub(crate) fn serving_disabled(route: &str) -> Response {
    unavailable(format!(
        "Endpoint: {route} disabled due to the server running with `--no-serve-artifacts`. To \
         enable artifacts server functionality, run `runledger server` with `--serve-artifacts`"
    ))
}

/// The answer of everything but the artifact proxy under `--artifacts-only`.
/// `route` is the pattern of the route.
pub(crate) fn artifacts_only(route: &str) -> Response {
    unavailable(format!(
        "Endpoint: {route} disabled due to the server running in `--artifacts-only` mode. To \
         enable tracking server functionality, run `runledger server` without `--artifacts-only`"
    ))
}

fn unavailable(message: String) -> Response {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
