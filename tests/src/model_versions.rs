//! Many clients that make versions of one registered model at the same moment, through several servers.
//!
//! What the servers share, a database or a folder, is the test's choice.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;

use serde_json::json;

use crate::api;
use crate::http::Client;

/// Makes a model through the first server, then `count` versions of it at once, each by a client of its own, the
/// servers in turn. Every client is connected before the first of them asks.
///
/// # Panics
/// If a server refuses, if two clients got one number, if a number is missing between 1 and `count`, or if a server
/// does not show, afterwards, every version with the source that its client gave.
pub fn are_numbered_once(servers: &[SocketAddr], count: u64) {
    const MODEL: &str = "raced";
    api::call(
        &mut Client::new(servers[0]),
        "registered-models/create",
        &json!({ "name": MODEL }),
    );
    let clients = usize::try_from(count).expect("a small number");
    let together = Barrier::new(clients);
    let mut made: Vec<(u64, String)> = thread::scope(|scope| {
        let clients: Vec<_> = (0..clients)
            .map(|n| {
                let (address, together) = (servers[n % servers.len()], &together);
                scope.spawn(move || {
                    let mut client = Client::new(address);
                    client.get("/health").expect("a server that runs");
                    let source = format!("s3://bucket/{n}");
                    together.wait();
                    let answer = api::call(
                        &mut client,
                        "model-versions/create",
                        &json!({ "name": MODEL, "source": source }),
                    );
                    (number(&answer["model_version"]["version"]), source)
                })
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().expect("a client"))
            .collect()
    });
    made.sort();
    let numbers: Vec<u64> = made.iter().map(|(version, _)| *version).collect();
    assert_eq!(numbers, (1..=count).collect::<Vec<_>>());
    for address in servers {
        let mut client = Client::new(*address);
        for (version, source) in &made {
            let shown = api::ask(
                &mut client,
                &format!("model-versions/get?name={MODEL}&version={version}"),
            );
            assert_eq!(
                shown["model_version"]["source"], **source,
                "version {version} at {address}"
            );
        }
    }
}

/// Versions are strings on the wire.
fn number(version: &serde_json::Value) -> u64 {
    version
        .as_str()
        .and_then(|version| version.parse().ok())
        .unwrap_or_else(|| panic!("{version} is no version"))
}
