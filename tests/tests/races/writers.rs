//! Clients that write to whichever server answers, and remember what they were told.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use runledger_e2e::api::{self, API};
use runledger_e2e::http::{Client, Failure, Response};
use runledger_e2e::random::Random;
use serde_json::{Value, json};

use crate::servers::Servers;

/// Metric keys that all writers log to.
pub(crate) const HOT_KEYS: u64 = 6;
pub(crate) const BATCH_PARAMS: u64 = 3;
pub(crate) const BATCH_TAGS: u64 = 3;
/// Attempts at a contested name or param before the next one comes.
const CONTEST: u64 = 4;
/// Between attempts when no server answers.
const PAUSE: Duration = Duration::from_millis(5);

/// Something to write. Names carry the writer's, where they are not contested.
#[derive(Debug, Clone)]
pub(crate) enum Write {
    Experiment {
        name: String,
    },
    Run {
        name: String,
    },
    Metric {
        run: String,
        point: Point,
    },
    Param {
        run: String,
        key: String,
        value: String,
    },
    Tag {
        run: String,
        key: String,
        value: String,
    },
    Batch {
        run: String,
        name: String,
        points: Vec<Point>,
    },
}

/// A point of a metric. Its step, or where that is always 0 its value, tells it from all others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) key: String,
    pub(crate) step: i64,
    pub(crate) value: i64,
}

impl Point {
    fn new(key: String, step: i64) -> Self {
        Self {
            key,
            step,
            value: step,
        }
    }

    fn json(&self) -> Value {
        json!({ "key": self.key, "value": self.value, "timestamp": self.step, "step": self.step })
    }
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Acknowledged, with the id of what was made.
    Done(Option<String>),
    /// Somebody else was first.
    Refused,
    /// No answer: it may be there.
    Unknown,
    /// The server asked to come back later (503): it may be there as well.
    Unavailable,
}

/// One client with a connection to each server.
pub(crate) struct Writer<'a> {
    id: u64,
    servers: &'a Servers,
    clients: Vec<(SocketAddr, Client)>,
    experiment: &'a str,
    runs: &'a [String],
    random: Random,
    writes: u64,
    /// Everything so far, in order.
    pub(crate) done: Vec<(Write, Outcome)>,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(
        id: u64,
        servers: &'a Servers,
        experiment: &'a str,
        runs: &'a [String],
        random: Random,
    ) -> Self {
        let clients = (0..servers.count())
            .map(|index| (servers.address(index), servers.client(index)))
            .collect();
        Self {
            id,
            servers,
            clients,
            experiment,
            runs,
            random,
            writes: 0,
            done: Vec::new(),
        }
    }

    /// Writes something, again and again until a server has answered.
    pub(crate) fn write(&mut self) {
        let write = self.next();
        let outcome = loop {
            let index = usize::try_from(self.random.below(self.clients.len() as u64));
            let index = index.expect("an index");
            let (known, client) = &mut self.clients[index];
            let address = self.servers.address(index);
            if *known != address {
                (*known, *client) = (address, Client::new(address));
            }
            match send(&write, client, self.experiment) {
                Ok(answer) if answer.status == 503 => {
                    self.done.push((write.clone(), Outcome::Unavailable));
                }
                Ok(answer) => break outcome(&write, &answer),
                Err(Failure::Refused(_)) => {}
                Err(_) => {
                    // To repeat it would make a second run; a batch must be whole without being repeated.
                    let once = matches!(write, Write::Run { .. })
                        || (matches!(write, Write::Batch { .. }) && self.random.below(2) == 0);
                    if once {
                        break Outcome::Unknown;
                    }
                    self.done.push((write.clone(), Outcome::Unknown));
                }
            }
            thread::sleep(PAUSE);
        };
        self.done.push((write, outcome));
    }

    fn next(&mut self) -> Write {
        let me = format!("w{}", self.id);
        let n = self.writes;
        self.writes += 1;
        // Differs from all steps of all writers.
        let step = i64::try_from(n * crate::WRITERS + self.id).expect("few writes");
        let run = self.random.pick(self.runs).clone();
        match self.random.below(16) {
            0 => Write::Experiment {
                name: format!("contested-{}", n / CONTEST),
            },
            1 => Write::Run {
                name: format!("{me}-{n}"),
            },
            2 | 3 => Write::Metric {
                run,
                point: Point::new(me, step),
            },
            4..=6 => Write::Metric {
                run,
                point: Point::new(format!("hot{}", self.random.below(HOT_KEYS)), step),
            },
            7 => Write::Metric {
                run,
                point: Point {
                    key: "tied".to_owned(),
                    step: 0,
                    value: step,
                },
            },
            8 => Write::Param {
                run,
                key: format!("{me}.{n}"),
                value: n.to_string(),
            },
            9 => Write::Param {
                run,
                key: format!("contested-{}", n / CONTEST),
                value: me,
            },
            10 => Write::Tag {
                run,
                key: me,
                value: n.to_string(),
            },
            11 => Write::Tag {
                run,
                key: "shared".to_owned(),
                value: format!("{me}-{n}"),
            },
            _ => Write::Batch {
                run,
                points: self.batch_points(&me, step),
                name: format!("{me}.{n}"),
            },
        }
    }

    /// A point for each hot key and one of the writer's own, in any order: two servers must not wait for each other.
    fn batch_points(&mut self, me: &str, step: i64) -> Vec<Point> {
        let mut points: Vec<Point> = (0..HOT_KEYS)
            .map(|key| Point::new(format!("hot{key}"), step))
            .collect();
        points.push(Point::new(format!("{me}.batch"), step));
        for last in (1..points.len()).rev() {
            let other = usize::try_from(self.random.below(last as u64 + 1)).expect("an index");
            points.swap(last, other);
        }
        points
    }
}

fn send(write: &Write, client: &mut Client, experiment: &str) -> Result<Response, Failure> {
    let (endpoint, body) = match write {
        Write::Experiment { name } => ("experiments/create", json!({ "name": name })),
        Write::Run { name } => (
            "runs/create",
            json!({ "experiment_id": experiment, "run_name": name }),
        ),
        Write::Metric { run, point } => {
            let mut body = point.json();
            body["run_id"] = run.as_str().into();
            ("runs/log-metric", body)
        }
        Write::Param { run, key, value } => (
            "runs/log-parameter",
            json!({ "run_id": run, "key": key, "value": value }),
        ),
        Write::Tag { run, key, value } => (
            "runs/set-tag",
            json!({ "run_id": run, "key": key, "value": value }),
        ),
        Write::Batch { run, name, points } => {
            let named = |letter: char, count: u64| -> Vec<Value> {
                (0..count)
                    .map(|n| json!({ "key": format!("{name}.{letter}{n}"), "value": name }))
                    .collect()
            };
            let metrics: Vec<Value> = points.iter().map(Point::json).collect();
            (
                "runs/log-batch",
                json!({ "run_id": run, "metrics": metrics, "params": named('p', BATCH_PARAMS), "tags": named('t', BATCH_TAGS) }),
            )
        }
    };
    client.post(&format!("{API}/{endpoint}"), &body)
}

fn outcome(write: &Write, answer: &Response) -> Outcome {
    let body = answer.json();
    match (answer.status, write) {
        (200, Write::Experiment { .. }) => Outcome::Done(Some(api::string(&body["experiment_id"]))),
        (200, Write::Run { .. }) => {
            Outcome::Done(Some(api::string(&body["run"]["info"]["run_id"])))
        }
        (200, _) => Outcome::Done(None),
        (400, Write::Experiment { .. }) if body["error_code"] == "RESOURCE_ALREADY_EXISTS" => {
            Outcome::Refused
        }
        (400, Write::Param { key, .. }) if key.starts_with("contested") => Outcome::Refused,
        _ => panic!("{write:?}: {} {}", answer.status, answer.text()),
    }
}
