//! A fresh server for each test, and ways to ask it.

use std::sync::Arc;

use axum::{Router, body::Body};
use bytes::Bytes;
use http::{HeaderMap, Request, header};
use runledger_artifacts::{ArtifactRoots, LocalRepository};
use runledger_server::{Server, ServerBuilder};
use runledger_store_sql::{SqlStore, StoreOptions};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;

pub(crate) const API: &str = "/api/2.0/mlflow";

/// A server with an empty store.
pub(crate) struct World {
    router: Router,
    _directory: Option<TempDir>,
}

/// What it answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(settings: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        Self::of(|builder, store| {
            settings(
                builder
                    .registry(Arc::<SqlStore>::clone(&store))
                    .webhooks(Arc::<SqlStore>::clone(&store))
                    .traces(store),
            )
        })
        .await
    }

    /// A server whose store keeps neither registered models nor traces.
    pub(crate) async fn without_registry() -> Self {
        Self::of(|builder, _| builder).await
    }

    /// A server whose registry keeps no webhooks, as one of files.
    pub(crate) async fn without_webhooks() -> Self {
        Self::of(|builder, store| builder.registry(store)).await
    }

    async fn of(settings: impl FnOnce(ServerBuilder, Arc<SqlStore>) -> ServerBuilder) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let uri = format!("sqlite:///{}", directory.path().join("t.db").display());
        let store = SqlStore::open(&uri, StoreOptions::default()).await.unwrap();
        let store = Arc::new(store);
        let repository = Arc::new(LocalRepository::new(directory.path().join("artifacts")));
        let builder = Server::builder()
            .store(Arc::clone(&store))
            .artifacts(ArtifactRoots::new().with_proxied(repository));
        Self {
            router: settings(builder, store).build().unwrap().router(),
            _directory: Some(directory),
        }
    }

    /// A server without a store.
    pub(crate) fn bare(artifacts: ArtifactRoots) -> Self {
        Self {
            router: Server::builder()
                .artifacts(artifacts)
                .build()
                .unwrap()
                .router(),
            _directory: None,
        }
    }

    pub(crate) async fn send(&self, mut request: Request<Body>) -> Answer {
        let host = "localhost".parse().unwrap();
        request.headers_mut().entry(header::HOST).or_insert(host);
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: axum::body::to_bytes(body, usize::MAX).await.unwrap(),
        }
    }

    /// Sends JSON to a path of the API.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{API}{path}"))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(request).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, &body).await
    }

    /// Gets a whole path.
    pub(crate) async fn fetch(&self, path: &str) -> Answer {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Gets a path of the API.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.fetch(&format!("{API}{path}")).await
    }

    /// Creates a run in the default experiment.
    pub(crate) async fn run(&self) -> String {
        let created = self
            .post("/runs/create", json!({"experiment_id": "0"}))
            .await;
        created.ok()["run"]["info"]["run_id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("no JSON: {} {:?}", self.status, self.body))
    }

    /// The JSON of a success.
    pub(crate) fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{:?}", self.body);
        self.json()
    }

    /// Asserts an error by its status, code, and a part of its message.
    pub(crate) fn refused(&self, status: u16, code: &str, words: &str) {
        let json = self.json();
        assert_eq!(self.status, status, "{json}");
        assert_eq!(json["error_code"], code, "{json}");
        let message = json["message"].as_str().unwrap();
        assert!(message.contains(words), "{message}");
    }

    /// Asserts an invalid parameter.
    pub(crate) fn invalid(&self, words: &str) {
        self.refused(400, "INVALID_PARAMETER_VALUE", words);
    }

    /// Asserts that something was not found.
    pub(crate) fn not_found(&self, words: &str) {
        self.refused(404, "RESOURCE_DOES_NOT_EXIST", words);
    }
}
