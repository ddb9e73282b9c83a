//! Routes out of the table of endpoints, and what surrounds every request:
//! admission, the time limit, and the net below panics.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use axum::{
    Router,
    extract::{RawPathParams, Request, rejection::RawPathParamsRejection},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on, options},
};
use futures_util::FutureExt;
use http::{StatusCode, Uri, header};
use runledger_entities::ErrorCode;
use runledger_protocol::{Area, Endpoint, Method};
use tower::ServiceExt;
use tracing::Instrument;

use crate::{
    app::App,
    body_timeout::limit_pauses,
    call::Call,
    dispatch::dispatch,
    failure::Failure,
    handlers::{Reply, server::is_served},
    reply,
};

/// Every endpoint on all of its paths.
pub(crate) fn routes(app: &Arc<App>, static_prefix: &str) -> Router {
    let mut paths: BTreeMap<String, Vec<Endpoint>> = BTreeMap::new();
    for &endpoint in Endpoint::ALL {
        for path in endpoint.paths(static_prefix) {
            paths.entry(path).or_default().push(endpoint);
        }
    }
    paths
        .into_iter()
        .fold(Router::new(), |router, (path, endpoints)| {
            router.route(&path, path_router(app, &endpoints))
        })
}

/// The methods of one path, and `OPTIONS`, which names them.
fn path_router(app: &Arc<App>, endpoints: &[Endpoint]) -> MethodRouter {
    let mut allowed: BTreeSet<&str> = BTreeSet::from(["OPTIONS"]);
    for endpoint in endpoints {
        allowed.extend(match endpoint.method() {
            Method::Get => &["GET", "HEAD"][..],
            Method::Post => &["POST"],
            Method::Put => &["PUT"],
            Method::Patch => &["PATCH"],
            Method::Delete => &["DELETE"],
        });
    }
    let allowed: Vec<&str> = allowed.into_iter().collect();
    let allowed = allowed.join(", ");
    let options = options(async move || (StatusCode::NO_CONTENT, [(header::ALLOW, allowed)]));
    endpoints.iter().fold(options, |methods, &endpoint| {
        methods.merge(method_router(app, endpoint))
    })
}

/// Answers for paths and methods that are in no table.
///
/// Slashes too many before the path (a tracking URI that ends in one makes
/// them) are taken away first, as MLflow's server does.
pub(crate) fn with_fallbacks(router: Router, static_prefix: &str) -> Router {
    let answered = router
        .fallback(async || reply::page(StatusCode::NOT_FOUND, "There is nothing at this address."))
        .method_not_allowed_fallback(async || {
            reply::page(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not take this method.",
            )
        });
    let (plain, static_prefix) = (answered.clone(), static_prefix.to_owned());
    answered.fallback(async move |mut request: Request| {
        if let Some(uri) = without_extra_slashes(request.uri(), &static_prefix) {
            *request.uri_mut() = uri;
        }
        plain.oneshot(request).await
    })
}

/// The address with one slash before its path and one after the prefix, if it
/// has more.
fn without_extra_slashes(uri: &Uri, static_prefix: &str) -> Option<Uri> {
    let path = format!("/{}", uri.path().trim_start_matches('/'));
    let path = match path.strip_prefix(static_prefix) {
        Some(rest) if rest.starts_with('/') => {
            format!("{static_prefix}/{}", rest.trim_start_matches('/'))
        }
        _ => path,
    };
    if path == uri.path() {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    let whole = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    parts.path_and_query = Some(whole.parse().ok()?);
    Uri::from_parts(parts).ok()
}

fn method_router(app: &Arc<App>, endpoint: Endpoint) -> MethodRouter {
    let filter = match endpoint.method() {
        Method::Get => MethodFilter::GET,
        Method::Post => MethodFilter::POST,
        Method::Put => MethodFilter::PUT,
        Method::Patch => MethodFilter::PATCH,
        Method::Delete => MethodFilter::DELETE,
    };
    let app = Arc::clone(app);
    on(
        filter,
        move |params: Result<RawPathParams, RawPathParamsRejection>, request: Request| {
            let app = Arc::clone(&app);
            async move { serve(&app, endpoint, params, request).await }
        },
    )
}

async fn serve(
    app: &Arc<App>,
    endpoint: Endpoint,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let span = tracing::debug_span!("request", ?endpoint);
    let request = request.map(|body| limit_pauses(body, app.limits.body_idle_time));
    let reply = async {
        app.permit(endpoint)?;
        refuse_workspace(&request)?;
        // A segment that is no text names nothing that could be stored.
        let params = params.map_err(|_| Failure::invalid("Invalid path"))?;
        within_bounds(app, endpoint, Call::new(endpoint, request, &params)).await
    };
    let reply = AssertUnwindSafe(reply.instrument(span))
        .catch_unwind()
        .await;
    match reply {
        Ok(Ok(response)) => response,
        Ok(Err(failure)) => failure.into_response(),
        Err(panic) => Failure::panic(&*panic).into_response(),
    }
}

/// Refuses what is meant for a workspace: it must not end up among everything.
fn refuse_workspace(request: &Request) -> Result<(), Failure> {
    if !request.headers().contains_key("x-mlflow-workspace") {
        return Ok(());
    }
    Err(Failure::new(
        ErrorCode::FeatureDisabled,
        "Workspace APIs are not available: workspaces are not enabled on this server",
    ))
}

/// Serves a call when its turn comes, within its time.
async fn within_bounds(app: &Arc<App>, endpoint: Endpoint, mut call: Call) -> Reply {
    match endpoint.area() {
        // Must answer however busy the server is.
        Area::Server => dispatch(app, endpoint, call).await,
        // Large files take as long as they take.
        Area::Artifacts => {
            let _place = app.artifact_requests.enter().await?;
            dispatch(app, endpoint, call).await
        }
        Area::Tracking | Area::Tracing | Area::Registry => {
            let limit = app.limits.request_time;
            let work = async {
                if app.has_tracking() && is_served(app, endpoint) {
                    call.receive(app).await?;
                }
                let _place = app.requests.enter().await?;
                dispatch(app, endpoint, call).await
            };
            match tokio::time::timeout(limit, work).await {
                Ok(reply) => reply,
                Err(_) => Err(Failure::new(
                    ErrorCode::DeadlineExceeded,
                    format!(
                        "The request took longer than {} seconds.",
                        limit.as_secs_f32()
                    ),
                )),
            }
        }
    }
}
