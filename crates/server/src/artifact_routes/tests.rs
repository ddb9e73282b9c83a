//! The routes over a local repository.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_RANGE, ETAG, IF_NONE_MATCH, IF_RANGE, RANGE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use runledger_artifacts::{
    ArtifactError, ArtifactPath, ArtifactRead, ArtifactRepository, ArtifactRoots, ByteRange,
    ByteStream, FileInfo, LocalRepository,
};
use runledger_entities::{Coded, ErrorCode};
use tempfile::TempDir;

use super::*;

const URI: &str = "mlflow-artifacts:/0/run/artifacts";

struct World {
    _directory: TempDir,
    destination: Arc<dyn ArtifactRepository>,
    roots: ArtifactRoots,
}

fn world() -> World {
    let directory = tempfile::tempdir().unwrap();
    let destination: Arc<dyn ArtifactRepository> =
        Arc::new(LocalRepository::new(directory.path().join("mlartifacts")));
    World {
        roots: ArtifactRoots::new().with_proxied(Arc::clone(&destination)),
        destination,
        _directory: directory,
    }
}

impl World {
    async fn put(&self, path: &str, content: &str) -> Result<Response, ArtifactRouteError> {
        let body = Body::from(content.to_owned());
        proxy::put(&self.destination, path, &HeaderMap::new(), body).await
    }

    async fn get(&self, path: &str, headers: &[(HeaderName, &str)]) -> Response {
        proxy::get(&self.destination, path, &request(headers))
            .await
            .unwrap()
    }
}

fn request(headers: &[(HeaderName, &str)]) -> Parts {
    let mut request = http::Request::new(());
    let headers = headers
        .iter()
        .map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap()));
    request.headers_mut().extend(headers);
    request.into_parts().0
}

async fn text(response: Response) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn path(text: &str) -> ArtifactPath {
    ArtifactPath::parse(text).unwrap()
}

#[tokio::test]
async fn a_file_put_through_the_proxy_is_the_runs_artifact() {
    let world = world();
    world
        .put("0/run/artifacts/d/a b.txt", "hello")
        .await
        .unwrap();
    let response = download(&world.roots, URI, &path("d/a b.txt"), &HeaderMap::new()).await;
    let response = response.unwrap();
    assert_eq!(response.headers()["content-length"], "5");
    assert_eq!(response.headers()["content-security-policy"], "sandbox");
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(
        response.headers()["content-disposition"]
            .to_str()
            .unwrap()
            .starts_with("attachment")
    );
    assert_eq!(text(response).await, "hello");
}

#[tokio::test]
async fn lists_are_relative_to_the_run_or_to_the_directory() {
    let world = world();
    world.put("0/run/artifacts/d/f", "1").await.unwrap();
    world.put("0/run/artifacts/d/e/f", "1").await.unwrap();
    let of_run = list(&world.roots, URI, Some("d/")).await.unwrap();
    assert_eq!(
        text(of_run).await,
        r#"{"root_uri":"mlflow-artifacts:/0/run/artifacts","files":[{"path":"d/e","is_dir":true},{"path":"d/f","is_dir":false,"file_size":1}]}"#
    );
    let of_proxy = proxy::list(&world.destination, Some("path=0/run/artifacts/d"))
        .await
        .unwrap();
    assert_eq!(
        text(of_proxy).await,
        r#"{"files":[{"path":"e","is_dir":true},{"path":"f","is_dir":false,"file_size":1}]}"#
    );
    let missing = proxy::list(&world.destination, Some("path=no"))
        .await
        .unwrap();
    assert_eq!(text(missing).await, "{}");
}

#[tokio::test]
async fn a_range_is_answered_in_part() {
    let world = world();
    world.put("f", "0123456789").await.unwrap();
    let part = world.get("f", &[(RANGE, "bytes=3-5")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.headers()[CONTENT_RANGE], "bytes 3-5/10");
    assert_eq!(text(part).await, "345");
    let beyond = world.get("f", &[(RANGE, "bytes=10-")]).await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(beyond.headers()[CONTENT_RANGE], "bytes */10");
}

#[tokio::test]
async fn a_known_version_is_not_sent_again() {
    let world = world();
    world.put("f", "one").await.unwrap();
    let etag = world.get("f", &[]).await.headers()[ETAG]
        .to_str()
        .unwrap()
        .to_owned();
    let same = world.get("f", &[(IF_NONE_MATCH, &etag)]).await;
    assert_eq!(same.status(), StatusCode::NOT_MODIFIED);
    world.put("f", "two").await.unwrap();
    let changed = world.get("f", &[(IF_NONE_MATCH, &etag)]).await;
    assert_eq!(text(changed).await, "two");
    // The part that the client wanted is of the version it had.
    let whole = world
        .get("f", &[(RANGE, "bytes=0-0"), (IF_RANGE, &etag)])
        .await;
    assert_eq!(whole.status(), StatusCode::OK);
    assert_eq!(text(whole).await, "two");
}

/// A storage that cannot tell contents apart.
#[derive(Debug)]
struct Untagged(Arc<dyn ArtifactRepository>);

#[async_trait::async_trait]
impl ArtifactRepository for Untagged {
    async fn list(&self, directory: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
        self.0.list(directory).await
    }

    async fn get(
        &self,
        file: &ArtifactPath,
        range: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError> {
        Ok(ArtifactRead {
            etag: None,
            ..self.0.get(file, range).await?
        })
    }

    async fn put(
        &self,
        file: &ArtifactPath,
        content: ByteStream,
        max_bytes: Option<u64>,
    ) -> Result<u64, ArtifactError> {
        self.0.put(file, content, max_bytes).await
    }

    async fn delete(&self, path: &ArtifactPath) -> Result<(), ArtifactError> {
        self.0.delete(path).await
    }
}

#[tokio::test]
async fn what_has_no_tag_is_sent_whole_to_who_asks_for_a_version() {
    let mut world = world();
    world.put("f", "one").await.unwrap();
    world.destination = Arc::new(Untagged(world.destination));
    let first = world.get("f", &[]).await;
    assert_eq!(first.headers().get(ETAG), None);
    let date = first.headers()["last-modified"].to_str().unwrap();
    for condition in ["\"-3\"", "\"\"", date] {
        let part = [(RANGE, "bytes=0-0"), (IF_RANGE, condition)];
        let whole = world.get("f", &part).await;
        assert_eq!(whole.status(), StatusCode::OK, "{condition}");
        assert_eq!(text(whole).await, "one");
    }
    let known = world.get("f", &[(IF_NONE_MATCH, "\"-3\"")]).await;
    assert_eq!(known.status(), StatusCode::OK);
    let part = world.get("f", &[(RANGE, "bytes=0-0")]).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
}

#[tokio::test]
async fn conditions_come_before_the_range() {
    let world = world();
    world.put("f", "0123456789").await.unwrap();
    let etag = world.get("f", &[]).await.headers()[ETAG]
        .to_str()
        .unwrap()
        .to_owned();
    let beyond = (RANGE, "bytes=100-");
    // The client has this version: there is nothing to send, in part or whole.
    let known = world
        .get("f", &[beyond.clone(), (IF_NONE_MATCH, &etag)])
        .await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    // It resumes another, longer version: it gets the whole of this one.
    let stale = world
        .get("f", &[beyond.clone(), (IF_RANGE, "\"old\"")])
        .await;
    assert_eq!(stale.status(), StatusCode::OK);
    assert_eq!(text(stale).await, "0123456789");
    let same = world.get("f", &[beyond, (IF_RANGE, &etag)]).await;
    assert_eq!(same.status(), StatusCode::RANGE_NOT_SATISFIABLE);
    let part = [
        (RANGE, "bytes=1-2"),
        (IF_RANGE, etag.as_str()),
        (IF_NONE_MATCH, "\"old\""),
    ];
    let part = world.get("f", &part).await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    assert_eq!(text(part).await, "12");
}

#[tokio::test]
async fn escapes_are_invalid_paths_everywhere() {
    let world = world();
    for path in [
        "../x",
        "%2e%2e/x",
        "%252e%252e/x",
        "/etc/passwd",
        "%2Fetc",
        "C:/x",
        "a\\..\\b",
    ] {
        let refused = proxy::get(&world.destination, path, &request(&[])).await;
        assert_eq!(refused.unwrap_err().message(), "Invalid path", "{path}");
        for error in [
            world.put(path, "x").await.unwrap_err(),
            proxy::delete(&world.destination, path).await.unwrap_err(),
            direct::download(&world.destination, path, Duration::ZERO)
                .await
                .unwrap_err(),
            direct::create(&world.destination, path, br#"{"path":"x"}"#)
                .await
                .unwrap_err(),
            direct::complete(&world.destination, path, b"{}")
                .await
                .unwrap_err(),
            direct::abort(&world.destination, path, b"")
                .await
                .unwrap_err(),
            direct::download_of(&world.roots, URI, path, Duration::ZERO)
                .await
                .unwrap_err(),
            direct::upload_of(&world.roots, URI, path, 1)
                .await
                .unwrap_err(),
            list(&world.roots, URI, Some(path)).await.unwrap_err(),
        ] {
            assert_eq!(error.to_string(), "Invalid path", "{path}");
            assert_eq!(error.code(), ErrorCode::InvalidParameterValue);
        }
    }
}

#[tokio::test]
async fn a_write_needs_a_file_name() {
    let world = world();
    for path in ["", "d/", "d/e//"] {
        let error = world.put(path, "x").await.unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("Artifact path must include a filename"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn deleting_is_recursive_and_repeatable() {
    let world = world();
    world.put("d/e/f", "x").await.unwrap();
    for _ in 0..2 {
        let response = proxy::delete(&world.destination, "d").await.unwrap();
        assert_eq!(text(response).await, "{}");
    }
    let error = proxy::get(&world.destination, "d/e/f", &request(&[]))
        .await
        .unwrap_err();
    assert_eq!(error.message(), "No such artifact: 'd/e/f'");
}

#[tokio::test]
async fn a_ui_upload_is_bounded_and_not_empty() {
    let world = world();
    let send = async |body: Body, headers: HeaderMap| {
        upload(&world.roots, URI, &path("up/x"), &headers, body).await
    };
    let empty = send(Body::empty(), HeaderMap::new()).await.unwrap_err();
    assert_eq!(empty.to_string(), "Request must specify data.");

    let large = "Artifact size is too large. Max size is 10MB.";
    let told =
        HeaderMap::from_iter([(http::header::CONTENT_LENGTH, HeaderValue::from(10_485_761))]);
    let refused = send(Body::from("x"), told).await.unwrap_err();
    assert_eq!(refused.to_string(), large);
    let untold = send(Body::from(vec![0; 10_485_761]), HeaderMap::new())
        .await
        .unwrap_err();
    assert_eq!(untold.to_string(), large);

    let exact = send(Body::from(vec![0; 10_485_760]), HeaderMap::new())
        .await
        .unwrap();
    assert_eq!(exact.status(), StatusCode::OK);
}

/// A storage of files of at most three bytes, of which none is to be sent.
#[derive(Debug)]
struct Small;

#[async_trait::async_trait]
impl ArtifactRepository for Small {
    async fn list(&self, _: &ArtifactPath) -> Result<Vec<FileInfo>, ArtifactError> {
        unreachable!("it is not listed")
    }

    async fn get(
        &self,
        _: &ArtifactPath,
        _: Option<ByteRange>,
    ) -> Result<ArtifactRead, ArtifactError> {
        unreachable!("it is not read")
    }

    async fn put(
        &self,
        _: &ArtifactPath,
        _: ByteStream,
        _: Option<u64>,
    ) -> Result<u64, ArtifactError> {
        Ok(0)
    }

    fn max_file_bytes(&self) -> Option<u64> {
        Some(3)
    }

    async fn delete(&self, _: &ArtifactPath) -> Result<(), ArtifactError> {
        unreachable!("nothing is removed")
    }
}

#[tokio::test]
async fn a_file_that_is_too_long_for_its_storage_is_refused_at_once() {
    let small: Arc<dyn ArtifactRepository> = Arc::new(Small);
    let put = async |length: u64| {
        let length = HeaderValue::from(length);
        let headers = HeaderMap::from_iter([(http::header::CONTENT_LENGTH, length)]);
        proxy::put(&small, "f", &headers, Body::empty()).await
    };
    put(3).await.unwrap();
    let refused = put(4).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Artifact size is too large. Max size is 3 bytes."
    );
}

#[tokio::test]
async fn locations_outside_of_the_roots_are_refused() {
    let world = world();
    for uri in ["/etc", "file:///etc", "s3://bucket/x"] {
        let error = download(&world.roots, uri, &path("passwd"), &HeaderMap::new()).await;
        assert_eq!(
            error.unwrap_err().code(),
            ErrorCode::PermissionDenied,
            "{uri}"
        );
    }
}

#[tokio::test]
async fn multipart_and_presigned_are_not_implemented_for_local_files() {
    let world = world();
    let create = async |body: &[u8]| direct::create(&world.destination, "x", body).await;
    let error = create(br#"{"path":"/tmp/x","num_parts":1}"#)
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "Multipart upload is not supported for the current artifact repository"
    );
    assert_eq!(error.code(), ErrorCode::NotImplemented);
    let url = direct::download(&world.destination, "x", Duration::ZERO).await;
    assert_eq!(
        url.unwrap_err().to_string(),
        "Multipart download is not supported for the current artifact repository"
    );
    for body in [&b"{}"[..], b"", b"nonsense"] {
        let missing = create(body).await.unwrap_err();
        assert!(
            missing
                .to_string()
                .starts_with("Missing value for required parameter 'path'")
        );
    }
    for seconds in [0, -1, 604_801] {
        let error = direct::upload_of(&world.roots, URI, "x", seconds).await;
        assert_eq!(
            error.unwrap_err().to_string(),
            format!("expiration must be between 1 and 604800 seconds (got {seconds}).")
        );
    }
}
