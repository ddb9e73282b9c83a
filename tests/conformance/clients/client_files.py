"""`MlflowClient` on artifacts: trees, large and many files, odd names, and downloads of parts."""

from __future__ import annotations

import hashlib
import pathlib

import numpy

from asking import listing
from checks import equal
from session import MLFLOW_3, Session

LARGE = 24 * 1024 * 1024

ODD_NAMES = (
    "space and+plus.txt",
    "semi;colon&and=.txt",
    # The server of MLflow 2 cannot send files with such names.
    *(("ümlaut-模型-🚀.txt",) if MLFLOW_3 else ()),
    "brackets[1](2).txt",
    "quote'.txt",
    "tilde~at@.txt",
    ".hidden",
    "no_extension",
    "upper.TXT",
)


def run(session: Session) -> None:
    """Uploads trees of all kinds and compares what comes back."""
    _tree(session)
    _odd_names(session)
    _large(session)
    _many(session)
    _by_client(session)


def _tree(session: Session) -> None:
    client = session.client
    source = session.folder("tree")
    for path in ("a.txt", "one/b.txt", "one/two/c.txt", "one/two/three/d.txt", "other/e.txt"):
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(path)
    (source / "nothing inside").mkdir()
    run_id = client.create_run(session.experiment_id).info.run_id
    with session.check("log_artifacts keeps the tree, at the root and below a path"):
        client.log_artifacts(run_id, str(source))
        client.log_artifacts(run_id, str(source / "one"), "below/it")
        equal(listing(session, run_id), ["a.txt", "below/", "one/", "other/"], "root")
        equal(listing(session, run_id, "one"), ["one/b.txt", "one/two/"], "folder")
        equal(listing(session, run_id, "below/it"), ["below/it/b.txt", "below/it/two/"], "below")

    with session.check("download_artifacts brings a file, a folder or all, to where it is told"):
        target = session.folder("tree back")
        path = client.download_artifacts(run_id, "one/two/c.txt", str(target))
        equal(pathlib.Path(path).read_text(), "one/two/c.txt", "file")
        whole = pathlib.Path(client.download_artifacts(run_id, "", str(session.folder("whole"))))
        expected = digests(source)
        expected |= {f"below/it/{path}": digest for path, digest in digests(source / "one").items()}
        equal(digests(whole), expected, "all files")
        part = pathlib.Path(client.download_artifacts(run_id, "one/two"))
        equal(set(digests(part)), {"c.txt", "three/d.txt"}, "folder")

    with session.check("a later tree is laid over the earlier one"):
        (source / "a.txt").write_text("changed")
        (source / "one" / "new.txt").write_text("new")
        client.log_artifacts(run_id, str(source))
        whole = pathlib.Path(client.download_artifacts(run_id, "", str(session.folder("again"))))
        equal((whole / "a.txt").read_text(), "changed", "changed file")
        equal((whole / "one" / "new.txt").read_text(), "new", "new file")
        equal((whole / "below" / "it" / "b.txt").read_text(), "one/b.txt", "file of before")

    with session.check("files of a run that was deleted can still be read"):
        client.delete_run(run_id)
        equal("a.txt" in listing(session, run_id), True, "file is listed")
        client.restore_run(run_id)


def _odd_names(session: Session) -> None:
    client = session.client
    with session.check("files and folders with odd names go up, are listed and come back"):
        source = session.folder("odd")
        for number, name in enumerate(ODD_NAMES):
            (source / name).write_text(name)
            (source / f"folder {number} {name}").mkdir()
            (source / f"folder {number} {name}" / name).write_text(f"inside {name}")
        run_id = client.create_run(session.experiment_id).info.run_id
        client.log_artifacts(run_id, str(source), "odd ones")
        names = [path.removeprefix("odd ones/") for path in listing(session, run_id, "odd ones")]
        expected = [*ODD_NAMES, *(f"folder {n} {name}/" for n, name in enumerate(ODD_NAMES))]
        equal(sorted(names), sorted(expected), "names")
        back = client.download_artifacts(run_id, "odd ones", str(session.folder("odd back")))
        equal(digests(pathlib.Path(back)), digests(source), "files")
        for number, name in enumerate(ODD_NAMES):
            path = f"odd ones/folder {number} {name}"
            equal(listing(session, run_id, path), [f"{path}/{name}"], "folder by name")
            single = client.download_artifacts(run_id, f"{path}/{name}")
            equal(pathlib.Path(single).read_text(), f"inside {name}", "file by name")


def _large(session: Session) -> None:
    client = session.client
    with session.check("a file of 24 MiB and an empty one come back as they were, with sizes"):
        source = session.folder("large")
        content = numpy.random.default_rng(11).bytes(LARGE)
        (source / "large.bin").write_bytes(content)
        (source / "empty.bin").write_bytes(b"")
        run_id = client.create_run(session.experiment_id).info.run_id
        client.log_artifact(run_id, str(source / "large.bin"), "data")
        client.log_artifact(run_id, str(source / "empty.bin"), "data")
        sizes = {entry.path: entry.file_size for entry in client.list_artifacts(run_id, "data")}
        equal(sizes["data/large.bin"], LARGE, "size of the large file")
        equal(sizes["data/empty.bin"] in (0, None), True, f"size of the empty file in {sizes}")
        back = client.download_artifacts(run_id, "data", str(session.folder("large back")))
        equal(digests(pathlib.Path(back)), digests(source), "files")


def _many(session: Session) -> None:
    client = session.client
    with session.check("200 files in one folder are all listed, in order, and come back"):
        source = session.folder("many")
        for number in range(200):
            (source / f"{number:03}.txt").write_text(str(number))
        run_id = client.create_run(session.experiment_id).info.run_id
        client.log_artifacts(run_id, str(source), "many")
        expected = [f"many/{number:03}.txt" for number in range(200)]
        equal(listing(session, run_id, "many"), expected, "names")
        back = client.download_artifacts(run_id, "many", str(session.folder("many back")))
        equal(digests(pathlib.Path(back)), digests(source), "files")


def _by_client(session: Session) -> None:
    client = session.client
    with session.check("the client's log_text, log_dict, log_image and log_table"):
        run_id = client.create_run(session.experiment_id).info.run_id
        client.log_text(run_id, "text", "a/b/text.txt")
        client.log_dict(run_id, {"k": [1, None]}, "dict.json")
        client.log_image(run_id, numpy.zeros((2, 2, 3), dtype=numpy.uint8), "image.png")
        client.log_table(run_id, {"x": [1]}, "table.json")
        client.log_table(run_id, {"x": [2]}, "table.json")
        equal(listing(session, run_id), ["a/", "dict.json", "image.png", "table.json"], "root")
        text = pathlib.Path(client.download_artifacts(run_id, "a/b/text.txt"))
        equal(text.read_text(), "text", "text")
        table = client.load_table(session.experiment_id, "table.json", [run_id])
        equal(table["x"].tolist(), [1, 2], "table")


def digests(folder: pathlib.Path) -> dict[str, str]:
    """Every file below the folder with the digest of its bytes."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
