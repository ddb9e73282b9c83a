//! A web UI from a folder of this machine: that of an installed MLflow
//! (`mlflow/server/js/build`).
//!
//! As in MLflow, `index.html` is the page at `/`, and every file of the folder
//! is below `/static-files/`.

use std::path::Path;

use axum::{Router, response::Redirect, routing::get};
use http::{HeaderValue, header};
use tower::ServiceBuilder;
use tower_http::{
    services::{ServeDir, ServeFile},
    set_header::SetResponseHeaderLayer,
};

/// MLflow's page makes scripts and styles as it runs. Nothing from another
/// origin is run.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; object-src 'self' blob:; \
     base-uri 'self'",
);

/// Routes of the folder below the prefix.
pub(crate) fn routes(static_prefix: &str, folder: &Path) -> Router {
    let page = ServiceBuilder::new()
        .layer(SetResponseHeaderLayer::overriding(
            header::CACHE_CONTROL,
            HeaderValue::from_static("no-cache"),
        ))
        .layer(SetResponseHeaderLayer::overriding(
            header::CONTENT_SECURITY_POLICY,
            CONTENT_SECURITY_POLICY,
        ))
        .service(ServeFile::new(folder.join("index.html")));
    let files = ServeDir::new(folder).append_index_html_on_directories(false);
    let mut router = Router::new()
        .route_service(&format!("{static_prefix}/"), page)
        .nest_service(&format!("{static_prefix}/static-files"), files);
    // The page names everything relative to its own address.
    if !static_prefix.is_empty() {
        let target = format!("{static_prefix}/");
        let redirect = get(async move || Redirect::permanent(&target));
        router = router.route(static_prefix, redirect);
    }
    router
}
