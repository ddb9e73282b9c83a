"""The servers under test: starting, stopping, freezing."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time

from procs import HOST, alive, free_port, read, rss_and_pss, tree
from seed import API, Client

START_LIMIT = 120


def log(*a):
    print(time.strftime("%H:%M:%S"), *a, file=sys.stderr, flush=True)


def answer(port, path):
    """Status of one GET on a connection of its own, or None when there is none."""
    try:
        with socket.create_connection((HOST, port), 10) as s:
            s.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
            head = s.recv(64).split(b" ")
            return int(head[1]) if len(head) > 1 and head[0].startswith(b"HTTP/") else None
    except (OSError, ValueError):
        return None


class Server:
    """A process that is measured: `cmd` with {host} and {port} filled in, in a folder of its own."""

    def __init__(self, name, cmd, args):
        self.name, self.cmd, self.args = name, cmd, args
        self.dir = os.path.join(args.workdir, name.replace(" ", "-"))
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir + "/artifacts")
        self.proc, self.port, self.can = None, 0, {}
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW", "RUNLEDGER"))}
        self.env.update(MLFLOW_DISABLE_TELEMETRY="true", DO_NOT_TRACK="true")

    def fields(self):
        return {"host": HOST, "port": self.port, "dir": self.dir, "artifacts": self.dir + "/artifacts"}

    def spawn(self):
        self.port = free_port()
        self.argv = shlex.split(self.cmd.format(**self.fields()))
        self.cl = Client(HOST, self.port)
        with open(f"{self.dir}/log", "a") as out:
            self.proc = subprocess.Popen(
                self.argv, cwd=self.dir, env=self.env, stdout=out, stderr=out, start_new_session=True
            )

    def until(self, path, began):
        """Poll until `path` answers; the status, and the seconds since `began`.

        Once a millisecond at first, every 10 ms after the first second: within 1 % of any slow start
        without taking the CPU from the server that is starting.
        """
        while True:
            status, now = answer(self.port, path), time.perf_counter() - began
            if status is not None and status < 500:
                return status, now
            if self.proc.poll() is not None or now > START_LIMIT:
                raise RuntimeError(f"{self.name} did not start; see {self.dir}/log")
            time.sleep(0.001 if now < 1 else 0.01)

    def stop(self):
        if not self.proc:
            return
        self.thaw(0)
        pids = tree(self.proc.pid)
        for sig, wait in ((signal.SIGTERM, 6), (signal.SIGKILL, 5)):
            self.signal(sig, pids)
            end = time.time() + wait
            while pids and time.time() < end:
                self.proc.poll()
                pids = [p for p in pids if alive(p)]
                time.sleep(0.01)
        self.proc = None

    def signal(self, sig, pids):
        for p in pids:
            try:
                os.kill(p, sig)
            except OSError:
                pass

    def freezable(self):
        # gunicorn's master kills workers whose heartbeat is stale after a stop; it is idle anyway.
        if not self.args.freeze:
            return False
        for p in tree(self.proc.pid):
            try:
                if "gunicorn" in read(f"/proc/{p}/cmdline"):
                    return False
            except OSError:
                pass
        return True

    def freeze(self):
        if self.proc and self.freezable():
            self.signal(signal.SIGSTOP, tree(self.proc.pid))

    def thaw(self, settle=0.4):
        if self.proc:
            self.signal(signal.SIGCONT, reversed(tree(self.proc.pid)))
            time.sleep(settle)

    def mem(self, pss=True):
        return rss_and_pss(tree(self.proc.pid), pss)


class Sut(Server):
    """A tracking server under test, with a database of its own."""

    def __init__(self, name, cmd, args, pg):
        super().__init__(name, cmd, args)
        self.pg = pg
        self.db_path = f"{self.dir}/db.sqlite"
        if pg:
            self.use(pg.create(name))
        elif args.backend == "file":
            # Made by the server: MLflow writes experiment 0 only into a folder that it creates.
            self.backend = self.plain = f"{self.dir}/mlruns"
        else:
            self.backend, self.plain = "sqlite:///" + self.db_path, "sqlite://" + self.db_path

    def use(self, uri):
        """The PostgreSQL database that the next start opens."""
        self.plain = uri
        # SQLAlchemy 2.1 takes a bare postgresql:// as psycopg 3; the virtual environments have psycopg2.
        self.backend = uri.replace("postgresql://", "postgresql+psycopg2://")

    def fields(self):
        return {**super().fields(), "backend": self.backend, "backend_plain": self.plain, "db_path": self.db_path}

    def start(self):
        """Start; the seconds until `/health` said 200 (None if it has no such route) and until the API answered."""
        began = time.perf_counter()
        self.spawn()
        status, health = self.until("/health", began)
        while True:
            answered, api = self.until(f"{API}/experiments/get?experiment_id=0", began)
            if answered == 200:
                return (health if status == 200 else None), api
            if time.perf_counter() - began > START_LIMIT:
                raise RuntimeError(f"{self.name} has no experiment 0; see {self.dir}/log")
            time.sleep(0.01)

    def footprint(self):
        """Installed size in MB: the binary, or the virtual environment that the command comes from."""
        for a in self.argv:
            a = shutil.which(a) or a
            if not (os.path.isabs(a) and os.path.isfile(a)) or os.path.basename(a) in ("env", "sh", "bash"):
                continue
            real, venv = os.path.realpath(a), os.path.dirname(os.path.dirname(a))
            with open(real, "rb") as f:
                script = f.read(4) != b"\x7fELF"
            if script and os.path.exists(venv + "/pyvenv.cfg"):
                return int(subprocess.run(["du", "-sm", venv], capture_output=True, text=True).stdout.split()[0])
            return os.path.getsize(real) / 1e6
        return float("nan")
