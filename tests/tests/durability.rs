//! An acknowledged write survives `kill -9` at any moment, once, and nothing is ever half there.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::mpsc::{self, Sender};
use std::thread;

use runledger_e2e::api::{self, API};
use runledger_e2e::http::{Client, Failure, GUARD, Response};
use runledger_e2e::random::{Random, seed};
use runledger_e2e::server::{Home, eventually};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

const ROUNDS: u64 = 6;
const WORKERS: u64 = 8;
const SHARED_RUNS: usize = 2;
/// Acknowledged writes before a kill, at most.
const WRITES: u64 = 1200;
const BATCH_METRICS: i64 = 20;
const BATCH_PARAMS: u64 = 5;
const BATCH_TAGS: u64 = 5;

/// A write that a worker tried. Names carry the worker's, so each write can be told from all others.
#[derive(Debug, Clone)]
enum Write {
    Run {
        name: String,
    },
    Metric {
        run: String,
        key: String,
        step: i64,
    },
    Param {
        run: String,
        key: String,
        value: String,
    },
    Tag {
        run: String,
        key: String,
        value: u64,
    },
    Batch {
        run: String,
        name: String,
        first: i64,
    },
}

impl Write {
    fn send(&self, client: &mut Client, experiment: &str) -> Result<Response, Failure> {
        let (endpoint, body) = match self {
            Self::Run { name } => (
                "runs/create",
                json!({ "experiment_id": experiment, "run_name": name }),
            ),
            Self::Metric { run, key, step } => (
                "runs/log-metric",
                json!({ "run_id": run, "key": key, "value": value_at(*step), "timestamp": step, "step": step }),
            ),
            Self::Param { run, key, value } => (
                "runs/log-parameter",
                json!({ "run_id": run, "key": key, "value": value }),
            ),
            Self::Tag { run, key, value } => (
                "runs/set-tag",
                json!({ "run_id": run, "key": key, "value": value.to_string() }),
            ),
            Self::Batch { run, name, first } => {
                let metrics: Vec<Value> = batch_steps(*first)
                    .map(|step| json!({ "key": metric_of(name), "value": value_at(step), "timestamp": step, "step": step }))
                    .collect();
                let texts = |kind: &str, n: u64| -> Vec<Value> {
                    (0..n)
                        .map(|i| json!({ "key": format!("{name}.{kind}{i}"), "value": name }))
                        .collect()
                };
                let (params, tags) = (texts("p", BATCH_PARAMS), texts("t", BATCH_TAGS));
                (
                    "runs/log-batch",
                    json!({ "run_id": run, "metrics": metrics, "params": params, "tags": tags }),
                )
            }
        };
        client.post(&format!("{API}/{endpoint}"), &body)
    }
}

fn value_at(step: i64) -> f64 {
    f64::from(i32::try_from(step).expect("few steps")) / 8.0
}

fn batch_steps(first: i64) -> std::ops::Range<i64> {
    first..first + BATCH_METRICS
}

/// The metric that all batches of one worker share: the part of the batch's name before the dot.
fn metric_of(batch: &str) -> String {
    format!("{}.batch", batch.split('.').next().unwrap_or(batch))
}

/// Writes until the server goes away; what it did, and whether each was acknowledged. Only the last can be in doubt.
fn work(
    address: SocketAddr,
    experiment: &str,
    runs: &[String],
    round: u64,
    worker: u64,
    acknowledged: &Sender<()>,
    mut random: Random,
) -> Vec<(Write, bool)> {
    let mut client = Client::new(address);
    let mut done = Vec::new();
    for n in 0_u64.. {
        let (me, run) = (format!("r{round}w{worker}"), random.pick(runs).clone());
        let step = i64::try_from(n).expect("few writes") + 1;
        let write = match random.below(10) {
            0 => Write::Run {
                name: format!("{me}-{n}"),
            },
            1..=4 => Write::Metric { run, key: me, step },
            5 => Write::Param {
                run,
                key: format!("{me}.{n}"),
                value: n.to_string(),
            },
            6 | 7 => Write::Tag {
                run,
                key: me,
                value: n,
            },
            _ => Write::Batch {
                run,
                name: format!("{me}.{n}"),
                first: step * BATCH_METRICS,
            },
        };
        let Ok(answer) = write.send(&mut client, experiment) else {
            done.push((write, false));
            break;
        };
        assert_eq!(answer.status, 200, "{write:?}: {}", answer.text());
        done.push((write, true));
        // The other side stops listening when it has killed the server.
        acknowledged.send(()).ok();
    }
    done
}

/// What one run must hold, kept up to date with the answers to doubtful writes.
#[derive(Debug, Default)]
struct Expected {
    points: BTreeMap<String, BTreeSet<i64>>,
    params: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
}

/// Everything that the server has promised so far.
#[derive(Debug, Default)]
struct Ledger {
    runs: BTreeMap<String, Expected>,
    names: BTreeSet<String>,
}

impl Ledger {
    /// Takes writes up; of those in doubt, the ones that the server turns out to have made.
    fn settle(&mut self, client: &mut Client, experiment: &str, writes: Vec<(Write, bool)>) {
        for (write, acknowledged) in writes {
            if acknowledged || made(client, experiment, &write) {
                self.promise(write);
            }
        }
    }

    fn promise(&mut self, write: Write) {
        match write {
            Write::Run { name } => {
                self.names.insert(name);
            }
            Write::Metric { run, key, step } => {
                self.run(run).points.entry(key).or_default().insert(step);
            }
            Write::Param { run, key, value } => {
                self.run(run).params.insert(key, value);
            }
            Write::Tag { run, key, value } => {
                self.run(run).tags.insert(key, value.to_string());
            }
            Write::Batch { run, name, first } => {
                let run = self.run(run);
                run.points
                    .entry(metric_of(&name))
                    .or_default()
                    .extend(batch_steps(first));
                run.params
                    .extend((0..BATCH_PARAMS).map(|i| (format!("{name}.p{i}"), name.clone())));
                run.tags
                    .extend((0..BATCH_TAGS).map(|i| (format!("{name}.t{i}"), name.clone())));
            }
        }
    }

    fn run(&mut self, id: String) -> &mut Expected {
        self.runs.entry(id).or_default()
    }

    /// Compares everything that the server holds with everything that it promised.
    fn check(&self, client: &mut Client, experiment: &str) {
        let names = run_names(client, experiment);
        let once: BTreeSet<String> = names.iter().cloned().collect();
        assert_eq!(names.len(), once.len(), "a run was made twice");
        assert_eq!(once, self.names, "runs");
        for (id, expected) in &self.runs {
            let data = &api::ask(client, &format!("runs/get?run_id={id}"))["run"]["data"];
            assert_eq!(
                texts(&data["params"]),
                expected.params,
                "params of run {id}"
            );
            let mut tags = texts(&data["tags"]);
            tags.retain(|key, _| !key.starts_with("mlflow."));
            assert_eq!(tags, expected.tags, "tags of run {id}");

            let latest: BTreeMap<String, i64> = api::list(&data["metrics"])
                .iter()
                .map(|m| (api::string(&m["key"]), m["step"].as_i64().expect("a step")))
                .collect();
            let newest = expected
                .points
                .iter()
                .map(|(key, steps)| (key.clone(), *steps.last().expect("never empty")));
            assert_eq!(latest, newest.collect(), "latest metrics of run {id}");
            for (key, steps) in &expected.points {
                let mut points = api::history(client, id, key);
                points.sort_by_key(|point| point.step);
                assert!(
                    points.iter().map(|p| p.step).eq(steps.iter().copied()),
                    "history of {key} in run {id}"
                );
                assert!(
                    points
                        .iter()
                        .all(|p| p.value.to_bits() == value_at(p.step).to_bits()),
                    "values of {key} in run {id}"
                );
            }
        }
    }
}

/// Whether the server made this write, all of it or nothing.
fn made(client: &mut Client, experiment: &str, write: &Write) -> bool {
    let mut data =
        |run: &str| api::ask(client, &format!("runs/get?run_id={run}"))["run"]["data"].clone();
    match write {
        Write::Run { name } => run_names(client, experiment).contains(name),
        Write::Metric { run, key, step } => api::history(client, run, key)
            .iter()
            .any(|p| p.step == *step),
        Write::Param { run, key, .. } => texts(&data(run)["params"]).contains_key(key),
        Write::Tag { run, key, value } => {
            texts(&data(run)["tags"]).get(key) == Some(&value.to_string())
        }
        Write::Batch { run, name, first } => {
            let data = data(run);
            let of_batch = |field: &str| {
                texts(&data[field])
                    .into_values()
                    .filter(|value| value == name)
                    .count()
            };
            let points = api::history(client, run, &metric_of(name))
                .iter()
                .filter(|p| batch_steps(*first).contains(&p.step))
                .count();
            let found = of_batch("params") + of_batch("tags") + points;
            let whole = BATCH_PARAMS + BATCH_TAGS + BATCH_METRICS.unsigned_abs();
            assert!(
                found == 0 || found as u64 == whole,
                "{found} of the {whole} parts of batch {name} are there"
            );
            found > 0
        }
    }
}

fn texts(pairs: &Value) -> BTreeMap<String, String> {
    api::list(pairs)
        .iter()
        .map(|pair| (api::string(&pair["key"]), api::string(&pair["value"])))
        .collect()
}

fn run_names(client: &mut Client, experiment: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut body = json!({ "experiment_ids": [experiment], "max_results": 1000 });
    loop {
        let page = api::call(client, "runs/search", &body);
        names.extend(
            api::list(&page["runs"])
                .iter()
                .map(|run| api::string(&run["info"]["run_name"])),
        );
        match page["next_page_token"].as_str() {
            Some(token) => body["page_token"] = token.into(),
            None => return names,
        }
    }
}

#[test]
fn acknowledged_writes_survive_kill_9() {
    let seed = seed();
    println!("RUNLEDGER_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    let home = Home::new().expect("a folder");
    let mut ledger = Ledger::default();

    let mut server = home.start();
    let mut client = server.client();
    let experiment = api::create_experiment(&mut client, "durability");
    let runs: Vec<String> = (0..SHARED_RUNS)
        .map(|i| {
            let name = format!("shared-{i}");
            let id = api::create_run(&mut client, &experiment, &name);
            ledger.promise(Write::Run { name });
            id
        })
        .collect();

    for round in 0..ROUNDS {
        let (acknowledged, acknowledgements) = mpsc::channel();
        let kill_after = 1 + random.below(WRITES);
        let writes = thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS)
                .map(|worker| {
                    let (address, acknowledged, random) = (
                        server.address(),
                        acknowledged.clone(),
                        Random::new(random.bits()),
                    );
                    let (experiment, runs) = (&experiment, &runs);
                    scope.spawn(move || {
                        work(
                            address,
                            experiment,
                            runs,
                            round,
                            worker,
                            &acknowledged,
                            random,
                        )
                    })
                })
                .collect();
            for _ in 0..kill_after {
                acknowledgements.recv_timeout(GUARD).expect("writes go on");
            }
            server.kill();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().expect("a worker"))
                .collect::<Vec<_>>()
        });
        println!(
            "round {round}: killed after {kill_after} acknowledged writes; {} tried",
            writes.len()
        );

        server = home.start();
        client = server.client();
        ledger.settle(&mut client, &experiment, writes);
        ledger.check(&mut client, &experiment);
    }

    server.kill();
    let database = Connection::open_with_flags(home.database(), OpenFlags::SQLITE_OPEN_READ_WRITE)
        .expect("a database");
    let verdict: String = database
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .expect("a verdict");
    assert_eq!(verdict, "ok");
}

#[test]
fn a_server_killed_while_it_makes_its_database_starts_again() {
    let seed = seed();
    println!("RUNLEDGER_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    for _ in 0..ROUNDS {
        let home = Home::new().expect("a folder");
        let server = home.spawn();
        // Some size between that of an empty file and that of the whole schema.
        let bytes = random.below(400 * 1024);
        let address = server.address();
        eventually("the database grows, or is ready", || {
            let size = |suffix: &str| {
                std::fs::metadata(format!("{}{suffix}", home.database().display()))
                    .map_or(0, |m| m.len())
            };
            size("") + size("-wal") > bytes || Client::new(address).get("/health").is_ok()
        });
        server.kill();

        let server = home.start();
        api::create_experiment(&mut server.client(), "after");
    }
}
