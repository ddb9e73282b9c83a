"""MLflow's own client on a folder of files, without a server: what `folders.py` measures ours beside. Needs mlflow==2.17.2.

  python_files.py serve FOLDER            answers lines of JSON on its standard input: an experiment to make, or a search
  python_files.py log FOLDER CALLS KEYS   makes a run and logs metrics one by one; prints one JSON object
"""

import json
import pathlib
import sys
import time

from mlflow import MlflowClient

T0 = 1_700_000_000_000


def make(client, name):
    """Make an experiment, and the folder with the one that every folder has."""
    made = client.get_experiment(client.create_experiment(name))
    return {"experiment": made.experiment_id, "location": made.artifact_location}


def search(client, experiment, body, token):
    page = client.search_runs(
        [experiment],
        filter_string=body.get("filter", ""),
        max_results=body["max_results"],
        order_by=body.get("order_by"),
        page_token=token,
    )
    token = page.token.decode() if isinstance(page.token, bytes) else page.token
    return {"runs": [run.info.run_id for run in page], "token": token}


def serve(client):
    asked = {"make": make, "search": search}
    for line in sys.stdin:
        what, *args = json.loads(line)
        try:
            answer = asked[what](client, *args)
        except Exception as e:  # the other side makes a note of it
            answer = {"error": f"{type(e).__name__}: {e}"}
        print(json.dumps(answer), flush=True)


def log(client, calls, keys):
    run = client.create_run("0").info
    began = time.perf_counter()
    for i in range(calls):
        client.log_metric(run.run_id, f"m{i % keys}", 0.5, timestamp=T0 + i, step=i // keys)
    taken = time.perf_counter() - began
    print(json.dumps({"run": f"0/{run.run_id}", "seconds": taken}))


def main():
    what, folder, *sizes = sys.argv[1:]
    client = MlflowClient(pathlib.Path(folder).absolute().as_uri())
    if what == "serve":
        serve(client)
    else:
        log(client, *map(int, sizes))


if __name__ == "__main__":
    main()
