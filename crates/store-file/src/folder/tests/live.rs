//! The committed folders that MLflow 2.17.2 and 3.17.2 made.

use std::ops::ControlFlow;

use runledger_entities::validate::python_float;
use runledger_entities::{DatasetInput, LoggedModelId, Metric, Param, Run, RunInputs};
use serde_json::{Value, json};

use super::*;
use crate::layout::ExperimentFolder;
use crate::yaml::{self, Yaml};

const VERSIONS: [&str; 2] = ["2.17.2", "3.17.2"];

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

fn live(version: &str) -> (Root, Value) {
    let root = Root::open(&data(&format!("mlruns-{version}"))).unwrap();
    let said = fs::read_to_string(data(&format!("mlruns-{version}.json"))).unwrap();
    (root, serde_json::from_str(&said).unwrap())
}

/// In the form of `make_mlruns.py`.
fn run_as_json(found: &RunFolder, run: &Run, version: &str) -> Value {
    let pairs = |tags: &[Tag]| -> Value {
        tags.iter()
            .map(|t| (t.key.clone(), json!(t.value)))
            .collect()
    };
    let point = |value: f64, timestamp: i64, step: i64, dataset: bool| {
        // MLflow 3.17 takes the step of a point with a dataset for 0.
        let step = if dataset && version == "3.17.2" {
            0
        } else {
            step
        };
        json!([python_float(value), timestamp, step])
    };
    let of = |m: &Metric| point(m.value, m.timestamp, m.step, m.model.is_some());
    let history = |key: &str| {
        let mut points = Vec::new();
        metrics::history(found, key, &mut Scratch::default(), |p| {
            points.push(point(p.value, p.timestamp, p.step, p.dataset.is_some()));
            ControlFlow::Continue(())
        })
        .unwrap();
        points
    };
    let info = &run.info;
    json!({
        "info": {
            "run_id": info.run_id.as_str(),
            "experiment_id": info.experiment_id.to_string(),
            "run_name": info.run_name,
            "user_id": info.user_id,
            "status": info.status.name(),
            "start_time": info.start_time,
            "end_time": info.end_time,
            "artifact_uri": info.artifact_uri,
            "lifecycle_stage": info.lifecycle_stage.name(),
        },
        "params": run.data.params.iter()
            .map(|p| (p.key.clone(), json!(p.value))).collect::<Value>(),
        "tags": pairs(&run.data.tags),
        "metrics": run.data.metrics.iter().map(|m| (m.key.clone(), of(m))).collect::<Value>(),
        "history": run.data.metrics.iter()
            .map(|m| (m.key.clone(), json!(history(&m.key)))).collect::<Value>(),
        "datasets": run.inputs.datasets.iter().map(|DatasetInput { tags, dataset }| json!({
            "tags": pairs(tags),
            "dataset": {
                "name": dataset.name,
                "digest": dataset.digest,
                "source_type": dataset.source_type,
                "source": dataset.source,
                "schema": dataset.schema,
                "profile": dataset.profile,
            },
        })).collect::<Value>(),
    })
}

fn sorted_datasets(run: &Value) -> Value {
    let mut run = run.clone();
    if let Some(list) = run["datasets"].as_array_mut() {
        list.sort_by_key(|input| input["dataset"]["name"].as_str().unwrap().to_owned());
    }
    run
}

#[test]
fn runs_are_read_as_mlflow_reads_them() {
    for version in VERSIONS {
        let (root, said) = live(version);
        let runs = said["runs"].as_array().unwrap();
        assert_eq!(runs.len(), 4);
        for expected in runs {
            let id = RunId::new(expected["info"]["run_id"].as_str().unwrap());
            let found = root.find_run(&id).unwrap().unwrap();
            let stored = runs::read_run(&found, None, &mut Scratch::default()).unwrap();
            let ours = run_as_json(&found, &stored.run, version);
            assert_eq!(ours, sorted_datasets(expected), "{version}");
            let deleted = expected["info"]["lifecycle_stage"] == "deleted";
            assert_eq!(stored.deleted_time.is_some(), deleted);
        }
    }
}

#[test]
fn experiments_are_read_as_mlflow_reads_them() {
    for version in VERSIONS {
        let (root, said) = live(version);
        for expected in said["experiments"].as_array().unwrap() {
            let id: ExperimentId = expected["experiment_id"].as_str().unwrap().parse().unwrap();
            let folder = root.experiment(id).unwrap();
            let found = experiments::read_experiment(&folder, &mut Scratch::default()).unwrap();
            let ours = json!({
                "experiment_id": found.experiment_id.to_string(),
                "name": found.name,
                "artifact_location": found.artifact_location,
                "lifecycle_stage": found.lifecycle_stage.name(),
                "creation_time": found.creation_time,
                "last_update_time": found.last_update_time,
                "tags": found.tags.iter()
                    .map(|t| (t.key.clone(), json!(t.value))).collect::<Value>(),
            });
            assert_eq!(ours, *expected, "{version}");
            assert_eq!(folder.trashed, expected["lifecycle_stage"] == "deleted");
        }
    }
}

#[test]
fn logged_models_are_read_as_mlflow_reads_them() {
    let (root, said) = live("3.17.2");
    let expected = &said["models"][0];
    let id = LoggedModelId::new(expected["model_id"].as_str().unwrap());
    let experiment = first_experiment(&root);
    let ids = experiment.model_ids().unwrap();
    assert_eq!(ids.len(), 2);
    let mut scratch = Scratch::default();
    let folder = experiment.model(&id).unwrap();
    let found = logged_models::read_model(&folder, &mut scratch).unwrap();
    let model = found.model;
    assert_eq!(found.deleted_time, None);
    assert_eq!(json!(model.name), expected["name"]);
    assert_eq!(
        json!(model.status.name().trim_start_matches("LOGGED_MODEL_")),
        expected["status"]
    );
    assert_eq!(model.params, [Param::new("depth", "3")]);
    assert_eq!(model.tags, [Tag::new("stage", "x: y")]);
    let metrics: Value = model
        .metrics
        .iter()
        .map(|m| {
            let value = python_float(m.value.unwrap());
            json!([
                m.key,
                value,
                m.timestamp,
                m.step,
                m.run_id.as_str(),
                m.dataset_name
            ])
        })
        .collect();
    assert_eq!(metrics, expected["metrics"]);
    // The run that made it, and the one that read it.
    let runs = experiment.run_ids().unwrap();
    let runs: Vec<_> = runs
        .iter()
        .map(|id| {
            runs::read_run(&experiment.run(id).unwrap(), None, &mut scratch)
                .unwrap()
                .run
        })
        .collect();
    assert!(
        runs.iter()
            .any(|run| run.outputs.iter().any(|o| o.model_id == id && o.step == 4))
    );
    assert!(
        runs.iter()
            .any(|run| run.inputs.models.iter().any(|i| i.model_id == id))
    );
    // MLflow notes no time of deletion: the last update is it.
    let other = ids.into_iter().find(|other| *other != id).unwrap();
    let deleted =
        logged_models::read_model(&experiment.model(&other).unwrap(), &mut scratch).unwrap();
    assert_eq!(
        deleted.deleted_time,
        Some(deleted.model.last_updated_timestamp)
    );
}

fn first_experiment(root: &Root) -> ExperimentFolder {
    let ids = root.experiment_ids(LifecycleStage::Active).unwrap();
    root.experiment(*ids.last().unwrap()).unwrap()
}

#[test]
fn every_meta_is_printed_as_it_was() {
    for version in VERSIONS {
        let mut count = 0;
        for (name, content) in tree(&data(&format!("mlruns-{version}"))) {
            if name.ends_with("meta.yaml") {
                let text = String::from_utf8(content).unwrap();
                let Yaml::Map(map) = yaml::parse(&text).unwrap() else {
                    panic!("{name} is no mapping");
                };
                assert_eq!(yaml::print(&map), text, "{version} {name}");
                count += 1;
            }
        }
        assert!(count >= 11, "{version}");
    }
}

/// Everything of 2.17.2 is written anew through our functions, from what was read.
#[test]
fn what_we_write_is_what_mlflow_2_17_writes() {
    let (root, _) = live("2.17.2");
    let directory = tempfile::tempdir().unwrap();
    let ours = Root::create(&directory.path().join("mlruns")).unwrap();
    let mut scratch = Scratch::default();
    for stage in [LifecycleStage::Active, LifecycleStage::Deleted] {
        for id in root.experiment_ids(stage).unwrap() {
            copy_experiment(&root.experiment(id).unwrap(), &ours, &mut scratch);
        }
    }
    let (theirs, ours) = (
        tree(&data("mlruns-2.17.2")),
        tree(&directory.path().join("mlruns")),
    );
    for ((name, theirs), (our_name, ours)) in theirs.iter().zip(&ours) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!((name, text(theirs)), (our_name, text(ours)));
    }
    assert_eq!(theirs.len(), ours.len());
}

fn copy_experiment(from: &ExperimentFolder, ours: &Root, scratch: &mut Scratch) {
    let stored = experiments::read_experiment(from, scratch).unwrap();
    let deleted = stored.lifecycle_stage;
    let active = Experiment {
        lifecycle_stage: LifecycleStage::Active,
        ..stored
    };
    let to = experiments::create_experiment(ours, &active, Sync::Process).unwrap();
    for id in from.run_ids().unwrap() {
        copy_run(&from.run(&id).unwrap(), &to, scratch);
    }
    if deleted == LifecycleStage::Deleted {
        let change = |meta: &mut experiments::ExperimentMeta| meta.lifecycle_stage = deleted;
        experiments::update_experiment(&to, scratch, change, Sync::Process).unwrap();
        ours.move_experiment(to.experiment_id, deleted).unwrap();
    }
}

fn copy_run(from: &RunFolder, to: &ExperimentFolder, scratch: &mut Scratch) {
    let sync = Sync::Process;
    let stored = runs::read_run(from, None, scratch).unwrap();
    let Run {
        info, data, inputs, ..
    } = stored.run;
    let mut new = info.clone();
    new.lifecycle_stage = LifecycleStage::Active;
    new.end_time = None;
    new.status = RunStatus::Running;
    let name = data
        .tags
        .iter()
        .filter(|tag| tag.key == Tag::RUN_NAME)
        .cloned();
    let run = create_run(to, &new, &name.collect::<Vec<_>>(), sync).unwrap();
    runs::set_tags(&run, &data.tags, scratch, sync).unwrap();
    runs::put_params(&run, &data.params, scratch, sync).unwrap();
    runs::put_params(&run, &data.params, scratch, sync).unwrap();
    for metric in &data.metrics {
        let mut points = Vec::new();
        metrics::history(from, &metric.key, scratch, |p| {
            points.push(Metric::new(
                metric.key.as_str(),
                p.value,
                p.timestamp,
                p.step,
            ));
            ControlFlow::Continue(())
        })
        .unwrap();
        metrics::append_metrics(&run, &points, sync).unwrap();
    }
    let inputs = RunInputs { ..inputs };
    inputs::put_inputs(&run, &inputs, sync).unwrap();
    let change = |meta: &mut runs::RunMeta| {
        meta.info = info.clone();
        meta.deleted_time = stored.deleted_time;
    };
    runs::update_meta(&run, scratch, change, sync).unwrap();
}

/// With `RUNLEDGER_MLRUNS_OUT`, where MLflow can look at it.
#[test]
fn a_model_that_we_write_is_read_again() {
    let (root, _) = live("3.17.2");
    let from = first_experiment(&root);
    let mut scratch = Scratch::default();
    let directory = tempfile::tempdir().unwrap();
    let out = std::env::var_os("RUNLEDGER_MLRUNS_OUT");
    let ours = out.map_or_else(|| directory.path().join("mlruns"), PathBuf::from);
    let ours = Root::create(&ours).unwrap();
    copy_experiment(&from, &ours, &mut scratch);
    let to = ours.experiment(from.experiment_id).unwrap();
    for id in from.model_ids().unwrap() {
        let stored = logged_models::read_model(&from.model(&id).unwrap(), &mut scratch).unwrap();
        let mut new = stored.model.clone();
        new.lifecycle_stage = LifecycleStage::Active;
        let model = logged_models::create_model(&to, &new, Sync::Power).unwrap();
        let metrics = &stored.model.metrics;
        logged_models::append_model_metrics(&model, metrics, Sync::Process).unwrap();
        let change = |meta: &mut logged_models::ModelMeta| {
            meta.lifecycle_stage = stored.model.lifecycle_stage;
            meta.deleted_time = stored.deleted_time;
        };
        logged_models::update_model(&model, &mut scratch, change, Sync::Process).unwrap();
        assert_eq!(
            logged_models::read_model(&model, &mut scratch).unwrap(),
            stored
        );
    }
}
