//! A body over the limit is refused before it is read whole.

use std::io::Write;

use runledger_e2e::api::{self, API};
use runledger_e2e::http::{connect, read_response};
use runledger_e2e::server::{Home, Server};

/// A length that no limit allows.
const HUGE: u64 = 1 << 40;
/// Bytes after which an endless body counts as accepted.
const ENDLESS: usize = 1 << 30;
/// Bytes of memory that refusing one may take: more than any body that is allowed.
const GROWTH: u64 = 96 << 20;

fn endpoints(server: &Server) -> Vec<String> {
    let mut client = server.client();
    let experiment = api::create_experiment(&mut client, "bodies");
    let run = api::create_run(&mut client, &experiment, "bodies");
    vec![
        format!("{API}/experiments/create"),
        format!("{API}/runs/log-metric"),
        format!("{API}/runs/log-batch"),
        format!("{API}/runs/search"),
        format!("{API}/runs/log-inputs"),
        format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=big"),
    ]
}

#[test]
fn a_length_over_the_limit_is_refused_at_once() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    for target in endpoints(&server) {
        let mut stream = connect(server.address()).expect("a connection");
        let host = server.address();
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {HUGE}\r\n\r\n{{"
        );
        stream.write_all(head.as_bytes()).expect("a head");
        // The rest never comes: a server that waits for it would say 408, or nothing.
        let answer = read_response(stream).unwrap_or_else(|e| panic!("{target}: {e}"));
        assert!(
            matches!(answer.status, 400 | 413),
            "{target}: {}",
            answer.status
        );
    }
}

#[test]
fn an_endless_body_is_cut() {
    let home = Home::new().expect("a folder");
    let mut server = home.start();
    let endpoints = endpoints(&server);
    let (before, _) = server.memory();
    let piece = b" ".repeat(64 * 1024);
    let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
    chunk.extend_from_slice(&piece);
    chunk.extend_from_slice(b"\r\n");
    for target in endpoints {
        let mut stream = connect(server.address()).expect("a connection");
        let host = server.address();
        let head = format!(
            "POST {target} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("a head");
        let mut sent = 0;
        while sent < ENDLESS && stream.write_all(&chunk).is_ok() {
            sent += piece.len();
        }
        assert!(sent < ENDLESS, "{target}: took {sent} bytes");
    }
    let (_, peak) = server.memory();
    assert!(peak < before + GROWTH, "grew from {before} to {peak} bytes");
    assert!(server.runs());
}
