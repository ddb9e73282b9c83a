//! `runledger export` and `runledger import` of logged models.

use std::fs;

use runledger::Client;
use runledger::models::NewModel;
use runledger_entities::{
    LoggedModel, LoggedModelId, LoggedModelStatus, Metric, MetricModel, ModelInput, ModelOutput,
    Run, RunId, Tag,
};
use runledger_store::{Batch, HistoryQuery, PageRequest};
use serde_json::Value;

use super::experiments::create;
use super::world::{Kind, World};

/// A run that makes a model, and another that reads it and measures it.
pub(crate) fn fill(world: &World) {
    let x = create(world, "moved");
    let maker = RunId::new(world.run(&x, "maker"));
    let judge = RunId::new(world.run(&x, "judge"));
    let file = world.path().join("net.bin");
    fs::write(&file, [7; 1000]).unwrap();
    world.ask(async |client| {
        let model = NewModel::named("net")
            .with_type("Classifier")
            .with_params([("layers", 3)])
            .with_tag("stage", "candidate")
            .at_step(5);
        let model = client.log_model(&maker, model, &file).await.unwrap();
        let of = MetricModel {
            model_id: Some(model.model_id.to_string()),
            dataset_name: Some("eval".to_owned()),
            dataset_digest: Some("d1".to_owned()),
        };
        let measured = Metric {
            model: Some(Box::new(of)),
            ..Metric::new("accuracy", 0.75, 1000, 3)
        };
        let batch = Batch {
            metrics: vec![Metric::new("loss", 0.5, 1000, 3), measured],
            ..Batch::default()
        };
        client.log_batch(&judge, batch).await.unwrap();
        let read = ModelInput {
            model_id: model.model_id,
        };
        let inputs = client.store().log_inputs(&judge, Vec::new(), vec![read]);
        inputs.await.unwrap();
    });
}

/// The models and the runs of the experiment.
pub(crate) async fn all(client: &Client) -> (Vec<LoggedModel>, Vec<Run>) {
    let experiment = client.experiment_named("moved").await.unwrap();
    let id = [experiment.experiment_id];
    let models = client.search_logged_models(&id, "", &[], 10).await.unwrap();
    (models, client.search_runs(&id, "", &[], 10).await.unwrap())
}

pub(crate) fn named<'r>(runs: &'r [Run], name: &str) -> &'r Run {
    let mut runs = runs.iter();
    runs.find(|run| run.info.run_name.as_deref() == Some(name))
        .unwrap()
}

fn done(text: &str) -> [u64; 5] {
    let done: Value = serde_json::from_str(text).unwrap();
    let names = [
        "runs",
        "points",
        "logged_models",
        "logged_models_before",
        "files",
    ];
    names.map(|name| done[name].as_u64().unwrap())
}

/// What the first world's model is in another one.
fn check(world: &World) -> LoggedModelId {
    let (model, points) = world.ask(async |client| {
        let (models, runs) = all(&client).await;
        let [model] = <[LoggedModel; 1]>::try_from(models).unwrap();
        let (maker, judge) = (named(&runs, "maker"), named(&runs, "judge"));
        let id = model.model_id.clone();
        assert_eq!(model.source_run_id.as_ref(), Some(&maker.info.run_id));
        let made = ModelOutput {
            model_id: id.clone(),
            step: 5,
        };
        assert!(maker.outputs.contains(&made), "{:?}", maker.outputs);
        let read = ModelInput { model_id: id };
        assert!(judge.inputs.models.contains(&read), "{:?}", judge.inputs);
        let [metric] = &model.metrics[..] else {
            panic!("{:?}", model.metrics);
        };
        assert_eq!((&*metric.key, metric.value), ("accuracy", Some(0.75)));
        assert_eq!((metric.timestamp, metric.step), (1000, 3));
        assert_eq!(metric.run_id, judge.info.run_id);
        assert_eq!(metric.dataset_name.as_deref(), Some("eval"));
        assert_eq!(metric.dataset_digest.as_deref(), Some("d1"));
        let history = HistoryQuery {
            run_id: judge.info.run_id.clone(),
            key: "accuracy".to_owned(),
            page: PageRequest {
                max_results: 10,
                token: None,
            },
        };
        let history = client.store().metric_history(history).await.unwrap();
        (model, history.items.len())
    });
    assert_eq!(points, 1, "{:?}: a point comes once", world.kind);
    assert_eq!(model.name, "net");
    assert_eq!(model.model_type.as_deref(), Some("Classifier"));
    assert_eq!(model.status, LoggedModelStatus::Ready);
    assert_eq!(model.params.len(), 1);
    assert!(model.tags.contains(&Tag::new("stage", "candidate")));
    let tag = |key: &str| model.tags.iter().find(|tag| tag.key == key);
    assert_eq!(tag("runledger.import.incomplete"), None);
    let uri = format!("models:/{}", model.model_id);
    world.ok(&["artifacts", "download", "-u", &uri, "-d", "got"]);
    let got = world.path().join("got");
    assert_eq!(fs::read(got.join("net.bin")).unwrap(), [7; 1000]);
    assert!(got.join("MLmodel").exists());
    model.model_id
}

#[test]
fn logged_models_go_from_every_store_into_every_other() {
    let kinds = [Kind::Folder, Kind::Database, Kind::Server];
    for (from, into) in kinds.into_iter().zip(kinds.into_iter().cycle().skip(1)) {
        let (source, target) = (World::of(from), World::of(into));
        fill(&source);
        let before = check(&source);
        let archive = source.path().join("archive");
        let archive = archive.to_str().unwrap();
        let export = ["export", archive, "-n", "moved", "--json"];
        assert_eq!(done(&source.ok(&export)), [2, 2, 1, 0, 2]);
        let import = ["import", archive, "--json"];
        assert_eq!(done(&target.ok(&import)), [2, 2, 1, 0, 2]);
        let after = check(&target);
        assert_ne!(before, after);
        assert_eq!(done(&target.ok(&import)), [0, 0, 0, 1, 0], "all is there");
        assert_eq!(check(&target), after);
    }
}

#[test]
fn a_model_that_was_cut_short_is_read_anew() {
    let (source, target) = (World::of(Kind::Folder), World::of(Kind::Database));
    fill(&source);
    source.ok(&["export", "archive", "-n", "moved"]);
    let archive = source.path().join("archive");
    let import = ["import", archive.to_str().unwrap(), "--json"];
    target.ok(&import);
    let before = check(&target);
    target.ask(async |client| {
        let tags = vec![Tag::new("runledger.import.incomplete", "true")];
        let models = client.models();
        models.set_logged_model_tags(&before, tags).await.unwrap();
    });
    assert_eq!(done(&target.ok(&import))[2..4], [1, 0]);
    assert_ne!(check(&target), before);
}

#[test]
fn a_link_in_the_place_of_models_or_one_of_them_is_refused() {
    let (source, target) = (World::of(Kind::Folder), World::of(Kind::Database));
    fill(&source);
    source.ok(&["export", "archive", "-n", "moved"]);
    let archive = source.path().join("archive");
    let experiment = archive.read_dir().unwrap().next().unwrap().unwrap();
    let models = experiment.path().join("models");
    let model = models.read_dir().unwrap().next().unwrap().unwrap().path();
    let aside = source.path().join("aside");
    for place in [model, models] {
        fs::rename(&place, &aside).unwrap();
        std::os::unix::fs::symlink(&aside, &place).unwrap();
        let said = target.fails(&["import", archive.to_str().unwrap()], 1);
        assert!(said.contains("symbolic link"), "{said}");
        fs::remove_file(&place).unwrap();
        fs::rename(&aside, &place).unwrap();
    }
}
