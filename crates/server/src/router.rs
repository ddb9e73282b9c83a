//! Routes out of the table of endpoints, and what surrounds every request:
//! admission, the time limit, and the net below panics.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    Router,
    extract::{RawPathParams, Request, rejection::RawPathParamsRejection},
    response::{IntoResponse, Response},
    routing::{MethodFilter, MethodRouter, on},
};
use futures_util::FutureExt;
use http::StatusCode;
use runledger_entities::ErrorCode;
use runledger_protocol::{Area, Endpoint, Method};
use tracing::Instrument;

use crate::{app::App, call::Call, dispatch::dispatch, failure::Failure, handlers::Reply, reply};

/// Every endpoint on all of its paths.
pub(crate) fn routes(app: &Arc<App>, static_prefix: &str) -> Router {
    let mut router = Router::new();
    for &endpoint in Endpoint::ALL {
        for path in endpoint.paths(static_prefix) {
            router = router.route(&path, method_router(app, endpoint));
        }
    }
    router
}

/// Answers for paths and methods that are in no table.
pub(crate) fn with_fallbacks(router: Router) -> Router {
    router
        .fallback(async || reply::page(StatusCode::NOT_FOUND, "There is nothing at this address."))
        .method_not_allowed_fallback(async || {
            reply::page(
                StatusCode::METHOD_NOT_ALLOWED,
                "This address does not take this method.",
            )
        })
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
    app: &App,
    endpoint: Endpoint,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
) -> Response {
    let span = tracing::debug_span!("request", ?endpoint);
    let reply = async {
        // A segment that is no text names nothing that could be stored.
        let params = params.map_err(|_| Failure::invalid("Invalid path"))?;
        within_bounds(app, endpoint, Call::new(request, &params)).await
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

/// Serves a call when its turn comes, within its time.
async fn within_bounds(app: &App, endpoint: Endpoint, call: Call) -> Reply {
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
