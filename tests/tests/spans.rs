//! An acknowledged span survives `kill -9` at any moment, and one that is sent again is there once.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Sender};
use std::thread;

use runledger_e2e::api;
use runledger_e2e::http::{Client, Failure, GUARD, Request, Response};
use runledger_e2e::random::{Random, seed};
use runledger_e2e::server::Home;
use serde_json::{Value, json};

const ROUNDS: u64 = 4;
const WORKERS: u64 = 6;
/// Acknowledged requests before a kill, at most.
const REQUESTS: u64 = 300;
/// Spans of a request that make a trace of their own. One more goes to the long trace of its worker.
const SPANS: u64 = 4;

/// A request of a worker. Names of spans are their traces' and their own ids, so that each can be told from all others.
#[derive(Debug)]
struct Export {
    spans: Vec<(String, String)>,
}

impl Export {
    fn new(round: u64, worker: u64, n: u64) -> Self {
        // No id is 0.
        let trace = |n: u64| format!("{:08x}{worker:08x}{n:016x}", round + 1);
        let span = |place: u64| format!("{:08x}{:08x}", n + 1, place + 1);
        let own = (0..SPANS).map(|place| (trace(n), span(place)));
        let long = (trace(u64::MAX), span(SPANS));
        Self {
            spans: own.chain([long]).collect(),
        }
    }

    fn send(&self, client: &mut Client) -> Result<Response, Failure> {
        let spans = self.spans.iter().map(|(trace, span)| {
            json!({
                "traceId": trace,
                "spanId": span,
                "name": format!("{trace} {span}"),
                "startTimeUnixNano": "1767225600500000000",
                "endTimeUnixNano": "1767225602000000000",
            })
        });
        let spans: Vec<Value> = spans.collect();
        let body = json!({ "resourceSpans": [{ "scopeSpans": [{ "spans": spans }] }] });
        client.send(&Request::post("/v1/traces", &body).header("x-mlflow-experiment-id", "0"))
    }
}

/// Exports until the server goes away; what it sent, and whether each was acknowledged.
fn work(address: SocketAddr, round: u64, worker: u64, done: &Sender<()>) -> Vec<(Export, bool)> {
    let mut client = Client::new(address);
    let mut sent = Vec::new();
    for n in 0.. {
        let export = Export::new(round, worker, n);
        let Ok(answer) = export.send(&mut client) else {
            sent.push((export, false));
            break;
        };
        assert_eq!(answer.status, 200, "{export:?}: {}", answer.text());
        sent.push((export, true));
        // The other side stops listening when it has killed the server.
        done.send(()).ok();
    }
    sent
}

/// The names of the spans of a trace, in order.
fn names(client: &mut Client, trace: &str) -> Vec<String> {
    let target = format!("/api/3.0/mlflow/traces/get?trace_id=tr-{trace}&allow_partial=true");
    let answer = client.get(&target).expect("an answer");
    assert_eq!(answer.status, 200, "{trace}: {}", answer.text());
    let spans = answer.json();
    let spans = api::list(&spans["trace"]["spans"]).iter();
    let mut names: Vec<String> = spans.map(|span| api::string(&span["name"])).collect();
    names.sort_unstable();
    names
}

#[expect(clippy::print_stdout, reason = "it is shown where a test fails")]
fn acknowledged_spans_survive_kill_9(home: &Home) {
    let seed = seed();
    println!("RUNLEDGER_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    let mut promised: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut server = home.start();
    for round in 0..ROUNDS {
        let (done, acknowledgements) = mpsc::channel();
        let kill_after = 1 + random.below(REQUESTS);
        let address = server.address();
        let sent: Vec<(Export, bool)> = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let done = done.clone();
                    scope.spawn(move || work(address, round, worker, &done))
                })
                .collect();
            for _ in 0..kill_after {
                acknowledgements.recv_timeout(GUARD).expect("exports go on");
            }
            server.kill();
            let sent = workers.into_iter();
            sent.flat_map(|worker| worker.join().expect("a worker"))
                .collect()
        });
        println!(
            "round {round}: killed after {kill_after} acknowledged requests; {} sent",
            sent.len()
        );

        server = home.start();
        let mut client = server.client();
        for (export, acknowledged) in sent {
            if !acknowledged {
                // As exporters do: of it everything, something or nothing may be there.
                let answer = export.send(&mut client).expect("an answer");
                assert_eq!(answer.status, 200, "{export:?}: {}", answer.text());
            }
            for (trace, span) in export.spans {
                let name = format!("{trace} {span}");
                promised.entry(trace).or_default().push(name);
            }
        }
        for (trace, expected) in &mut promised {
            expected.sort_unstable();
            assert_eq!(names(&mut client, trace), *expected, "{trace}");
        }
    }
}

#[test]
fn on_a_database() {
    acknowledged_spans_survive_kill_9(&Home::new().expect("a folder"));
}

#[test]
fn on_a_folder() {
    acknowledged_spans_survive_kill_9(&Home::on("./mlruns").expect("a folder"));
}
