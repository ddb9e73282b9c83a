//! Host and Origin rules: a web page must not reach a server on the reader's own machine (DNS rebinding, CSRF).

use runledger_e2e::api::{self, API, PROXY};
use runledger_e2e::http::Request;
use runledger_e2e::server::Home;
use serde_json::json;

const EVIL: &str = "http://evil.example";

#[test]
fn a_foreign_host_is_refused() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut client = server.client();
    let mut status = |host: &str, target: &str| {
        client
            .send(&Request::new("GET", target).header("Host", host))
            .expect("an answer")
            .status
    };
    let experiment = format!("{API}/experiments/get?experiment_id=0");
    for host in [
        "evil.example",
        "evil.example:5000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@localhost",
    ] {
        assert_eq!(status(host, &experiment), 403, "{host}");
        assert_eq!(status(host, "/"), 403, "{host}");
        assert_eq!(status(host, &format!("{PROXY}?path=")), 403, "{host}");
    }
    for host in [
        "localhost",
        "localhost:5000",
        "127.0.0.1",
        "[::1]:5000",
        "192.168.1.20:5000",
        "10.0.0.7",
        "172.16.0.1",
    ] {
        assert_eq!(status(host, &experiment), 200, "{host}");
    }
    // Load balancers probe these under any name.
    assert_eq!(status("evil.example", "/health"), 200);
    assert_eq!(status("evil.example", "/version"), 200);
}

#[test]
fn allowed_hosts_replace_the_default() {
    let home = Home::new().expect("a folder");
    let server = home.start_with(|command| {
        command.args(["--allowed-hosts", "tracking.example,*.lab.example"]);
    });
    let mut client = server.client();
    let target = format!("{API}/experiments/get?experiment_id=0");
    for (host, expected) in [
        ("tracking.example", 200),
        ("a.lab.example", 200),
        ("lab.example", 403),
        ("tracking.example.evil", 403),
    ] {
        let answer = client
            .send(&Request::new("GET", &target).header("Host", host))
            .expect("an answer");
        assert_eq!(answer.status, expected, "{host}");
    }
}

#[test]
fn a_foreign_page_changes_nothing() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut client = server.client();
    assert_eq!(
        client
            .upload(&format!("{PROXY}/kept"), 3)
            .expect("an answer")
            .status,
        200
    );
    for prefix in ["/api/2.0/mlflow", "/ajax-api/2.0/mlflow"] {
        for origin in [
            EVIL,
            "null",
            "http://localhost.evil.example",
            "http://evil.example:5000",
        ] {
            let create = Request::post(
                &format!("{prefix}/experiments/create"),
                &json!({ "name": "planted" }),
            );
            assert_eq!(
                client
                    .send(&create.header("Origin", origin))
                    .expect("an answer")
                    .status,
                403,
                "{origin}"
            );
        }
    }
    for method in ["PUT", "DELETE"] {
        let request = Request::new(method, &format!("{PROXY}/kept"))
            .header("Origin", EVIL)
            .body("planted");
        assert_eq!(
            client.send(&request).expect("an answer").status,
            403,
            "{method}"
        );
    }
    let found = client
        .get(&format!(
            "{API}/experiments/get-by-name?experiment_name=planted"
        ))
        .expect("an answer");
    assert_eq!(found.status, 404);
    assert_eq!(
        client
            .download(&format!("{PROXY}/kept"))
            .expect("an answer"),
        (200, 3)
    );
}

#[test]
fn pages_of_this_machine_and_of_allowed_origins_may_write() {
    let home = Home::new().expect("a folder");
    let server = home.start_with(|command| {
        command.args(["--cors-allowed-origins", "https://ui.example"]);
    });
    let mut client = server.client();
    for (i, origin) in [
        "http://localhost:3000",
        "http://127.0.0.1:8080",
        "https://ui.example",
    ]
    .into_iter()
    .enumerate()
    {
        let create = Request::post(
            &format!("{API}/experiments/create"),
            &json!({ "name": format!("from page {i}") }),
        );
        let answer = client
            .send(&create.header("Origin", origin))
            .expect("an answer");
        assert_eq!(answer.status, 200, "{origin}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
}

#[test]
fn a_foreign_page_may_not_read_the_answer() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut client = server.client();
    api::create_experiment(&mut client, "private");
    let target = format!("{API}/experiments/get-by-name?experiment_name=private");
    let answer = client
        .send(&Request::new("GET", &target).header("Origin", EVIL))
        .expect("an answer");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn every_answer_carries_the_security_headers() {
    let home = Home::new().expect("a folder");
    let server = home.start();
    let mut client = server.client();
    for target in [
        "/",
        "/health",
        "/no-such-page",
        &format!("{API}/experiments/get?experiment_id=0"),
        &format!("{API}/experiments/get"),
    ] {
        let answer = client.get(target).expect("an answer");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{target}"
        );
        assert_eq!(
            answer.header("x-frame-options"),
            Some("SAMEORIGIN"),
            "{target}"
        );
    }
}
