"""What the databases of the workloads A and B hold, and what searching them has to answer."""

import dataclasses
import os
import time

from seed import Db

HERE = os.path.dirname(os.path.abspath(__file__))
TAGS = 5


@dataclasses.dataclass(frozen=True)
class Shape:
    """So many runs in one experiment, each with so many metrics of so many steps, and a few runs elsewhere with steps of their own."""

    label: str
    runs: int
    metrics: int
    steps: int
    elsewhere: int
    params: int = 20

    @property
    def values(self):
        """How many params, tags and latest metrics a run has: what a search returns of it."""
        return self.params + self.metrics + TAGS

    def fill(self, uri):
        """Fill a database that has the schema and nothing else."""
        sizes = {k: v for k, v in dataclasses.asdict(self).items() if k != "label"}
        Db(uri).script(f"{HERE}/shapes.sql", **sizes, now=int(time.time() * 1000))


def shapes(a):
    """Ten thousand runs, ten times as many, and few that are huge; the first two differ in nothing else."""
    huge = f"{a.huge_runs} runs × {a.huge_keys:,} keys × {a.huge_steps}"
    return (
        Shape(f"{a.small_runs:,} runs", a.small_runs, 20, 1, a.huge_steps),
        Shape(f"{a.large_runs:,} runs", a.large_runs, 20, 1, a.huge_steps),
        Shape(huge, a.huge_runs, a.huge_keys, a.huge_steps, a.huge_steps),
    )


@dataclasses.dataclass(frozen=True, eq=False)
class Search:
    """A search as the endpoint takes it, and the same in plain SQL: the condition on a run, and the order."""

    label: str
    body: dict
    where: str
    order: str

    def expected(self, db, experiment, first, count):
        """The param p0 of the rows that a page has to hold, from the database itself."""
        return [
            row[0]
            for row in db.query(
                f"""
                with run as (
                    select start_time, p0.value as p0, p1.value as p1, m1.value as m1, m2.value as m2 from runs
                    join params p0 on p0.run_uuid = runs.run_uuid and p0.key = 'p0'
                    join params p1 on p1.run_uuid = runs.run_uuid and p1.key = 'p1'
                    join latest_metrics m1 on m1.run_uuid = runs.run_uuid and m1.key = 'm1'
                    join latest_metrics m2 on m2.run_uuid = runs.run_uuid and m2.key = 'm2'
                    where experiment_id = {int(experiment)}
                )
                select p0 from run where {self.where} order by {self.order} limit {count} offset {first}"""
            )
        ]


FILTERED = Search(
    "filter + order",
    {"filter": "metrics.m1 > 0.5 and params.p1 = 'x'", "order_by": ["metrics.m2 DESC"]},
    "m1 > 0.5 and p1 = 'x'",
    "m2 desc",
)
NEWEST = Search("newest", {"order_by": ["attributes.start_time DESC"]}, "true", "start_time desc")
BY_METRIC = Search("by a metric", {"order_by": ["metrics.m2 DESC"]}, "true", "m2 desc")
SEARCHES = (FILTERED, NEWEST, BY_METRIC)
# Those that match every run, so that there are deep pages.
DEEP = (NEWEST, BY_METRIC)
