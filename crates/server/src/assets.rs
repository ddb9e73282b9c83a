//! The web UI's files, from a table in memory.

use axum::{
    Router,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{BuildError, conditions, options::Asset};

/// Routes of the assets below the prefix.
pub(crate) fn routes(static_prefix: &str, assets: &'static [Asset]) -> Result<Router, BuildError> {
    let mut router = Router::new();
    for asset in assets {
        let described = headers(asset).ok_or(BuildError::Asset { path: asset.path })?;
        let serve = get(async move |request: HeaderMap| serve(asset, described.clone(), &request));
        router = router.route(&format!("{static_prefix}/{}", asset.path), serve);
    }
    // The page names everything relative to its own address.
    if !static_prefix.is_empty() && assets.iter().any(|asset| asset.path.is_empty()) {
        let target = format!("{static_prefix}/");
        let redirect = get(async move || Redirect::permanent(&target));
        router = router.route(static_prefix, redirect);
    }
    Ok(router)
}

fn headers(asset: &Asset) -> Option<HeaderMap> {
    let cache = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, asset.etag),
        (
            header::CONTENT_SECURITY_POLICY,
            asset.content_security_policy,
        ),
    ]
    .into_iter()
    .map(|(name, value)| Some((name, HeaderValue::from_str(value).ok()?)))
    .collect()
}

fn serve(asset: &'static Asset, mut headers: HeaderMap, request: &HeaderMap) -> Response {
    if conditions::is_unchanged(request, asset.etag, None) {
        headers.remove(header::CONTENT_TYPE);
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, Bytes::from_static(asset.bytes)).into_response()
}
