//! Logs something of every kind into a run, and prints as JSON what it was: the official
//! Python client compares (`cargo xtask conformance --suite rust`).
//!
//! `cargo run -p runledger --features parquet,system-metrics --example log_all --
//! http://localhost:5000 /tmp/scratch`

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::time::Duration;
use std::{env, fs, thread};

use runledger::artifacts::{StepImage, Table};
use runledger::datasets::{Column, ColumnType, Dataset, DatasetSource};
use runledger::entities::{Metric, RunStatus, Tag};
use runledger::models::NewModel;
use runledger::system_metrics::{SystemMetrics, SystemMetricsOptions};
use runledger::{RunLogger, RunOptions, Tracker};
use serde_json::{Value, json};

const PARAMS: [(&str, &str); 4] = [
    ("depth", "7"),
    ("learning rate", "0.01"),
    ("empty", ""),
    ("text", "Größe 模型 'x' \"y\" \n😀"),
];

/// Values with all their digits, and those that JSON does not have.
const VALUES: [f64; 9] = [
    0.1,
    1.0 / 3.0,
    -0.0,
    1e300,
    5e-324,
    123_456_789.123_456_79,
    f64::NAN,
    f64::INFINITY,
    f64::NEG_INFINITY,
];

/// The smallest PNG that is one: a grey pixel.
const PIXEL: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52, 0, 0, 0,
    1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e, 0x9b, 0x55, 0, 0, 0, 10, 0x49, 0x44, 0x41, 0x54,
    0x78, 0x9c, 0x63, 0x68, 0, 0, 0, 0x82, 0, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0, 0, 0, 0, 0x49, 0x45,
    0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(uri), Some(scratch)) = (arguments.next(), arguments.next()) else {
        return Err("usage: log_all <tracking URI> <folder for files>".into());
    };
    let scratch = Path::new(&scratch);
    fs::create_dir_all(scratch)?;

    let tracker = Tracker::open(&uri)?;
    let experiment = tracker.set_experiment("from Rust")?;
    let run = tracker.start_run_with(RunOptions {
        description: Some("logged from Rust".to_owned()),
        tags: vec![Tag::new("at the start", "é ✓")],
        ..RunOptions::named("of Rust")
    })?;
    run.log_params(PARAMS)?;
    run.set_tag("team", "x")?;
    let metrics = log_metrics(&run)?;
    let files = log_files(&run, scratch)?;
    let datasets = log_datasets(&run, scratch)?;
    let model = log_model(&run, scratch)?;
    let child = run.child_with(RunOptions::named("child"))?;
    let child_id = child.run_id().clone();
    child.end_as(RunStatus::Failed)?;
    let measured = measure(&run)?;

    let logged = json!({
        "experiment_id": experiment.experiment_id.to_string(),
        "run_id": run.run_id().as_str(),
        "child_id": child_id.as_str(),
        "params": BTreeMap::from(PARAMS),
        "metrics": metrics,
        "files": files,
        "datasets": datasets,
        "model": model,
        "measured_id": measured,
    });
    run.end()?;
    #[expect(clippy::print_stdout, reason = "another program reads it")]
    {
        println!("{logged}");
    }
    Ok(())
}

/// Values become texts, which say the same in Python.
fn log_metrics(run: &RunLogger) -> Result<Value, Box<dyn Error>> {
    let mut logged = Vec::new();
    for (step, value) in (-2_i64..).zip(VALUES) {
        let timestamp = 1_700_000_000_000 + step * 10;
        run.log_point(Metric::new("loss/train", value, timestamp, step))?;
        logged.push(json!([format!("{value:?}"), timestamp, step]));
    }
    run.log_metrics([("accuracy", 0.875), ("recall", 1.0)], 3)?;
    run.flush()?;
    Ok(json!({ "loss/train": logged }))
}

fn log_files(run: &RunLogger, scratch: &Path) -> Result<Value, Box<dyn Error>> {
    let folder = scratch.join("folder");
    fs::create_dir_all(folder.join("deep/er"))?;
    let texts = [
        ("empty", ""),
        ("deep/er/Größe 模型.txt", "Grüße\n"),
        ("100%+a&b=c;d.txt", "awkward"),
    ];
    for (name, text) in texts {
        fs::write(folder.join(name), text)?;
    }
    run.log_artifacts(&folder, Some("by folder"))?;
    run.log_artifact(&folder, None)?;
    run.log_artifact(folder.join("empty"), Some("by file"))?;
    run.log_text("Grüße\nzwei\n", "notes/hello.txt")?;
    let value = json!({"depth": 3, "names": ["a", "ü", null], "deep": {"on": true, "half": 0.5}});
    run.log_dict(&value, "settings.json")?;
    run.log_dict(&value, "settings.yaml")?;
    run.log_image(PIXEL, "plots/pixel.png")?;
    run.log_figure(
        "<svg xmlns='http://www.w3.org/2000/svg'/>",
        "plots/line.svg",
    )?;
    run.log_image_at(StepImage::png(PIXEL), "dogs/train", 3)?;
    let first = Table::new()
        .with_column("x", [1, 2])
        .with_column("y", ["a", "ü"]);
    run.log_table(first, "table.json")?;
    run.log_table(
        Table::new().with_column("x", [3]).with_column("y", ["c"]),
        "table.json",
    )?;
    Ok(json!({
        "texts": BTreeMap::from(texts),
        "settings": value,
        "table": {"x": [1, 2, 3], "y": ["a", "ü", "c"]},
    }))
}

fn log_datasets(run: &RunLogger, scratch: &Path) -> Result<Value, Box<dyn Error>> {
    let path = scratch.join("wine.csv");
    fs::write(
        &path,
        "colour,alcohol,year,aged\nred,12.5,2001,True\nwhite,,2002,False\n",
    )?;
    let wine = Dataset::from_csv(&path)?;
    run.log_input(wine.clone(), Some("training"), [Tag::new("split", "0.8")])?;
    let remote = Dataset::new("remote", "0a1b2c3d", &DatasetSource::uri("https://h/x.csv"))
        .with_columns(&[Column::new("x", ColumnType::Double)])
        .with_counts(10, 10);
    run.log_input(remote, Some("eval"), [])?;
    let made = Dataset::new("made", "4d3c2b1a", &DatasetSource::code());
    run.log_input(made, None, [])?;
    log_parquet(run, scratch)?;
    Ok(json!({ "csv": path, "digest": wine.entity().digest }))
}

/// Logs the table that the other program has left, if there is one.
fn log_parquet(run: &RunLogger, scratch: &Path) -> Result<(), Box<dyn Error>> {
    let path = scratch.join("table.parquet");
    if path.exists() {
        run.log_input(Dataset::from_parquet(path)?, None, [])?;
    }
    Ok(())
}

/// The id of a child that measures its machine for a moment.
fn measure(run: &RunLogger) -> Result<String, Box<dyn Error>> {
    let child = run.child_with(RunOptions {
        system_metrics: SystemMetrics::On(SystemMetricsOptions {
            interval: Duration::from_millis(50),
            ..SystemMetricsOptions::default()
        }),
        ..RunOptions::named("measured")
    })?;
    thread::sleep(Duration::from_millis(400));
    let id = child.run_id().to_string();
    child.end()?;
    Ok(id)
}

fn log_model(run: &RunLogger, scratch: &Path) -> Result<Value, Box<dyn Error>> {
    let folder = scratch.join("model");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("net.bin"), [7; 1000])?;
    let columns = [Column::new("x", ColumnType::Double)];
    let model = NewModel::named("net")
        .with_flavor("candle", [("weights", "net.bin")])
        .with_type("Classifier")
        .with_signature(&columns, &columns)
        .with_params([("layers", 3)])
        .with_tag("stage", "candidate")
        .at_step(12);
    let logged = run.log_model(model, &folder)?;
    Ok(json!({ "model_id": logged.model_id.as_str(), "location": logged.artifact_location }))
}
