//! What is asked of a server that says as little as MLflow's.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{ByteRange, Storages};

use super::*;

/// A server that answers one request as told, and hands over its head.
async fn once(answer: &'static str) -> (String, tokio::task::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        socket.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(head).unwrap()
    });
    let base = format!("http://{address}/api/2.0/mlflow-artifacts/artifacts");
    (base, served)
}

const FILE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none";

#[tokio::test]
async fn a_location_is_decoded_once() {
    let file = ArtifactPath::parse("100%/d e").unwrap();
    for (is_root, inner, whole) in [
        (true, "a%20b", "a%20b/100%25/d%20e"),
        (false, "a%2520b%25", "a%2520b%25/100%25/d%20e"),
        (false, "%C3%BC", "%C3%BC/100%25/d%20e"),
    ] {
        let (base, served) = once(FILE).await;
        let storages = Storages::default();
        let uri = format!("{base}/{inner}");
        if is_root {
            let repository = storages.open(&uri).await.unwrap();
            repository.get(&file, None).await.unwrap();
        } else {
            let location = storages.locate(&uri).await.unwrap();
            let at = location.path.join(&file).unwrap();
            location.repository.get(&at, None).await.unwrap();
        }
        let head = served.await.unwrap();
        let path = head.split(' ').nth(1).unwrap();
        let expected = format!("/api/2.0/mlflow-artifacts/artifacts/{whole}");
        assert_eq!(path, expected);
    }
}

#[tokio::test]
async fn a_location_cannot_escape_by_an_encoding() {
    let storages = Storages::default();
    let base = "http://own.example/mlflow-artifacts/artifacts";
    for inner in [
        "%2e%2e/x",
        "%252e%252e/x",
        "a%00",
        "a%5C..%5Cx",
        "a%23b",
        "%FF",
    ] {
        let located = storages.locate(&format!("{base}/{inner}")).await;
        assert!(located.is_err(), "{inner}: {located:?}");
    }
}

#[tokio::test]
async fn a_server_without_tags_gives_files_without_one() {
    for range in [None, Some(ByteRange::Last(1))] {
        let (base, _served) = once(FILE).await;
        let repository = Storages::default().open(&base).await.unwrap();
        let file = ArtifactPath::parse("f").unwrap();
        let read = repository.get(&file, range).await.unwrap();
        assert_eq!((read.size, read.etag), (3, None));
    }
}

#[tokio::test]
async fn an_answer_before_the_upload_has_ended_is_no_success() {
    let (base, _served) = once("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await;
    let repository = Storages::default().open(&base).await.unwrap();
    let file = ArtifactPath::parse("f").unwrap();
    let endless = stream::iter([Ok(Bytes::from_static(b"one"))]).chain(stream::pending());
    let answer = repository.put(&file, endless.boxed(), None).await;
    assert!(
        matches!(answer, Err(ArtifactError::Unavailable { .. })),
        "{answer:?}"
    );
}

#[tokio::test]
async fn another_part_than_was_asked_for_is_an_error() {
    let short = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-1/3\r\n\
                 Content-Length: 1\r\n\r\nn";
    let (base, _served) = once(short).await;
    let repository = Storages::default().open(&base).await.unwrap();
    let file = ArtifactPath::parse("f").unwrap();
    let read = repository.get(&file, Some(ByteRange::From(1))).await;
    assert!(
        matches!(read, Err(ArtifactError::Internal { .. })),
        "{read:?}"
    );
}
