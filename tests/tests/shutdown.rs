//! On SIGTERM and SIGINT the server finishes what it accepted and exits 0.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{self, Sender};
use std::thread;

use runledger_e2e::api::{self, API, PROXY};
use runledger_e2e::http::{Client, Failure, GUARD, connect, read_response};
use runledger_e2e::server::{Home, Server, eventually};
use rustix::process::Signal;
use serde_json::json;

const WORKERS: usize = 8;
const WRITES: usize = 300;

/// Logs metrics until the server goes away; how many were acknowledged.
fn log_until_refused(address: SocketAddr, run: &str, key: &str, acknowledged: &Sender<()>) -> i64 {
    let mut client = Client::new(address);
    for step in 0.. {
        let body =
            json!({ "run_id": run, "key": key, "value": 1.5, "timestamp": step, "step": step });
        match client.post(&format!("{API}/runs/log-metric"), &body) {
            Ok(answer) => {
                assert_eq!(answer.status, 200, "{}", answer.text());
                acknowledged.send(()).ok();
            }
            Err(Failure::Broken(e)) => panic!("half an answer: {e}"),
            Err(Failure::Refused(_) | Failure::Unanswered(_)) => return step,
        }
    }
    unreachable!("the loop ends with the server")
}

fn ends_cleanly(signal: Signal) {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut client = server.client();
    let experiment = api::create_experiment(&mut client, "shutdown");
    let run = api::create_run(&mut client, &experiment, "shutdown");
    let keys: Vec<String> = (0..WORKERS).map(|i| format!("worker{i}")).collect();

    let (acknowledged, acknowledgements) = mpsc::channel();
    let counts = thread::scope(|scope| {
        let workers: Vec<_> = keys
            .iter()
            .map(|key| {
                let (address, acknowledged, run) = (server.address(), acknowledged.clone(), &run);
                scope.spawn(move || log_until_refused(address, run, key, &acknowledged))
            })
            .collect();
        for _ in 0..WRITES {
            acknowledgements.recv_timeout(GUARD).expect("writes go on");
        }
        server.signal(signal);
        let log = server.log();
        let status = server.exit();
        assert_eq!(status.code(), Some(0), "{log}");
        workers
            .into_iter()
            .map(|worker| worker.join().expect("a worker"))
            .collect::<Vec<_>>()
    });

    // What was not answered was not done either: a client may safely send it again.
    let server = home.start();
    let mut client = server.client();
    for (key, count) in keys.iter().zip(counts) {
        let stored: BTreeSet<i64> = api::history(&mut client, &run, key)
            .iter()
            .map(|point| point.step)
            .collect();
        assert_eq!(stored, (0..count).collect(), "{key}");
    }
}

#[test]
fn sigterm_under_load() {
    ends_cleanly(Signal::TERM);
}

#[test]
fn sigint_under_load() {
    ends_cleanly(Signal::INT);
}

/// A request that the server has begun to read when the signal comes; the rest of its body is still to be sent.
fn half_an_upload(server: &Server, name: &str) -> TcpStream {
    let mut stream = connect(server.address()).expect("a connection");
    let head = format!(
        "PUT {PROXY}/{name} HTTP/1.1\r\nHost: {}\r\nContent-Length: 10\r\n\r\nfirst",
        server.address()
    );
    stream.write_all(head.as_bytes()).expect("half a request");
    stream
}

#[test]
fn an_upload_that_has_begun_is_finished() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut upload = half_an_upload(&server, "late");
    // The server reads it: its (temporary or final) file appears.
    eventually("the upload begins", || files_below(&home.artifacts()) > 0);
    server.signal(Signal::TERM);
    eventually("new connections are refused", || {
        TcpStream::connect(server.address()).is_err()
    });
    upload.write_all(b"after").expect("the other half");
    let answer = read_response(upload).expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(server.exit().code(), Some(0));

    let server = home.start();
    let stored = server
        .client()
        .get(&format!("{PROXY}/late"))
        .expect("an answer");
    assert_eq!(stored.text(), "firstafter");
}

#[test]
fn idle_connections_do_not_hold_the_server_up() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut client = server.client();
    client
        .get("/health")
        .expect("an answer, on a connection that stays open");
    let _never_used = connect(server.address()).expect("a connection");
    server.signal(Signal::TERM);
    assert_eq!(server.exit().code(), Some(0));
}

fn files_below(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .filter_map(Result::ok)
        .map(|entry| {
            if entry.path().is_dir() {
                files_below(&entry.path())
            } else {
                1
            }
        })
        .sum()
}
