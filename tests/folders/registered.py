"""Registered models in a folder: MLflow 2.17.2 and our server read what the other wrote.

    python registered.py --runledger target/release/runledger --folder /tmp/x --newest python3.17

Both list the same models and versions after each change of either. Two servers and MLflow create
versions of one model at the same time: each number is given once, and none is left out.
"""

from __future__ import annotations

import setting  # first, since it sets the environment

import threading
from typing import Any

from mlflow.tracking import MlflowClient

from server import Server

FILTERS = ("", "name = 'theirs'", "tags.t = '1'", "source_path LIKE 's3://b/%'", "version_number > 1")
CREATED_BY_EACH = 25


def body(checks: setting.Checks, arguments: Any) -> None:
    """Writes from both sides, and compares what each of them reads."""
    root = arguments.folder / "mlruns"
    theirs = _client(setting.uri_of(root))
    _fill(theirs, "theirs", "s3://b")
    with Server(arguments.runledger, root, arguments.folder) as server:
        ours = _client(server.url)
        with checks.check("what MLflow wrote"):
            _same(ours, theirs)
        with checks.check("what our server writes beside it"):
            _fill(ours, "ours", "s3://o")
            _change(ours, "theirs")
            _same(ours, theirs)
        with checks.check("what MLflow then changes"):
            _change(theirs, "ours")
            _same(ours, theirs)
        with checks.check("a rename and a removal by our server"):
            # MLflow's own rename fails where a version has tags.
            ours.rename_registered_model("ours", "renamed")
            _same(ours, theirs)
            ours.rename_registered_model("renamed", "again")
            _same(ours, theirs)
            ours.delete_registered_model("again")
            _same(ours, theirs)
        with checks.check("the number of a deleted version is not given again"):
            for client in (ours, theirs):
                deleted = client.create_model_version("theirs", "s3://b/x")
                client.delete_model_version("theirs", deleted.version)
                created = client.create_model_version("theirs", "s3://b/y")
                assert int(created.version) == int(deleted.version) + 1, (created.version, deleted.version)
            _same(ours, theirs)
        with checks.check("versions created by two servers at once have consecutive numbers"):
            second = arguments.folder / "second"
            with Server(arguments.runledger, root, second) as other:
                _race([ours, _client(other.url)], ours)
            _same(ours, theirs)


def _client(uri: str) -> MlflowClient:
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


def _fill(client: MlflowClient, name: str, source: str) -> None:
    tags = {"k": "v", "a/b": "1"}
    client.create_registered_model(name, tags=tags, description="dé: '1'\nx")
    client.create_model_version(name, f"{source}/1", tags={"t": "1"}, description="first")
    client.create_model_version(name, f"{source}/2")
    client.create_model_version(name, f"models:/{name}/2")
    deleted = client.create_model_version(name, f"{source}/4")
    client.delete_model_version(name, deleted.version)
    client.set_registered_model_alias(name, "champion", "2")
    client.transition_model_version_stage(name, "1", "Production")


def _change(client: MlflowClient, name: str) -> None:
    client.set_registered_model_tag(name, "new", "n")
    client.delete_registered_model_tag(name, "k")
    client.set_model_version_tag(name, "2", "t", "1")
    client.delete_model_version_tag(name, "1", "t")
    client.set_registered_model_alias(name, "champion", "3")
    client.set_registered_model_alias(name, "second", "1")
    client.update_registered_model(name, "changed")
    client.update_model_version(name, "2", "changed too")
    client.transition_model_version_stage(name, "2", "Production", archive_existing_versions=True)


def _version(version: Any) -> tuple:
    # A server fills in what is empty.
    return (
        version.name,
        int(version.version),
        version.creation_timestamp,
        version.last_updated_timestamp,
        version.current_stage,
        version.description or "",
        version.source,
        version.run_id or "",
        version.status,
        sorted(version.tags.items()),
        sorted(version.aliases),
    )


def _model(model: Any) -> tuple:
    return (
        model.name,
        model.creation_timestamp,
        model.last_updated_timestamp,
        model.description or "",
        sorted(model.tags.items()),
        sorted((alias, int(version)) for alias, version in model.aliases.items()),
        sorted(_version(version) for version in model.latest_versions),
    )


def _everything(client: MlflowClient) -> dict[str, list]:
    models = client.search_registered_models()
    found = {"models": [_model(model) for model in models]}
    found["each"] = [_model(client.get_registered_model(model.name)) for model in models]
    for text in FILTERS:
        found[text] = [_version(version) for version in client.search_model_versions(text)]
    found["locations"] = [
        [client.get_model_version_download_uri(name, str(number)) for name, number, *_ in found[""]]
    ]
    return found


def _same(ours: MlflowClient, theirs: MlflowClient) -> None:
    found, expected = _everything(ours), _everything(theirs)
    for what, value in expected.items():
        assert found[what] == value, f"{what}: {found[what]} instead of {value}"


def _race(clients: list[MlflowClient], counting: MlflowClient) -> None:
    clients[0].create_registered_model("race")
    numbers: list[int] = []

    def create(client: MlflowClient) -> None:
        for _ in range(CREATED_BY_EACH // 5):
            version = client.create_model_version("race", "s3://r/x")
            numbers.append(int(version.version))

    threads = [threading.Thread(target=create, args=[client]) for client in clients for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = list(range(1, CREATED_BY_EACH * len(clients) + 1))
    assert sorted(numbers) == expected, sorted(numbers)
    listed = counting.search_model_versions("name = 'race'", max_results=1000)
    assert sorted(int(version.version) for version in listed) == expected


if __name__ == "__main__":
    setting.program(__doc__, "registered models", body)
