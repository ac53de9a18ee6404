"""Writes a library as one text file, so that its format can be opened by every later Bowerbird.

    python tests/store/make_fixture.py HOME > tests/store/released/SCHEMA.json

Run it with the library of a release before the next migration is merged; the library should be small and made up.
"""

from __future__ import annotations

import base64
import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from bowerbird.store.blobs import Blobs


def dumped(home: Path) -> dict[str, object]:
    """The SQL that makes the database again, and the blobs by name; nothing of the index, which is derived."""
    with closing(sqlite3.connect(home / "bowerbird.sqlite")) as connection:
        connection.create_function("lower", 1, str.lower, deterministic=True)
        schema = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        sql = list(connection.iterdump())
    blobs = Blobs(home / "blobs")
    contents = {name: base64.b64encode(blobs.get(name)).decode() for name in sorted(blobs.names())}
    return {"schema": schema, "sql": sql, "blobs": contents}


def restored(file: Path, home: Path) -> None:
    """Make the library of such a file."""
    kept = json.loads(file.read_text(encoding="utf-8"))
    home.mkdir(parents=True)
    with closing(sqlite3.connect(home / "bowerbird.sqlite")) as connection:
        connection.executescript("\n".join(kept["sql"]))
    blobs = Blobs(home / "blobs")
    for name, content in kept["blobs"].items():
        assert blobs.put(base64.b64decode(content)) == name


if __name__ == "__main__":
    json.dump(dumped(Path(sys.argv[1])), sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
