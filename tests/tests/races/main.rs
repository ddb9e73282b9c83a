//! Several servers on one PostgreSQL: what one of them acknowledged is there, once, whatever happens to the others.
//!
//! `cargo xtask test-races` starts the database; without it the test fails.

mod closed;
mod database;
mod idle;
mod ledger;
mod plans;
mod servers;
mod versions;
mod writers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use runledger_e2e::api;
use runledger_e2e::random::{Random, seed};

use database::Database;
use ledger::Ledger;
use servers::Servers;
use writers::Writer;

const SERVERS: usize = 3;
const WRITERS: u64 = 32;
const SHARED_RUNS: usize = 4;
/// Kills, one every second.
const KILLS: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);

#[test]
fn three_servers_that_are_killed_in_turn_lose_and_double_nothing() {
    let seed = seed();
    println!("RUNLEDGER_TEST_SEED={seed}");
    let mut random = Random::new(seed);
    let database = Database::new("races");
    let servers = Servers::start(SERVERS, &database.uri);

    let mut client = servers.client(0);
    let experiment = api::create_experiment(&mut client, "races");
    let runs: Vec<String> = (0..SHARED_RUNS)
        .map(|n| api::create_run(&mut client, &experiment, &format!("shared-{n}")))
        .collect();

    let stop = AtomicBool::new(false);
    let written = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|id| {
                let random = Random::new(random.bits());
                let (servers, stop) = (&servers, &stop);
                let mut writer = Writer::new(id, servers, &experiment, &runs, random);
                scope.spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        writer.write();
                    }
                    writer.done
                })
            })
            .collect();
        let began = Instant::now();
        for kill in 1..=KILLS {
            // Paced by the clock: a server that is slow to start must not make room for the next.
            thread::sleep((PAUSE * kill).saturating_sub(began.elapsed()));
            let victim = usize::try_from(random.below(SERVERS as u64)).expect("a small number");
            servers.kill_and_restart(victim);
        }
        stop.store(true, Ordering::Relaxed);
        writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("a writer"))
            .collect::<Vec<_>>()
    });
    drop(servers);

    let ledger = Ledger::of(&written);
    println!("{}", ledger.summary());
    database.settle();
    ledger.check(&database);
    database.check_latest_metrics();
}
