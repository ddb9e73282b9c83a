"""The artifact proxy: bytes in and out, lists, deletion, and paths that must not work."""

from script import NEWER, Corpus, Script

CORPUS = Corpus("proxy")

ROOT = "/api/2.0/mlflow-artifacts/artifacts"
OWN = ROOT + "/{exp}/replay"

# As they stand in the address: encoded or not.
PATHS = (
    "a.txt", "dir/b.txt", "dir/sub/c.txt", "with%20space.txt", "gr%C3%B6%C3%9Fe.txt", "%E6%A8%A1.txt", "plus+.txt",
    "amp&.txt", "semi;colon.txt", "at@.txt", "comma,.txt", "excl!.txt", "star*.txt", "paren(1).txt", "quote'.txt",
    "tilde~.txt", "dollar$.txt", "equals=.txt", "percent%25.txt", "percent%2525.txt", "colon%3A.txt", "question%3F.txt",
    "hash%23.txt", "caret%5E.txt", "pipe%7C.txt", "brace%7B%7D.txt", "bracket%5B1%5D.txt", "double%22quote.txt",
    "less%3C.txt", "back%5Cslash.txt", "slash%2Fed.txt", "nul%00.txt", "line%0Aend.txt", "tab%09.txt", "..", "../x.txt",
    "dir/../x.txt", "%2e%2e/x.txt", "%2e%2e%2fx.txt", "..%2fx.txt", "%252e%252e%252fx.txt", "dir/%2e%2e/x.txt", ".", "./x.txt",
    "dir/./x.txt", "%2e/x.txt", "dir//x.txt", "/x.txt", "//x.txt", "dir/", "C%3A/x.txt", "C:%5Cx.txt", "file%3A/x", "file:///x",
    "http%3A//host/x", ".hidden", "...", "..x", "x..", "a..b", "trailing.", "trailing%20", "%20leading", "%", "%zz", "%c3%28",
    "x" * 255, "x" * 256, "/".join("d" * 20 for _ in range(40)), "a.txt/below", "%ff.txt",
)  # fmt: skip


@CORPUS.scenario()
def paths(s: Script) -> None:
    s.experiment()
    for number, path in enumerate(PATHS, 1):
        s.put(f"path {number:02}, put", f"{OWN}/p{number:02}/{path}", f"content {number}")
        s.get(f"path {number:02}, got", f"{OWN}/p{number:02}/{path}")
        s.get(f"path {number:02}, listed", ROOT, {"path": f"{{exp}}/replay/p{number:02}"})


@CORPUS.scenario()
def round_trip(s: Script) -> None:
    s.experiment()
    s.put("put", f"{OWN}/a.txt", "hello\n")
    s.get("got", f"{OWN}/a.txt")
    s.call("head", "HEAD", f"{OWN}/a.txt")
    s.put("put again", f"{OWN}/a.txt", "other")
    s.get("got again", f"{OWN}/a.txt")
    s.put("put with type", f"{OWN}/b.json", "{}", headers={"Content-Type": "application/json"})
    s.put("put with odd type", f"{OWN}/c.txt", "c", headers={"Content-Type": "text/html"})
    s.get("odd type got", f"{OWN}/c.txt")
    s.put("put empty", f"{OWN}/empty", "")
    s.get("empty got", f"{OWN}/empty")
    s.put("put below", f"{OWN}/dir/sub/d.txt", "d")
    s.put("put on a directory", f"{OWN}/dir", "x")
    s.put("put below a file", f"{OWN}/a.txt/x", "x")
    s.get("directory got", f"{OWN}/dir")
    s.get("missing got", f"{OWN}/none")
    s.get("missing directory got", f"{OWN}/none/x")
    for step, query in (
        ("own", {"path": "{exp}/replay"}),
        ("directory", {"path": "{exp}/replay/dir"}),
        ("directory with slash", {"path": "{exp}/replay/dir/"}),
        ("file", {"path": "{exp}/replay/a.txt"}),
        ("missing", {"path": "{exp}/replay/none"}),
        ("upwards", {"path": "../"}),
        ("upwards inside", {"path": "{exp}/../{exp}"}),
        ("absolute", {"path": "/etc"}),
        ("encoded upwards", {"path": "%2e%2e"}),
        ("twice", [("path", "{exp}/none"), ("path", "{exp}/replay")]),
    ):
        s.get(f"list {step}", ROOT, query)
    s.get("list with slash in the path", f"{OWN}/")
    s.get("below ajax", "/ajax-api/2.0/mlflow-artifacts/artifacts/{exp}/replay/a.txt")
    s.put("put below ajax", "/ajax-api/2.0/mlflow-artifacts/artifacts/{exp}/replay/ajax.txt", "x")
    s.call("post", "POST", f"{OWN}/a.txt", raw="x")
    s.call("patch", "PATCH", f"{OWN}/a.txt", raw="x")


@CORPUS.scenario()
def ranges(s: Script) -> None:
    s.experiment()
    s.put("put", f"{OWN}/a.txt", "0123456789")
    for number, value in enumerate(
        (
            "bytes=0-0", "bytes=0-4", "bytes=5-", "bytes=-3", "bytes=-100", "bytes=9-9", "bytes=10-", "bytes=10-20", "bytes=0-100",
            "bytes=0-", "bytes=-0",
        ),
        1,
    ):  # fmt: skip
        s.get(f"range {number:02}", f"{OWN}/a.txt", headers={"Range": value})
    s.get("if range of another", f"{OWN}/a.txt", headers={"Range": "bytes=0-1", "If-Range": '"other"'})
    s.put("put empty", f"{OWN}/empty", "")
    s.get("range of nothing", f"{OWN}/empty", headers={"Range": "bytes=0-0"})
    s.get("range of missing", f"{OWN}/none", headers={"Range": "bytes=0-0"})


@CORPUS.scenario()
def deletion(s: Script) -> None:
    s.experiment()
    s.put("put", f"{OWN}/dir/a.txt", "a")
    s.put("put other", f"{OWN}/dir/b.txt", "b")
    s.put("put more", f"{OWN}/c.txt", "c")
    s.delete("file", f"{OWN}/c.txt")
    s.get("file got", f"{OWN}/c.txt")
    s.delete("file again", f"{OWN}/c.txt")
    s.delete("directory", f"{OWN}/dir")
    s.get("listed", ROOT, {"path": "{exp}/replay"})
    s.delete("missing", f"{OWN}/none/none")
    s.delete("upwards", f"{OWN}/%2e%2e/x")
    s.delete("encoded twice", f"{OWN}/%252e%252e/x")
    s.delete("everything", ROOT)


@CORPUS.scenario()
def parts(s: Script) -> None:
    """Multipart uploads, which local storage does not have."""
    s.experiment()
    base = "/api/2.0/mlflow-artifacts/mpu"
    own = "{exp}/replay/a.bin"
    s.post("create", f"{base}/create/{own}", {"path": own, "num_parts": 2})
    s.post("create without parts", f"{base}/create/{own}", {"path": own})
    s.post("create without path", f"{base}/create/{own}", {"num_parts": 2})
    s.post("create upwards", f"{base}/create/{{exp}}/%2e%2e/x", {"path": "x", "num_parts": 2})
    s.post("create word", f"{base}/create/{own}", {"path": own, "num_parts": "x"})
    s.post("create nothing", f"{base}/create/{own}", {})
    part = {"part_number": 1, "etag": "x", "url": "http://localhost/x"}
    s.post("complete", f"{base}/complete/{own}", {"path": own, "upload_id": "u", "parts": [part]})
    s.post("complete without parts", f"{base}/complete/{own}", {"path": own, "upload_id": "u"})
    s.post("complete nothing", f"{base}/complete/{own}", {})
    s.post("abort", f"{base}/abort/{own}", {"path": own, "upload_id": "u"})
    s.post("abort nothing", f"{base}/abort/{own}", {})
    s.get("presigned", "/api/2.0/mlflow-artifacts/presigned/" + own)
    s.get("presigned upwards", "/api/2.0/mlflow-artifacts/presigned/{exp}/%2e%2e/x", since=NEWER)
