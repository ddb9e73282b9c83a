"""The endpoints that are replayed, and since when MLflow has them.

A request is counted for the endpoint whose template its path fits. What 2.17 has not is not sent
to it.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass

from script import NEWER, OLDEST

_TABLE = """
GET    /health                                                tracking 2.17
GET    /version                                               tracking 2.17
GET    /mlflow/server-info                                    tracking 3
GET    /mlflow/gateway-proxy                                  tracking 2.17
POST   /mlflow/gateway-proxy                                  tracking 2.17
GET    /mlflow/assistant/config                               tracking 3
GET    /mlflow/assistant/providers                            tracking 3
POST   /mlflow/datasets/search                                tracking 3
GET    /mlflow/scorers/list                                   tracking 3
POST   /mlflow/experiments/create                             tracking 2.17
GET    /mlflow/experiments/get                                tracking 2.17
GET    /mlflow/experiments/get-by-name                        tracking 2.17
POST   /mlflow/experiments/search                             tracking 2.17
GET    /mlflow/experiments/search                             tracking 2.17
POST   /mlflow/experiments/delete                             tracking 2.17
POST   /mlflow/experiments/restore                            tracking 2.17
POST   /mlflow/experiments/update                             tracking 2.17
POST   /mlflow/experiments/set-experiment-tag                 tracking 2.17
POST   /mlflow/experiments/delete-experiment-tag              tracking 3
POST   /mlflow/experiments/search-datasets                    tracking 2.17
POST   /mlflow/runs/create                                    tracking 2.17
GET    /mlflow/runs/get                                       tracking 2.17
POST   /mlflow/runs/update                                    tracking 2.17
POST   /mlflow/runs/delete                                    tracking 2.17
POST   /mlflow/runs/restore                                   tracking 2.17
POST   /mlflow/runs/search                                    tracking 2.17
POST   /mlflow/runs/log-metric                                tracking 2.17
POST   /mlflow/runs/log-parameter                             tracking 2.17
POST   /mlflow/runs/set-tag                                   tracking 2.17
POST   /mlflow/runs/delete-tag                                tracking 2.17
POST   /mlflow/runs/log-batch                                 tracking 2.17
POST   /mlflow/runs/log-model                                 tracking 2.17
POST   /mlflow/runs/log-inputs                                tracking 2.17
POST   /mlflow/runs/outputs                                   tracking 3
GET    /mlflow/metrics/get-history                            tracking 2.17
GET    /mlflow/metrics/get-history-bulk                       tracking 2.17
GET    /mlflow/metrics/get-history-bulk-interval              tracking 2.17
POST   /mlflow/logged-models                                  tracking 3
POST   /mlflow/logged-models/search                           tracking 3
GET    /mlflow/logged-models/{model_id}                       tracking 3
PATCH  /mlflow/logged-models/{model_id}                       tracking 3
DELETE /mlflow/logged-models/{model_id}                       tracking 3
PATCH  /mlflow/logged-models/{model_id}/tags                  tracking 3
DELETE /mlflow/logged-models/{model_id}/tags/{tag_key}        tracking 3
POST   /mlflow/logged-models/{model_id}/params                tracking 3
GET    /mlflow/logged-models/{model_id}/artifacts/directories tracking 3
GET    /mlflow/logged-models/{model_id}/artifacts/files       tracking 3
GET    /mlflow/artifacts/list                                 tracking 2.17
POST   /mlflow/artifacts/presigned-upload-url                 tracking 3
POST   /mlflow/artifacts/presigned-download-url               tracking 3
GET    /get-artifact                                          tracking 2.17
POST   /mlflow/upload-artifact                                tracking 2.17
GET    /mlflow-artifacts/artifacts                            tracking 2.17
GET    /mlflow-artifacts/artifacts/{*artifact_path}           tracking 2.17
PUT    /mlflow-artifacts/artifacts/{*artifact_path}           tracking 2.17
DELETE /mlflow-artifacts/artifacts/{*artifact_path}           tracking 2.17
POST   /mlflow-artifacts/mpu/create/{*artifact_path}          tracking 2.17
POST   /mlflow-artifacts/mpu/complete/{*artifact_path}        tracking 2.17
POST   /mlflow-artifacts/mpu/abort/{*artifact_path}           tracking 2.17
GET    /mlflow-artifacts/presigned/{*artifact_path}           tracking 3
POST   /graphql                                               tracking 2.17
GET    /graphql                                               tracking 2.17
POST   /mlflow/registered-models/create                       registry 2.17
GET    /mlflow/registered-models/get                          registry 2.17
GET    /mlflow/registered-models/search                       registry 2.17
PATCH  /mlflow/registered-models/update                       registry 2.17
POST   /mlflow/registered-models/rename                       registry 2.17
DELETE /mlflow/registered-models/delete                       registry 2.17
GET    /mlflow/registered-models/get-latest-versions          registry 2.17
POST   /mlflow/registered-models/get-latest-versions          registry 2.17
POST   /mlflow/registered-models/set-tag                      registry 2.17
DELETE /mlflow/registered-models/delete-tag                   registry 2.17
POST   /mlflow/registered-models/alias                        registry 2.17
GET    /mlflow/registered-models/alias                        registry 2.17
DELETE /mlflow/registered-models/alias                        registry 2.17
POST   /mlflow/model-versions/create                          registry 2.17
GET    /mlflow/model-versions/get                             registry 2.17
GET    /mlflow/model-versions/search                          registry 2.17
PATCH  /mlflow/model-versions/update                          registry 2.17
DELETE /mlflow/model-versions/delete                          registry 2.17
POST   /mlflow/model-versions/set-tag                         registry 2.17
DELETE /mlflow/model-versions/delete-tag                      registry 2.17
POST   /mlflow/model-versions/transition-stage                registry 2.17
GET    /mlflow/model-versions/get-download-uri                registry 2.17
GET    /model-versions/get-artifact                           registry 2.17
GET    /mlflow/webhooks                                       registry 3
POST   /mlflow/webhooks                                       registry 3
GET    /mlflow/webhooks/{webhook_id}                          registry 3
PATCH  /mlflow/webhooks/{webhook_id}                          registry 3
DELETE /mlflow/webhooks/{webhook_id}                          registry 3
POST   /mlflow/webhooks/{webhook_id}/test                     registry 3
POST   /mlflow/traces                                         traces 2.17
GET    /mlflow/traces                                         traces 2.17
PATCH  /mlflow/traces/{trace_id}                              traces 2.17
GET    /mlflow/traces/{trace_id}/info                         traces 2.17
PATCH  /mlflow/traces/{trace_id}/tags                         traces 2.17
DELETE /mlflow/traces/{trace_id}/tags                         traces 2.17
POST   /mlflow/traces/delete-traces                           traces 2.17
POST   /mlflow/traces/link-prompts                            traces 2.17
POST   /mlflow/traces/link-to-run                             traces 2.17
GET    /mlflow/traces/{trace_id}                              traces 3
GET    /mlflow/traces/get                                     traces 3
GET    /mlflow/traces/batchGet                                traces 3
POST   /mlflow/traces/batchGetInfos                           traces 3
POST   /mlflow/traces/search                                  traces 3
POST   /mlflow/traces/metrics                                 traces 3
POST   /mlflow/traces/calculate-filter-correlation            traces 3
POST   /mlflow/traces/{trace_id}/assessments                  traces 3
GET    /mlflow/traces/{trace_id}/assessments/{assessment_id}  traces 3
PATCH  /mlflow/traces/{trace_id}/assessments/{assessment_id}  traces 3
DELETE /mlflow/traces/{trace_id}/assessments/{assessment_id}  traces 3
GET    /mlflow/get-trace-artifact                             traces 3
POST   /v1/traces                                             traces 3
"""

OTHER = "(no endpoint)"


@dataclass(frozen=True)
class Endpoint:
    """A method and a path without its prefix."""

    method: str
    template: str
    area: str
    since: str

    def fits(self, method: str, path: str) -> bool:
        """Whether a request without its query is to this endpoint."""
        pattern = re.escape(self.template)
        pattern = re.sub(r"\\{\\\*\w+\\}", ".+", pattern)
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", pattern)
        return method == self.method and re.fullmatch(pattern, path) is not None


ENDPOINTS = tuple(
    Endpoint(method, template, area, since)
    for method, template, area, since in (line.split() for line in _TABLE.strip().splitlines())
)

assert all(endpoint.since in (OLDEST, NEWER) for endpoint in ENDPOINTS)

_PREFIX = re.compile(r"/(?:ajax-)?api/[23]\.0(?=/)")


def endpoint_of(method: str, path: str) -> Endpoint | None:
    """The endpoint of a request; templates without variables first."""
    path = _PREFIX.sub("", urllib.parse.urlsplit(path).path, count=1)
    fitting = [endpoint for endpoint in ENDPOINTS if endpoint.fits(method, path)]
    return min(fitting, key=lambda endpoint: endpoint.template.count("{"), default=None)
