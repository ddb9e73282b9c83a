//! Webhooks are told of every change that was acknowledged: after refusals, kills and restarts, and never at an
//! address that is not allowed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::hmac;
use runledger_e2e::api::{self, API};
use runledger_e2e::http::{Client, GUARD, Request};
use runledger_e2e::server::{Home, eventually};
use rustix::process::Signal;
use serde_json::{Value, json};

const SECRET: &str = "s3cret é";
const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

/// A request that came to the receiver.
#[derive(Debug)]
struct Received {
    path: String,
    headers: BTreeMap<String, String>,
    body: String,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Checks the signature as Standard Webhooks says it is made.
    fn assert_signed(&self) {
        let (id, seconds) = (
            self.header("x-mlflow-delivery-id"),
            self.header("x-mlflow-timestamp"),
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signed = [id, seconds, &self.body].join(".");
        let expected = BASE64_STANDARD.encode(hmac::sign(&key, signed.as_bytes()));
        assert_eq!(self.header("x-mlflow-signature"), format!("v1,{expected}"));
        assert_eq!(self.header("content-type"), "application/json");
    }
}

/// A receiver on this machine, which answers with these statuses, and with 200 from then on; 0 is no answer.
struct Hook {
    url: String,
    requests: Receiver<Received>,
}

impl Hook {
    fn answering(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let (sender, requests) = mpsc::channel();
        thread::spawn(move || {
            let statuses = statuses.iter().copied().chain(std::iter::repeat(200));
            let mut silent = Vec::new();
            for (stream, status) in listener.incoming().zip(statuses) {
                let Ok(stream) = stream else { return };
                let Some((received, stream)) = receive(stream, status) else {
                    continue;
                };
                silent.extend((status == 0).then_some(stream));
                if sender.send(received).is_err() {
                    return;
                }
            }
        });
        Self {
            url: format!("http://{address}/hook"),
            requests,
        }
    }

    fn next(&self) -> Received {
        self.requests.recv_timeout(GUARD).expect("a delivery comes")
    }
}

/// Reads a request, and answers it.
fn receive(mut stream: TcpStream, status: u16) -> Option<(Received, TcpStream)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let path = lines.first()?.split(' ').nth(1)?.to_owned();
    let headers: BTreeMap<String, String> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    if status > 0 {
        let answer =
            format!("HTTP/1.1 {status} Answer\r\nLocation: /landed\r\nContent-Length: 2\r\n\r\nok");
        stream.write_all(answer.as_bytes()).ok()?;
    }
    let body = String::from_utf8(body).ok()?;
    let received = Received {
        path,
        headers,
        body,
    };
    Some((received, stream))
}

/// Lets webhooks be on this machine.
fn allowing(command: &mut Command) {
    command
        .env("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "http,https")
        .env("MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS", "true")
        .env("MLFLOW_WEBHOOK_REQUEST_TIMEOUT", "2")
        .env("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", KEY);
}

fn body(url: &str) -> Value {
    json!({
        "name": "hook",
        "url": url,
        "secret": SECRET,
        "events": [{"entity": "REGISTERED_MODEL", "action": "CREATED"}],
    })
}

/// Makes a webhook; its id.
fn create_webhook(client: &mut Client, url: &str) -> String {
    let made = api::call(client, "webhooks", &body(url));
    made["webhook"]["webhook_id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

fn create_model(client: &mut Client, name: &str) {
    api::call(client, "registered-models/create", &json!({ "name": name }));
}

/// How many deliveries wait in the database.
fn waiting(home: &Home) -> i64 {
    let database = rusqlite::Connection::open(home.database()).expect("a database");
    let sql = "select count(*) from runledger_webhook_deliveries";
    database
        .query_one(sql, [], |row| row.get(0))
        .expect("the table of deliveries")
}

#[test]
fn a_delivery_is_signed_and_comes_again_after_faults() {
    let home = Home::new().expect("a folder");
    let server = home.start_with(allowing);
    let hook = Hook::answering(&[500, 429]);
    let mut client = server.client();
    create_webhook(&mut client, &hook.url);
    create_model(&mut client, "é");
    let attempts = [hook.next(), hook.next(), hook.next()];
    for attempt in &attempts {
        attempt.assert_signed();
        assert_eq!(attempt.path, "/hook");
        assert_eq!(attempt.body, attempts[0].body);
        let id = attempt.header("x-mlflow-delivery-id");
        assert_eq!(id, attempts[0].header("x-mlflow-delivery-id"));
    }
    let told: Value = serde_json::from_str(&attempts[0].body).expect("JSON");
    assert_eq!(told["entity"], "registered_model");
    assert_eq!(
        told["data"],
        json!({ "name": "é", "tags": {}, "description": "" })
    );
    eventually("nothing waits any more", || waiting(&home) == 0);
}

#[test]
fn a_killed_server_loses_no_delivery() {
    let home = Home::new().expect("a folder");
    let server = home.start_with(allowing);
    // The first attempt is cut off with its server, the second refused.
    let hook = Hook::answering(&[0, 503]);
    let mut client = server.client();
    create_webhook(&mut client, &hook.url);
    create_model(&mut client, "m");
    let first = hook.next();
    server.kill();
    assert_eq!(waiting(&home), 1);
    let _server = home.start_with(allowing);
    for attempt in [hook.next(), hook.next()] {
        attempt.assert_signed();
        assert_eq!(attempt.body, first.body);
    }
    eventually("nothing waits any more", || waiting(&home) == 0);
}

#[test]
fn a_server_that_ends_keeps_what_waits() {
    let home = Home::new().expect("a folder");
    let server = home.start_with(|command| {
        allowing(command);
        command.env("MLFLOW_WEBHOOK_REQUEST_TIMEOUT", "600");
    });
    let hook = Hook::answering(&[0]);
    let mut client = server.client();
    create_webhook(&mut client, &hook.url);
    create_model(&mut client, "m");
    let first = hook.next();
    server.signal(Signal::TERM);
    assert_eq!(server.exit().code(), Some(0));
    let _server = home.start_with(allowing);
    // Given back: its lease, of ten minutes, would outlast this test.
    assert_eq!(hook.next().body, first.body);
}

#[test]
fn nothing_goes_to_this_machine_unless_it_may() {
    let home = Home::new().expect("a folder");
    let hook = Hook::answering(&[]);
    let https_only = |command: &mut Command| {
        command.env("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", KEY);
    };
    let server = home.start_with(https_only);
    let mut client = server.client();
    for (url, reason) in [
        (hook.url.clone(), "Invalid webhook URL scheme: 'http'"),
        (
            hook.url.replace("http:", "https:"),
            "must not resolve to a non-public IP address",
        ),
        ("https://localhost/".to_owned(), "resolves to"),
        ("https://2130706433/".to_owned(), "resolves to 127.0.0.1"),
        ("https://[::ffff:127.0.0.1]/".to_owned(), "non-public"),
    ] {
        let answer = client.post(&format!("{API}/webhooks"), &body(&url));
        let answer = answer.expect("an answer");
        assert_eq!(answer.status, 400, "{url}: {}", answer.text());
        assert!(answer.text().contains(reason), "{url}: {}", answer.text());
    }
    drop(client);
    server.kill();

    // One that was made while it was allowed is not sent to either.
    let server = home.start_with(allowing);
    let id = create_webhook(&mut server.client(), &hook.url);
    server.kill();
    let server = home.start_with(|command| {
        https_only(command);
        command.env("MLFLOW_WEBHOOK_ALLOWED_SCHEMES", "http,https");
    });
    let mut client = server.client();
    create_model(&mut client, "m");
    eventually("the delivery is given up", || waiting(&home) == 0);
    let tested = api::call(&mut client, &format!("webhooks/{id}/test"), &json!({}));
    assert_eq!(tested["result"]["success"], false);
    let message = tested["result"]["error_message"]
        .as_str()
        .expect("a reason");
    assert!(message.contains("non-public"), "{message}");
    assert!(hook.requests.try_recv().is_err(), "nothing has come");
}

#[test]
fn a_redirect_is_not_followed() {
    let home = Home::new().expect("a folder");
    let server = home.start_with(allowing);
    let hook = Hook::answering(&[302, 307]);
    let mut client = server.client();
    let id = create_webhook(&mut client, &hook.url);
    let tested = api::call(&mut client, &format!("webhooks/{id}/test"), &json!({}));
    assert_eq!(tested["result"]["success"], false);
    assert_eq!(tested["result"]["response_status"], 302);
    hook.next().assert_signed();
    create_model(&mut client, "m");
    assert_eq!(hook.next().path, "/hook");
    eventually("the delivery is given up", || waiting(&home) == 0);
    assert!(hook.requests.try_recv().is_err(), "nobody has gone there");
}

#[test]
fn a_webhook_that_is_gone_is_told_nothing_more() {
    let home = Home::new().expect("a folder");
    let server = home.start_with(allowing);
    let hook = Hook::answering(&[]);
    let mut client = server.client();
    let id = create_webhook(&mut client, &hook.url);
    create_model(&mut client, "m");
    hook.next();
    let delete = Request::new("DELETE", &format!("{API}/webhooks/{id}"));
    assert_eq!(client.send(&delete).expect("an answer").status, 200);
    create_model(&mut client, "n");
    assert_eq!(waiting(&home), 0);
    assert!(hook.requests.try_recv().is_err(), "nothing has come");
}

#[test]
fn receivers_that_do_not_answer_keep_nobody_waiting() {
    const MODELS: usize = 40;
    const SILENT: [u16; 1000] = [0; 1000];
    let home = Home::new().expect("a folder");
    let server = home.start_with(|command| {
        allowing(command);
        command
            .env("MLFLOW_WEBHOOK_REQUEST_TIMEOUT", "5")
            .env("MLFLOW_WEBHOOK_DELIVERY_MAX_WORKERS", "2");
    });
    let silent = [Hook::answering(&SILENT), Hook::answering(&SILENT)];
    let good = Hook::answering(&[]);
    let mut client = server.client();
    for hook in silent.iter().chain([&good]) {
        create_webhook(&mut client, &hook.url);
    }
    for n in 0..MODELS {
        create_model(&mut client, &format!("m{n}"));
    }
    // Each of the silent ones' deliveries would hold a place for 5 seconds.
    for _ in 0..MODELS {
        good.next().assert_signed();
    }
    let asked: usize = silent
        .iter()
        .map(|hook| hook.requests.try_iter().count())
        .sum();
    assert!(
        asked < MODELS / 2,
        "{asked} attempts at receivers that are silent"
    );
    let silent = 2 * i64::try_from(MODELS).expect("a small number");
    eventually("all others wait, and only they", || {
        waiting(&home) == silent
    });
}
