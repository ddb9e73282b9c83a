"""The workloads by number. Each takes the Bench and lets every server take its turns."""

from workloads import artifacts, client, limits, read, scale, traces, write

WORKLOADS = {
    "1": write.log_metric,
    "2": write.log_batch,
    "3": write.run_lifecycle,
    "4": read.search,
    "5": read.history,
    "6": artifacts.proxy,
    "7": traces.spans,
    "9": client.python_client,
    "10": read.file_store,
    "L": limits.raw,
    "R": client.rust_client,
    "S": artifacts.s3,
    "T": traces.at_scale,
}

# Those that start the servers themselves, each time on other databases.
SCALE = {"A": scale.small_and_large, "B": scale.few_and_huge}
