"""`bowerbird backup`, `restore`, `purge`, `export` and `erase`: what is kept, kept safe, given back and got rid of."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bowerbird.core.errors import BowerbirdError, LockedError
from bowerbird.serve.cli_call import JSON_HELP, current
from bowerbird.serve.cli_output import count, out, print_json, printable, say, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bowerbird.library import Library
    from bowerbird.library.maintaining import OldBackup, Receipt
    from bowerbird.library.records import Restored

_POLL_SECONDS = 0.2


def backup(
    target: Annotated[
        Path | None, typer.Argument(metavar="[TARGET]", help="A folder, or a file that ends in .tar.zst.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Read the backup again when it is written.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Write everything that cannot be made again into one file, while others go on working."""
    with current().open() as library, _Progress() as progress:
        written = library.records.backup(target, progress, verify)
    if as_json:
        import msgspec

        print_json({"backup": msgspec.to_builtins(written)})
        return 0
    _line(f"{written.path}: {count(written.counts['items'], 'item')}, {size(written.size)}")
    say("Models and the index are not in it: models come from packages, the index is made again from the rest.")
    if written.missing:
        say(f"{count(written.missing, 'blob')} were damaged and are not in it; `bowerbird doctor --repair` mends that.")
    return 0


def restore(
    source: Annotated[Path, typer.Argument(metavar="BACKUP", help="What `bowerbird backup` wrote.")],
    verify: Annotated[
        bool, typer.Option("--verify", help="Only try it, in a temporary folder, and check all.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Move the library that is there aside.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Put a backup into the data directory, all or nothing; the index is made again at the next start."""
    from bowerbird.library import records

    with _Progress() as progress:
        if verify:
            restored, findings = records.verify_backup(source, progress)
        else:
            restored, findings = records.restore(source, current().home, replace, progress), []
    if as_json:
        import msgspec

        print_json({"restored": None if verify else msgspec.to_builtins(restored), "counts": restored.counts,
                    "findings": msgspec.to_builtins(findings)})  # fmt: skip
    else:
        _show_restored(restored, verify)
        for finding in findings:
            _line(f"problem: {finding.keeper}: {finding.subject}: {finding.problem}")
    return 1 if findings else 0


def purge(as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False) -> int:
    """Remove every byte of what was deleted, and tell which backups still have it."""
    with current().open() as library:
        try:
            receipt = library.records.purge()
        except LockedError:
            say("Another Bowerbird process is the writer: it purges, this command waits.")
            receipt = _asked(library)
    if as_json:
        import msgspec

        print_json({"receipt": msgspec.to_builtins(receipt)})
        return 0
    for name, number in receipt.removed.items():
        _line(f"{name}: {number:,}")
    _show_unreachable(receipt.unreachable)
    say(f"The receipt is {receipt.path}.")
    return 0


def export(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The handle of a person.")],
) -> None:
    """Print everything kept about a person, as JSON; without secrets."""
    with current().open() as library:
        print_json(library.records.export(person))


def erase(
    person: Annotated[str, typer.Argument(metavar="PERSON", help="The handle of a person.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help=JSON_HELP)] = False,
) -> int:
    """Remove a person and everything kept about them; the audit log stays whole and no longer leads to them."""
    if not yes and not typer.confirm(f"Remove {person} for good?", default=False, err=True):
        say("Nothing was changed.")
        return 0
    with current().open() as library:
        erased = library.records.erase(person)
    if as_json:
        import msgspec

        print_json({"erased": msgspec.to_builtins(erased)})
        return 0
    _line(f"{count(erased.rows, 'row')} removed")
    _show_unreachable(erased.unreachable)
    return 0


def _asked(library: Library) -> Receipt:
    """Have the writer purge, and return the receipt it wrote; raises BowerbirdError where it failed."""
    import time

    import msgspec

    from bowerbird.library.maintaining import RECEIPTS, Receipt

    begun = time.time()
    job = library.enqueue("purge")
    while job.state in ("queued", "running"):
        time.sleep(_POLL_SECONDS)
        job = library.job(job.id)
    if job.state != "done":
        raise BowerbirdError(f"The purge failed: {job.message}", "Try again; what was removed stays removed.")
    receipts = [msgspec.json.decode(path.read_bytes(), type=Receipt)
                for path in sorted((library.home / RECEIPTS).glob("purge-*.json"))]  # fmt: skip
    return max((one for one in receipts if one.at >= begun), key=lambda one: one.at)


def _show_restored(restored: Restored, verify: bool) -> None:
    when = f"{datetime.fromtimestamp(restored.created, UTC):%Y-%m-%d %H:%M} UTC"
    what = "The backup is whole" if verify else f"Restored into {restored.home}"
    _line(f"{what}: {count(restored.counts['items'], 'item')}, of {when}, by Bowerbird {restored.version}")
    if restored.before:
        say(f"The library that was there is now {restored.before}; remove it when you no longer need it.")
    if not verify:
        say("Everybody has to sign in again. The next `bowerbird serve` or `bowerbird sync` makes the index.")


def _show_unreachable(backups: Iterable[OldBackup]) -> None:
    for one in backups:
        when = f"{datetime.fromtimestamp(one.created, UTC):%Y-%m-%d %H:%M} UTC"
        where = "" if one.there else " (no longer there: moved, or removed)"
        _line(f"not reached: the backup {one.path} of {when}{where}")


def _line(text: str) -> None:
    out().print(printable(text), markup=False)


class _Progress:
    """Shows how far it is on stderr; Ctrl-C stops between two files, and nothing half done is left."""

    def __enter__(self) -> _Progress:
        """Begin to draw."""
        from contextlib import ExitStack

        from bowerbird.serve.cli_progress import ProgressView, stopping

        self._stack = ExitStack()
        self._stop = self._stack.enter_context(stopping())
        self._view = self._stack.enter_context(ProgressView())
        return self

    def __exit__(self, *problem: object) -> None:
        """Leave the screen as it was."""
        self._stack.close()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show how far it is; raises Interrupted after Ctrl-C."""
        from bowerbird.core.errors import Interrupted

        if self._stop.is_set():
            raise Interrupted("It was stopped; nothing was changed.")
        self._view.show(what.capitalize(), done, total, f"{done:,} of {total:,}" if total else f"{done:,}")
