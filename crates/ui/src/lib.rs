//! The web pages, embedded: TypeScript and Svelte below `web/`, built by npm when this crate is built.
//!
//! This crate holds bytes and says what they are. Routes, response headers, compression by `Accept-Encoding` and `304`
//! answers are the server's.
//!
//! # Serving
//! Each [`Asset::path`] is relative to the base of the service: `/` or, under `--static-prefix /x`, `/x/`. The page
//! itself answers at the base with its slash; a request for `/x` has to be redirected to `/x/`, because everything in
//! the page (assets, `ajax-api/2.0/mlflow/…`, `get-artifact`) is addressed relative to it. [`find`] knows the base as
//! `""`. Each asset goes out with its [`Asset::content_security_policy`]; those that are [`Asset::immutable`] may be
//! kept for good, the others need `Cache-Control: no-cache` and their [`Asset::etag`].
//!
//! The part of an address after `#` never reaches the server. It has MLflow's form
//! (`#/experiments/<id>/runs/<run_id>`), because MLflow's clients print such links.
//!
//! # Building
//! See `build/main.rs`: `RUNLEDGER_UI_DIST`, `RUNLEDGER_UI=required`, and the plain page that takes the place of the
//! pages where there is no npm ([`is_fallback`]).

mod asset;

pub use asset::Asset;

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The `Content-Security-Policy` of the page: own scripts, styles and API calls, no script from text.
///
/// Whether other pages may frame these is left to the server's `X-Frame-Options`.
pub const CONTENT_SECURITY_POLICY: &str = PAGE_POLICY;

/// Every file of the pages, in the order of their paths.
pub const ASSETS: &[Asset] = TABLE;

/// The asset at `path`, relative to the base and without a leading slash; `""` is the page.
pub fn find(path: &str) -> Option<&'static Asset> {
    let path = if path.is_empty() { "index.html" } else { path };
    ASSETS.iter().find(|asset| asset.path == path)
}

/// Whether this build has the plain page only.
pub fn is_fallback() -> bool {
    ASSETS.len() == 1
}

#[cfg(test)]
mod tests;
