//! What the server says about itself, and about what it does not have.

use axum::response::{Html, IntoResponse, Response};
use bytes::Bytes;
use runledger_entities::ErrorCode;
use runledger_protocol::{Area, Endpoint, messages::server as messages, openapi as describe};
use runledger_store::StoreKind;

use crate::{app::App, failure::Failure, reply};

pub(crate) fn health() -> Response {
    "OK".into_response()
}

pub(crate) fn version() -> Response {
    // MLflow's is a text that says it is a page.
    Html(messages::VERSION).into_response()
}

pub(crate) fn info(app: &App) -> Response {
    let store = app.store_kind().map(|kind| match kind {
        StoreKind::File => "FileStore",
        StoreKind::Sql => "SqlStore",
    });
    let can = app
        .artifacts
        .proxied()
        .map(|proxied| proxied.capabilities());
    let can = can.unwrap_or_default();
    reply::json(messages::info(
        store,
        can.multipart_uploads,
        can.presigned_downloads,
    ))
}

/// What an MLflow 3.17 that was told nothing says of features that are not here: its pages
/// ask for them everywhere, and take a refusal for a fault.
pub(crate) fn none(answer: &'static str) -> Response {
    reply::json_bytes(Bytes::from_static(answer.as_bytes()))
}

/// Whether an endpoint is built, and has what it works on.
pub(crate) fn is_served(app: &App, endpoint: Endpoint) -> bool {
    match endpoint.area() {
        Area::Server | Area::Tracking | Area::Artifacts => true,
        Area::Tracing => app.has_traces(),
        Area::Registry if is_of_webhooks(endpoint) => app.has_webhooks(),
        Area::Registry => app.has_registry(),
    }
}

/// Whether it is one of those of webhooks.
fn is_of_webhooks(endpoint: Endpoint) -> bool {
    use Endpoint as E;

    matches!(
        endpoint,
        E::ListWebhooks
            | E::CreateWebhook
            | E::GetWebhook
            | E::UpdateWebhook
            | E::DeleteWebhook
            | E::TestWebhook
    )
}

pub(crate) fn openapi(app: &App) -> Response {
    let description = app.description.get_or_init(|| {
        let served = |endpoint| is_served(app, endpoint);
        describe(messages::VERSION, &app.static_prefix, served).into()
    });
    reply::json_bytes(description.clone())
}

/// Answers for an endpoint that is not built yet: what MLflow's clients take
/// as "not on this server", upon which they do without.
pub(crate) fn not_here(endpoint: Endpoint) -> Failure {
    Failure::new(
        ErrorCode::EndpointNotFound,
        format!(
            "This server does not have the endpoint '{}'.",
            endpoint.template()
        ),
    )
}

/// Answers for webhooks where registered models are in files.
pub(crate) fn no_webhooks() -> Failure {
    Failure::new(
        ErrorCode::NotImplemented,
        "Webhooks are kept in a database, and this server keeps registered models in files. \
         Start it with a database as its `--backend-store-uri`.",
    )
}

/// Answers a client that sends spans to a store that keeps none: it then keeps them as artifacts and does
/// not ask again (MLflow 3.4 and later look for these words).
pub(crate) fn no_spans() -> Failure {
    Failure::new(
        ErrorCode::NotImplemented,
        "REST OTLP span logging is not supported by this server.",
    )
}
