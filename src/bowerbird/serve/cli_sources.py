"""`bowerbird sources`: what the library reads from."""

from __future__ import annotations

from typing import Annotated

import typer

from bowerbird.core.errors import NotFoundError
from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_index import PARTIAL
from bowerbird.serve.cli_indexing import SHOWN, list_troubles, troubles
from bowerbird.serve.cli_output import count, print_json, say, size
from bowerbird.serve.cli_status import describe, line, source_facts

app = typer.Typer(name="sources", help="List, check and remove sources.", rich_markup_mode=None)


@app.command("list")
def list_sources(
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """List the sources with their counts."""
    with current().open() as library:
        rows = library.sources()
    if as_json:
        print_json({"sources": [source_facts(row) for row in rows]})
        return
    if not rows:
        say("There are no sources yet: `bowerbird add FOLDER` makes one.")
    for row in rows:
        line(describe(row))


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Forget a source and everything that was indexed from it; the files themselves stay as they are."""
    with current().open() as library:
        library.remove_source(name)
    if as_json:
        print_json({"removed": name})
    else:
        say(f"The source {name} is removed; its files were not touched.")


@app.command()
def check(
    name: Annotated[str, typer.Argument(help="The source's name.")],
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Look whether a source can be read, as which user, and what in it failed."""
    import getpass

    with current().open() as library:
        row = next((row for row in library.sources() if name in (row.name, row.location)), None)
        if row is None:
            raise NotFoundError(f"There is no source named {name}.", "`bowerbird sources list` shows all of them.")
        preview = library.preview(row.location)
        failed = troubles(library, [row.name])
    user = getpass.getuser()
    facts = {
        "files": preview.files, "bytes": preview.bytes, "ignored": preview.ignored, "left_out": list(preview.left_out),
    }  # fmt: skip
    if as_json:
        print_json({"name": row.name, "location": row.location, "user": user, **facts, "failed": failed})
        return PARTIAL if failed else 0
    line(f"{row.name}: {row.location}, read as the user {user}")
    line(f"{count(preview.files, 'file')}, {size(preview.bytes)}; {preview.ignored:,} ignored")
    for key in preview.left_out[:SHOWN]:
        line(f"left out by the rules: {key}")
    if preview.ignored > SHOWN:
        line(f"and {preview.ignored - SHOWN:,} more (`--json` names the first thousand)")
    list_troubles(failed)
    return PARTIAL if failed else 0
