"""`bowerbird status` and `bowerbird doctor`: how the library is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.core.errors import UsageError
from bowerbird.serve.cli_call import JSON_HELP, Call, current
from bowerbird.serve.cli_output import count, out, print_json, printable, say

if TYPE_CHECKING:
    from bowerbird.library import Report, Status
    from bowerbird.store.sources import SourceRow


def status(
    failed: Annotated[bool, typer.Option("--failed", help="List every file that could not be read, and why.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> None:
    """Show what is there, what waits, and what could not be read."""
    from bowerbird.serve.client import running

    call = current()
    with call.open() as library:
        found = library.status()
    server = running(call.home)
    if as_json:
        import msgspec

        facts = msgspec.to_builtins(found)
        facts["sources"] = [source_facts(row) for row in found.sources]
        print_json({"home": str(call.home), "server": server.url if server else None, **facts})
        return
    if failed:
        for one in found.quarantined:
            line(f"{one.source}: {one.key}: {one.cause}  ({one.code})")
        return
    line(f"library: {call.home}")
    line(f"server: {server.url if server else 'not running (`bowerbird serve` starts it)'}")
    show_counts(found)


def show_counts(found: Status) -> None:
    """Print the library's counts, sources and jobs, a fact a line."""
    line(f"items: {found.items:,}, in {count(found.passages, 'passage')}")
    if found.pending or found.pending_vectors:
        line(f"waiting: {count(found.pending, 'item')} to read, {found.pending_vectors:,} to be found by meaning")
    line(f"model: {found.model}")
    if found.quarantined:
        line(f"unreadable: {count(len(found.quarantined), 'file')} (`bowerbird status --failed` lists them)")
    if found.problem:
        line(f"problem: {found.problem}")
    for row in found.sources:
        line(f"source {describe(row)}")
    if not found.sources:
        say("There are no sources yet: `bowerbird add FOLDER` makes one.")
    for job in found.jobs:
        if job.state in ("queued", "running"):
            line(f"job {job.kind}: {job.state}, {job.done:,} of {job.total:,} {job.message}".rstrip())


def describe(row: SourceRow) -> str:
    """Describe a source in one line."""
    when = f"read {row.last_sync:%Y-%m-%d %H:%M} UTC" if row.last_sync else "not read yet"
    failures = f", {row.failures:,} unreadable" if row.failures else ""
    error = f", failed: {row.error}" if row.error else ""
    return f"{row.name}: {count(row.items, 'item')}{failures}, {when}{error}, {row.location}"


def source_facts(row: SourceRow) -> dict[str, object]:
    """Return a source's row as JSON shows it."""
    return {
        "name": row.name, "kind": row.kind, "location": row.location, "items": row.items, "failures": row.failures,
        "state": row.state, "error": row.error, "last_sync": row.last_sync.isoformat() if row.last_sync else None,
    }  # fmt: skip


def line(text: str) -> None:
    """Print one line of data."""
    out().print(printable(text), markup=False)


def doctor(
    verify: Annotated[bool, typer.Option("--verify", help="Compare the index with the store, item by item.")] = False,
    repair: Annotated[bool, typer.Option("--repair", help="Verify, and mend what can be mended.")] = False,
    settings: Annotated[bool, typer.Option("--settings", help="List the settings in force and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Check the library and the machine; exit code 1 on a problem."""
    call = current()
    if settings:
        if verify or repair:
            raise UsageError("--settings goes alone.", "Run `bowerbird doctor --settings` by itself.")
        list_settings(call, as_json)
        return 0
    if repair:
        from bowerbird.library import records

        if records.accept_loss(call.home):
            say("The newest changes could not be read and are lost; `bowerbird sync` reads all sources again.")
    with call.open() as library:
        report = library.doctor(verify=verify or repair, repair=repair)
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(report))
    else:
        show_report(report)
    return 0 if not report.findings and all(check.passed for check in report.checks) else 1


def show_report(report: Report) -> None:
    """Print the checks, then what was found wrong."""
    for check in report.checks:
        line(str(check))
    if report.repaired:
        say(f"{count(report.repaired, 'problem')} mended.")
    for finding in report.findings:
        line(f"problem: {finding.keeper}: {finding.subject}: {finding.problem}")
    if report.findings:
        mendable = sum(finding.repairable for finding in report.findings)
        say(f"{count(len(report.findings), 'problem')}; `bowerbird doctor --repair` can mend {mendable:,}.")


def list_settings(call: Call, as_json: bool) -> None:
    """Print every setting with its value, and what it is for."""
    rows = call.settings().listed()
    if as_json:
        print_json({"settings": {row.name: {"value": value, "help": row.help} for row, value in rows}})
        return
    for row, value in rows:
        changed = "" if value == row.default else f" (default {row.default})"
        line(f"{row.name} = {value}{changed}: {row.help}")
