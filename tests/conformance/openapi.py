"""Schemathesis on `/openapi.json`: what the description promises of answers is so.

    python openapi.py --url http://127.0.0.1:5000 --folder /tmp/x

Requests are generated from the description, good and bad ones. No answer may be a fault of the server,
and its status, media type and body must be described. Which requests are refused is not compared: the
replay does that against MLflow, which takes more and less than a schema can say.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

from checks import Checks

EXAMPLES = 20
SECONDS = 1_500
# GraphQL has a schema of its own. Parts of uploads and signed addresses are of artifacts in a cloud:
# on a local folder they are 501, as MLflow's are.
LEFT_OUT = "/graphql$|/mlflow-artifacts/(mpu|presigned)/"
COMPARED_ELSEWHERE = "positive_data_acceptance,negative_data_rejection"
FEWEST_OPERATIONS = 60


def main() -> None:
    """Runs it, and prints a line for each operation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--url", required=True)
    parser.add_argument("--folder", required=True, type=Path)
    options = parser.parse_args()
    report = options.folder / "schemathesis.xml"
    command = [
        Path(sys.executable).parent / "schemathesis",
        *("run", f"{options.url}/openapi.json", "--no-color", "--seed", "1"),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", str(EXAMPLES)),
        *("--exclude-checks", COMPARED_ELSEWHERE, "--exclude-path-regex", LEFT_OUT),
        *("--continue-on-failure", "--report-junit-path", report),
    ]
    # What it prints is long; it stays with the errors of this program, which go to a file.
    ended = subprocess.run(command, stdout=sys.stderr, timeout=SECONDS, cwd=options.folder)
    checks = Checks("openapi")
    cases = xml.parse(report).getroot().iter("testcase")
    for case in cases:
        with checks.check(case.get("name", "")):
            wrong = [found.get("message", "") for kind in ("failure", "error") for found in case.iter(kind)]
            assert not wrong, "\n".join(wrong)
    with checks.check("the operations are covered, and its exit code says the same"):
        assert checks.passed + checks.failed >= FEWEST_OPERATIONS, f"{checks.passed} operations"
        assert (ended.returncode == 0) == (checks.failed == 0), f"exit code {ended.returncode}"
    checks.finish()


if __name__ == "__main__":
    main()
