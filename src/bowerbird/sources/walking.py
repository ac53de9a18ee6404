"""One pass over a tree under its ignore rules, whole or in parts."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bowerbird.core.errors import SourceError
from bowerbird.core.records import Failure
from bowerbird.sources.defaults import is_secret
from bowerbird.sources.ignore import GIT_FILE, IGNORE_FILES, MAX_IGNORE_BYTES, Rules
from bowerbird.sources.keys import join
from bowerbird.sources.trees import Entry, LocalTree, Tree, reason

NAMED = 1_000
"""Entries left out that a walk can name; beyond that they are only counted."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that is not left out: its entries by name, sorted, and the rules for them."""

    path: tuple[str, ...]
    entries: dict[str, Entry]
    rules: Rules


@dataclass(frozen=True, slots=True)
class Found:
    """A file that is not left out."""

    path: tuple[str, ...]
    entry: Entry


class Walk:
    """One pass: what was opened stays known, so ask a new Walk once the tree has changed. Counts what it left out."""

    def __init__(self, tree: Tree, exclude: Sequence[Path] = ()) -> None:
        self._tree = tree
        self._exclude = frozenset(os.path.realpath(folder) for folder in exclude)
        self._open: dict[tuple[str, ...], Folder | None] = {}
        self.ignored = 0
        self.left_out: list[str] = []

    def root(self) -> Entry:
        """Return what the root is; raises SourceError where it cannot be read or holds keys by its very name."""
        root = self._tree.root()
        names = self._tree.names()
        for end in range(1, len(names) + 1):
            if is_secret(names[:end], root.kind == "folder" or end < len(names), root.size):
                where = "/" + "/".join(names[:end])
                raise SourceError(f"{where} may hold secrets and is never searched.", "Add another folder.")
        return root

    def skips(self, folder: Folder, entry: Entry) -> bool:
        """Say whether an entry of an open folder is left out, and count it if so."""
        skipped = folder.rules.skips(entry.name, entry.kind == "folder", entry.size) or (
            entry.kind == "folder" and self._is_ours((*folder.path, entry.name))
        )
        self.ignored += skipped
        if skipped and len(self.left_out) < NAMED:
            self.left_out.append(join((*folder.path, entry.name)))
        return skipped

    def _is_ours(self, path: tuple[str, ...]) -> bool:
        return isinstance(self._tree, LocalTree) and self._tree.full(path) in self._exclude

    def folder(self, path: tuple[str, ...]) -> Folder | None:
        """Open a folder with all above it; None where it is left out or not there. Raises OSError."""
        if path not in self._open:
            self._open[path] = self._opened(path)
        return self._open[path]

    def _opened(self, path: tuple[str, ...]) -> Folder | None:
        if not path:
            rules = Rules(self._tree.names())
            return None if self._is_ours(()) else self._listed(path, rules)
        above = self.folder(path[:-1])
        entry = above.entries.get(path[-1]) if above is not None else None
        if above is None or entry is None or entry.kind != "folder" or self.skips(above, entry):
            return None
        return self._listed(path, above.rules)

    def _listed(self, path: tuple[str, ...], above: Rules) -> Folder | None:
        """List a folder that is known not to be left out by the rules above it."""
        entries = {entry.name: entry for entry in sorted(self._tree.entries(path))}
        rules = above.below(path, entries, self._texts(path, entries))
        if rules.closed():
            self.ignored += 1
            return None
        return Folder(path, entries, rules)

    def _texts(self, path: tuple[str, ...], entries: dict[str, Entry]) -> dict[str, str]:
        texts = {}
        for name in IGNORE_FILES:
            if name in entries and entries[name].kind == "file":
                texts[name] = self._text((*path, name))
        exclude = (*path, ".git", "info", "exclude")
        if ".git" in entries and entries[".git"].kind == "folder" and self._tree.entry(exclude) is not None:
            # Before the .gitignore's own lines, since those win (gitignore(5)).
            texts[GIT_FILE] = self._text(exclude) + "\n" + texts.get(GIT_FILE, "")
        return texts

    def _text(self, path: tuple[str, ...]) -> str:
        return self._tree.read(path, MAX_IGNORE_BYTES)[0].decode("utf-8", "surrogateescape")

    def folders(self, path: tuple[str, ...]) -> Iterator[Folder | Failure]:
        """Yield the folder at a path and all below it, by name, each before what it holds.

        A folder that cannot be listed, or whose ignore file cannot be read (what it hides is then unknown), is a
        Failure with `prefix=True`; one that vanished meanwhile is passed over.
        """
        waiting: list[tuple[tuple[str, ...], Folder | None]] = [(path, None)]
        while waiting:
            path, above = waiting.pop()
            try:
                folder = self.folder(path) if above is None else self._listed(path, above.rules)
            except FileNotFoundError:
                continue
            except OSError as problem:
                cause = f"The folder cannot be read: {reason(problem)}."
                yield Failure(join(path), SourceError.code, cause, prefix=True)
                continue
            if folder is None:
                continue
            yield folder
            inner = [entry for entry in folder.entries.values() if entry.kind == "folder"]
            kept = [entry for entry in inner if not self.skips(folder, entry)]
            waiting.extend(((*path, entry.name), folder) for entry in reversed(kept))

    def below(self, path: tuple[str, ...]) -> Iterator[Found | Failure]:
        """Yield the files of the folder at a path by name, then those of the folders below it."""
        for folder in self.folders(path):
            if isinstance(folder, Failure):
                yield folder
                continue
            for entry in folder.entries.values():
                if entry.kind in ("file", "broken") and not self.skips(folder, entry):
                    yield judged((*folder.path, entry.name), entry)

    def at(self, path: tuple[str, ...]) -> Iterator[Found | Failure]:
        """Yield what stands at a path now: nothing, one file, or all files of a folder. Raises OSError."""
        above = self.folder(path[:-1]) if path else None
        entry = above.entries.get(path[-1]) if above is not None else None
        if not path or (entry is not None and entry.kind == "folder"):
            yield from self.below(path)
        elif above is not None and entry is not None and entry.kind != "other" and not self.skips(above, entry):
            yield judged(path, entry)


def judged(path: tuple[str, ...], entry: Entry) -> Found | Failure:
    """Return the file, or why it cannot be one."""
    if entry.kind == "broken":
        return Failure(join(path), SourceError.code, entry.problem)
    return Found(path, entry)
