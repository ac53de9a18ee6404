"""Where things come from: one file a connector, each yielding Item, Gone, Failure or Checkpoint from `pull`.

Sources are found by name through one door: the built-in ones are listed here in the form of an entry point, others
come in as entry points of the group `bowerbird.sources` from any installed package.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from bowerbird.core.errors import MissingExtra, UsageError
from bowerbird.core.settings import Settings
from bowerbird.sources.base import Preview, Source

__all__ = ["GROUP", "Preview", "Source", "kinds", "open_source"]

GROUP = "bowerbird.sources"
"""The entry-point group for sources from other packages."""

_BUILT_IN = (
    EntryPoint("files", "bowerbird.sources.files:FilesSource", GROUP),
    EntryPoint("collection", "bowerbird.sources.corpus:CollectionSource", GROUP),
)


def kinds() -> tuple[str, ...]:
    """Return the kinds of source there are, sorted."""
    return tuple(sorted(_doors()))


def open_source(kind: str, location: str, settings: Settings, exclude: Sequence[Path] = ()) -> Source:
    """Return the source of a kind at a location; no file or network is touched yet.

    Raises UsageError for a kind there is not, MissingExtra where its package lacks something it needs.
    """
    door = _doors().get(kind)
    if door is None:
        raise UsageError(f"There is no kind of source named `{kind}`.", f"There are: {', '.join(kinds())}.")
    try:
        factory = door.load()
    except ImportError as problem:
        raise MissingExtra(f"Sources of kind `{kind}` need a missing part: {problem}.", "Install it.") from problem
    source: Source = factory(location, settings, exclude)
    return source


def _doors() -> dict[str, EntryPoint]:
    return {door.name: door for door in (*entry_points(group=GROUP), *_BUILT_IN)}
