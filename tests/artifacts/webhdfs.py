"""A file system of one machine behind WebHDFS, Hadoop's protocol over HTTP.

It answers as the documentation of Hadoop 3 says that a name node and a data node
do: who reads or writes is sent on to another address, an upload that breaks off
leaves what has come, and a file is renamed over another only with OVERWRITE.
"""

import argparse
import json
import os
import shutil
import stat
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PREFIX = "/webhdfs/v1"
# What a name node adds for the data node.
DATA = "namenoderpcaddress"
PAGE = 100


class Refused(Exception):
    def __init__(self, status, name, message=""):
        super().__init__(message)
        self.status, self.name = status, name


def missing(path):
    return Refused(404, "FileNotFoundException", f"File does not exist: {path}")


class Ids:
    """What Hadoop counts up. An inode of the machine would be given again."""

    def __init__(self):
        self.lock = threading.Lock()
        self.last = 16384
        self.known = {}

    def of(self, file):
        with self.lock:
            if file not in self.known:
                self.last += 1
                self.known[file] = self.last
            return self.known[file]

    def move(self, file, target):
        with self.lock:
            self.known.pop(target, None)
            if file in self.known:
                self.known[target] = self.known.pop(file)

    def forget(self, file):
        with self.lock:
            self.known.pop(file, None)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root = Path()
    ids = Ids()

    def log_message(self, *_):
        pass

    def respond(self, status, value=None, headers=()):
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self):
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        is_data = DATA in query
        path = urllib.parse.unquote(parts.path.removeprefix(PREFIX)) or "/"
        operation = query.get("op", "").upper()
        try:
            method = f"{self.command}_{operation}" + ("_data" if is_data else "")
            work = getattr(self, method, None)
            if work is None:
                raise Refused(400, "UnsupportedOperationException", operation)
            work(path, self.local(path), query)
        except Refused as refused:
            self.close_connection = self.close_connection or is_data
            error = {"exception": refused.name, "message": str(refused)}
            self.respond(refused.status, {"RemoteException": error})

    do_GET = do_PUT = do_DELETE = serve

    def local(self, path):
        segments = path.strip("/").split("/") if path.strip("/") else []
        if any(segment in ("", ".", "..") for segment in segments):
            raise Refused(400, "IllegalArgumentException", f"Invalid path {path}")
        file = self.root.joinpath(*segments)
        for parent in file.parents:
            if parent == self.root:
                break
            if parent.is_file():
                raise Refused(403, "ParentNotDirectoryException", f"{path} (is not a directory)")
        return file

    def status(self, file, name=""):
        found = os.lstat(file)
        is_directory = stat.S_ISDIR(found.st_mode)
        return {
            "pathSuffix": name,
            "type": "DIRECTORY" if is_directory else "FILE",
            "length": 0 if is_directory else found.st_size,
            "modificationTime": found.st_mtime_ns // 1_000_000,
            "fileId": self.ids.of(file),
        }

    def redirect(self):
        place = f"http://{self.headers['Host']}"
        self.respond(307, headers=[("Location", f"{place}{self.path}&{DATA}=namenode:8020")])

    def GET_GETFILESTATUS(self, path, file, _):
        if not file.exists():
            raise missing(path)
        self.respond(200, {"FileStatus": self.status(file)})

    def GET_LISTSTATUS_BATCH(self, path, file, query):
        if not file.exists():
            raise missing(path)
        if file.is_file():
            names, statuses = [], [self.status(file)]
        else:
            after = query.get("startAfter", "")
            names = sorted(name for name in os.listdir(file) if name > after)
            statuses = []
            for name in names[:PAGE]:
                try:
                    statuses.append(self.status(file / name, name))
                except FileNotFoundError:
                    pass
        listing = {
            "partialListing": {"FileStatuses": {"FileStatus": statuses}},
            "remainingEntries": max(0, len(names) - PAGE),
        }
        self.respond(200, {"DirectoryListing": listing})

    def GET_OPEN(self, path, file, _):
        if not file.is_file():
            raise missing(path)
        self.redirect()

    def GET_OPEN_data(self, path, file, query):
        offset = int(query.get("offset", "0"))
        with open(file, "rb") as content:
            size = os.fstat(content.fileno()).st_size
            if offset > size:
                raise Refused(403, "IOException", f"Offset={offset} out of the range")
            content.seek(offset)
            self.send_response(200)
            self.send_header("Content-Type", "application/octet-stream")
            self.send_header("Content-Length", str(size - offset))
            self.end_headers()
            shutil.copyfileobj(content, self.wfile, 64 << 10)

    def PUT_CREATE(self, path, file, query):
        if file.exists() and query.get("overwrite") != "true":
            raise Refused(403, "FileAlreadyExistsException", path)
        self.redirect()

    def pieces(self):
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            left = int(self.headers.get("Content-Length", "0"))
            while left:
                piece = self.rfile.read(min(left, 64 << 10))
                if not piece:
                    raise ConnectionError
                left -= len(piece)
                yield piece
            return
        while True:
            line = self.rfile.readline(64)
            if not line:
                raise ConnectionError
            length = int(line.split(b";")[0], 16)
            piece = self.rfile.read(length)
            if len(piece) < length or self.rfile.readline(64) == b"":
                raise ConnectionError
            if length == 0:
                return
            yield piece

    def PUT_CREATE_data(self, path, file, _):
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(file, "wb") as content:
                for piece in self.pieces():
                    content.write(piece)
        except (ConnectionError, ValueError):
            self.close_connection = True
            return
        self.respond(201)

    def PUT_RENAME(self, path, file, query):
        target = self.local(query["destination"])
        if not file.exists():
            raise missing(path)
        overwrites = query.get("renameoptions") == "OVERWRITE"
        if target.is_dir() or not target.parent.is_dir() or (target.exists() and not overwrites):
            if overwrites:
                raise Refused(403, "FileAlreadyExistsException", f"rename destination {target}")
            self.respond(200, {"boolean": False})
            return
        os.rename(file, target)
        self.ids.move(file, target)
        if overwrites:
            self.respond(200)
        else:
            self.respond(200, {"boolean": True})

    def PUT_MKDIRS(self, path, file, _):
        if file.is_file():
            raise Refused(403, "FileAlreadyExistsException", f"Path is not a directory: {path}")
        file.mkdir(parents=True, exist_ok=True)
        self.respond(200, {"boolean": True})

    def PUT_SETTIMES(self, path, file, query):
        time = int(query["modificationtime"]) * 1_000_000
        os.utime(file, ns=(time, time))
        self.respond(200)

    def DELETE_DELETE(self, path, file, query):
        if not file.exists():
            self.respond(200, {"boolean": False})
            return
        try:
            self.ids.forget(file)
            if not file.is_dir():
                file.unlink()
            elif query.get("recursive") == "true":
                shutil.rmtree(file)
            else:
                file.rmdir()
        except FileNotFoundError:
            pass
        except OSError as error:
            raise Refused(403, "PathIsNotEmptyDirectoryException", f"{path} is non empty") from error
        self.respond(200, {"boolean": True})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    arguments = parser.parse_args()
    Handler.root = arguments.folder.resolve()
    Server(("127.0.0.1", arguments.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
