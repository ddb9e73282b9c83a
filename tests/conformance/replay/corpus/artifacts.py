"""Artifacts of runs: lists, downloads, uploads of the UI, and presigned addresses."""

from script import Corpus, Script

CORPUS = Corpus("artifacts")

RUN = {"run_id": "{run}"}
ROOT = "/api/2.0/mlflow-artifacts/artifacts/{exp}/{run}/artifacts"
UPLOAD = "/ajax-api/2.0/mlflow/upload-artifact"

# Paths as they come in a query or a body, decoded once.
PATHS = (
    "a.txt", "dir", "dir/", "dir/b.json", "dir/sub", "none", "none/x", "", ".", "./a.txt", "..", "../x", "dir/../a.txt",
    "/etc/passwd", "//etc/passwd", "dir//b.json", "%2e%2e/x", "%252e%252e/x", "..%2fx", "a%2etxt", "dir%2fb.json",
    "a.txt?x=1", "a.txt#x", "#", "C:\\x", "C:/x", "dir\\b.json", "file:///etc/passwd", "file:x", "http://host/x",
    "a b.txt", "größe.txt", "模型 🚀.txt", "x\u0000y", "x\ny", "~", "~/x", "...", "a;b", "dir/.", "dir/..", "a.txt/", "a.txt/x",
    "x" * 300, "/".join("x" * 50 for _ in range(10)), "empty.txt", "100%", "a+b.txt", "a&b.txt", "a=b.txt",
)  # fmt: skip


def _files(s: Script) -> None:
    s.experiment()
    s.run()
    for number, (path, content) in enumerate(
        (
            ("a.txt", "hello\n"),
            ("dir/b.json", '{"a": 1}'),
            ("dir/sub/c.bin", b"\x00\x01\xff"),
            ("empty.txt", ""),
            ("a%20b.txt", "space"),
            ("gr%C3%B6%C3%9Fe.txt", "ü"),
            ("a+b.txt", "plus"),
            ("a&b.txt", "and"),
            ("a=b.txt", "equals"),
        ),
        1,
    ):
        s.put(f"file {number}", f"{ROOT}/{path}", content, setup=True)


@CORPUS.scenario()
def lists(s: Script) -> None:
    _files(s)
    s.get("root", "artifacts/list", RUN)
    s.get("root by uuid", "artifacts/list", {"run_uuid": "{run}"})
    s.get("token", "artifacts/list", {**RUN, "page_token": "x"})
    s.get("below ajax", "/ajax-api/2.0/mlflow/artifacts/list", RUN)
    s.each("path", PATHS, lambda step, path: s.get(step, "artifacts/list", {**RUN, "path": path}))
    s.get("unknown run", "artifacts/list", {"run_id": "nope"})
    s.get("no run", "artifacts/list")
    s.get("no run but a path", "artifacts/list", {"path": "dir"})
    s.run("empty")
    s.get("of an empty run", "artifacts/list", {"run_id": "{empty}"})
    s.post("run deleted", "runs/delete", RUN)
    s.get("of a deleted run", "artifacts/list", RUN)


@CORPUS.scenario()
def downloads(s: Script) -> None:
    _files(s)
    s.each("path", PATHS, lambda step, path: s.get(step, "/get-artifact", {**RUN, "path": path}))
    s.get("by uuid", "/get-artifact", {"run_uuid": "{run}", "path": "a.txt"})
    s.get("path absent", "/get-artifact", RUN)
    s.get("run absent", "/get-artifact", {"path": "a.txt"})
    s.get("run unknown", "/get-artifact", {"run_id": "nope", "path": "a.txt"})
    s.get("nothing", "/get-artifact")
    for step, value in (
        ("first two", "bytes=0-1"), ("from two", "bytes=2-"), ("last two", "bytes=-2"), ("past the end", "bytes=100-"),
        ("long", "bytes=0-999"),
    ):  # fmt: skip
        s.get(f"range {step}", "/get-artifact", {**RUN, "path": "a.txt"}, headers={"Range": value})


@CORPUS.scenario()
def types(s: Script) -> None:
    """The type that a download says, by the name of the file."""
    s.experiment()
    s.run()
    for number, name in enumerate(
        (
            "x.txt", "x.log", "x.json", "x.yaml", "x.yml", "x.csv", "x.html", "x.htm", "x.svg", "x.png", "x.jpg", "x.gif",
            "x.pdf", "x.md", "x.py", "x.js", "x.css", "x.xml", "x.tar.gz", "x.gz", "x.zip", "x.pkl", "x.parquet", "x.npy",
            "x.onnx", "x.ipynb", "x.webp", "x.mp4", "x.wav", "x.unknown", "noextension", ".hidden", "MLmodel", "conda.yaml",
            "x.TXT", "x.toml", "x.sh", "x.ts", "x.wasm", "x.bin", "requirements.txt", "x.cfg", "x.jsonl", "x.tsv", "x.r",
        ),
        1,
    ):  # fmt: skip
        s.put(f"type {number:02}, put", f"{ROOT}/{name}", "abc", setup=True)
        s.get(f"type {number:02}", "/get-artifact", {**RUN, "path": name})


@CORPUS.scenario()
def uploads(s: Script) -> None:
    """What the UI sends."""
    s.experiment()
    s.run()
    for step, query, content in (
        ("plain", {"run_uuid": "{run}", "path": "a.txt"}, "hello"),
        ("below", {"run_uuid": "{run}", "path": "dir/b.txt"}, "hello"),
        ("again", {"run_uuid": "{run}", "path": "a.txt"}, "other"),
        ("by id", {"run_id": "{run}", "path": "c.txt"}, "hello"),
        ("empty", {"run_uuid": "{run}", "path": "e.txt"}, ""),
        ("no path", {"run_uuid": "{run}"}, "x"),
        ("empty path", {"run_uuid": "{run}", "path": ""}, "x"),
        ("no run", {"path": "a.txt"}, "x"),
        ("unknown run", {"run_uuid": "nope", "path": "a.txt"}, "x"),
        ("upwards", {"run_uuid": "{run}", "path": "../x"}, "x"),
        ("absolute", {"run_uuid": "{run}", "path": "/x"}, "x"),
        ("directory", {"run_uuid": "{run}", "path": "dir"}, "x"),
        ("10 MB", {"run_uuid": "{run}", "path": "big"}, "x" * (10 * 1024 * 1024)),
        ("more than 10 MB", {"run_uuid": "{run}", "path": "bigger"}, "x" * (10 * 1024 * 1024 + 1)),
        ("nothing", None, "x"),
    ):
        s.call(step, "POST", UPLOAD, query=query, raw=content, headers={"Content-Type": "application/octet-stream"})
    s.get("listed", "artifacts/list", RUN)
    s.get("read back", "/get-artifact", {**RUN, "path": "a.txt"})
    s.call("without a type", "POST", UPLOAD, query={"run_uuid": "{run}", "path": "t"}, raw="x", headers={"Content-Type": None})
    s.call("below api", "POST", "upload-artifact", query={"run_uuid": "{run}", "path": "t"}, raw="x")


@CORPUS.scenario()
def presigned(s: Script) -> None:
    s.experiment()
    s.run()
    for kind in ("upload", "download"):
        path = f"artifacts/presigned-{kind}-url"
        for step, body in (
            ("plain", {**RUN, "path": "a.txt"}),
            ("no path", RUN),
            ("empty path", {**RUN, "path": ""}),
            ("no run", {"path": "a.txt"}),
            ("unknown run", {"run_id": "nope", "path": "a.txt"}),
            ("upwards", {**RUN, "path": "../a.txt"}),
            ("run and model", {**RUN, "model_id": "m-x", "path": "a.txt"}),
            ("unknown model", {"model_id": "m-x", "path": "a.txt"}),
            ("expiration", {**RUN, "path": "a.txt", "expiration": 60}),
            ("expiration 0", {**RUN, "path": "a.txt", "expiration": 0}),
            ("expiration too long", {**RUN, "path": "a.txt", "expiration": 604801}),
            ("expiration word", {**RUN, "path": "a.txt", "expiration": "x"}),
            ("nothing", {}),
        ):
            s.post(f"{kind}, {step}", path, body)


@CORPUS.scenario()
def foreign_roots(s: Script) -> None:
    """Runs whose artifacts lie where the server does not look."""
    s.experiment(artifact_location="s3://bucket/path")
    s.run()
    s.show("run shown")
    s.experiment("local", "{u} local", artifact_location="/nowhere/at/all")
    s.run("elsewhere", exp="local")
    s.get("list", "artifacts/list", {"run_id": "{elsewhere}"})
    s.get("file", "/get-artifact", {"run_id": "{elsewhere}", "path": "a.txt"})
    s.experiment("query", "{u} query", artifact_location="mlflow-artifacts:/own/place")
    s.run("own", exp="query")
    s.put("put there", "/api/2.0/mlflow-artifacts/artifacts/own/place/{own}/artifacts/x.txt", "x")
    s.get("listed there", "artifacts/list", {"run_id": "{own}"})
    s.get("file there", "/get-artifact", {"run_id": "{own}", "path": "x.txt"})
