//! The web pages, embedded: hand-written HTML, CSS and ES modules without a build step.
//!
//! This crate holds bytes and says what they are. Routes, response headers and `304` answers are the server's.
//!
//! # Serving
//! Each [`Asset::path`] is relative to the base of the service: `/` or, under `--static-prefix /x`, `/x/`. The page
//! itself answers at the base with its slash; a request for `/x` has to be redirected to `/x/`, because everything in
//! the page (assets, `ajax-api/2.0/mlflow/…`, `get-artifact`) is addressed relative to it. [`find`] knows the base as
//! `""`. Names do not change with their content, so assets go out with `Cache-Control: no-cache` and their
//! [`Asset::etag`], and with [`CONTENT_SECURITY_POLICY`].
//!
//! The part of an address after `#` never reaches the server. It has MLflow's form
//! (`#/experiments/<id>/runs/<run_id>`), because MLflow's clients print such links.

mod asset;

pub use asset::Asset;
use asset::asset;

/// The `Content-Security-Policy` under which the pages work: own scripts, styles, images and API calls, nothing else.
///
/// Whether other pages may frame these is left to the server's `X-Frame-Options`.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/// Every file of the pages, in the order of their paths.
pub const ASSETS: &[Asset] = &[
    asset!("index.html", "text/html; charset=utf-8"),
    asset!("static-files/api.js", "text/javascript; charset=utf-8"),
    asset!("static-files/app.js", "text/javascript; charset=utf-8"),
    asset!("static-files/dom.js", "text/javascript; charset=utf-8"),
    asset!(
        "static-files/experiments.js",
        "text/javascript; charset=utf-8"
    ),
    asset!("static-files/favicon.svg", "image/svg+xml"),
    asset!("static-files/format.js", "text/javascript; charset=utf-8"),
    asset!("static-files/pages.js", "text/javascript; charset=utf-8"),
    asset!("static-files/run.js", "text/javascript; charset=utf-8"),
    asset!("static-files/runs.js", "text/javascript; charset=utf-8"),
    asset!("static-files/style.css", "text/css; charset=utf-8"),
];

/// The asset at `path`, relative to the base and without a leading slash; `""` is the page.
pub fn find(path: &str) -> Option<&'static Asset> {
    let path = if path.is_empty() { "index.html" } else { path };
    ASSETS.iter().find(|asset| asset.path == path)
}

#[cfg(test)]
mod tests;
