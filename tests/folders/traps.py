"""What somebody may put into a folder: links that lead out, and files that are no such thing.

Each trap is a run or experiment of its own, beside good ones; outside lie things with a canary.
"""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import Callable

from mlflow.tracking import MlflowClient

import setting

CANARY = "canary-7f3a91"


class Traps:
    """A folder with good runs and traps; ids by what they are."""

    def __init__(self, root: pathlib.Path, outside: pathlib.Path) -> None:
        self.root, self.outside = root, outside
        self.client = MlflowClient(tracking_uri=setting.uri_of(root))
        self.experiment = self.client.create_experiment("neighbours")
        self.good = [self._run(f"good {n}") for n in range(3)]
        self._make_outside()
        self.links: dict[str, str] = {}
        """Runs by the kind of link."""
        self.broken: dict[str, str] = {}
        """Runs whose files are broken."""
        self.experiments: dict[str, str] = {}
        """Experiments, of both kinds; that of `foreign` is a link."""
        self._make_links()
        self._make_broken()
        self._make_experiments()

    def _run(self, name: str) -> str:
        run = self.client.create_run(self.experiment, run_name=name).info.run_id
        self.client.log_metric(run, "m", 1.0)
        self.client.log_param(run, "p", "good")
        self.client.set_tag(run, "t", "good")
        return run

    def path(self, run: str) -> pathlib.Path:
        """The folder of a run."""
        return self.root / self.experiment / run

    def _make_outside(self) -> None:
        """A whole experiment elsewhere, whose every text is a canary."""
        elsewhere = MlflowClient(tracking_uri=setting.uri_of(self.outside / "mlruns"))
        self.foreign = elsewhere.create_experiment(CANARY, tags={CANARY: CANARY})
        self.foreign_run = elsewhere.create_run(self.foreign, run_name=CANARY).info.run_id
        elsewhere.log_param(self.foreign_run, CANARY, CANARY)
        elsewhere.log_metric(self.foreign_run, CANARY, 7391.25)
        elsewhere.set_tag(self.foreign_run, CANARY, CANARY)
        self.canary = self.outside / "canary.txt"
        self.canary.write_text(CANARY)
        (self.outside / "metric").write_text(f"1 7391.25 0\n{CANARY}\n")

    def _make_links(self) -> None:
        foreign = self.outside / "mlruns" / self.foreign / self.foreign_run
        for name, inside, target in [
            ("a param", "params/p", self.canary),
            ("a tag", "tags/t", self.canary),
            ("a metric", "metrics/m", self.outside / "metric"),
            ("the params", "params", foreign / "params"),
            ("the tags", "tags", foreign / "tags"),
            ("the metrics", "metrics", foreign / "metrics"),
            ("the metadata", "meta.yaml", foreign / "meta.yaml"),
            ("the inputs", "inputs", self.outside),
            ("the artifacts", "artifacts", self.outside),
        ]:
            run = self._run(f"link: {name}")
            place = self.path(run) / inside
            if place.is_dir():
                shutil.rmtree(place)
            else:
                place.unlink(missing_ok=True)
            place.symlink_to(target)
            self.links[name] = run
        self.path(self.foreign_run).symlink_to(foreign)
        self.links["a run"] = self.foreign_run
        run = self._run("link: one artifact")
        (self.path(run) / "artifacts" / "leak.txt").symlink_to(self.canary)
        (self.path(run) / "artifacts" / "leaks").symlink_to(self.outside)
        self.links["one artifact"] = run

    def _make_broken(self) -> None:
        garbage = bytes(range(256)) * 40
        bomb = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 8)}]\n" for a, b in zip("abcdefghijk", "bcdefghijkl")
        )
        kinds: dict[str, tuple[str, Callable[[pathlib.Path], object]]] = {
            "a line of 50 MiB": ("metrics/m", _long_line),
            "metrics of garbage": ("metrics/m", lambda path: path.write_bytes(garbage)),
            "a param of garbage": ("params/p", lambda path: path.write_bytes(garbage)),
            "a tag of garbage": ("tags/t", lambda path: path.write_bytes(garbage)),
            "metadata of garbage": ("meta.yaml", lambda path: path.write_bytes(garbage)),
            "metadata of 50 MiB": ("meta.yaml", _long_line),
            "metadata without end": ("meta.yaml", lambda path: path.write_text("[" * 100_000)),
            "metadata that grows": ("meta.yaml", lambda path: path.write_text(bomb)),
            "metadata of another kind": ("meta.yaml", lambda path: path.write_text("- 1\n- 2\n")),
            "a pipe for metrics": ("metrics/m", os.mkfifo),
            "a pipe for a param": ("params/p", os.mkfifo),
            "a pipe for metadata": ("meta.yaml", os.mkfifo),
            "a folder for metadata": ("meta.yaml", os.mkdir),
        }
        for name, (inside, make) in kinds.items():
            run = self._run(f"broken: {name}")
            place = self.path(run) / inside
            place.unlink()
            make(place)
            self.broken[name] = run

    def _make_experiments(self) -> None:
        (self.root / self.foreign).symlink_to(self.outside / "mlruns" / self.foreign)
        kinds: dict[str, tuple[str, Callable[[pathlib.Path], object]]] = {
            "bad metadata": ("meta.yaml", lambda path: path.write_bytes(b"\xff\0: [")),
            "a pipe": ("meta.yaml", os.mkfifo),
            "linked tags": ("tags", lambda path: path.symlink_to(self.outside)),
            "linked metadata": ("meta.yaml", lambda path: path.symlink_to(self.canary)),
        }
        # MLflow makes none beside a broken one.
        made = {name: self.client.create_experiment(f"trap: {name}") for name in kinds}
        for name, (inside, make) in kinds.items():
            place = self.root / made[name] / inside
            place.unlink(missing_ok=True)
            make(place)
        self.experiments.update(made)


def _long_line(path: pathlib.Path) -> None:
    with path.open("wb") as file:
        for _ in range(50):
            file.write(b"1" * (1 << 20))
