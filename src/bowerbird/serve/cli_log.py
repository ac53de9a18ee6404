"""The log of a command: lines on stderr, with tracebacks only for those who asked."""

from __future__ import annotations

import logging
from types import TracebackType

from bowerbird.core.errors import SettingError
from bowerbird.core.settings import Settings

Problem = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class LastLines(logging.Formatter):
    """Shows of a traceback what it ends with."""

    def formatException(self, ei: Problem) -> str:
        """Return the name of the exception and what it says."""
        return f"{type(ei[1]).__name__}: {ei[1]}"


def log_to_stderr(settings: Settings) -> None:
    """Send the log to stderr, from the level that the settings name; raises SettingError for an unknown level."""
    name = settings.get("log_level", str)
    if name not in LEVELS:
        raise SettingError(f"The setting `log_level` is `{name}`.", f"Use one of: {', '.join(LEVELS)}.")
    form = "%(levelname)s %(name)s: %(message)s"
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter(form) if name == "debug" else LastLines(form))
    logging.basicConfig(handlers=[handler])
    logging.getLogger("bowerbird").setLevel(LEVELS[name])
