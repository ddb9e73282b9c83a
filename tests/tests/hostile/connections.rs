//! Slow, idle and too many connections.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use runledger_e2e::api::{API, PROXY};
use runledger_e2e::http::{Client, connect};
use runledger_e2e::server::{Home, Server, eventually};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const IDLE: u64 = 3000;
/// Files that the starving server may have open.
const FEW_FILES: u64 = 96;
/// How long a slow request may live at most; the server's own limits are below.
const PATIENCE: Duration = Duration::from_mins(4);
/// Pause between two bytes of a client that drips.
const DRIP: Duration = Duration::from_millis(250);

fn healthy(server: &Server) -> bool {
    server
        .client()
        .get("/health")
        .is_ok_and(|answer| answer.status == 200)
}

/// Waits until the server ends the connection, whatever it says first.
fn ended(mut stream: TcpStream, what: &str) {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::ConnectionReset => return,
            Err(e) => panic!("{what} is still connected: {e}"),
        }
    }
}

/// Sends a byte now and then until the server ends the connection.
fn drips(mut stream: TcpStream, what: &str) {
    let began = Instant::now();
    while stream.write_all(b"a").is_ok() {
        assert!(began.elapsed() < PATIENCE, "{what} may drip for ever");
        thread::sleep(DRIP);
    }
}

#[test]
fn slow_requests_are_cut() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let host = server.address();
    let json = format!(
        "POST {API}/runs/create HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{{"
    );
    let upload =
        format!("PUT {PROXY}/slow HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100000\r\n\r\n0");
    let starts = [
        ("half a request line", "GET /hea".to_owned()),
        (
            "half a header",
            format!("GET /health HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
        ),
        ("half a JSON body", json.clone()),
        ("half an upload", upload),
    ];
    let drip = [
        (
            "a dripping header",
            format!("GET /health HTTP/1.1\r\nHost: {host}\r\nX-Slow: "),
        ),
        ("a dripping JSON body", json),
    ];
    thread::scope(|scope| {
        let open = |start: &str| {
            let mut stream = connect(host).expect("a connection");
            stream.set_read_timeout(Some(PATIENCE)).expect("a socket");
            stream.write_all(start.as_bytes()).expect("half a request");
            stream
        };
        for (what, start) in &starts {
            scope.spawn(move || ended(open(start), what));
        }
        for (what, start) in &drip {
            scope.spawn(move || drips(open(start), what));
        }
        assert!(healthy(&server), "slow clients hold only themselves up");
    });
    assert!(healthy(&server));
}

#[test]
fn thousands_of_idle_connections_do_no_harm() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a higher limit for this process");
    let files = limit.maximum.unwrap_or(u64::MAX);
    let home = Home::new().expect("a folder");
    let mut server = home.start();
    let connections: Vec<TcpStream> = (0..IDLE.min(files / 2))
        .map(|_| connect(server.address()).expect("a connection"))
        .collect();
    assert!(
        healthy(&server),
        "with {} idle connections",
        connections.len()
    );
    drop(connections);
    assert!(healthy(&server));
    assert!(server.runs());
}

#[test]
fn running_out_of_files_is_not_the_end() {
    let home = Home::new().expect("a folder");
    let mut server = home.start();
    server.limit(Resource::Nofile, FEW_FILES);
    let connections: Vec<TcpStream> = (0..FEW_FILES * 2)
        .map(|_| connect(server.address()).expect("a connection"))
        .collect();
    drop(connections);
    let mut client = Client::new(server.address());
    eventually("it answers again", || {
        client
            .get("/health")
            .is_ok_and(|answer| answer.status == 200)
    });
    assert!(server.runs());
}
