"""Runs whose values tell filters and orders apart."""

from script import Script

START = 1700000000000

# name, status, metrics, params, tags, datasets (name, digest, context)
RUNS = (
    ("alpha", "FINISHED", {"loss": 0.5, "acc": 1}, {"lr": "0.1", "opt": "adam"}, {"team": "red", "a/b": "x"}, [("wine", "1", "train")]),
    ("beta", "FINISHED", {"loss": 0.25, "m/1": 5}, {"lr": "0.01", "opt": "SGD"}, {"team": "blue"}, [("wine", "2", "test")]),
    ("Gamma", "FAILED", {"loss": "NaN"}, {"lr": "0.1", "with space": "y"}, {"team": "Red"}, [("beer", "1", "train"), ("wine", "1", "test")]),
    ("delta", "RUNNING", {}, {"lr": "1e-3", "opt": ""}, {}, []),
    ("epsilon", "KILLED", {"loss": -3.25, "acc": 0}, {"opt": "adam"}, {"team": "blue_1", "note": "it's"}, [("beer", "2", None)]),
    ("zeta", "FINISHED", {"loss": "Infinity"}, {"lr": "100%"}, {"team": "100%", "note": 'say "x"'}, []),
    ("eta 模型", "SCHEDULED", {"loss": "-Infinity", "acc": 1e20}, {"lr": "größe"}, {"team": "", "größe": "ü"}, []),
    ("theta", "FINISHED", {"loss": 0.5}, {"lr": "0.2", "opt": "Adam"}, {"team": "a\\b"}, [("wine", "1", "train")]),
)  # fmt: skip


def populate(s: Script) -> None:
    """Makes the runs in `{exp}`, kept by the first word of their names in small letters."""
    for number, (name, status, metrics, params, tags, datasets) in enumerate(RUNS):
        kept = name.split()[0].lower()
        s.run(kept, run_name=name, start_time=START + number, user_id=f"user{number % 3}")
        run = {"run_id": f"{{{kept}}}"}
        body = {
            **run,
            "metrics": [{"key": key, "value": value, "timestamp": 1, "step": 0} for key, value in metrics.items()],
            "params": [{"key": key, "value": value} for key, value in params.items()],
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        s.post(f"values of {kept}", "runs/log-batch", body, setup=True)
        inputs = [
            {
                "dataset": {"name": dataset, "digest": digest, "source_type": "s", "source": "x"},
                "tags": [{"key": "mlflow.data.context", "value": context}] if context else [],
            }
            for dataset, digest, context in datasets
        ]
        if inputs:
            s.post(f"inputs of {kept}", "runs/log-inputs", {**run, "datasets": inputs}, setup=True)
        if status != "RUNNING":
            end = {"end_time": START + 1000 + number} if number % 2 == 0 else {}
            s.post(f"end of {kept}", "runs/update", {**run, "status": status, **end}, setup=True)
