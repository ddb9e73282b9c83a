//! The web UI's files, from a table in memory: each as it is, and compressed
//! where the table has that too.

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
        let forms = forms(asset).ok_or(BuildError::Asset { path: asset.path })?;
        let serve = get(async move |request: HeaderMap| serve(&forms, &request));
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

/// A way to send an asset.
#[derive(Clone, Debug)]
struct Form {
    /// The content coding; none for the content as it is.
    coding: Option<&'static str>,
    etag: String,
    headers: HeaderMap,
    bytes: &'static [u8],
}

/// The ways to send an asset, the smallest first, the content as it is last.
fn forms(asset: &Asset) -> Option<Vec<Form>> {
    [
        (Some("br"), asset.brotli),
        (Some("gzip"), asset.gzip),
        (None, Some(asset.bytes)),
    ]
    .into_iter()
    .filter_map(|(coding, bytes)| Some((coding, bytes?)))
    .map(|(coding, bytes)| form(asset, coding, bytes))
    .collect()
}

fn form(asset: &Asset, coding: Option<&'static str>, bytes: &'static [u8]) -> Option<Form> {
    // What differs in a byte has another tag.
    let etag = match coding {
        Some(coding) => format!("{}-{coding}\"", asset.etag.strip_suffix('"')?),
        None => asset.etag.to_owned(),
    };
    let cache = if asset.immutable {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut headers: HeaderMap = [
        (header::CONTENT_TYPE, asset.content_type),
        (header::CACHE_CONTROL, cache),
        (header::ETAG, etag.as_str()),
        (
            header::CONTENT_SECURITY_POLICY,
            asset.content_security_policy,
        ),
    ]
    .into_iter()
    .map(|(name, value)| Some((name, HeaderValue::from_str(value).ok()?)))
    .collect::<Option<_>>()?;
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    if asset.brotli.is_some() || asset.gzip.is_some() {
        headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    Some(Form {
        coding,
        etag,
        headers,
        bytes,
    })
}

fn serve(forms: &[Form], request: &HeaderMap) -> Response {
    let accepted = |form: &&Form| form.coding.is_none_or(|coding| accepts(request, coding));
    let Some(form) = forms.iter().find(accepted) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut headers = form.headers.clone();
    if conditions::is_unchanged(request, Some(&form.etag), None) {
        headers.remove(header::CONTENT_TYPE);
        headers.remove(header::CONTENT_ENCODING);
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, Bytes::from_static(form.bytes)).into_response()
}

/// Whether a client takes a content coding that it names.
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter();
    let mut offers = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    offers.any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(coding));
        let refused = parts.any(|part| {
            let weight = part.strip_prefix("q=").or(part.strip_prefix("Q="));
            weight.is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty())
        });
        named && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_used_if_the_client_names_it() {
        for (value, expected) in [
            ("br", true),
            ("gzip, deflate, br, zstd", true),
            ("gzip;q=0.5, BR;q=1.0", true),
            ("br;q=0", false),
            ("br; q=0.000", false),
            ("gzip", false),
            ("*", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, value.parse().unwrap());
            assert_eq!(accepts(&headers, "br"), expected, "{value}");
        }
        assert!(!accepts(&HeaderMap::new(), "br"));
    }
}
