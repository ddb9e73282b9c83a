//! The web UI's files, from a table in memory.

use axum::{
    Router,
    response::{IntoResponse, Redirect},
    routing::get,
};
use http::{HeaderValue, header};

use crate::options::Asset;

/// Scripts, styles and data come from this server only.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
     object-src 'none'; base-uri 'self'; form-action 'self'",
);

/// Routes of the assets below the prefix.
pub(crate) fn routes(static_prefix: &str, assets: &'static [Asset]) -> Router {
    let mut router = Router::new();
    for asset in assets {
        let path = format!("{static_prefix}/{}", asset.path);
        router = router.route(&path, get(async || serve(asset)));
    }
    if !static_prefix.is_empty() && assets.iter().any(|asset| asset.path.is_empty()) {
        let target = format!("{static_prefix}/");
        let redirect = get(async move || Redirect::permanent(&target));
        router = router.route(static_prefix, redirect);
    }
    router
}

fn serve(asset: &'static Asset) -> impl IntoResponse {
    let cache = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    (
        [
            (
                header::CONTENT_TYPE,
                HeaderValue::from_static(asset.content_type),
            ),
            (header::CACHE_CONTROL, HeaderValue::from_static(cache)),
            (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        ],
        asset.bytes,
    )
}
