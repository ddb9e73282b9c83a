//! `runledger export` and `runledger import` of registered models.

use runledger::store::{NewModelVersion, NewRegisteredModel};
use runledger_entities::{ModelStage, ModelVersion, ModelVersionNumber, RegisteredModel, Tag};
use serde_json::Value;

use super::transfer_models::{all, fill, named};
use super::world::{Kind, World};

/// A registered model whose first version is a logged model, and whose second is made of
/// artifacts of a run.
fn register(world: &World) {
    fill(world);
    world.ask(async |client| {
        let (models, runs) = all(&client).await;
        let run = &named(&runs, "maker").info;
        let new = NewRegisteredModel {
            name: "it's best".to_owned(),
            description: Some("of all".to_owned()),
            tags: vec![Tag::new("team", "a")],
        };
        client.create_registered_model(new).await.unwrap();
        let sources = [
            format!("models:/{}", models[0].model_id),
            format!("{}/net", run.artifact_uri),
        ];
        for source in sources {
            let new = NewModelVersion {
                name: "it's best".to_owned(),
                source,
                run_id: Some(run.run_id.clone()),
                tags: vec![Tag::new("checked", "yes")],
                ..NewModelVersion::default()
            };
            let version = client.create_model_version(new).await.unwrap().version;
            let set = client.set_registered_model_alias("it's best", "champion", version);
            set.await.unwrap();
        }
    });
}

fn done(text: &str) -> [u64; 4] {
    let done: Value = serde_json::from_str(text).unwrap();
    let names = [
        "registered_models",
        "registered_models_before",
        "model_versions",
        "model_versions_before",
    ];
    names.map(|name| done[name].as_u64().unwrap())
}

/// The model and its versions, the oldest first.
fn read(world: &World) -> (RegisteredModel, Vec<ModelVersion>) {
    world.ask(async |client| {
        let model = client.get_registered_model("it's best").await.unwrap();
        let versions = client.search_model_versions("", &["version_number ASC"]);
        (model, versions.await.unwrap())
    })
}

fn export(world: &World) -> (String, String) {
    let archive = world.path().join("archive").display().to_string();
    let name = ["--registered-model", "it's best", "--json"];
    let export = ["export", &archive, "-n", "moved"];
    let said = world.ok(&[&export[..], &name].concat());
    (archive, said)
}

#[test]
fn registered_models_go_from_every_store_into_every_other() {
    let kinds = [Kind::Folder, Kind::Database, Kind::Server];
    for (from, into) in kinds.into_iter().zip(kinds.into_iter().cycle().skip(1)) {
        let (source, target) = (World::of(from), World::of(into));
        register(&source);
        let (archive, said) = export(&source);
        assert_eq!(done(&said), [1, 0, 2, 0]);
        let import = ["import", &archive, "--json"];
        let said = target.ok(&import);
        assert_eq!(done(&said), [1, 0, 2, 0], "{from:?} into {into:?}: {said}");
        assert_eq!(done(&target.ok(&import)), [0, 1, 0, 2], "all is there");
        let (model, versions) = read(&target);
        assert_eq!(model.description.as_deref(), Some("of all"));
        assert!(model.tags.contains(&Tag::new("team", "a")));
        let [alias] = &model.aliases[..] else {
            panic!("{:?}", model.aliases);
        };
        assert_eq!((&*alias.alias, alias.version.0), ("champion", 2));
        let [first, second] = &versions[..] else {
            panic!("{versions:?}");
        };
        let (models, runs) = target.ask(async |client| all(&client).await);
        let run = &named(&runs, "maker").info;
        for version in [first, second] {
            assert_eq!(version.run_id.as_ref(), Some(&run.run_id));
            assert!(version.tags.contains(&Tag::new("checked", "yes")));
        }
        let of_model = format!("models:/{}", models[0].model_id);
        assert_eq!(first.source, Some(of_model));
        let of_run = format!("{}/net", run.artifact_uri);
        assert_eq!(second.source, Some(of_run));
    }
}

#[test]
fn the_registered_model_of_somebody_else_is_left_alone() {
    let (source, target) = (World::of(Kind::Folder), World::of(Kind::Database));
    register(&source);
    let (archive, _) = export(&source);
    target.ask(async |client| {
        let new = NewRegisteredModel {
            name: "it's best".to_owned(),
            ..NewRegisteredModel::default()
        };
        client.create_registered_model(new).await.unwrap();
    });
    let said = target.ok(&["import", &archive, "--json"]);
    assert_eq!(done(&said), [0, 0, 0, 0]);
    assert!(said.contains("already"), "{said}");
    assert_eq!(read(&target).1, []);
}

#[test]
fn registered_models_are_named_and_there() {
    let world = World::of(Kind::Database);
    register(&world);
    let export = ["export", "archive", "-n", "moved", "--registered-model"];
    let said = world.fails(&[&export[..], &["no"]].concat(), 1);
    assert!(said.contains("models search"), "{said}");
    let tables = ["it's best", "--format", "parquet"];
    world.fails(&[&export[..], &tables].concat(), 2);
    // Those that are not named are left out.
    world.ok(&["export", "without", "-n", "moved"]);
    assert!(!world.path().join("without/registered_models").exists());
}

#[test]
fn the_model_of_another_archive_is_left_alone() {
    let target = World::of(Kind::Database);
    let mut taken = [[0; 4]; 2];
    for taken in &mut taken {
        let source = World::of(Kind::Folder);
        register(&source);
        let (archive, _) = export(&source);
        *taken = done(&target.ok(&["import", &archive, "--json"]));
    }
    assert_eq!(taken, [[1, 0, 2, 0], [0; 4]]);
    assert_eq!(read(&target).1.len(), 2);
}

#[test]
fn a_version_that_was_cut_short_gets_its_stage() {
    let (source, target) = (World::of(Kind::Folder), World::of(Kind::Database));
    register(&source);
    source.ask(async |client| {
        let (name, version) = ("it's best", ModelVersionNumber(1));
        let stage = ModelStage::Production;
        let moved = client.transition_model_version_stage(name, version, stage, false);
        moved.await.unwrap();
    });
    let (archive, _) = export(&source);
    let import = ["import", &archive, "--json"];
    target.ok(&import);
    let first = &read(&target).1[0];
    assert_eq!(first.current_stage, ModelStage::Production);
    let incomplete = "runledger.import.incomplete";
    assert!(first.tags.iter().all(|tag| tag.key != incomplete));
    target.ask(async |client| {
        let (name, version) = ("it's best", ModelVersionNumber(1));
        let moved = client.transition_model_version_stage(name, version, ModelStage::None, false);
        moved.await.unwrap();
        let set = client.set_model_version_tag(name, version, incomplete, "true");
        set.await.unwrap();
    });
    assert_eq!(done(&target.ok(&import)), [0, 1, 0, 2]);
    let first = &read(&target).1[0];
    assert_eq!(first.current_stage, ModelStage::Production);
    assert!(first.tags.iter().all(|tag| tag.key != incomplete));
}
