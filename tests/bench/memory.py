"""Free memory, filled with file cache before anything is measured.

A virtual machine that gives its free memory back to its host pays for the first touch of each page again: 8 µs where
such a page was measured, as long as PostgreSQL takes for two points of a metric. A server would pay for it the more
often, the more it writes. Memory that caches files is touched, and is given out again without that; a machine that has
been at work for a while has little other.
"""

import os
import time

RESERVE = 1 << 30
"""Bytes that stay free."""
CHUNK = 1 << 20
LIMIT = 90
"""Seconds after which what is filled has to do."""


class FileCache:
    """Pages of a file of holes, which has no blocks on the disk and no name; they are cached until `close`."""

    def __init__(self, folder, free):
        """Fills the `free` bytes of memory, but for the reserve."""
        path = os.path.join(folder, "file-cache.probe")
        self.fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
        os.unlink(path)
        size = max(0, free - RESERVE)
        os.ftruncate(self.fd, size)
        self.bytes, buffer, began = 0, bytearray(CHUNK), time.perf_counter()
        while self.bytes < size and time.perf_counter() - began < LIMIT:
            self.bytes += os.preadv(self.fd, [buffer], self.bytes)
        self.seconds = time.perf_counter() - began

    def __str__(self):
        page = os.sysconf("SC_PAGE_SIZE")
        return f"{self.bytes / 2**30:.0f} GiB of file cache ({self.seconds * 1e6 * page / max(1, self.bytes):.1f} µs a page)"

    def close(self):
        os.close(self.fd)
