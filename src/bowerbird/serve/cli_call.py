"""What every command knows about its call, and how it opens the library."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bowerbird.core.settings import Settings
    from bowerbird.library import Library


JSON_HELP = "Print one JSON object on stdout."


@dataclass(frozen=True, slots=True)
class Call:
    """The global options: `override` is what --home said, if anything."""

    override: Path | None = None

    @property
    def home(self) -> Path:
        """The data directory."""
        from bowerbird.core.settings import home_directory

        return home_directory(self.override)

    def settings(self) -> Settings:
        """Read the settings of the data directory and put the log level in force."""
        from bowerbird.core.settings import load
        from bowerbird.serve.cli_log import log_to_stderr

        settings = load(self.home)
        log_to_stderr(settings)
        return settings

    def open(self) -> Library:
        """Open the library of this call; close it with `with`."""
        settings = self.settings()
        from bowerbird.library import Library

        return Library.open(self.home, settings)


_CURRENT: ContextVar[Call] = ContextVar("call")


def current() -> Call:
    """Return the call that runs in this process."""
    return _CURRENT.get(Call())


def begin(call: Call) -> None:
    """Keep the global options for the command that follows."""
    _CURRENT.set(call)
