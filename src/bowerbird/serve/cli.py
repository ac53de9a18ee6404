"""The command line: `bowerbird`. Commands live in the files `cli_*.py`; they import what they need when they run.

Exit codes: 0 done, 1 failed, 2 usage, 3 partial (what failed is listed), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bowerbird import __version__
from bowerbird.core.errors import Interrupted, SettingError, UsageError
from bowerbird.serve import (
    cli_access,
    cli_index,
    cli_people,
    cli_records,
    cli_search,
    cli_serve,
    cli_sources,
    cli_status,
)
from bowerbird.serve.cli_audit import audit
from bowerbird.serve.cli_bench import bench
from bowerbird.serve.cli_call import Call, begin
from bowerbird.serve.cli_explain import explain
from bowerbird.serve.cli_models import models
from bowerbird.serve.cli_output import as_error, print_error, print_traceback
from bowerbird.serve.cli_saved import saved
from bowerbird.serve.cli_suggest import queries, suggest

HELP = """
One search box over everything a team works on, on hardware the team owns.

Start with `bowerbird up FOLDER`, or with `bowerbird demo` to look around in a made-up workspace.
"""

EPILOG = "Exit codes: 0 done, 1 failed, 2 usage, 3 partial (what failed is listed), 130 interrupted."

app = typer.Typer(
    name="bowerbird",
    help=HELP,
    epilog=EPILOG,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def show_version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        sys.stdout.write(f"bowerbird {__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    home: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The data directory (else BOWERBIRD_HOME, else the XDG one).")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Keep the global options for the command."""
    begin(Call(home))


app.command()(cli_serve.up)
app.command()(cli_serve.demo)
app.command()(cli_index.add)
app.command()(cli_index.sync)
app.add_typer(cli_sources.app, name="sources")
app.command()(cli_search.search)
app.command()(explain)
app.command()(suggest)
app.add_typer(queries, name="queries")
app.add_typer(saved, name="saved")
app.command("why-visible")(cli_access.why_visible)
app.add_typer(cli_access.access, name="access")
app.command()(cli_status.status)
app.command()(cli_serve.serve)
app.command()(cli_status.doctor)
app.command()(cli_records.backup)
app.command()(cli_records.restore)
app.command()(cli_records.purge)
app.command()(cli_records.export)
app.command()(cli_records.erase)
app.command()(bench)
app.add_typer(models, name="models")
app.add_typer(cli_people.people, name="people")
app.add_typer(cli_people.groups, name="groups")
app.add_typer(cli_people.token, name="token")
app.add_typer(audit, name="audit")


def main() -> None:
    """Run the command line and end the process."""
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        code = 1
        silence_stdout()
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are printed. Raises only BrokenPipeError."""
    as_json = "--json" in arguments
    try:
        returned = app(list(arguments) or ["--help"], prog_name="bowerbird", standalone_mode=False)
        return returned if isinstance(returned, int) else 0
    except typer.Abort:
        problem: Exception = Interrupted("It was stopped.")
    except KeyboardInterrupt:
        problem = Interrupted("It was stopped.")
    except typer.TyperException as found:
        problem = UsageError(found.format_message(), f"`{usage_of(arguments)} --help` tells how to use it.")
    except BrokenPipeError:
        raise
    except Exception as found:
        problem = found
    if wants_traceback(arguments):
        print_traceback(problem)
    error = as_error(problem)
    print_error(error, as_json)
    return error.exit_code


def usage_of(arguments: Sequence[str]) -> str:
    """Return the command whose help explains a mistake.

    >>> usage_of(["--home", "x", "sources", "lst"]), usage_of(["frobnicate"])
    ('bowerbird sources', 'bowerbird')
    """
    groups = {info.name for info in app.registered_groups}
    commands = {getattr(info.callback, "__name__", "") for info in app.registered_commands}
    known = next((word for word in arguments if word in groups | commands), "")
    return f"bowerbird {known}".rstrip()


def wants_traceback(arguments: Sequence[str]) -> bool:
    """Return whether the log level is debug; a broken settings file is not a reason to fail here."""
    from bowerbird.core.settings import home_directory, load

    override = None
    if "--home" in arguments[:-1]:
        override = Path(arguments[arguments.index("--home") + 1])
    try:
        return load(home_directory(override)).get("log_level", str) == "debug"
    except (SettingError, OSError):
        return False


def silence_stdout() -> None:
    """Point stdout nowhere once its reader has gone, so that the interpreter's last flush does not complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
