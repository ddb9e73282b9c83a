"""An FTP server on a folder, by pyftpdlib. With --old it has no machine-readable lists."""

import argparse

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--old", action="store_true")
    arguments = parser.parse_args()

    class Handler(FTPHandler):
        authorizer = DummyAuthorizer()
        proto_cmds = {
            name: command
            for name, command in FTPHandler.proto_cmds.items()
            if not (arguments.old and name in ("MLSD", "MLST", "EPSV"))
        }

    Handler.authorizer.add_user(
        arguments.user, arguments.password, arguments.folder, perm="elradfmwMT"
    )
    server = FTPServer(("127.0.0.1", arguments.port), Handler)
    server.serve_forever()


if __name__ == "__main__":
    main()
