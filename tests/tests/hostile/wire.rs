//! Bytes that are not HTTP, or that two readers of HTTP could understand differently.

use std::io::{Read, Write};
use std::net::Shutdown;

use runledger_e2e::api::API;
use runledger_e2e::http::connect;
use runledger_e2e::server::Home;

/// The status of everything that comes back, none where the server just hangs up.
fn statuses(text: &str) -> Vec<u16> {
    text.split("HTTP/1.")
        .skip(1)
        .filter_map(|answer| answer.get(2..5)?.parse().ok())
        .collect()
}

#[test]
fn broken_requests_are_answered_with_4xx_or_hung_up_on() {
    let home = Home::new().expect("a folder");
    let mut server = home.start();
    let post = format!(
        "POST {API}/experiments/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    );
    let long = "x".repeat(1 << 20);
    let many = "X-Many: 1\r\n".repeat(20_000);
    let requests: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", vec![]),
        ("line ends", b"\r\n\r\n\r\n\r\n".to_vec()),
        (
            "TLS",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
        ),
        ("zeros", vec![0; 1000]),
        (
            "HTTP/2 preface",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        ),
        (
            "unknown version",
            b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n".to_vec(),
        ),
        (
            "header without a colon",
            b"GET /health HTTP/1.1\r\nHost localhost\r\n\r\n".to_vec(),
        ),
        (
            "binary header",
            b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: \x00\x01\r\n\r\n".to_vec(),
        ),
        (
            "long target",
            format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes(),
        ),
        (
            "long header",
            format!("GET /health HTTP/1.1\r\nHost: localhost\r\nX: {long}\r\n\r\n").into_bytes(),
        ),
        (
            "many headers",
            format!("GET /health HTTP/1.1\r\nHost: localhost\r\n{many}\r\n").into_bytes(),
        ),
        (
            "negative length",
            format!("{post}Content-Length: -1\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "two lengths",
            format!("{post}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "overflowing length",
            format!("{post}Content-Length: 99999999999999999999999\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "bad chunk size",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n").into_bytes(),
        ),
        (
            "huge chunk size",
            format!("{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{{}}")
                .into_bytes(),
        ),
        (
            "unknown coding",
            format!("{post}Transfer-Encoding: gzip\r\n\r\n{{}}").into_bytes(),
        ),
        (
            "no host",
            b"GET /api/2.0/mlflow/experiments/get?experiment_id=0 HTTP/1.1\r\n\r\n".to_vec(),
        ),
    ];
    for (what, bytes) in requests {
        let mut stream = connect(server.address()).expect("a connection");
        // The server may hang up before it has read everything.
        drop(stream.write_all(&bytes));
        drop(stream.shutdown(Shutdown::Write));
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        let statuses = statuses(&String::from_utf8_lossy(&answer));
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)),
            "{what}: {statuses:?}"
        );
        assert!(server.runs(), "{what}");
    }
    assert_eq!(
        server.client().get("/health").expect("an answer").status,
        200
    );
}

#[test]
fn a_length_beside_a_transfer_coding_smuggles_nothing() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let smuggled = "GET /version HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let request = format!(
        "POST {API}/experiments/create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}",
        5 + smuggled.len()
    );
    let mut stream = connect(server.address()).expect("a connection");
    stream.write_all(request.as_bytes()).expect("a request");
    stream
        .shutdown(Shutdown::Write)
        .expect("the end of the request");
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer));
    let statuses = statuses(&String::from_utf8_lossy(&answer));
    assert!(statuses.iter().all(|status| *status >= 400), "{statuses:?}");
}
