//! Artifacts, datasets and models, the same on a server, a database and a folder.

use std::fs;
use std::path::Path;

use runledger::artifacts::{StepImage, Table};
use runledger::datasets::Dataset;
use runledger::entities::{LoggedModelStatus, Run, RunId, Tag};
use runledger::models::NewModel;
use runledger::store::NewExperiment;
use runledger::{ArtifactsError, Client, OpenOptions, RunLogger, Tracker, TrackingError};
use serde_json::{Value, json};

use crate::fluent::{self, get, tag};

/// Does something with a tracker of each kind, none of which keeps files in the current
/// directory, as a database does by itself.
fn everywhere(check: impl Fn(&Tracker)) {
    fluent::everywhere(|tracker| {
        let folder = tempfile::tempdir().unwrap();
        if tracker.client().uri().starts_with("sqlite:") {
            keep_files_in(folder.path(), tracker);
        }
        check(tracker);
    });
}

/// Has further runs keep their files in a folder.
fn keep_files_in(folder: &Path, tracker: &Tracker) {
    let new = NewExperiment {
        name: "with files".to_owned(),
        artifact_location: Some(folder.display().to_string()),
        ..NewExperiment::default()
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let created = runtime.block_on(tracker.client().store().create_experiment(new));
    created.unwrap();
    tracker.set_experiment("with files").unwrap();
}

/// The names in a folder of a run, those of folders with a slash.
fn names(run: &RunLogger, path: Option<&str>) -> Vec<String> {
    let found = run.list_artifacts(path).unwrap().into_iter();
    let name = |is_dir, name: String| if is_dir { name + "/" } else { name };
    found.map(|info| name(info.is_dir, info.name)).collect()
}

#[test]
fn files_are_deleted_but_never_all_at_once() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        for file in ["a/b/1", "a/b/2", "a/3", "4"] {
            run.log_text(file, file).unwrap();
        }
        run.delete_artifacts("a/b/1").unwrap();
        assert_eq!(names(&run, Some("a/b")), ["2"]);
        run.delete_artifacts("a/b").unwrap();
        run.delete_artifacts("never/there").unwrap();
        assert_eq!(names(&run, Some("a")), ["3"]);
        for all in ["", "/", "//"] {
            let refused = run.delete_artifacts(all);
            assert!(
                matches!(
                    refused,
                    Err(TrackingError::Artifacts(
                        ArtifactsError::Whole | ArtifactsError::Transfer(_)
                    ))
                ),
                "{refused:?}"
            );
        }
        assert!(run.delete_artifacts("a/../..").is_err());
        assert_eq!(names(&run, None), ["4", "a/"]);
    });
}

#[test]
fn files_go_up_and_come_back() {
    everywhere(|tracker| {
        let world = tempfile::tempdir().unwrap();
        let local = world.path().join("model");
        fs::create_dir_all(local.join("deep/er")).unwrap();
        let large: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        fs::write(local.join("deep/er/large"), &large).unwrap();
        fs::write(local.join("empty"), "").unwrap();
        fs::write(local.join("ü + 100%.txt"), "awkward").unwrap();

        let run = tracker.start_run().unwrap();
        run.log_artifact(local.join("empty"), None).unwrap();
        run.log_artifact(local.join("empty"), Some("a/b")).unwrap();
        run.log_artifact(&local, Some("whole")).unwrap();
        run.log_artifacts(&local, None).unwrap();
        assert_eq!(
            names(&run, None),
            ["a/", "deep/", "empty", "whole/", "ü + 100%.txt"]
        );
        assert_eq!(names(&run, Some("a/b")), ["empty"]);
        assert_eq!(names(&run, Some("whole")), ["model/"]);
        assert_eq!(names(&run, Some("nothing")), [""; 0]);
        let listed = run.list_artifacts(Some("deep/er")).unwrap();
        assert_eq!(listed[0].file_size, 3_000_000);

        let back = world.path().join("back");
        let folder = run.download_artifacts("whole/model", &back).unwrap();
        assert_eq!(folder, back.join("whole/model"));
        assert_eq!(fs::read(folder.join("deep/er/large")).unwrap(), large);
        let text = fs::read_to_string(folder.join("ü + 100%.txt")).unwrap();
        assert_eq!(text, "awkward");
        let file = run.download_artifacts("a/b/empty", &back).unwrap();
        assert_eq!(fs::read(file).unwrap(), b"");
        run.download_artifacts("", back.join("all")).unwrap();
        assert!(back.join("all/a/b/empty").exists());
        run.end().unwrap();
    });
}

#[test]
fn texts_and_values_are_written_in_the_forms_of_mlflow() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        run.log_text("Grüße\n", "notes/hello.txt").unwrap();
        assert_eq!(run.load_text("notes/hello.txt").unwrap(), "Grüße\n");
        let value = json!({"depth": 3, "names": ["a", "ü"]});
        run.log_dict(&value, "settings.json").unwrap();
        run.log_dict(&value, "settings.yaml").unwrap();
        let json = run.load_text("settings.json").unwrap();
        assert_eq!(
            json,
            "{\n  \"depth\": 3,\n  \"names\": [\n    \"a\",\n    \"ü\"\n  ]\n}"
        );
        let yaml = run.load_text("settings.yaml").unwrap();
        assert_eq!(yaml, "depth: 3\nnames:\n- a\n- ü\n");
        run.log_image(&b"png"[..], "plots/x.png").unwrap();
        run.log_figure("<svg/>", "plots/x.svg").unwrap();
        assert_eq!(names(&run, Some("plots")), ["x.png", "x.svg"]);
        let image = StepImage {
            thumbnail: Some("webp".into()),
            ..StepImage::png("png")
        };
        run.log_image_at(image, "dogs/train", 2).unwrap();
        let images = names(&run, Some("images"));
        assert_eq!(images.len(), 2);
        assert!(
            images[0].starts_with("dogs~train+step+2+timestamp+"),
            "{images:?}"
        );
        assert_eq!(
            tag(&run.get().unwrap(), "mlflow.loggedImages"),
            Some("True")
        );
        run.end().unwrap();
    });
}

#[test]
fn tables_grow_and_are_named_in_a_tag() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        let first = Table::new()
            .with_column("x", [1, 2])
            .with_column("y", ["a", "ü"]);
        run.log_table(first, "table.json").unwrap();
        let second = Table::new().with_column("x", [3]).with_column("z", [0.5]);
        run.log_table(second, "table.json").unwrap();
        run.log_table(Table::new().with_column("q", [true]), "d/u.json")
            .unwrap();
        let whole: Value = serde_json::from_str(&run.load_text("table.json").unwrap()).unwrap();
        let expected = json!({
            "columns": ["x", "y", "z"],
            "data": [[1, "a", null], [2, "ü", null], [3, null, 0.5]],
        });
        assert_eq!(whole, expected);
        let table = run.load_table("table.json").unwrap();
        assert_eq!(table.rows()[2][2], 0.5);
        let found = run.get().unwrap();
        let listed = tag(&found, "mlflow.loggedArtifacts").unwrap_or_default();
        let listed: Value = serde_json::from_str(listed).unwrap();
        let entry = |path| json!({"path": path, "type": "table"});
        assert_eq!(listed, json!([entry("table.json"), entry("d/u.json")]));

        let refused = run.log_table(Table::new(), "table.csv").unwrap_err();
        assert!(refused.to_string().contains("'.json'"), "{refused}");
        run.log_text("no table", "t.json").unwrap();
        assert!(run.log_table(Table::new(), "t.json").is_err());
        assert_eq!(run.load_text("t.json").unwrap(), "no table");
        run.end().unwrap();
    });
}

#[test]
fn paths_stay_in_the_run_and_what_is_not_there_is_told() {
    everywhere(|tracker| {
        let run = tracker.start_run().unwrap();
        for path in ["../x", "a/../../x", "%2e%2e/x", "a#b", "a\\b"] {
            let refused = run.log_text("", path).unwrap_err();
            assert!(
                refused.to_string().contains("is no path of an artifact"),
                "{path}: {refused}"
            );
        }
        let absolute = run.log_text("x", "/etc/x");
        assert!(absolute.is_err());
        let missing = run.load_text("nothing").unwrap_err();
        let code = missing.code().map(runledger::entities::ErrorCode::name);
        assert_eq!(code, Some("RESOURCE_DOES_NOT_EXIST"), "{missing}");
        let world = tempfile::tempdir().unwrap();
        assert!(
            run.log_artifact(world.path().join("nothing"), None)
                .is_err()
        );
        assert!(run.download_artifacts("nothing", world.path()).is_err());
        assert_eq!(names(&run, None), [""; 0]);
        run.end().unwrap();
    });
}

fn wine(folder: &Path) -> Dataset {
    let path = folder.join("wine.csv");
    fs::write(&path, "colour,alcohol,aged\nred,12.5,True\nwhite,,False\n").unwrap();
    Dataset::from_csv(path).unwrap()
}

#[test]
fn datasets_are_inputs_in_the_forms_of_mlflow() {
    everywhere(|tracker| {
        let world = tempfile::tempdir().unwrap();
        let run = tracker.start_run().unwrap();
        let wine = wine(world.path());
        let tags = [Tag::new("split", "0.8")];
        run.log_input(wine.clone(), Some("training"), tags).unwrap();
        run.log_input(wine.clone(), Some("eval"), []).unwrap();
        run.log_input(wine.clone().named("other"), None, [])
            .unwrap();
        let found = run.get().unwrap().inputs.datasets;
        let names: Vec<_> = found
            .iter()
            .map(|input| input.dataset.name.as_str())
            .collect();
        assert_eq!(names.len(), 2, "{names:?}");
        let input = found
            .iter()
            .find(|input| input.dataset.name == "wine")
            .unwrap();
        let mut tags = input.tags.clone();
        tags.sort_unstable();
        assert_eq!(
            tags,
            [
                Tag::new("mlflow.data.context", "training"),
                Tag::new("split", "0.8")
            ]
        );
        let dataset = &input.dataset;
        assert_eq!(dataset.source_type, "local");
        let source: Value = serde_json::from_str(&dataset.source).unwrap();
        let path = world.path().join("wine.csv");
        assert_eq!(source, json!({"uri": path.display().to_string()}));
        let schema: Value = serde_json::from_str(dataset.schema.as_deref().unwrap()).unwrap();
        assert_eq!(
            schema,
            json!({"mlflow_colspec": [
                {"name": "colour", "type": "string", "required": true},
                {"name": "alcohol", "type": "double", "required": false},
                {"name": "aged", "type": "boolean", "required": true},
            ]})
        );
        // By another MD5: `md5sum wine.csv`.
        assert_eq!(dataset.digest, "bf00c907");
        let refused = run.log_input(wine.named("x".repeat(501)), None, []);
        assert!(
            matches!(refused, Err(TrackingError::Value(_))),
            "{refused:?}"
        );
        run.end().unwrap();
    });
}

#[test]
fn models_have_their_files_and_are_outputs_of_their_run() {
    everywhere(|tracker| {
        let world = tempfile::tempdir().unwrap();
        fs::write(world.path().join("net.bin"), [7; 1000]).unwrap();
        let run = tracker.start_run().unwrap();
        let model = NewModel::named("net")
            .with_flavor("candle", [("weights", "net.bin")])
            .with_type("Classifier")
            .with_params([("layers", 3)])
            .with_tag("stage", "candidate")
            .at_step(12);
        let logged = run.log_model(model.clone(), world.path()).unwrap();
        assert_eq!(logged.status, LoggedModelStatus::Ready);
        assert_eq!(logged.source_run_id.as_ref(), Some(run.run_id()));
        assert_eq!(logged.model_type.as_deref(), Some("Classifier"));
        let outputs = run.get().unwrap().outputs;
        assert_eq!(outputs.len(), 1);
        assert_eq!(
            (&outputs[0].model_id, outputs[0].step),
            (&logged.model_id, 12)
        );

        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = tracker.client();
        let files = runtime
            .block_on(client.model_artifacts(&logged.model_id))
            .unwrap();
        let bytes = runtime.block_on(files.load_bytes("net.bin")).unwrap();
        assert_eq!(bytes, [7; 1000][..]);
        let described = runtime.block_on(files.load_text("MLmodel")).unwrap();
        assert!(described.contains("flavors:\n  candle:\n"), "{described}");
        assert!(described.contains("    weights: net.bin\n"), "{described}");
        assert!(
            described.contains("model_size_bytes: 1000\n"),
            "{described}"
        );
        assert!(
            described.contains(&format!("run_id: {}\n", run.run_id())),
            "{described}"
        );

        let failed = run.log_model(model, world.path().join("nothing"));
        assert!(failed.is_err());
        let mut status = models_of(tracker, run.run_id());
        status.sort_unstable_by_key(|status| status.number());
        assert_eq!(
            status,
            [LoggedModelStatus::Ready, LoggedModelStatus::UploadFailed]
        );
        assert_eq!(run.get().unwrap().outputs.len(), 1);
        std::fs::write(world.path().join("MLmodel"), "flavors: {}").unwrap();
        let described = run.log_model(NewModel::named("other"), world.path());
        let told = described.unwrap_err().to_string();
        assert!(told.contains("MLmodel"), "{told}");
        std::fs::remove_file(world.path().join("MLmodel")).unwrap();

        let nameless = run.log_model(NewModel::named("a/b"), world.path());
        assert!(matches!(nameless, Err(TrackingError::Value(_))));
        run.end().unwrap();
    });
}

/// The models of the default experiment that a run made.
fn models_of(tracker: &Tracker, run: &RunId) -> Vec<LoggedModelStatus> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let experiments = [tracker.experiment_id().unwrap()];
    let client = tracker.client();
    let found = runtime.block_on(client.search_logged_models(&experiments, "", &[], 100));
    let models = found.unwrap().into_iter();
    let models = models.filter(|model| model.source_run_id.as_ref() == Some(run));
    models.map(|model| model.status).collect()
}

#[test]
fn the_asynchronous_client_does_the_same() {
    everywhere(|tracker| {
        let world = tempfile::tempdir().unwrap();
        let run = tracker.start_run().unwrap();
        let id = run.run_id().clone();
        run.end().unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let client = tracker.client();
        let found: Run = runtime.block_on(async {
            client.log_text(&id, "hello", "a.txt").await.unwrap();
            client.log_dict(&id, &[1, 2], "b.yml").await.unwrap();
            let wine = wine(world.path());
            client
                .log_artifact(&id, world.path().join("wine.csv"), Some("data"))
                .await
                .unwrap();
            client.log_input(&id, wine, None, []).await.unwrap();
            let listed = client.list_artifacts(&id, Some("data")).await.unwrap();
            assert_eq!(listed[0].name, "wine.csv");
            let files = client.run_artifacts(&id).await.unwrap();
            assert_eq!(files.load_text("b.yml").await.unwrap(), "- 1\n- 2\n");
            client.get_run(&id).await.unwrap()
        });
        assert_eq!(found.inputs.datasets.len(), 1);
        assert_eq!(get(tracker, &id), found);
    });
}

#[test]
fn a_client_that_reads_writes_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let uri = crate::world::database(&folder);
    let tracker = Tracker::open(&uri).unwrap();
    keep_files_in(&folder.path().join("files"), &tracker);
    let run = tracker.start_run().unwrap();
    run.log_text("hello", "a.txt").unwrap();
    let id = run.run_id().clone();
    run.end().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let options = OpenOptions {
            read_only: true,
            ..OpenOptions::default()
        };
        let client = Client::open_with(&uri, options).await.unwrap();
        let files = client.run_artifacts(&id).await.unwrap();
        assert_eq!(files.load_text("a.txt").await.unwrap(), "hello");
        for refused in [
            files.log_text("", "b.txt").await,
            files.log_artifacts(folder.path(), None).await,
        ] {
            assert!(matches!(refused, Err(ArtifactsError::ReadOnly)));
        }
        assert_eq!(files.list(None).await.unwrap().len(), 1);
    });
}
