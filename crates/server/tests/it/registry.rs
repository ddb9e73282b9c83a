//! Registered models and their versions over HTTP. The answers are MLflow 3.17.2's.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::world::World;

impl World {
    async fn model(&self, name: &str) {
        let body = json!({"name": name});
        self.post("/registered-models/create", body).await.ok();
    }

    async fn version(&self, body: Value) -> Value {
        let created = self.post("/model-versions/create", body).await.ok();
        created["model_version"].clone()
    }
}

fn version_of(name: &str) -> Value {
    json!({"name": name, "source": "s3://bucket/model"})
}

#[tokio::test]
async fn a_model_and_a_version_read_back() {
    let world = World::new().await;
    let body = json!({"name": "m", "tags": [{"key": "k", "value": "v"}]});
    let created = world.post("/registered-models/create", body).await.ok();
    let model = &created["registered_model"];
    assert_eq!(model["tags"], json!([{"key": "k", "value": "v"}]));
    assert!(model.get("description").is_none() && model.get("latest_versions").is_none());
    let version = world.version(version_of("m")).await;
    assert_eq!(version["version"], "1");
    assert_eq!(version["current_stage"], "None");
    assert_eq!(version["status"], "READY");
    for empty in ["description", "run_id", "run_link"] {
        assert_eq!(version[empty], "", "{empty}");
    }
    let path = "/model-versions/get?name=m&version=1";
    assert_eq!(world.get(path).await.ok()["model_version"], version);
    let model = world.get("/registered-models/get?name=m").await.ok();
    assert_eq!(
        model["registered_model"]["latest_versions"],
        json!([version])
    );
}

#[tokio::test]
async fn names_aliases_and_numbers_are_checked() {
    let world = World::new().await;
    world.model("m").await;
    world.version(version_of("m")).await;
    for (name, words) in [
        ("", "Missing value for required parameter 'name'. See"),
        ("  ", "Missing value for required parameter 'name'."),
        (
            "a/b",
            "Invalid model name 'a/b'. Names cannot contain '/' or ':'.",
        ),
        ("..", "This name would resolve to '..'"),
    ] {
        let body = json!({"name": name});
        world
            .post("/registered-models/create", body)
            .await
            .invalid(words);
    }
    for (alias, words) in [
        (
            "latest",
            "'latest' alias name (case insensitive) is reserved.",
        ),
        ("v1", "Version alias name 'v1' is reserved."),
        ("a.b", "Invalid alias name: 'a.b'."),
    ] {
        let body = json!({"name": "m", "alias": alias, "version": "1"});
        world
            .post("/registered-models/alias", body)
            .await
            .invalid(words);
    }
    world
        .get("/model-versions/get?name=m&version=abc")
        .await
        .invalid("Parameter 'version' must be an integer, got 'abc'.");
    world
        .get("/model-versions/get-download-uri?x=y")
        .await
        .invalid("Missing value for required parameter 'name'.");
    world
        .get("/registered-models/alias?name=m&alias=nope")
        .await
        .invalid("Registered model alias nope not found.");
}

#[tokio::test]
async fn stages_are_read_in_any_case() {
    let world = World::new().await;
    world.model("m").await;
    world.version(version_of("m")).await;
    let to = |stage: &str, archive: bool| json!({"name": "m", "version": "1", "stage": stage, "archive_existing_versions": archive});
    let path = "/model-versions/transition-stage";
    let moved = world.post(path, to("pRoduction", true)).await.ok();
    assert_eq!(moved["model_version"]["current_stage"], "Production");
    world
        .post(path, to("bogus", false))
        .await
        .invalid("Invalid Model Version stage: bogus.");
    world
        .post(path, to("archived", true))
        .await
        .invalid("because 'archived' is not an Active stage");
    let latest = "/registered-models/get-latest-versions";
    let found = world
        .post(latest, json!({"name": "m", "stages": ["PRODUCTION"]}))
        .await;
    assert_eq!(found.ok()["model_versions"][0]["version"], "1");
    let none = world.get(&format!("{latest}?name=m&stages=Staging")).await;
    assert_eq!(none.ok(), json!({}));
}

#[tokio::test]
async fn a_source_lies_in_what_its_run_owns() {
    let world = World::new().await;
    world.model("m").await;
    let run = world.run().await;
    let found = world.get(&format!("/runs/get?run_id={run}")).await.ok();
    let uri = found["run"]["info"]["artifact_uri"]
        .as_str()
        .unwrap()
        .to_owned();
    let body = |source: &str, run: &str| json!({"name": "m", "source": source, "run_id": run});
    let version = world.version(body(&format!("{uri}/model"), &run)).await;
    assert_eq!(version["run_id"], run.as_str());
    world
        .version(body(&format!("runs:/{run}/model"), &run))
        .await;
    let path = "/model-versions/create";
    for (source, run, words) in [
        (
            "/etc/passwd",
            run.as_str(),
            "contained within the artifact directory",
        ),
        (
            "file:///etc/passwd",
            "",
            "the run_id request parameter has to be specified",
        ),
        (
            "mlflow-artifacts:/9/other/artifacts",
            run.as_str(),
            "identify the resource",
        ),
        ("runs:/other/model", run.as_str(), "identify the resource"),
        (
            "models:/m-1",
            run.as_str(),
            "The model_id request parameter",
        ),
        (
            "s3://bucket/../other",
            "",
            "an absolute path must be provided",
        ),
        ("s3://bucket", "", "an absolute path must be provided"),
    ] {
        world.post(path, body(source, run)).await.invalid(words);
    }
}

#[tokio::test]
async fn a_version_of_a_version_has_its_files_and_run() {
    let world = World::new().await;
    world.model("m").await;
    world.model("copy").await;
    let run = world.run().await;
    let body = json!({"name": "m", "source": "s3://bucket/model", "run_id": run});
    world.version(body).await;
    let alias = json!({"name": "m", "alias": "champion", "version": "1"});
    world.post("/registered-models/alias", alias).await.ok();
    for source in [
        "models:/m/1",
        "models:/m@champion",
        "models:/m/latest",
        "models:/m/None",
    ] {
        let copy = world
            .version(json!({"name": "copy", "source": source}))
            .await;
        assert_eq!(copy["source"], "models:/m/1", "{source}");
        assert_eq!(copy["run_id"], run.as_str());
        let number = copy["version"].as_str().unwrap();
        let path = format!("/model-versions/get-download-uri?name=copy&version={number}");
        assert_eq!(
            world.get(&path).await.ok()["artifact_uri"],
            "s3://bucket/model"
        );
    }
    let other = json!({"name": "copy", "source": "models:/m/1", "run_id": "other"});
    world
        .post("/model-versions/create", other)
        .await
        .invalid("must match the referenced model version");
    let missing = json!({"name": "copy", "source": "models:/m/9"});
    world
        .post("/model-versions/create", missing)
        .await
        .not_found("Model Version (name=m, version=9) not found");
}

#[tokio::test]
async fn a_logged_model_knows_the_versions_made_of_it() {
    let world = World::new().await;
    world.model("m").await;
    let run = world.run().await;
    let body = json!({"experiment_id": "0", "name": "l", "source_run_id": run});
    let created = world.post("/logged-models", body).await.ok();
    let info = &created["model"]["info"];
    let id = info["model_id"].as_str().unwrap();
    for _ in 0..2 {
        let body = json!({"name": "m", "source": format!("models:/{id}"), "model_id": id});
        assert_eq!(world.version(body).await["run_id"], run.as_str());
    }
    let uri = world
        .get("/model-versions/get-download-uri?name=m&version=1")
        .await
        .ok();
    assert_eq!(uri["artifact_uri"], info["artifact_uri"]);
    let model = world.get(&format!("/logged-models/{id}")).await.ok();
    let tag = model["model"]["info"]["tags"][0].clone();
    assert_eq!(tag["key"], "mlflow.modelVersions");
    let versions: Value = serde_json::from_str(tag["value"].as_str().unwrap()).unwrap();
    assert_eq!(
        versions,
        json!([{"name": "m", "version": 1}, {"name": "m", "version": 2}])
    );
    let body = json!({"name": "m", "source": "s3://b/x", "model_id": "m-nope"});
    world
        .post("/model-versions/create", body)
        .await
        .not_found("Logged model with ID 'm-nope' not found.");
}

#[tokio::test]
async fn prompts_are_registered_models_apart() {
    let world = World::new().await;
    world.model("m").await;
    let tags = json!([{"key": "mlflow.prompt.is_prompt", "value": "true"}]);
    let body = json!({"name": "p", "tags": tags});
    world.post("/registered-models/create", body).await.ok();
    let version = |source: &str| json!({"name": "p", "source": source, "tags": tags});
    world.version(version("dummy-source")).await;
    world
        .post("/model-versions/create", version("s3://b/x"))
        .await
        .invalid("Prompt sources must use an MLflow placeholder.");
    let body = json!({"name": "m", "source": "models:/p/1"});
    world
        .post("/model-versions/create", body)
        .await
        .invalid("Prompt versions cannot be used as model version sources.");
    let names = async |filter: &str| -> Vec<Value> {
        let path = format!("/registered-models/search?filter={filter}");
        let found = world.get(&path).await.ok();
        let models = found["registered_models"].as_array().cloned();
        let models = models.unwrap_or_default().into_iter();
        models.map(|model| model["name"].clone()).collect()
    };
    assert_eq!(names("").await, ["m"]);
    let only = "tags.%60mlflow.prompt.is_prompt%60%20=%20'true'";
    assert_eq!(names(only).await, ["p"]);
}

#[tokio::test]
async fn files_of_versions_are_downloaded() {
    let world = World::new().await;
    world.model("m").await;
    let run = world.run().await;
    let path = format!("/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/model/MLmodel");
    let put = Request::put(path).body(Body::from("flavors: {}")).unwrap();
    assert_eq!(world.send(put).await.status, 200);
    for source in [
        format!("mlflow-artifacts:/0/{run}/artifacts/model"),
        format!("runs:/{run}/model"),
    ] {
        let body = json!({"name": "m", "source": source, "run_id": run});
        let version = world.version(body).await;
        let number = version["version"].as_str().unwrap();
        let path = format!("/model-versions/get-artifact?name=m&version={number}&path=MLmodel");
        let answer = world.fetch(&path).await;
        assert_eq!((answer.status, &*answer.body), (200, &b"flavors: {}"[..]));
    }
    world
        .fetch("/model-versions/get-artifact?name=m&version=1&path=../x")
        .await
        .invalid("Invalid path");
    world
        .fetch("/model-versions/get-artifact?name=m&version=9&path=x")
        .await
        .not_found("Model Version (name=m, version=9) not found");
}
