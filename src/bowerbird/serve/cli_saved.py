"""`bowerbird saved`: searches kept under a name, run again by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_output import out, print_json, printable, say

if TYPE_CHECKING:
    from bowerbird.store.saved import SavedSearch

saved = typer.Typer(name="saved", help="Keep searches under a name, and run them.", rich_markup_mode=None)

OWN = "owner"
"""Whose they are: who runs commands is the first owner."""

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name it was saved under.")]
AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


@saved.command("list")
def list_saved(as_json: AsJson = False) -> None:
    """List your saved searches."""
    with current().open() as library:
        found = library.saved.listed(OWN)
    if as_json:
        print_json({"saved": [facts(one) for one in found]})
        return
    if not found:
        say("Nothing is saved yet: `bowerbird saved add NAME QUERY` saves a search.")
    for one in found:
        order = ", newest first" if one.sort == "date" else ""
        out().print(printable(f"{one.name}: {one.query}{order}"), markup=False)


@saved.command()
def add(
    name: Name,
    query: Annotated[list[str], typer.Argument(metavar="QUERY...", help="What to look for.")],
    sort: Annotated[str, typer.Option(help="relevance or date (newest first).")] = "relevance",
    as_json: AsJson = False,
) -> None:
    """Save a search."""
    with current().open() as library:
        made = library.saved.add(OWN, name, " ".join(query), sort)
    _tell(made, as_json, f"Saved as {made.name}.")


@saved.command()
def rename(
    name: Name,
    new: Annotated[str, typer.Argument(metavar="NEW", help="What it is to be called.")],
    as_json: AsJson = False,
) -> None:
    """Give a saved search another name."""
    with current().open() as library:
        changed = library.saved.change(OWN, library.saved.named(OWN, name).id, name=new)
    _tell(changed, as_json, f"It is called {changed.name} now.")


@saved.command()
def remove(name: Name, as_json: AsJson = False) -> None:
    """Forget a saved search."""
    with current().open() as library:
        gone = library.saved.remove(OWN, library.saved.named(OWN, name).id)
    _tell(gone, as_json, f"{gone.name} is no longer saved.")


@saved.command()
def run(
    name: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=100, help="How many hits.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Run a saved search, and print the hits as `bowerbird search` does."""
    from bowerbird.serve.cli_search import answer

    with current().open() as library:
        wanted = library.saved.named(OWN, name)
    answer(wanted.query, limit=limit, sort=wanted.sort, as_json=as_json)


def facts(one: SavedSearch) -> dict[str, object]:
    """Return a saved search as the API shows it."""
    from datetime import UTC, datetime

    created = datetime.fromtimestamp(one.created, UTC).isoformat()
    return {"id": one.id, "name": one.name, "query": one.query, "sort": one.sort, "created": created}


def _tell(one: SavedSearch, as_json: bool, said: str) -> None:
    if as_json:
        print_json(facts(one))
    else:
        say(said)
