//! Logs metrics into a folder of files one by one, as training does that uses the store as a library.
//!
//! `log_files FOLDER CACHE CALLS KEYS process|power` makes a run in the folder, awaits so many calls of `log_batch` with
//! one metric each, of so many keys in turn, and prints one JSON object with the run's folder and the seconds that the
//! calls took.
#![expect(clippy::print_stdout, reason = "the result of a command")]

use std::error::Error;
use std::time::Instant;

use runledger_entities::{ExperimentId, Metric};
use runledger_store::{Batch, NewRun, TrackingStore};
use runledger_store_file::{Durability, FileStore, FileStoreOptions};

const FIRST_TIMESTAMP_MS: i64 = 1_700_000_000_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, cache, calls, keys, durability] = args.as_slice() else {
        return Err("usage: log_files FOLDER CACHE CALLS KEYS process|power".into());
    };
    let (calls, keys): (i64, i64) = (calls.parse()?, keys.parse()?);
    let durability = match durability.as_str() {
        "process" => Durability::Process,
        "power" => Durability::Power,
        other => return Err(format!("no such durability: {other}").into()),
    };
    let store = FileStore::create(
        folder,
        FileStoreOptions {
            cache: Some(cache.into()),
            durability,
            ..FileStoreOptions::default()
        },
    )
    .await?;
    let run = store
        .create_run(NewRun {
            experiment_id: ExperimentId::DEFAULT,
            user_id: "bench".to_owned(),
            run_name: None,
            start_time: FIRST_TIMESTAMP_MS,
            tags: Vec::new(),
        })
        .await?;
    let id = run.info.run_id;

    let began = Instant::now();
    for call in 0..calls {
        let (key, step) = (format!("m{}", call % keys), call / keys);
        let metric = Metric::new(key, 0.5, FIRST_TIMESTAMP_MS + call, step);
        let batch = Batch {
            metrics: vec![metric],
            ..Batch::default()
        };
        store.log_batch(&id, batch).await?;
    }
    let taken = began.elapsed().as_secs_f64();
    println!(
        r#"{{"run":"{}/{id}","seconds":{taken:.6}}}"#,
        ExperimentId::DEFAULT
    );
    Ok(())
}
