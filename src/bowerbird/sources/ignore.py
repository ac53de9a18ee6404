"""Which entries of a tree are left out: secrets, then the tree's own rules, then the defaults.

1. Secrets and version-control folders are never indexed, whatever any rule says (`defaults.is_secret`).
2. `.bowerbirdignore` files, then `.gitignore` files (and `.git/info/exclude`), in the syntax of gitignore(5): within a
   file the last line that matches decides, between files of one name the deepest. A `.bowerbirdignore` anywhere on the
   way beats every `.gitignore`. A folder that is left out is not entered, so nothing inside can be brought back.
3. Defaults (`defaults.is_dull`): hidden files and folders except .github and .gitlab, caches, build output, temporary
   files. A line such as `!.notes/` in a `.bowerbirdignore` brings one back; a line that names nothing (`!*/`) does not,
   and a `.gitignore` cannot, for it speaks about what to commit and not about what to search.

Ignore files above the root are not read: the person chose that root.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from pathspec import GitIgnoreSpec
from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from bowerbird.sources.defaults import is_closed, is_dull, is_secret

OWN_FILE = ".bowerbirdignore"
GIT_FILE = ".gitignore"
IGNORE_FILES = (OWN_FILE, GIT_FILE)
MAX_IGNORE_BYTES = 1 << 20
"""More of an ignore file is not read."""

Verdict = Literal["out", "in", "named", ""]
"""What a list says: leave out, keep, keep and named explicitly, nothing."""


@dataclass(frozen=True, slots=True)
class RuleList:
    """The lines of one ignore file; `depth` is the number of folders between the root and the file's folder."""

    depth: int
    spec: GitIgnoreSpec
    lines: tuple[str, ...]

    def verdict(self, path: tuple[str, ...], folder: bool) -> Verdict:
        """Judge a path below the root."""
        text = "/".join(path[self.depth :]) + ("/" if folder else "")
        result = self.spec.check_file(text)
        if result.include is None or result.index is None:
            return ""
        if result.include:
            return "out"
        return "named" if _names_something(self.lines[result.index]) else "in"


def rule_list(text: str, depth: int) -> RuleList:
    """Compile an ignore file. Lines that are no valid pattern are passed over, as git does."""
    patterns, lines = [], []
    for line in text.removeprefix("\ufeff").splitlines():
        tamed = tame(line)
        if not tamed.strip() or tamed.startswith("#"):
            continue
        try:
            patterns.append(GitIgnoreSpecPattern(tamed))
        except (GitIgnorePatternError, re.error):
            continue
        lines.append(tamed)
    return RuleList(depth, GitIgnoreSpec(patterns), tuple(lines))


def tame(line: str) -> str:
    """Return a pattern whose matching cannot take for ever, since ignore files come with foreign folders.

    Backtracking over n stars takes up to length**n steps. What stands between the first and the last of more than two
    stars in a name (or `**` in a path) is dropped: that matches a little more. A line with `!` that would have to be
    widened is dropped whole, since it would bring back too much.

    >>> tame("a*b*c"), tame("*a*b*c*d.log"), tame("!x*y*z*"), tame("**/a/**/b/**/c")
    ('a*b*c', '*d.log', '', '**/c')
    """
    parts = [_tame_name(part) for part in line.split("/")]
    deep = [at for at, part in enumerate(parts) if part == "**"]
    if len(deep) > 2:
        parts = parts[: deep[0]] + parts[deep[-1] :]
    if sum(part.count("*") for part in parts if part != "**") > 4:
        parts = [re.sub(r"\*.*\*", "*", part) if part != "**" else part for part in parts]
    result = "/".join(parts)
    return "" if result != line and line.startswith("!") else result


def _tame_name(part: str) -> str:
    if part == "**" or len(re.findall(r"\*+", part)) <= 2:
        return re.sub(r"\*\*+", "*", part) if part.strip("*") else part
    return re.sub(r"\*.*\*", "*", part)


def _names_something(line: str) -> bool:
    return bool(line.rstrip("/ ").rsplit("/", 1)[-1].strip("!*?"))


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides about the entries of one folder. `outer` are the names down to the root, `path` those below."""

    outer: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    own: tuple[RuleList, ...] = ()
    git: tuple[RuleList, ...] = ()
    siblings: Collection[str] = ()

    def skips(self, name: str, folder: bool, size: int = 0) -> bool:
        """Say whether an entry of this folder is left out."""
        path = (*self.path, name)
        if is_secret((*self.outer, *path), folder, size):
            return True
        own = _first(self.own, path, folder)
        verdict = own or _first(self.git, path, folder)
        return verdict == "out" or (own != "named" and is_dull(name, folder, self.siblings))

    def closed(self) -> bool:
        """Say whether the folder declares itself a cache or a virtual environment."""
        return bool(self.path) and is_closed(self.siblings)

    def below(self, path: tuple[str, ...], names: Collection[str], texts: Mapping[str, str]) -> Rules:
        """Return the rules for a folder inside this one: `names` in it, `texts` of its ignore files by name."""
        own, git = self.own, self.git
        if texts.get(OWN_FILE):
            own = (rule_list(texts[OWN_FILE], len(path)), *own)
        if texts.get(GIT_FILE):
            git = (rule_list(texts[GIT_FILE], len(path)), *git)
        return Rules(self.outer, path, own, git, frozenset(name.lower() for name in names))


def _first(lists: tuple[RuleList, ...], path: tuple[str, ...], folder: bool) -> Verdict:
    return next((verdict for each in lists if (verdict := each.verdict(path, folder))), "")


def skips_member(path: tuple[str, ...], size: int = 0) -> bool:
    """Say whether a member of a container is left out: secrets and defaults apply inside archives too.

    >>> skips_member(("project", ".git", "config")), skips_member(("project", "notes.md"))
    (True, False)
    """
    for end in range(1, len(path) + 1):
        folder = end < len(path)
        if is_secret(path[:end], folder, size) or is_dull(path[end - 1], folder):
            return True
    return False
