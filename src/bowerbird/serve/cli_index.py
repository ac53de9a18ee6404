"""`bowerbird add` and `bowerbird sync`: what fills the library."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.core.errors import Interrupted
from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_indexing import describe, list_troubles, pull_model, synchronize, troubles
from bowerbird.serve.cli_output import count, out, print_json, say

if TYPE_CHECKING:
    from bowerbird.library import Library

PARTIAL = 3
"""Exit code: the rest is done, what failed is listed."""


def add(
    location: Annotated[str, typer.Argument(metavar="PATH", help="A folder, a file, or a URL that fsspec knows.")],
    name: Annotated[str, typer.Option(help="What to call the source; the folder's name by default.")] = "",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before a large first run.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Register a folder as a source and index it."""
    with current().open() as library:
        if not yes and not confirm(library, location, ask=not as_json):
            return 0
        source = library.add(location, name)
        pull_model(library)
        synchronize(library, [source.name])
        return report(library, [source.name], as_json)


def sync(
    source: Annotated[str, typer.Argument(metavar="[SOURCE]", help="One source by name; all without it.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Bring sources up to date: new, changed and removed files."""
    with current().open() as library:
        names = [source] if source else []
        if not names and not library.sources():
            say("There are no sources yet: `bowerbird add FOLDER` makes one.")
        synchronize(library, names)
        return report(library, names, as_json)


def confirm(library: Library, location: str, *, ask: bool) -> bool:
    """Show what a large first run would do and ask, where somebody can answer; True means go on."""
    if is_registered(library, location):
        return True
    preview = library.preview(location)
    if preview.files <= library.settings.get("preview_above", int):
        return True
    say(f"{location}: {describe(preview)}")
    if not ask or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    try:
        if typer.confirm("Go on?", default=True, err=True):
            return True
    except typer.Abort as problem:
        raise Interrupted("It was stopped before anything was indexed.") from problem
    say("Nothing was changed.")
    return False


def is_registered(library: Library, location: str) -> bool:
    """Return whether this location is a source that has been read at least once."""
    from pathlib import Path

    known = {source.location for source in library.sources() if source.last_sync is not None}
    return location in known or str(Path(location).expanduser().resolve()) in known


def report(library: Library, names: list[str], as_json: bool) -> int:
    """Print what the library now holds of these sources and return the exit code."""
    rows = [row for row in library.sources() if not names or row.name in names]
    failed = troubles(library, [row.name for row in rows] if names else [])
    if as_json:
        sources = [{"name": row.name, "location": row.location, "items": row.items} for row in rows]
        print_json({"sources": sources, "items": sum(row.items for row in rows), "failed": failed})
    else:
        for row in rows:
            out().print(f"{row.name}: {count(row.items, 'item')} from {row.location}", markup=False)
        list_troubles(failed)
    return PARTIAL if failed else 0
