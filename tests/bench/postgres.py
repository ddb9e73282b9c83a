"""The databases of a run in the PostgreSQL cluster that an environment variable names.

`cargo xtask bench` sets it; `cargo xtask database postgres` starts a cluster and prints it. All servers under test
share the cluster and its settings.
"""

import os
import re
import sys
import urllib.parse

from procs import parent
from seed import Db
from servers import log

VARIABLE = "RUNLEDGER_TEST_POSTGRES_URL"


class Cluster:
    """The user of the URL is a superuser: the seeding turns foreign keys off, and servers are told to let go of databases."""

    def __init__(self):
        self.url, self.made = os.environ.get(VARIABLE), []
        if not self.url:
            sys.exit(f"{VARIABLE} is not set: run `cargo xtask bench --backend postgres`")
        self.admin = Db(self.url)
        self.pid = self.postmaster()

    def postmaster(self):
        """The process that all others of the cluster descend from; None where it runs elsewhere."""
        # psql reads its parent while the backend lives.
        stat = self.admin.run(text="select pg_backend_pid() as pid \\gset\n\\setenv PID :pid\n\\! cat /proc/$PID/stat\n")
        return parent(stat) if "(postgres)" in stat else None

    def settings(self):
        """What the figures depend on, in a few words."""
        version, *values = (
            self.admin.query(f"show {name}")[0][0]
            for name in ("server_version", "fsync", "synchronous_commit", "shared_buffers")
        )
        return "PostgreSQL {} (fsync {}, synchronous_commit {}, shared_buffers {})".format(version.split()[0], *values)

    def create(self, name, template=None):
        """A new database, empty or a copy of another that nobody is connected to; its URI. An old one of the name goes."""
        name = "runledger_bench_" + re.sub("[^a-z0-9]+", "_", name.lower())
        self.drop(uri := urllib.parse.urlsplit(self.url)._replace(path=f"/{name}").geturl())
        # Copying the files is faster than writing every page to the log.
        copied = f" template {database(template)} strategy file_copy" if template else ""
        self.admin.query(f"create database {name}{copied}")
        self.made.append(uri)
        return uri

    def drop(self, uri):
        self.admin.query(f"drop database if exists {database(uri)} with (force)")
        self.made = [x for x in self.made if x != uri]

    def stop(self):
        for uri in list(self.made):
            try:
                self.drop(uri)
            except RuntimeError as e:
                log(e)


def database(uri):
    """The name of a database in its URI."""
    return urllib.parse.urlsplit(uri).path[1:]
