"""What every command prints: data on stdout, talk on stderr, and errors as cause, remedy and code."""

from __future__ import annotations

import errno
import json
import sys
import traceback
from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from bowerbird.core.errors import BowerbirdError, DiskFullError, StoreError

OPENINGS = ("The ", "There ", "This ", "These ", "A ", "An ", "No ", "Another ", "Nothing ")
"""First words that lose their capital behind `error:`; any other first word may be a name and stays as it is."""


def out() -> Console:
    """Return the console for data; beside a terminal its lines are left whole, for grep and cut."""
    return Console(soft_wrap=not sys.stdout.isatty(), highlight=False, emoji=False)


def talk() -> Console:
    """Return the console for everything that is not data."""
    return Console(stderr=True, soft_wrap=not sys.stderr.isatty(), highlight=False, emoji=False)


def say(message: str) -> None:
    """Print one line of talk on stderr; markup in it is not interpreted (names of files come in here)."""
    talk().print(Text(printable(message)))


def printable(text: str) -> str:
    """Replace what a terminal cannot show or would obey: control characters and lone surrogates.

    >>> printable("a" + chr(27) + "[2Jb")
    'a�[2Jb'
    """
    return "".join(sign if sign in "\n\t" or _is_shown(sign) else "\ufffd" for sign in text)


def _is_shown(sign: str) -> bool:
    number = ord(sign)
    return 0x20 <= number < 0x7F or (number >= 0xA0 and not 0xD800 <= number < 0xE000)


def print_json(data: Mapping[str, object]) -> None:
    """Print the one JSON object of a command with `--json`."""
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    text = json.dumps(data, ensure_ascii=plain, indent=2, default=str)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = json.dumps(data, ensure_ascii=True, indent=2, default=str)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def print_error(error: BowerbirdError, as_json: bool) -> None:
    """Print an error for people on stderr; with `--json`, for programs on stdout."""
    if as_json:
        print_json({"error": {"code": error.code, "cause": error.cause, "remedy": error.remedy}})
        return
    cause = error.cause.rstrip(".")
    if cause.startswith(OPENINGS):
        cause = cause[0].lower() + cause[1:]
    console = talk()
    first = Text.assemble(("error: ", "bold red"), printable(cause))
    last = Text.assemble((f"   ({error.code})", "dim"))
    if not error.remedy:
        console.print(first + last)
        return
    console.print(first)
    console.print(Text.assemble(("hint: ", "bold"), printable(error.remedy)) + last)


def print_traceback(problem: BaseException) -> None:
    """Print where a problem comes from, for those who asked with the log level debug."""
    sys.stderr.write("".join(traceback.format_exception(problem)))


def as_error(problem: Exception) -> BowerbirdError:
    """Return the problem as an error of the tree, whatever it was."""
    if isinstance(problem, BowerbirdError):
        return problem
    if isinstance(problem, OSError):
        where = f" ({problem.filename})" if problem.filename else ""
        reason = (problem.strerror or str(problem)).lower()
        if problem.errno in (errno.ENOSPC, errno.EDQUOT):
            return DiskFullError(f"There is no room left on the disk{where}.", "Free some space and run it again.")
        return StoreError(
            f"A file of the library cannot be used{where}: {reason}.", "Check the path and its permissions."
        )
    return BowerbirdError(
        f"Bowerbird itself failed with {type(problem).__name__}: {problem}.",
        "Set BOWERBIRD_LOG_LEVEL=debug to see where, and report it.",
    )


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "file"), count(12000, "file"), count(2, "library", "libraries")
    ('1 file', '12,000 files', '2 libraries')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def size(octets: float) -> str:
    """Return a size for people, in powers of 1000 (SI).

    >>> size(512), size(1_500_000)
    ('512 B', '1.5 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if octets < 1000:
            return f"{octets:.0f} {unit}" if unit == "B" or octets >= 100 else f"{octets:.1f} {unit}"
        octets /= 1000
    return f"{octets:.1f} TB"


def duration(seconds: float) -> str:
    """Return a time span for people.

    >>> duration(4.2), duration(90), duration(7300)
    ('4 s', '2 min', '2.0 h')
    """
    if seconds < 60:
        return f"{max(seconds, 0):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
