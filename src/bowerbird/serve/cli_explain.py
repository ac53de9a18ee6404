"""`bowerbird explain`: why an item stands where it stands, why it was not found, and a query under two pipelines."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.core.errors import UsageError
from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_output import out, print_json, printable, say

if TYPE_CHECKING:
    from bowerbird.core.records import Principal, Reason
    from bowerbird.library import Library
    from bowerbird.library.explaining import Replay
    from bowerbird.search.explaining import Verdict

OWN = "owner"
"""Who runs commands is the first owner."""


def explain(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="The query, in quotes.")],
    item: Annotated[str, typer.Argument(metavar="[ITEM]", help="The item: its id, or its path.")] = "",
    pipeline: Annotated[str, typer.Option(help="hybrid, words, meaning, or a formula.")] = "hybrid",
    compare: Annotated[str, typer.Option(metavar="PIPELINE", help="Run the query under this one, too.")] = "",
    as_user: Annotated[str, typer.Option("--as", metavar="USER", help="Explain with the eyes of this person.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Say why an item stands where it stands for a query, or why it was not found."""
    if not item and not compare:
        raise UsageError("There is nothing to explain.", "Name an item, or another pipeline with --compare.")
    from bowerbird.core.records import OWNER

    pipelines = (pipeline, compare) if compare else (pipeline,)
    with current().open() as library:
        asker = library.identity.people.eyes(as_user) if as_user else OWNER
        item_id = library.permissions.item_id(item) if item else ""
        told = [_verdict(library, query, item_id, asker, one) for one in pipelines if item_id]
        replay = _replay(library, query, asker, pipelines) if compare else None
    if as_json:
        from dataclasses import asdict

        facts = {"explained": [one.to_dict() for one in told]}
        print_json({**facts, "compared": asdict(replay) if replay else None})
        return
    for one in told:
        _show(one)
    if replay is not None:
        _show_replay(replay)


def _verdict(library: Library, query: str, item: str, asker: Principal, pipeline: str) -> Verdict:
    from bowerbird.core.zones import local_zone

    by = OWN if asker.name != f"user:{OWN}" else ""
    return library.explaining.why(query, item, asker, pipeline, local_zone(), by)


def _replay(library: Library, query: str, asker: Principal, pipelines: tuple[str, ...]) -> Replay:
    from bowerbird.core.zones import local_zone

    return library.explaining.replay(query, pipelines, asker, zone=local_zone())


def _show(told: Verdict) -> None:
    name = told.path or told.item
    if told.formula:
        _line(f"{name}, by `{told.formula}`")
    _line(f"place {told.rank:,} of {told.of:,}" if told.found else "not found")
    for cause in told.causes:
        _line(f"  {cause.words}")
    if told.reason is not None:
        _show_reason(told.reason, 1)
    for hint in told.hints:
        say(hint)


def _show_reason(reason: Reason, depth: int) -> None:
    amount = "" if reason.amount is None else f"  {reason.amount:+.6f}"
    _line(f"{'  ' * depth}{reason.stage}: {reason.words}{amount}")
    for part in reason.parts:
        _show_reason(part, depth + 1)


def _show_replay(replay: Replay) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in replay.pipelines:
        table.add_column(Text(printable(name)), justify="right")
    table.add_column("item")
    for row in replay.rows:
        ranks = (f"{rank:,}" if rank else "–" for rank in row.ranks)
        table.add_row(*ranks, Text(printable(row.path or row.title)))
    out().print(table)
    if not replay.rows:
        say("Nothing found.")


def _line(text: str) -> None:
    out().print(printable(text), markup=False, soft_wrap=True)
