"""`bowerbird suggest` and `bowerbird queries`: what is offered while somebody types, and past queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.serve.cli_call import JSON_HELP, Call, current
from bowerbird.serve.cli_output import count, out, print_json, printable, say

if TYPE_CHECKING:
    from bowerbird.serve.cli_search import Facts

queries = typer.Typer(name="queries", help="List and forget your past queries.", rich_markup_mode=None)

OWN = "owner"
"""Whose they are: who runs commands is the first owner."""

AsJson = Annotated[bool, typer.Option("--json", help=JSON_HELP)]


def suggest(
    text: Annotated[list[str], typer.Argument(metavar="TEXT...", help="The query, as far as it is typed.")],
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=20, help="How many items, or values.")] = 5,
    as_user: Annotated[str, typer.Option("--as", metavar="USER", help="Suggest with the eyes of this person.")] = "",
    as_json: AsJson = False,
) -> None:
    """Print what a query that is being typed may become."""
    from bowerbird.serve.cli_search import facts_of, read_query

    call, typed = current(), read_query(text)
    found = None if as_user else _from_server(call, typed, limit)
    if found is None:
        from dataclasses import asdict

        from bowerbird.core.records import OWNER

        with call.open() as library:
            asker = library.identity.people.eyes(as_user) if as_user else OWNER
            person = "" if as_user else OWN
            found = asdict(library.suggesting.suggest(typed, asker, person, limit))
    if as_json:
        print_json(found)
        return
    for one in facts_of(found.get("suggestions")):
        told = [str(one.get("label")), str(one.get("detail") or "")]
        out().print(printable(f"{one.get('kind')!s:9} {'  '.join(part for part in told if part)}"), markup=False)
    if not found.get("suggestions"):
        say("Nothing to suggest.")


def _from_server(call: Call, typed: str, limit: int) -> Facts | None:
    """Return the answer of a running server, None where there is none that answers."""
    from bowerbird.serve.cli_search import MOST_HTTP
    from bowerbird.serve.client import running

    server = running(call.home) if len(typed) <= MOST_HTTP else None
    if server is None:
        return None
    try:
        return server.get("/api/suggest", q=typed, limit=limit)
    except ConnectionError:
        return None


@queries.command("list")
def list_queries(as_json: AsJson = False) -> None:
    """List your past queries, the newest first."""
    with current().open() as library:
        found = library.suggesting.past(OWN)
    if as_json:
        print_json({"queries": found})
        return
    for one in found:
        out().print(printable(one), markup=False)
    if not found:
        say("No query is remembered yet.")


@queries.command()
def forget(
    text: Annotated[list[str] | None, typer.Argument(metavar="[QUERY]...", help="The query; without one, all.")] = None,
    as_json: AsJson = False,
) -> None:
    """Forget one of your past queries, or all of them."""
    with current().open() as library:
        removed = library.suggesting.forget(OWN, " ".join(text or []))
    if as_json:
        print_json({"removed": removed})
    else:
        say(f"{count(removed, 'query', 'queries')} forgotten.")
