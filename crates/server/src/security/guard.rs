//! The middleware.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{
    ACCESS_CONTROL_REQUEST_METHOD, CONTENT_TYPE, HOST, ORIGIN, VARY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

use super::Security;
use super::cors::{Access, allow_reading, allow_writing};

/// Characters of a refused value that the answer repeats.
const SHOWN: usize = 200;

/// Refuses requests of unknown hosts and foreign writes, answers preflights,
/// and adds the security headers to every response.
///
/// Other `OPTIONS` requests go on to the routes; where those know no `OPTIONS`
/// (405), the answer becomes MLflow's: the `Allow` header and no body.
pub(crate) async fn guard(
    State(security): State<Arc<Security>>,
    request: Request,
    next: Next,
) -> Response {
    if security.disabled {
        return next.run(request).await;
    }
    let mut response = match security.refuse_host(&request) {
        Some(refusal) => refusal,
        None => security.guard_origin(request, next).await,
    };
    security.harden(response.headers_mut());
    response
}

impl Security {
    fn refuse_host(&self, request: &Request) -> Option<Response> {
        let host = single(request.headers(), &HOST);
        if host.is_some_and(|host| self.hosts.allow(host)) || self.is_exempt(request.uri().path()) {
            return None;
        }
        let message = match host {
            Some(host) => {
                let host: String = host.chars().take(SHOWN).collect();
                format!(
                    "Invalid Host header - possible DNS rebinding attack detected: the request \
                     is for '{host}'. If that is this server, start it with `--allowed-hosts \
                     {host}` (a comma-separated list of all its names)."
                )
            }
            None => "Invalid Host header - possible DNS rebinding attack detected: the request \
                     has no Host header, or more than one. See `--allowed-hosts`."
                .to_owned(),
        };
        Some(text(StatusCode::FORBIDDEN, message))
    }

    fn is_exempt(&self, path: &str) -> bool {
        let path = path
            .strip_prefix(self.static_prefix.as_str())
            .unwrap_or(path);
        matches!(path, "/health" | "/version")
    }

    async fn guard_origin(&self, request: Request, next: Next) -> Response {
        let Some(origin) = request.headers().get(ORIGIN).cloned() else {
            return next.run(request).await;
        };
        // Of several, a proxy and this server could look at different ones.
        let access = match single(request.headers(), &ORIGIN) {
            Some(origin) => self
                .origins
                .access(origin, single(request.headers(), &HOST)),
            None => Access::Refused,
        };
        let mut response = if *request.method() == Method::OPTIONS
            && request
                .headers()
                .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
        {
            preflight(&origin, access, request.headers())
        } else if access == Access::Refused && changes_state(request.method()) {
            refuse_origin(
                "Cross-origin request blocked",
                StatusCode::FORBIDDEN,
                &origin,
            )
        } else {
            next.run(request).await
        };
        allow_reading(response.headers_mut(), &origin, access);
        response
    }

    fn harden(&self, headers: &mut HeaderMap) {
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        if let Some(value) = &self.x_frame_options {
            headers.insert(X_FRAME_OPTIONS, value.clone());
        }
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
}

fn preflight(origin: &HeaderValue, access: Access, request: &HeaderMap) -> Response {
    if access == Access::Refused {
        return refuse_origin("Disallowed CORS origin", StatusCode::BAD_REQUEST, origin);
    }
    let mut response = text(StatusCode::OK, "OK".to_owned());
    let headers = response.headers_mut();
    allow_writing(headers, request);
    headers.append(
        VARY,
        HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers"),
    );
    response
}

fn refuse_origin(rule: &str, status: StatusCode, origin: &HeaderValue) -> Response {
    let origin: String = String::from_utf8_lossy(origin.as_bytes())
        .chars()
        .take(SHOWN)
        .collect();
    let message = format!(
        "{rule}: the request comes from a page of '{origin}'. If you trust it, start the server \
         with `--cors-allowed-origins {origin}`."
    );
    text(status, message)
}

fn changes_state(method: &Method) -> bool {
    matches!(
        *method,
        Method::POST | Method::PUT | Method::DELETE | Method::PATCH
    )
}

/// The value of a header that must be there once.
fn single<'a>(headers: &'a HeaderMap, name: &http::HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn text(status: StatusCode, message: String) -> Response {
    let mut response = Response::new(Body::from(message));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
