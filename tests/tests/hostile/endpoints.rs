//! Malformed, mutated and unknown requests at every endpoint of the table: never a 5xx but a declared 501, never the end.

use runledger_e2e::api;
use runledger_e2e::http::{Client, Request};
use runledger_e2e::random::{Random, seed};
use runledger_e2e::server::{Home, Server};
use runledger_protocol::{Endpoint, Method};
use serde_json::{Map, Value, json};

/// Random requests for each endpoint.
const MUTATIONS: usize = 150;

const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "BREW",
];

/// Field names of all endpoints, so that mutations reach deep into the handlers.
const FIELDS: &[&str] = &[
    "run_id",
    "run_uuid",
    "run_ids",
    "runId",
    "experiment_id",
    "experiment_ids",
    "experiment_name",
    "name",
    "new_name",
    "artifact_location",
    "tags",
    "key",
    "value",
    "timestamp",
    "step",
    "metrics",
    "params",
    "datasets",
    "dataset",
    "models",
    "model_id",
    "model_json",
    "model_type",
    "source_run_id",
    "metric_key",
    "max_results",
    "page_token",
    "filter",
    "order_by",
    "view_type",
    "run_view_type",
    "run_name",
    "user_id",
    "start_time",
    "end_time",
    "status",
    "start_step",
    "end_step",
    "path",
    "artifact_file_path",
    "artifact_directory_path",
    "expiration",
    "num_parts",
    "upload_id",
    "parts",
    "trace",
    "trace_id",
    "trace_ids",
    "request_id",
    "locations",
    "assessment",
    "source",
    "version",
    "alias",
    "stage",
    "events",
    "event",
    "entity",
    "action",
    "secret",
    "url",
];

/// Text that parsers, databases and file systems trip over.
const TEXTS: &[&str] = &[
    "",
    " ",
    "0",
    "-1",
    "1.5",
    "9223372036854775808",
    "1e400",
    "NaN",
    "Infinity",
    "null",
    "true",
    "ACTIVE_ONLY",
    "BOGUS",
    "a/b",
    "../..",
    "%2e%2e",
    "%",
    "%zz",
    "\u{0}",
    "\u{202e}",
    "\u{1f600}",
    "'",
    "\"",
    "\\",
    "'; DROP TABLE runs; --",
    "metrics.m > 0",
    "metrics.`m",
    "params.p LIKE '%'",
    "tags.\"a\" = 'b' AND",
    "attributes.start_time DESC",
    "metrics.m ASC ASC",
    "eyJvZmZzZXQiOiAtMX0=",
    "////",
    "[1",
    "{\"a\":",
    "((((((((((",
];

/// The right one most of the time: the others end a request early.
const CONTENT_TYPES: &[&str] = &[
    "application/json",
    "application/json",
    "application/json",
    "application/json; charset=utf-8",
    "text/plain",
    "application/x-protobuf",
    "é",
    "",
];

fn method(endpoint: Endpoint) -> &'static str {
    match endpoint.method() {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// A server with a little of everything, and the ids to name it by.
struct World {
    // Removed after the server has ended.
    server: Server,
    _home: Home,
    ids: Vec<String>,
}

impl World {
    fn new() -> Self {
        let home = Home::new().expect("a folder");
        let server = home.start();
        let mut client = server.client();
        let experiment = api::create_experiment(&mut client, "mutated");
        let run = api::create_run(&mut client, &experiment, "mutated");
        let model = api::call(
            &mut client,
            "logged-models",
            &json!({ "experiment_id": experiment, "name": "mutated" }),
        );
        let model = api::string(&model["model"]["info"]["model_id"]);
        api::call(
            &mut client,
            "runs/log-metric",
            &json!({ "run_id": run, "key": "m", "value": 1, "timestamp": 1 }),
        );
        Self {
            server,
            _home: home,
            ids: vec![experiment, run, model],
        }
    }

    fn text(&self, random: &mut Random) -> String {
        match random.below(8) {
            0..=2 => random.pick(&self.ids).clone(),
            3 => "x".repeat(usize::try_from(random.below(40_000)).expect("a small number")),
            _ => (*random.pick(TEXTS)).to_owned(),
        }
    }

    fn value(&self, random: &mut Random, depth: u64) -> Value {
        match random.below(if depth > 3 { 12 } else { 15 }) {
            0 => Value::Null,
            1 => random.below(2).eq(&0).into(),
            2 => json!(0),
            3 => json!(-1),
            4 => json!(1.5),
            5 => json!(i64::MAX),
            6 => json!(u64::MAX),
            7 => json!(1e300),
            8..=11 => self.text(random).into(),
            12 => (0..random.below(4))
                .map(|_| self.value(random, depth + 1))
                .collect(),
            _ => self.object(random, depth + 1),
        }
    }

    fn object(&self, random: &mut Random, depth: u64) -> Value {
        let fields: Map<String, Value> = (0..random.below(7))
            .map(|_| ((*random.pick(FIELDS)).to_owned(), self.value(random, depth)))
            .collect();
        fields.into()
    }

    /// The endpoint's path, its variable parts filled with ids or text.
    fn path(&self, random: &mut Random, template: &str) -> String {
        let segments = template
            .split('/')
            .map(|segment| match segment.strip_prefix('{') {
                Some(_) => encoded(&self.text(random).chars().take(300).collect::<String>()),
                None => segment.to_owned(),
            });
        segments.collect::<Vec<_>>().join("/")
    }

    fn query(&self, random: &mut Random) -> String {
        let pairs = (0..random.below(6)).map(|_| {
            let text: String = self.text(random).chars().take(2000).collect();
            let value = if random.below(4) == 0 {
                raw(&text)
            } else {
                encoded(&text)
            };
            format!("{}={value}", random.pick(FIELDS))
        });
        let pairs: Vec<String> = pairs.collect();
        if pairs.is_empty() {
            String::new()
        } else {
            format!("?{}", pairs.join("&"))
        }
    }

    fn mutation(&self, random: &mut Random, endpoint: Endpoint) -> Request {
        let path = random.pick(&endpoint.paths("")).clone();
        let target = self.path(random, &path) + &self.query(random);
        let method = if random.below(10) == 0 {
            random.pick(METHODS)
        } else {
            method(endpoint)
        };
        let mut request = Request::new(method, &target);
        if random.below(10) > 0 {
            let content_type: &&str = random.pick(CONTENT_TYPES);
            request = request.header("Content-Type", content_type);
        }
        let body = self.object(random, 0).to_string().into_bytes();
        request.body(match random.below(6) {
            0 => broken(random, body),
            1 if method == "GET" => Vec::new(),
            _ => body,
        })
    }
}

/// A body with a piece cut out, or a byte changed.
fn broken(random: &mut Random, mut body: Vec<u8>) -> Vec<u8> {
    let at = usize::try_from(random.below(body.len() as u64)).expect("an index");
    if random.below(2) == 0 {
        body.truncate(at);
    } else {
        body[at] = random.bits().to_le_bytes()[0];
    }
    body
}

fn encoded(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

/// Text as it is, but for what would end the request line.
fn raw(text: &str) -> String {
    text.chars().filter(char::is_ascii_graphic).collect()
}

fn fine(client: &mut Client, request: &Request) {
    // A server may hang up after the answer to a request whose body it did not care to read, and the next request on
    // that connection then has no answer. A second one, on a new connection, must have.
    let answer = client
        .send(request)
        .or_else(|_| client.send(request))
        .unwrap_or_else(|e| panic!("{request:?}: {e}"));
    let text = answer.text();
    assert!(
        answer.status < 500 || answer.status == 501,
        "{request:?}: {} {text}",
        answer.status
    );
    for inside in ["panicked", "SQLITE", "SELECT ", "src/"] {
        assert!(
            !text.contains(inside),
            "{request:?} tells about the inside: {text}"
        );
    }
}

#[test]
fn malformed_bodies_at_every_endpoint() {
    let world = World::new();
    let mut client = world.server.client();
    let deep = "[".repeat(200_000);
    let deep_object = "{\"a\":".repeat(100_000);
    let bodies: &[&[u8]] = &[
        b"",
        b"{",
        b"}",
        b"null",
        b"[]",
        b"0",
        b"\"text\"",
        b"\"{\\\"run_id\\\": 1}\"",
        b"{}",
        b"\xff\xfe",
        b"{\"a\":\xff}",
        b"\x00",
        deep.as_bytes(),
        deep_object.as_bytes(),
        b"{\"run_id\":\"\\ud800\"}",
        b"{\"run_id\":1e999999}",
        b"NaN",
    ];
    for endpoint in Endpoint::ALL {
        for path in endpoint.paths("") {
            let path = world.path(&mut Random::new(1), &path);
            for body in bodies {
                for content_type in ["application/json", "text/plain"] {
                    let request = Request::new(method(*endpoint), &path)
                        .header("Content-Type", content_type)
                        .body(*body);
                    fine(&mut client, &request);
                }
            }
            for method in METHODS {
                fine(&mut client, &Request::new(method, &path));
            }
        }
    }
    assert_eq!(client.get("/health").expect("an answer").status, 200);
}

#[test]
fn mutated_requests_at_every_endpoint() {
    let seed = seed();
    println!("RUNLEDGER_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    let mut world = World::new();
    let mut client = world.server.client();
    for endpoint in Endpoint::ALL {
        for _ in 0..MUTATIONS {
            let request = world.mutation(&mut random, *endpoint);
            fine(&mut client, &request);
        }
    }
    assert!(world.server.runs());
    assert_eq!(client.get("/health").expect("an answer").status, 200);
}

#[test]
fn unknown_routes_are_404() {
    let world = World::new();
    let mut client = world.server.client();
    for target in [
        "/api",
        "/api/2.0/mlflow",
        "/api/2.0/mlflow/nothing",
        "/api/9.0/mlflow/runs/get",
        "/api/2.0/mlflow/runs/get/",
        "/api/2.0//mlflow/runs/get",
    ] {
        for method in ["GET", "POST"] {
            let answer = client
                .send(&Request::new(method, target))
                .expect("an answer");
            assert_eq!(answer.status, 404, "{method} {target}: {}", answer.text());
        }
    }
}
