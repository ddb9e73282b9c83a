"""Makes or drops databases: `python manage.py create URI…`, `python manage.py drop URI…`."""

import sys

import databases

command, *uris = sys.argv[1:]
for uri in uris:
    {"create": databases.create, "drop": databases.drop}[command](uri)
