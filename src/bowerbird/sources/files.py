"""Folders and single files, of this machine or of anything fsspec reaches by URL."""

from __future__ import annotations

import mimetypes
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import ClassVar

from bowerbird.core.errors import SourceError
from bowerbird.core.records import Access, Checkpoint, Failure, Gone, Item
from bowerbird.core.settings import Settings
from bowerbird.sources.base import Preview, Source
from bowerbird.sources.keys import escape, join, readable, split
from bowerbird.sources.posix import Rights
from bowerbird.sources.trees import LocalTree, open_tree, reason
from bowerbird.sources.walking import Found, Walk

FILES_PER_SECOND = 150.0
BYTES_PER_SECOND = 5e6
"""What two cores index, for `Preview.seconds_estimate`: files by number, and those that are read by size."""

_REREAD_AFTER = 0.1
_TYPES = mimetypes.MimeTypes(filenames=())
"""Python's own table: the machine's mime.types would make the same folder differ between machines."""


class FilesSource(Source):
    """A folder tree or a single file. Pulls are listings without content, in name order, files before folders.

    The key of an item is its path below the root (the file's name, where the root is a file); see `keys`, `ignore`
    and `trees.LocalTree` for names, for what is left out and for links. A scope is a folder, or a file that others may
    read than may pass through its folder; see `posix`.
    """

    kind: ClassVar[str] = "files"

    def __init__(self, location: str, settings: Settings, exclude: Sequence[Path] = ()) -> None:
        super().__init__(location, settings, exclude)
        self._tree = open_tree(location)
        self._single: bool | None = None

    @property
    def says_access(self) -> bool:
        """Local folders say who may read what by their modes; what fsspec reaches does not."""
        return isinstance(self._tree, LocalTree)

    def _walk(self) -> tuple[Walk, bool]:
        """Begin a pass; says also whether the root is a single file."""
        walk = Walk(self._tree, self.exclude)
        self._single = walk.root().kind == "file"
        return walk, self._single

    def pull(self, checkpoint: Checkpoint) -> Iterator[Access | Item | Gone | Failure | Checkpoint]:
        """Yield every file there is, then a complete Checkpoint; the given one is not needed, for a listing is cheap.

        Raises SourceError where the root itself cannot be listed (a disk that is not mounted): nothing is gone then.
        """
        walk, single = self._walk()
        said = _Said(self, single)
        found: Iterable[Found | Failure] = [Found((), walk.root())] if single else walk.below(())
        for each in found:
            if isinstance(each, Failure) and not each.key and each.prefix:
                raise SourceError(f"{self.location}: {each.cause}", "Check who may read it.")
            yield from said.of(each)
        yield Checkpoint(complete=True)

    def peek(self, keys: Iterable[str]) -> Iterator[Access | Item | Gone | Failure]:
        """Look again at some keys: an Item for a file that is there, Gone for what is not there or left out by now.

        A key may be a folder ("" is the root): all files below it are yielded. What is known at or below a peeked key
        and was neither yielded nor lies below a Failure with `prefix=True` is gone. Raises SourceError as `pull` does.
        """
        walk, single = self._walk()
        said = _Said(self, single)
        done: set[str] = set()
        for key in sorted(set(keys)):
            if any(parent in done for parent in _above(key)):
                continue
            done.add(key)
            yield from self._peeked(walk, key, said)

    def _peeked(self, walk: Walk, key: str, said: _Said) -> Iterator[Access | Item | Gone | Failure]:
        if said.single:
            root = Found((), walk.root())
            yield from said.of(root) if key in ("", self.key(root)) else [Gone(key)]
            return
        nothing = True
        try:
            for each in walk.at(split(key)):
                nothing = False
                yield from said.of(each)
        except FileNotFoundError:
            nothing = True
        except OSError as problem:
            yield Failure(key, SourceError.code, f"It cannot be read: {reason(problem)}.", prefix=True)
            return
        if nothing and key:
            yield Gone(key)

    def preview(self) -> Preview:
        """Count what adding this would index; lists everything once, reads nothing. Raises SourceError as `pull`."""
        walk, single = self._walk()
        files = total = 0
        limit = self.settings.get("max_file_mb", int) << 20
        read = 0
        for each in [Found((), walk.root())] if single else walk.below(()):
            if isinstance(each, Found):
                files += 1
                total += each.entry.size
                read += each.entry.size if each.entry.size <= limit else 0
        seconds = round(files / FILES_PER_SECOND + read / BYTES_PER_SECOND, 1)
        return Preview(files, total, walk.ignored, seconds, tuple(walk.left_out))

    def read(self, item: Item) -> bytes:
        """Return the bytes of a file as it is now; raises SourceError where it is gone, changing, denied or too large.

        Files above the setting `max_file_mb` are never read. Where modes decide who may read what (`scoped`), a file
        that was changed since it was listed is not read: its mode may have been changed with it.
        """
        limit = self.settings.get("max_file_mb", int) << 20
        try:
            data, version = self._bytes(self._path(item.key), limit + 1)
        except FileNotFoundError as problem:
            raise SourceError(f"{item.key} is no longer there.", "Run `bowerbird sync`.") from problem
        except BlockingIOError as problem:
            raise SourceError(f"{item.key} is changing while it is read.", "It is tried again later.") from problem
        except OSError as problem:
            remedy = "Check who may read it."
            raise SourceError(f"{item.key} cannot be read: {reason(problem)}.", remedy) from problem
        if self.scoped and item.version not in ("", version):
            raise SourceError(f"{item.key} was changed since it was listed.", "It is read after the next look at it.")
        if len(data) > limit:
            remedy = "Raise the setting `max_file_mb` to search inside it."
            raise SourceError(f"{item.key} is larger than {limit >> 20} MiB and is found by its name only.", remedy)
        return data

    def _bytes(self, path: tuple[str, ...], limit: int) -> tuple[bytes, str]:
        try:
            return self._tree.read(path, limit)
        except BlockingIOError:
            # Most programs finish a save within a moment.
            time.sleep(_REREAD_AFTER)
            return self._tree.read(path, limit)

    def watch(self, stop: threading.Event) -> Iterator[frozenset[str]]:
        """Yield sets of changed keys (for `peek`) until `stop` is set; local folders only, nothing for remote ones.

        The first set is empty and says that the watch is in place: what changes from then on is noticed. A folder's
        key stands for all below it (new folders, changed ignore files). Raises SourceError where the root vanishes or
        the system has no watches left.
        """
        from bowerbird.sources.watching import Watch

        if isinstance(self._tree, LocalTree):
            _, single = self._walk()
            yield from Watch(self._tree, self.exclude, single).changes(stop)

    def _path(self, key: str) -> tuple[str, ...]:
        if self._single is None:
            self._walk()
        return () if self._single else split(key)

    def key(self, found: Found) -> str:
        """Return the key of a file."""
        return join(found.path) if found.path else escape(found.entry.name)

    def rights(self) -> Rights | None:
        """Return who may read what, where that was asked for and is known here."""
        return Rights(self._tree.path) if self.scoped and isinstance(self._tree, LocalTree) else None

    def item(self, found: Found, scope: str = "") -> Item:
        """Return the record of a file."""
        entry = found.entry
        return Item(
            key=self.key(found),
            name=readable(entry.name),
            uri=self._tree.uri(found.path),
            version=entry.version,
            size=entry.size,
            modified=moment(entry.modified),
            media_type=media_type(entry.name),
            scope=scope,
        )


class _Said:
    """Turns files into items, and says who may read a scope before the first item of it."""

    def __init__(self, source: FilesSource, single: bool) -> None:
        self._source = source
        self._rights = source.rights()
        self._told: set[str] = set()
        self.single = single

    def of(self, each: Found | Failure) -> Iterator[Access | Item | Failure]:
        """Yield what there is to say about a file."""
        if isinstance(each, Failure) or self._rights is None:
            yield each if isinstance(each, Failure) else self._source.item(each)
            return
        readers = self._rights.readers(each.path, self.single)
        folder = join(each.path[:-1])
        through = readers if self.single else self._rights.through(each.path[:-1])
        # the folder's own is said even where this file is an exception: its scope may be narrower now
        yield from self._access(folder, through)
        scope = folder if readers == through else self._source.key(each)
        yield from self._access(scope, readers)
        yield self._source.item(each, scope)

    def _access(self, scope: str, readers: frozenset[str]) -> Iterator[Access]:
        if scope not in self._told:
            self._told.add(scope)
            yield Access(scope, tuple(sorted(readers)))


def _above(key: str) -> Iterator[str]:
    """Yield the keys of the folders a key lies in, the root's ("") first."""
    if key:
        yield ""
    for at, character in enumerate(key):
        if character == "/":
            yield key[:at]


def moment(seconds: float | None) -> datetime | None:
    """Return seconds since 1970 as a time in UTC; None where they are unknown or no calendar has them."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def media_type(name: str) -> str:
    """Return the media type that the end of a file name stands for, "" if none.

    >>> media_type("a.pdf"), media_type("noise")
    ('application/pdf', '')
    """
    return _type_of(PurePosixPath(name).suffix.lower())


@lru_cache(maxsize=1024)
def _type_of(suffix: str) -> str:
    return _TYPES.guess_type("x" + suffix)[0] or "" if suffix else ""
