//! No path, however spelt, reaches a file outside the artifact root.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use runledger_e2e::api::{self, API, PROXY};
use runledger_e2e::http::{Client, Request};
use runledger_e2e::server::{Home, Server};
use serde_json::json;

const SECRET: &str = "the secret of the house";
/// Name of the file that holds it: beside the artifact root, and beside every folder that a route serves.
const NAME: &str = "outside.txt";

/// Ways to spell "go up", "start at the root" and the like, as they stand in a request target.
const ESCAPES: &[&str] = &[
    "../outside.txt",
    "../../outside.txt",
    "../../../../outside.txt",
    "a/../../outside.txt",
    "a/../../../../../outside.txt",
    "./../outside.txt",
    "%2e%2e/outside.txt",
    "%2E%2E/outside.txt",
    ".%2e/outside.txt",
    "%2e%2e%2foutside.txt",
    "..%2foutside.txt",
    "..%2f..%2f..%2f..%2foutside.txt",
    "%252e%252e/outside.txt",
    "%252e%252e%252foutside.txt",
    "..%252foutside.txt",
    "%25252e%25252e%25252foutside.txt",
    "..%5coutside.txt",
    "..%5c..%5coutside.txt",
    "%2e%2e%5coutside.txt",
    "..%255coutside.txt",
    "%2fetc%2fpasswd",
    "%252fetc%252fpasswd",
    "%5cetc%5cpasswd",
    "C:%5coutside.txt",
    "C:/outside.txt",
    "c%3a/outside.txt",
    "file:///etc/passwd",
    "file:%2f%2f%2fetc%2fpasswd",
    "outside.txt%00",
    "..%00/outside.txt",
    "..%23/outside.txt",
];

/// Odd spellings that some servers read as "go up"; here they may be the names of ordinary files.
const ODD: &[&str] = &[
    "%c0%ae%c0%ae/outside.txt",
    "..;/outside.txt",
    ".../outside.txt",
    "..%20/outside.txt",
    "%u002e%u002e/outside.txt",
    "//outside.txt",
    "outside.txt%20",
];

/// A server with a secret outside its artifact root, a run and a logged model, and links to the secret inside.
struct World {
    home: Home,
    server: Server,
    run: String,
    model: String,
}

impl World {
    fn new() -> Self {
        let home = Home::new().expect("a folder");
        let server = home.start();
        let mut client = server.client();
        let experiment = api::create_experiment(&mut client, "paths");
        let run = api::create_run(&mut client, &experiment, "paths");
        let model = api::call(
            &mut client,
            "logged-models",
            &json!({ "experiment_id": experiment, "name": "paths" }),
        );
        let model = api::string(&model["model"]["info"]["model_id"]);
        fs::write(home.path().join(NAME), SECRET).expect("a secret");

        // Folders where the routes look, each with links that lead outside.
        let artifacts = home.artifacts();
        let run_folder = artifacts.join(&experiment).join(&run).join("artifacts");
        let model_folder = artifacts
            .join(&experiment)
            .join("models")
            .join(&model)
            .join("artifacts");
        for folder in [&artifacts, &run_folder, &model_folder] {
            fs::create_dir_all(folder).expect("a folder");
            symlink(home.path(), folder.join("link")).expect("a link");
            symlink(home.path().join(NAME), folder.join("file-link")).expect("a link");
        }
        Self {
            home,
            server,
            run,
            model,
        }
    }

    /// Every route that takes the path of an artifact, with the method and a body where it needs one.
    fn requests(&self, path: &str) -> Vec<Request> {
        let (run, model) = (&self.run, &self.model);
        let ajax = "/ajax-api/2.0/mlflow";
        let mpu = "/api/2.0/mlflow-artifacts/mpu";
        let json = |target: String| {
            Request::post(
                &target,
                &json!({ "path": "x", "num_parts": 1, "upload_id": "1", "parts": [] }),
            )
        };
        vec![
            Request::new("GET", &format!("{PROXY}/{path}")),
            Request::new("PUT", &format!("{PROXY}/{path}")).body("planted"),
            Request::new("DELETE", &format!("{PROXY}/{path}")),
            Request::new("GET", &format!("{PROXY}?path={path}")),
            Request::new(
                "GET",
                &format!("/ajax-api/2.0/mlflow-artifacts/artifacts/{path}"),
            ),
            Request::new("GET", &format!("/get-artifact?run_id={run}&path={path}")),
            Request::new("GET", &format!("/get-artifact?run_uuid={run}&path={path}")),
            Request::new(
                "GET",
                &format!("{API}/artifacts/list?run_id={run}&path={path}"),
            ),
            Request::new(
                "POST",
                &format!("{ajax}/upload-artifact?run_uuid={run}&path={path}"),
            )
            .body("planted"),
            Request::new(
                "GET",
                &format!("{ajax}/logged-models/{model}/artifacts/files?artifact_file_path={path}"),
            ),
            Request::new(
                "GET",
                &format!(
                    "{API}/logged-models/{model}/artifacts/directories?artifact_directory_path={path}"
                ),
            ),
            Request::new(
                "GET",
                &format!("/model-versions/get-artifact?name=m&version=1&path={path}"),
            ),
            Request::new(
                "GET",
                &format!("/api/2.0/mlflow-artifacts/presigned/{path}"),
            ),
            Request::new("GET", &format!("{PROXY}/{path}?archive=zip")),
            Request::new(
                "GET",
                &format!("/get-artifact?archive=zip&run_id={run}&path={path}"),
            ),
            Request::new(
                "GET",
                &format!(
                    "{ajax}/logged-models/{model}/artifacts/files?archive=zip&artifact_file_path={path}"
                ),
            ),
            Request::new(
                "GET",
                &format!("/model-versions/get-artifact?archive=zip&name=m&version=1&path={path}"),
            ),
            json(format!("{mpu}/create/{path}")),
            json(format!("{mpu}/complete/{path}")),
            json(format!("{mpu}/abort/{path}")),
        ]
    }

    fn secret_is_safe(&self) {
        assert_eq!(
            fs::read_to_string(self.home.path().join(NAME)).expect("the secret is still there"),
            SECRET
        );
        assert!(!self.home.path().join("planted").exists());
    }
}

fn send(client: &mut Client, request: &Request) -> (u16, String) {
    let answer = client
        .send(request)
        .unwrap_or_else(|e| panic!("{request:?}: {e}"));
    let text = answer.text();
    assert!(
        !text.contains(SECRET) && !text.contains("root:"),
        "{request:?}"
    );
    (answer.status, text)
}

#[test]
fn escapes_are_refused_on_every_route() {
    let world = World::new();
    let mut client = world.server.client();
    for path in ESCAPES {
        for request in world.requests(path) {
            let (status, text) = send(&mut client, &request);
            // 501: routes that only other artifact stores have.
            assert!(
                (400..500).contains(&status) || status == 501,
                "{request:?}: {status} {text}"
            );
            assert!(
                fs::exists(world.home.path().join(NAME)).expect("a folder"),
                "{request:?}"
            );
        }
    }
    world.secret_is_safe();
}

#[test]
fn the_root_itself_is_not_deleted() {
    let world = World::new();
    let mut client = world.server.client();
    assert_eq!(
        client
            .upload(&format!("{PROXY}/kept"), 3)
            .expect("an answer")
            .status,
        200
    );
    for path in ["", "/", ".", "%2f", "%2e", "./", "a/.."] {
        let (status, text) = send(
            &mut client,
            &Request::new("DELETE", &format!("{PROXY}/{path}")),
        );
        assert!((400..500).contains(&status), "{path:?}: {status} {text}");
    }
    assert_eq!(
        client
            .download(&format!("{PROXY}/kept"))
            .expect("an answer"),
        (200, 3)
    );
}

#[test]
fn odd_names_stay_inside_the_root() {
    let world = World::new();
    let mut client = world.server.client();
    for path in ODD {
        for request in world.requests(path) {
            let (status, text) = send(&mut client, &request);
            assert!(
                status < 500 || status == 501,
                "{request:?}: {status} {text}"
            );
        }
    }
    world.secret_is_safe();
}

#[test]
fn links_out_of_the_root_are_not_followed() {
    let world = World::new();
    let mut client = world.server.client();
    for path in [
        "link",
        "file-link",
        "link/outside.txt",
        "link/planted",
        "link/artifacts/file-link",
    ] {
        for request in world.requests(path) {
            let (status, text) = send(&mut client, &request);
            assert!(
                status < 500 || status == 501,
                "{request:?}: {status} {text}"
            );
            assert!(
                !text.contains(NAME) || status >= 400,
                "{request:?} lists what is outside"
            );
        }
    }
    world.secret_is_safe();
}

#[test]
fn a_location_outside_the_roots_is_not_opened() {
    let world = World::new();
    let mut client = world.server.client();
    let outside = world.home.path().join("elsewhere");
    for (i, location) in [
        outside.display().to_string(),
        format!("file://{}", outside.display()),
        format!("mlflow-artifacts:/../{}", "elsewhere"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({ "name": format!("elsewhere {i}"), "artifact_location": location });
        let made = client
            .post(&format!("{API}/experiments/create"), &body)
            .expect("an answer");
        assert!(made.status < 500, "{location}: {}", made.status);
        let Some(experiment) = made.json()["experiment_id"].as_str().map(str::to_owned) else {
            continue;
        };
        let run = api::create_run(&mut client, &experiment, "elsewhere");
        let folder = outside.join(&run).join("artifacts");
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(NAME), SECRET).expect("a secret");
        for request in [
            Request::new("GET", &format!("/get-artifact?run_id={run}&path={NAME}")),
            Request::new("GET", &format!("{API}/artifacts/list?run_id={run}")),
            Request::new(
                "POST",
                &format!("/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path=planted"),
            )
            .body("planted"),
        ] {
            let (status, text) = send(&mut client, &request);
            assert!(
                (400..500).contains(&status),
                "{location}: {request:?}: {status} {text}"
            );
            assert!(
                !text.contains(&outside.display().to_string()) || !text.contains(NAME),
                "{request:?}: {text}"
            );
        }
        assert!(!planted(&outside), "{location}");
    }
}

fn planted(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .filter_map(Result::ok)
            .any(|entry| entry.file_name() == "planted" || planted(&entry.path()))
    })
}
