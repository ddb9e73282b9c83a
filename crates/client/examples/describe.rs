//! Prints a run as JSON, with the histories of its metrics and all its files: the official
//! Python client compares (`cargo xtask conformance --suite rust`).
//!
//! `cargo run -p runledger --example describe -- http://localhost:5000 <run id>`

use std::collections::BTreeMap;
use std::env;
use std::error::Error;

use runledger::artifacts::Artifacts;
use runledger::entities::{DatasetInput, Param, RunId, Tag};
use runledger::{Client, TrackingError};
use serde_json::{Value, json};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let (Some(uri), Some(id)) = (arguments.next(), arguments.next()) else {
        return Err("usage: describe <tracking URI> <run id>".into());
    };
    let client = Client::open(&uri).await?;
    let described = describe(&client, &RunId::new(id)).await?;
    #[expect(clippy::print_stdout, reason = "another program reads it")]
    {
        println!("{described}");
    }
    Ok(())
}

async fn describe(client: &Client, id: &RunId) -> Result<Value, TrackingError> {
    let run = client.get_run(id).await?;
    let mut metrics = BTreeMap::new();
    for metric in &run.data.metrics {
        let history = client.metric_history(id, &metric.key).await?;
        // Values become texts, which say the same in Python.
        let points = history
            .iter()
            .map(|point| json!([format!("{:?}", point.value), point.timestamp, point.step]));
        metrics.insert(metric.key.clone(), points.collect::<Vec<_>>());
    }
    let mut models = Vec::new();
    for output in &run.outputs {
        let model = client.get_logged_model(&output.model_id).await?;
        let files = client.model_artifacts(&output.model_id).await?;
        models.push(json!({
            "model_id": model.model_id.as_str(),
            "name": model.name,
            "status": model.status.name(),
            "step": output.step,
            "params": params(&model.params),
            "tags": tags(&model.tags),
            "files": sizes(&files).await?,
        }));
    }
    let files = client.run_artifacts(id).await?;
    let table = match files.load_table("table.json").await {
        Ok(table) => json!({"columns": table.columns(), "rows": table.rows()}),
        Err(_) => Value::Null,
    };
    Ok(json!({
        "name": run.info.run_name,
        "status": run.info.status.name(),
        "user": run.info.user_id,
        "start_time": run.info.start_time,
        "end_time": run.info.end_time,
        "artifact_uri": run.info.artifact_uri,
        "params": params(&run.data.params),
        "tags": tags(&run.data.tags),
        "metrics": metrics,
        "datasets": run.inputs.datasets.iter().map(dataset).collect::<Vec<_>>(),
        "models": models,
        "files": sizes(&files).await?,
        "table": table,
    }))
}

fn params(params: &[Param]) -> BTreeMap<&str, &str> {
    let pairs = params.iter().map(|it| (it.key.as_str(), it.value.as_str()));
    pairs.collect()
}

fn tags(tags: &[Tag]) -> BTreeMap<&str, &str> {
    let pairs = tags.iter().map(|it| (it.key.as_str(), it.value.as_str()));
    pairs.collect()
}

fn dataset(input: &DatasetInput) -> Value {
    let dataset = &input.dataset;
    json!({
        "name": dataset.name,
        "digest": dataset.digest,
        "source_type": dataset.source_type,
        "source": dataset.source,
        "schema": dataset.schema,
        "profile": dataset.profile,
        "tags": tags(&input.tags),
    })
}

/// All files with their sizes in bytes.
async fn sizes(files: &Artifacts) -> Result<BTreeMap<String, u64>, TrackingError> {
    let (mut sizes, mut ahead) = (BTreeMap::new(), vec![String::new()]);
    while let Some(folder) = ahead.pop() {
        for entry in files.list(Some(&folder)).await? {
            let path = match folder.as_str() {
                "" => entry.name,
                folder => format!("{folder}/{}", entry.name),
            };
            if entry.is_dir {
                ahead.push(path);
            } else {
                sizes.insert(path, entry.file_size);
            }
        }
    }
    Ok(sizes)
}
