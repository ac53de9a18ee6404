"""What every command knows about its call, and how it opens the library."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bowerbird.core.errors import SettingError

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


def log_to_stderr(settings: Settings) -> None:
    """Send the log to stderr, from the level that the settings name; raises SettingError for an unknown level."""
    import logging

    name = settings.get("log_level", str)
    levels = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
    if name not in levels:
        raise SettingError(f"The setting `log_level` is `{name}`.", f"Use one of: {', '.join(levels)}.")
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("bowerbird").setLevel(levels[name])
