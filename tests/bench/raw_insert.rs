//! Inserts metrics into a database with MLflow's schema as fast as SQLite alone can: the raw limit of log-batch.
//!
//! `raw_insert DATABASE RUN_UUID SECONDS ROWS` puts so many rows into each transaction, with the durability that the server
//! promises (WAL, `synchronous=FULL`), and prints one JSON object. Rows look like those of the bench's log-batch: ten
//! keys, steps and timestamps that grow. The database and the run must exist.
#![expect(clippy::print_stdout, reason = "the result of a command")]

use std::error::Error;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

const KEYS: i64 = 10;
const FIRST_TIMESTAMP_MS: i64 = 1_700_000_000_000;

const INSERT: &str = "INSERT INTO metrics (key, value, timestamp, run_uuid, step, is_nan) VALUES (?1, ?2, ?3, ?4, ?5, 0)";

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [database, run, seconds, rows_a_transaction] = args.as_slice() else {
        return Err("usage: raw_insert DATABASE RUN_UUID SECONDS ROWS".into());
    };
    let rows_a_transaction: i64 = rows_a_transaction.parse()?;
    let window = Duration::from_secs_f64(seconds.parse()?);

    let mut connection = Connection::open(database)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "foreign_keys", "on")?;
    // A limit that better settings would beat is none: these hold the hot pages, and checkpoint less often.
    connection.pragma_update(None, "cache_size", -64 * 1024)?;
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    let keys: Vec<String> = (0..KEYS).map(|i| format!("m{i}")).collect();

    let began = Instant::now();
    let mut rows = 0_i64;
    while began.elapsed() < window {
        let transaction = connection.transaction()?;
        {
            let mut insert = transaction.prepare_cached(INSERT)?;
            // In the order of the primary key: fastest, as neighbours go to the same page.
            for key in &keys {
                for step in rows / KEYS..(rows + rows_a_transaction) / KEYS {
                    insert.execute(params![key, 0.5, FIRST_TIMESTAMP_MS + step, run, step])?;
                }
            }
        }
        transaction.commit()?;
        rows += rows_a_transaction;
    }
    let taken = began.elapsed().as_secs_f64();
    println!(
        r#"{{"rows":{rows},"seconds":{taken:.6},"cpu_seconds":{:.6}}}"#,
        cpu_seconds()?
    );
    Ok(())
}

/// CPU time of this process in seconds, user and system, from `/proc`, whose clock ticks 100 times a second.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let (_, rest) = stat.rsplit_once(')').ok_or("unexpected /proc/self/stat")?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || {
        fields
            .next()
            .ok_or("unexpected /proc/self/stat")?
            .parse::<f64>()
            .map_err(Box::<dyn Error>::from)
    };
    Ok((ticks()? + ticks()?) / 100.0)
}
