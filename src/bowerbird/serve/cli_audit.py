"""`bowerbird audit`: who did what, whether the log was tampered with, and the log as a file."""

from __future__ import annotations

from typing import Annotated

import typer

from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_output import count, out, print_json, printable, say

audit = typer.Typer(name="audit", help="Read, check and export the audit log.", rich_markup_mode=None)


@audit.command("list")
def list_events(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many events.")] = 50,
    before: Annotated[int, typer.Option(min=0, help="Only events older than this number.")] = 0,
    action: Annotated[str, typer.Option(help="Only this action, such as rule.added.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """List who did what, newest first."""
    with current().open() as library:
        found = library.auditing.page(before, limit, action)
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(found))
        return
    for event in found.events:
        when = f"{event.at:%Y-%m-%d %H:%M:%S} UTC" if event.at else ""
        line = f"{event.id}  {when}  {event.person or event.actor}  {event.action}  {event.subject or event.object}"
        out().print(printable(line.rstrip()), markup=False)
    if found.next:
        say(f"Older ones: `bowerbird audit list --before {found.next}`.")


@audit.command()
def export() -> None:
    """Print the whole log as JSON, a line an event, oldest first; this is written to the log, too."""
    import sys

    from bowerbird.core.records import OWNER

    with current().open() as library:
        for line in library.auditing.exported(OWNER):
            sys.stdout.write(line.decode("utf-8"))


@audit.command()
def verify(as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False) -> int:
    """Follow the chain of hashes through the whole log; exit code 1 where an event does not follow."""
    with current().open() as library:
        chain = library.auditing.verify()
    if as_json:
        print_json({"events": chain.events, "broken": list(chain.broken)})
    elif chain.broken:
        numbers = ", ".join(str(number) for number in chain.broken[:20])
        say(f"{count(len(chain.broken), 'event')} of {chain.events:,} do not follow from those before: {numbers}.")
    else:
        say(f"{count(chain.events, 'event')}, each follows from the one before.")
    return 1 if chain.broken else 0
