"""Noticing changes of a local tree as they happen."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from watchfiles import Change
from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

from bowerbird.core.errors import SourceError
from bowerbird.sources.ignore import IGNORE_FILES
from bowerbird.sources.keys import escape, join
from bowerbird.sources.trees import Entry, LocalTree
from bowerbird.sources.walking import Folder, Walk

_DEBOUNCE_MS = 250
_STEP_MS = 40
_CHECK_MS = 1000
"""Changes are grouped until 40 ms pass without one, at most 250 ms; every second the root is checked to be there."""
_BLIND_SECONDS = 0.5
_UNSAID = re.compile("[\ud800-\udfff]")
"""Folders with names that are no UTF-8 cannot be watched (watchfiles takes text only); the regular rescan sees them."""


class Watch:
    """Watches each folder that is not left out by itself (watchfiles' documented Rust interface).

    A recursive watch would also follow links out of the root and spend the system's watches on node_modules. When
    folders come, a new watch over all is opened before the old one is closed, and only then are they reported: so what
    was written into them before they were watched is found by looking, what is written later by the watch.
    """

    def __init__(self, tree: LocalTree, exclude: Sequence[Path], single: bool) -> None:
        self._tree = tree
        self._exclude = exclude
        self._single = single
        self._walk = Walk(tree, exclude)
        self._folders: set[str] = set()
        self._root = (0, 0)

    def changes(self, stop: threading.Event) -> Iterator[frozenset[str]]:
        """Yield an empty set once the watch is in place, then sets of changed keys, until `stop` is set."""
        self._folders = {os.path.dirname(self._tree.path)} if self._single else set(self._below(()))
        self._root = self._identity()
        notify = self._notify()
        try:
            yield frozenset()
            while not stop.is_set():
                try:
                    batch = notify.watch(_DEBOUNCE_MS, _STEP_MS, _CHECK_MS, stop)
                except WatchfilesRustInternalError:
                    # It gives up the whole batch over one name that is no UTF-8: look at everything, not too often.
                    stop.wait(_BLIND_SECONDS)
                    notify.close()
                    notify = self._renewed()
                    yield frozenset([""])
                    continue
                if batch == "signal":
                    raise KeyboardInterrupt
                if isinstance(batch, str):
                    if self._same_root():
                        continue
                    notify.close()
                    notify = self._renewed()
                    yield frozenset([""])
                    continue
                keys, moved = self._single_keys(batch) if self._single else self._keys(batch)
                while moved:
                    old, notify = notify, self._notify()
                    rest, moved = self._rest(old)
                    keys |= rest
                if keys:
                    yield frozenset(keys)
        finally:
            notify.close()

    def _same_root(self) -> bool:
        """Say whether the root is still the folder that is watched; raises SourceError where it is gone."""
        self._tree.root()
        before, self._root = self._root, self._identity()
        return self._root == before

    def _identity(self) -> tuple[int, int]:
        state = os.stat(os.path.dirname(self._tree.path) if self._single else self._tree.path)
        return state.st_dev, state.st_ino

    def _renewed(self) -> RustNotify:
        """Return a watch over the folders there are now."""
        self._walk = Walk(self._tree, self._exclude)
        if not self._single:
            self._folders = set(self._below(()))
        return self._notify()

    def _rest(self, old: RustNotify) -> tuple[set[str], bool]:
        """Close a watch that another has replaced, and say of what it had still to report what `_keys` says."""
        try:
            batch = old.watch(_STEP_MS, 1, 1, None)
        except WatchfilesRustInternalError:
            return {""}, False
        finally:
            old.close()
        return (set(), False) if isinstance(batch, str) else self._keys(batch)

    def _notify(self) -> RustNotify:
        for _ in range(5):
            self._folders = {folder for folder in self._folders if os.path.isdir(folder)}
            try:
                if self._folders:
                    return RustNotify(sorted(self._folders), False, False, 0, False, True)
            except FileNotFoundError:
                continue  # a folder vanished after it was looked at
            except (OSError, RuntimeError) as problem:
                remedy = "Raise fs.inotify.max_user_watches; until then changes are found by the regular rescan."
                raise SourceError(f"{self._tree.path} cannot be watched: {problem}.", remedy) from problem
        self._tree.root()
        raise SourceError(f"{self._tree.path} changes too fast to be watched.", "The regular rescan finds changes.")

    def _below(self, path: tuple[str, ...]) -> Iterator[str]:
        for folder in self._walk.folders(path):
            if isinstance(folder, Folder):
                full = self._tree.full(folder.path)
                if not _UNSAID.search(full):
                    yield full

    def _single_keys(self, batch: Iterable[tuple[int, str]]) -> tuple[set[str], bool]:
        mine = any(path == self._tree.path for _, path in batch)
        return ({escape(os.path.basename(self._tree.path))} if mine else set()), False

    def _keys(self, batch: Iterable[tuple[int, str]]) -> tuple[set[str], bool]:
        """Return the changed keys of a batch, and whether the set of folders to watch has changed."""
        prefix = self._tree.path.rstrip(os.sep) + os.sep
        changes = [
            (Change(change), tuple(path[len(prefix) :].split(os.sep)))
            for change, path in sorted(batch)
            if path.startswith(prefix)
        ]
        moved = self._forget(changes)
        keys: set[str] = set()
        for change, path in changes:
            if path[-1] in IGNORE_FILES:
                keys.add(join(path[:-1]))
            elif self._matters(change, path):
                keys.add(join(path))
        return keys, moved

    def _forget(self, changes: Iterable[tuple[Change, tuple[str, ...]]]) -> bool:
        """Forget what is no longer so after folders came or went or rules changed; says whether that was the case."""
        ruled = any(path[-1] in IGNORE_FILES for _, path in changes)
        stale = {full for change, path in changes if (full := self._moved(change, path))}
        if not ruled and not stale:
            return False
        self._walk = Walk(self._tree, self._exclude)
        if ruled:
            self._folders = set(self._below(()))
            return True
        self._folders = {each for each in self._folders if not any((each + "/").startswith(s + "/") for s in stale)}
        for full in stale:
            if os.path.isdir(full) and not os.path.islink(full):
                self._folders.update(self._below(tuple(os.path.relpath(full, self._tree.path).split(os.sep))))
        return True

    def _moved(self, change: Change, path: tuple[str, ...]) -> str:
        """Return the full path where a folder came or went, else ""."""
        full = self._tree.full(path)
        new = change is Change.added and os.path.isdir(full) and not os.path.islink(full)
        gone = change is Change.deleted and full in self._folders
        return full if new or gone else ""

    def _matters(self, change: Change, path: tuple[str, ...]) -> bool:
        """Say whether a change may concern an item: not where rules leave it out, nor for a folder's own dates."""
        try:
            above = self._walk.folder(path[:-1])
            entry = self._tree.entry(path)
        except OSError:
            return True  # `peek` will say what is wrong
        if above is None or (entry is not None and entry.kind == "folder" and change is Change.modified):
            return False
        if entry is None:
            was_folder, was_file = Entry(path[-1], "folder"), Entry(path[-1], "file")
            return not (self._walk.skips(above, was_folder) and self._walk.skips(above, was_file))
        return entry.kind != "other" and not self._walk.skips(above, entry)
