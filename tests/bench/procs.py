"""What the kernel says about processes and about this machine (Linux /proc)."""

import os
import platform
import socket
import time

HOST = "127.0.0.1"
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as s:
        s.bind((HOST, 0))
        return s.getsockname()[1]


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


def parent(stat):
    """The process id of the parent, from the text of `/proc/PID/stat`."""
    return int(stat[stat.rindex(")") + 2 :].split()[1])


def tree(pid):
    """A process and all its descendants, parents first."""
    kids = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                kids.setdefault(parent(read(f"/proc/{p}/stat")), []).append(int(p))
            except (OSError, ValueError):
                pass
    out, todo = [], [pid]
    while todo:
        x = todo.pop(0)
        out.append(x)
        todo += kids.get(x, [])
    return out


def alive(pid):
    """Whether a process still runs; a zombie does not."""
    try:
        return read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def rss_and_pss(pids, want_pss=True):
    """Resident memory in MiB, summed; and the same with shared pages counted once."""
    rss = pss = 0
    for p in pids:
        try:
            rss += int(read(f"/proc/{p}/statm").split()[1]) * PAGE
            if want_pss:
                pss += field(f"/proc/{p}/smaps_rollup", "Pss:") * 1024
        except (OSError, StopIteration, IndexError):
            pass
    return rss / 2**20, pss / 2**20


def peak_rss(pids):
    """Highest resident memory so far in MiB: the sum of every process's own peak."""
    total = 0
    for p in pids:
        try:
            total += field(f"/proc/{p}/status", "VmHWM:") * 1024
        except (OSError, StopIteration, IndexError):
            pass
    return total / 2**20


def field(path, name):
    return next(int(line.split()[1]) for line in read(path).splitlines() if line.startswith(name))


def cpu_seconds(pids):
    """CPU time used by processes, and by those of their children that have ended."""
    ticks = 0
    for p in pids:
        try:
            ticks += sum(map(int, read(f"/proc/{p}/stat").rsplit(")", 1)[1].split()[11:15]))
        except OSError:
            pass
    return ticks / TICK


def machine_ticks():
    """(all, idle) clock ticks of the whole machine."""
    f = [int(x) for x in read("/proc/stat").split("\n", 1)[0].split()[1:9]]
    return sum(f), f[3] + f[4]


def filesystem(path):
    """Type of the file system that holds a path."""
    path, best = os.path.realpath(path), ("", "unknown")
    for line in read("/proc/mounts").splitlines():
        _, at, kind = line.split()[:3]
        if (path + "/").startswith(at.rstrip("/") + "/") and len(at) >= len(best[0]):
            best = (at, kind)
    return best[1]


def fdatasyncs(folder, seconds=0.5):
    """How many times a second 4 KiB can be made durable here, in a file that does not grow (as a WAL in use)."""
    path, n = os.path.join(folder, "fdatasync.probe"), 0
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    try:
        os.write(fd, bytes(1 << 20))
        os.fsync(fd)
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            os.pwrite(fd, b"x" * 4096, n % 256 * 4096)
            os.fdatasync(fd)
            n += 1
    finally:
        os.close(fd)
        os.unlink(path)
    return n / seconds


def machine(workdir):
    """One line that says what the figures were measured on."""
    info = read("/proc/cpuinfo")
    model = next(
        (x.split(":", 1)[1].strip() for x in info.splitlines() if x.startswith("model name")), platform.machine()
    )
    ram = field("/proc/meminfo", "MemTotal:") / 2**20
    return (
        f"{model}, {os.cpu_count()} cores, {ram:.0f} GiB RAM, Linux {platform.release()}, {filesystem(workdir)} "
        f"({fdatasyncs(workdir):,.0f} fdatasync/s), Python {platform.python_version()}, load {os.getloadavg()[0]:.1f} before"
    )
