//! Reading again only what changed, and changing what is there.

use std::io::Write as _;

use runledger_entities::{
    Dataset, DatasetInput, LoggedModel, LoggedModelId, LoggedModelMetric, LoggedModelStatus,
    Metric, ModelInput, ModelOutput, Param, RunInputs,
};

use super::*;
use crate::error::ChangedParam;
use crate::signature::signature;
use crate::{FolderError, layout};

fn append(world: &World, values: &[f64]) {
    let points: Vec<_> = values
        .iter()
        .map(|value| Metric::new("a/loss", *value, 1, 0))
        .collect();
    metrics::append_metrics(&world.run, &points, Sync::Process).unwrap();
}

/// The value of the one metric, and how many of its bytes were whole lines.
fn reread(world: &World, known: &mut metrics::MetricFiles) -> (Option<f64>, u64) {
    let found = runs::read_run(&world.run, Some(known), &mut Scratch::default()).unwrap();
    *known = found.metrics;
    let file = &known.0[0];
    assert_eq!(file.key, "a/loss");
    let latest = found.run.data.metrics.last();
    (latest.map(|metric| metric.value), file.read)
}

#[test]
fn only_what_was_added_to_a_metric_is_read() {
    let world = World::new();
    let mut known = metrics::MetricFiles::default();
    let path = world.path("metrics/a/loss");
    append(&world, &[1.0, 3.0]);
    assert_eq!(reread(&world, &mut known), (Some(3.0), 16));
    // Lines that were read are not looked at again, whatever they are now.
    let text = fs::read_to_string(&path)
        .unwrap()
        .replace("1 3.0 0", "x y z 0");
    fs::write(&path, text).unwrap();
    append(&world, &[2.0]);
    assert_eq!(reread(&world, &mut known), (Some(3.0), 24));
    assert_eq!(reread(&world, &mut known), (Some(3.0), 24));
    // A line that is being written is no line yet.
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"2 5").unwrap();
    assert_eq!(reread(&world, &mut known), (Some(3.0), 24));
    file.write_all(b".5 0\n").unwrap();
    assert_eq!(reread(&world, &mut known), (Some(5.5), 32));
}

#[test]
fn a_metric_file_that_was_replaced_is_read_from_its_start() {
    let world = World::new();
    let mut known = metrics::MetricFiles::default();
    let path = world.path("metrics/a/loss");
    append(&world, &[1.0, 9.0]);
    assert_eq!(reread(&world, &mut known), (Some(9.0), 16));
    // Shorter, in place.
    fs::write(&path, "1 2.0 0\n").unwrap();
    assert_eq!(reread(&world, &mut known), (Some(2.0), 8));
    // Longer, in place, with other lines.
    fs::write(&path, "1000 4.0 0\n1000 3.0 0\n").unwrap();
    assert_eq!(reread(&world, &mut known), (Some(4.0), 22));
    // Another file, longer still.
    let other = world.path("other");
    fs::write(&other, "1 1.0 0\n1 1.5 0\n1 0.5 00\n").unwrap();
    fs::rename(&other, &path).unwrap();
    assert_eq!(reread(&world, &mut known).0, Some(1.5));
    fs::remove_file(&path).unwrap();
    let found = runs::read_run(&world.run, Some(&known), &mut Scratch::default()).unwrap();
    assert_eq!(found.metrics.0, []);
}

#[test]
fn a_signature_changes_with_every_file_but_artifacts() {
    let world = World::new();
    let now = || signature(&world.run.folder).unwrap();
    let mut before = now();
    assert_eq!(before, now());
    fs::write(world.path("artifacts/x"), "x").unwrap();
    fs::write(world.path(".tmp-1"), "x").unwrap();
    assert_eq!(before, now());
    let changes: [&dyn Fn(); 4] = [
        &|| append(&world, &[1.0]),
        &|| fs::rename(world.path("metrics/a/loss"), world.path("metrics/a/acc")).unwrap(),
        &|| fs::write(world.path("tags/artifacts"), "").unwrap(),
        &|| fs::remove_file(world.path("tags/artifacts")).unwrap(),
    ];
    for change in changes {
        change();
        let after = now();
        assert_ne!(before.hash, after.hash);
        before = after;
    }
    let meta = fs::metadata(world.path("metrics/a/acc")).unwrap();
    let modified = meta.modified().unwrap();
    let age = modified.duration_since(std::time::UNIX_EPOCH).unwrap();
    assert_eq!(
        i128::from(before.newest_ns),
        i128::try_from(age.as_nanos()).unwrap()
    );
}

#[test]
fn what_was_noted_while_reading_is_the_signature() {
    let mut world = World::new();
    fs::create_dir_all(world.path("inputs/1")).unwrap();
    let input = "source_id: gone\nsource_type: DATASET\n";
    fs::write(world.path("inputs/1/meta.yaml"), input).unwrap();
    fs::write(world.path("tags/a"), "x").unwrap();
    append(&world, &[1.0]);
    world.run = world.noting();
    runs::read_run(&world.run, None, &mut Scratch::default()).unwrap();
    let noted = |world: &World| world.run.folder.notes().unwrap().signature();
    assert_eq!(noted(&world), signature(&world.run.folder).unwrap());
    // What is not read is not noted: such a folder looks changed.
    fs::write(world.path("other"), "x").unwrap();
    assert_ne!(noted(&world), signature(&world.run.folder).unwrap());
}

#[test]
fn a_param_keeps_its_value_and_nothing_else_is_set() {
    let world = World::new();
    let mut scratch = Scratch::default();
    let mut put =
        |params: &[Param]| runs::put_params(&world.run, params, &mut scratch, Sync::Process);
    put(&[Param::new("a", "1"), Param::new("b/c", "é\r\n")]).unwrap();
    put(&[Param::new("b/c", "é\r\n")]).unwrap();
    let error = put(&[Param::new("new", "1"), Param::new("a", "2")]).unwrap_err();
    let FolderError::ParamsChanged(changed) = error else {
        panic!("{error}");
    };
    let expected = ChangedParam {
        key: "a".to_owned(),
        old: "1".to_owned(),
        new: "2".to_owned(),
    };
    assert_eq!(changed, [expected]);
    assert!(!world.path("params/new").exists());
    // A key cannot be a file and a folder.
    assert!(put(&[Param::new("a/b", "1")]).is_err());
    assert!(put(&[Param::new("b", "1")]).is_err());
}

#[test]
fn keys_of_other_versions_survive_a_rewrite() {
    let world = World::new();
    let path = world.path("meta.yaml");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        format!("{text}x_new: [1, {{a: 2020-01-01}}]\ndeleted_time: 3\n"),
    )
    .unwrap();
    let rename = |meta: &mut runs::RunMeta| {
        meta.info.run_name = Some("other".to_owned());
        meta.deleted_time = None;
    };
    runs::update_meta(&world.run, &mut Scratch::default(), rename, Sync::Power).unwrap();
    let expected = text.replace("run_name: r\n", "run_name: other\n");
    let expected = format!("{expected}x_new:\n- 1\n- a: 2020-01-01\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    let tag = world.path("tags").join(Tag::RUN_NAME);
    assert_eq!(fs::read_to_string(tag).unwrap(), "other");
}

#[test]
fn a_name_in_the_tag_alone_is_the_name() {
    let world = World::new();
    let path = world.path("meta.yaml");
    let text = fs::read_to_string(&path).unwrap();
    for name in ["", "run_name: ''\n", "run_name: null\n"] {
        fs::write(&path, text.replace("run_name: r\n", name)).unwrap();
        assert_eq!(
            world.read().unwrap().run.info.run_name.as_deref(),
            Some("r")
        );
    }
}

#[test]
fn an_experiment_moves_to_the_trash_and_back_but_onto_nothing() {
    let world = World::new();
    let id = ExperimentId(7);
    let move_to = |stage| world.root.move_experiment(id, stage);
    move_to(LifecycleStage::Deleted).unwrap();
    assert!(world.root.experiment(id).unwrap().trashed);
    assert!(world.read().is_ok(), "handles stay valid");
    fs::create_dir(world.directory.path().join("mlruns/7")).unwrap();
    let error = move_to(LifecycleStage::Active).unwrap_err();
    assert!(matches!(error, FolderError::Exists { .. }), "{error}");
    fs::remove_dir(world.directory.path().join("mlruns/7")).unwrap();
    move_to(LifecycleStage::Active).unwrap();
    assert!(move_to(LifecycleStage::Active).unwrap_err().is_missing());
    assert!(!world.root.experiment(id).unwrap().trashed);
    assert_eq!(
        world.root.experiment_ids(LifecycleStage::Deleted).unwrap(),
        []
    );
}

#[test]
fn tags_are_deleted_once() {
    let world = World::new();
    let experiment = &world.run.experiment;
    let sync = Sync::Power;
    assert!(experiments::delete_experiment_tag(experiment, "a/b", sync).unwrap());
    assert!(!experiments::delete_experiment_tag(experiment, "a/b", sync).unwrap());
    assert!(runs::delete_tag(&world.run, Tag::RUN_NAME, sync).unwrap());
    assert!(!runs::delete_tag(&world.run, Tag::RUN_NAME, sync).unwrap());
    let found = world.read().unwrap().run;
    assert_eq!(
        (found.data.tags, found.info.run_name.clone()),
        (vec![], Some("r".to_owned()))
    );
    let meta = runs::read_run_meta(&world.run, &mut Scratch::default()).unwrap();
    assert_eq!(meta.info, found.info);
}

#[test]
fn inputs_and_outputs_are_recorded_once() {
    let world = World::new();
    let dataset = |source: &str, context: &str| DatasetInput {
        tags: vec![Tag::new(Tag::DATASET_CONTEXT, context)],
        dataset: Dataset {
            name: "iris".to_owned(),
            digest: "1".to_owned(),
            source: source.to_owned(),
            ..Dataset::default()
        },
    };
    let model_id = LoggedModelId::random();
    let models = vec![ModelInput {
        model_id: model_id.clone(),
    }];
    let output = |step| ModelOutput {
        model_id: model_id.clone(),
        step,
    };
    for (source, context, step) in [("s", "train", 1), ("other", "test", 2)] {
        let inputs = RunInputs {
            datasets: vec![dataset(source, context)],
            models: models.clone(),
        };
        inputs::put_inputs(&world.run, &inputs, Sync::Process).unwrap();
        inputs::put_outputs(&world.run, &[output(step)], Sync::Process).unwrap();
    }
    let found = world.read().unwrap().run;
    assert_eq!(found.inputs.datasets, [dataset("s", "train")]);
    assert_eq!(found.inputs.models, models);
    assert_eq!(found.outputs, [output(1)]);
    // A dataset that is gone is passed over.
    fs::remove_dir_all(world.directory.path().join("mlruns/7/datasets")).unwrap();
    assert_eq!(world.read().unwrap().run.inputs.datasets, []);
}

#[test]
fn a_model_has_the_points_of_its_metrics_in_the_order_of_time() {
    let world = World::new();
    let sync = Sync::Process;
    let new = LoggedModel {
        model_id: LoggedModelId::random(),
        experiment_id: ExperimentId(7),
        name: "m".to_owned(),
        artifact_location: "file:///x".to_owned(),
        creation_timestamp: 1,
        last_updated_timestamp: 1,
        status: LoggedModelStatus::Pending,
        status_message: None,
        model_type: None,
        source_run_id: None,
        lifecycle_stage: LifecycleStage::Active,
        tags: vec![],
        params: vec![Param::new("p", "1")],
        metrics: vec![],
    };
    let experiment = &world.run.experiment;
    let model = logged_models::create_model(experiment, &new, sync).unwrap();
    let params = [Param::new("p", "2"), Param::new("q", "3")];
    logged_models::put_model_params(&model, &params, sync).unwrap();
    logged_models::set_model_tags(&model, &[Tag::new("t", "v")], sync).unwrap();
    assert!(logged_models::delete_model_tag(&model, "t", sync).unwrap());
    let point = |value, step, dataset: Option<&str>| LoggedModelMetric {
        key: "acc".to_owned(),
        value: Some(value),
        timestamp: 1,
        step,
        run_id: world.run.run_id.clone(),
        dataset_name: dataset.map(str::to_owned),
        dataset_digest: dataset.map(|_| "1".to_owned()),
    };
    let points = [
        point(0.3, 2, None),
        point(0.2, 1, None),
        point(0.5, 0, Some("d")),
        point(0.4, 9, Some("d")),
        point(0.6, 9, Some("d")),
    ];
    logged_models::append_model_metrics(&model, &points, sync).unwrap();
    let mut scratch = Scratch::default();
    let found = logged_models::read_model(&model, &mut scratch)
        .unwrap()
        .model;
    // Of equal places, whatever their values, the first.
    let expected = [2, 1, 0, 3].map(|place| points[place].clone());
    assert_eq!(found.metrics, expected);
    assert_eq!(found.params, [Param::new("p", "1"), Param::new("q", "3")]);
    assert_eq!(found.tags, []);
    removal::remove_model(experiment, &new.model_id).unwrap();
    assert_eq!(experiment.model_ids().unwrap(), []);
}

#[test]
fn what_is_removed_is_gone() {
    let world = World::new();
    let (experiment, id) = (&world.run.experiment, &world.run.run_id);
    std::os::unix::fs::symlink("/etc", world.path("artifacts/etc")).unwrap();
    removal::remove_run(experiment, id).unwrap();
    assert!(!world.path("").exists());
    assert_eq!(experiment.run_ids().unwrap(), []);
    world
        .root
        .move_experiment(ExperimentId(7), LifecycleStage::Deleted)
        .unwrap();
    removal::remove_experiment(&world.root, ExperimentId(7)).unwrap();
    assert!(world.root.experiment(ExperimentId(7)).is_err());
    assert!(Path::new("/etc").exists());
}

#[test]
fn ids_and_keys_that_are_no_names_are_refused() {
    let world = World::new();
    for id in [
        "", ".", "..", "a/b", "a\0", "-a", "_a", "tags", "models", "a b", ".trash",
    ] {
        assert!(layout::text_id("run", id).is_err(), "{id}");
        assert!(world.run.experiment.run(&RunId::new(id)).is_err(), "{id}");
    }
    assert!(layout::text_id("run", &"a".repeat(257)).is_err());
    for key in [
        "", ".", "..", "../a", "/a", "a/", "a//b", "./a", "a/./b", "a/../b", "..a", "a\0",
    ] {
        assert!(layout::key_path("params", key).is_err(), "{key}");
    }
    for key in ["a", "a/b", ".a", "a b/é:c", "a..b"] {
        assert!(layout::key_path("params", key).is_ok(), "{key}");
    }
    assert!(world.root.experiment(ExperimentId(-1)).is_err());
}
