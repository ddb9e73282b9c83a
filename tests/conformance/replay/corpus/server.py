"""What a server says about itself, and the headers and hosts that it minds."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("server")


@CORPUS.scenario()
def about(s: Script) -> None:
    s.get("health", "/health")
    s.get("version", "/version")
    s.get("info", "/api/3.0/mlflow/server-info")
    s.get("info below ajax", "/ajax-api/3.0/mlflow/server-info")
    s.get("info of version 2", "/api/2.0/mlflow/server-info")
    s.get("health with query", "/health", {"a": "b"})
    s.get("health with slash", "/health/")
    s.call("post to health", "POST", "/health", raw="")
    s.call("post to version", "POST", "/version", raw="")
    s.call("head of health", "HEAD", "/health")
    s.call("options of health", "OPTIONS", "/health")


@CORPUS.scenario(since=NEWER)
def absent(s: Script) -> None:
    """What pages ask of features that nobody uses."""
    s.experiment()
    s.get("gateway", "/ajax-api/2.0/mlflow/gateway-proxy", {"gateway_path": "api/2.0/endpoints/"})
    s.post("post to gateway", "/ajax-api/2.0/mlflow/gateway-proxy", {"gateway_path": "x"})
    s.get("assistant", "/ajax-api/3.0/mlflow/assistant/config")
    s.get("providers", "/ajax-api/3.0/mlflow/assistant/providers")
    s.post("evaluation datasets", "/ajax-api/3.0/mlflow/datasets/search", {"experiment_ids": ["{exp}"]})
    s.get("scorers", "/ajax-api/3.0/mlflow/scorers/list", {"experiment_id": "{exp}"})


@CORPUS.scenario()
def routes(s: Script) -> None:
    """Paths that are none, and methods that do not fit."""
    for number, (method, path) in enumerate(
        (
            ("GET", "/nowhere"),
            ("GET", "/api/2.0/mlflow"),
            ("GET", "/api/2.0/mlflow/nowhere"),
            ("POST", "/api/2.0/mlflow/nowhere"),
            ("GET", "/api/1.0/mlflow/experiments/get?experiment_id=0"),
            ("GET", "/api/3.0/mlflow/experiments/get?experiment_id=0"),
            ("GET", "/api/2.0/preview/mlflow/experiments/get?experiment_id=0"),
            ("GET", "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0"),
            ("GET", "/ajax-api/2.0/preview/mlflow/experiments/get?experiment_id=0"),
            ("GET", "/api/2.0/mlflow/experiments/get/?experiment_id=0"),
            ("GET", "/api/2.0//mlflow/experiments/get?experiment_id=0"),
            ("GET", "//api/2.0/mlflow/experiments/get?experiment_id=0"),
            ("GET", "/API/2.0/mlflow/experiments/get?experiment_id=0"),
            ("GET", "/api/2.0/mlflow/experiments%2Fget?experiment_id=0"),
            ("GET", "/api/2.0/mlflow/../mlflow/experiments/get?experiment_id=0"),
            ("GET", "/api/2.0/mlflow/experiments/list"),
            ("GET", "/api/2.0/mlflow/runs/list"),
            ("POST", "/api/2.0/mlflow/experiments/get"),
            ("PUT", "/api/2.0/mlflow/experiments/get"),
            ("GET", "/api/2.0/mlflow/experiments/create"),
            ("DELETE", "/api/2.0/mlflow/experiments/delete"),
            ("PATCH", "/api/2.0/mlflow/experiments/update"),
            ("GET", "/api/2.0/mlflow/runs/create"),
            ("PUT", "/api/2.0/mlflow/runs/create"),
            ("POST", "/api/2.0/mlflow/runs/get"),
            ("GET", "/api/2.0/mlflow/runs/log-metric"),
            ("DELETE", "/api/2.0/mlflow/runs/delete"),
            ("GET", "/api/2.0/mlflow/runs/delete-tag"),
            ("POST", "/api/2.0/mlflow/metrics/get-history"),
            ("POST", "/api/2.0/mlflow/artifacts/list"),
            ("DELETE", "/get-artifact"),
            ("GET", "/api/2.0/mlflow-artifacts"),
            ("TRACE", "/health"),
        ),
        1,
    ):
        body = {"raw": "{}"} if method in ("POST", "PUT", "PATCH") else {}
        s.call(f"route {number:02}", method, path, **body)


@CORPUS.scenario()
def options(s: Script) -> None:
    for step, path in (
        ("create", "experiments/create"),
        ("get", "experiments/get"),
        ("nowhere", "nowhere"),
        ("proxy", "/api/2.0/mlflow-artifacts/artifacts/x"),
    ):
        s.call(step, "OPTIONS", path)
        preflight = {"Origin": "http://localhost:3000", "Access-Control-Request-Method": "POST"}
        s.call(f"{step}, preflight", "OPTIONS", path, headers=preflight)
        foreign = {**preflight, "Origin": "https://example.com"}
        s.call(f"{step}, preflight from elsewhere", "OPTIONS", path, headers=foreign)


@CORPUS.scenario()
def hosts_and_origins(s: Script) -> None:
    get = "experiments/get?experiment_id=0"
    for step, host in (
        ("localhost", "localhost"), ("localhost with port", "localhost:5000"), ("loopback", "127.0.0.1:80"), ("v6", "[::1]:5000"),
        ("private 10", "10.1.2.3"), ("private 192", "192.168.0.1:99"), ("private 172", "172.16.0.1"), ("public 172", "172.15.0.1"),
        ("public", "8.8.8.8"), ("name", "example.com"), ("sub name", "localhost.example.com"), ("any", "0.0.0.0"),
        ("capitals", "LOCALHOST"), ("with user", "localhost@example.com"),
    ):  # fmt: skip
        s.get(f"host {step}", get, headers={"Host": host})
    s.get("health from any host", "/health", headers={"Host": "example.com"})
    s.get("version from any host", "/version", headers={"Host": "example.com"})
    for step, origin in (
        ("localhost", "http://localhost:3000"), ("loopback", "http://127.0.0.1:8080"), ("v6", "http://[::1]:3000"),
        ("elsewhere", "https://example.com"), ("null", "null"), ("like localhost", "http://localhost.example.com"),
        ("private", "http://192.168.0.7"), ("https localhost", "https://localhost"),
    ):  # fmt: skip
        origin_header = {"Origin": origin}
        s.get(f"get from {step}", get, headers=origin_header)
        s.post(f"post from {step}", "runs/search", {"experiment_ids": []}, headers=origin_header)
