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

from pathspec.patterns.gitignore import GitIgnorePatternError
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from bowerbird.sources.defaults import is_closed, is_dull, is_secret

OWN_FILE = ".bowerbirdignore"
GIT_FILE = ".gitignore"
IGNORE_FILES = (OWN_FILE, GIT_FILE)
MAX_IGNORE_BYTES = 1 << 20
"""More of an ignore file is not read."""

_FOLDER_MARK = "ps_d"
_ANY_FOLDER = "(?P<ps_d>/)"
"""How pathspec's expressions mark the slash after what they match; the second is that of `*/` and `**/`."""

Verdict = Literal["out", "in", "named", ""]
"""What a list says: leave out, keep, keep and named explicitly, nothing."""


@dataclass(frozen=True, slots=True)
class RuleList:
    """The lines of one ignore file; `depth` is the number of folders between the root and the file's folder."""

    depth: int
    patterns: tuple[tuple[GitIgnoreSpecPattern, str], ...]

    def verdict(self, path: tuple[str, ...], folder: bool) -> Verdict:
        """Judge a path below the root by itself: whether a folder above it is left out was decided when it was met."""
        text = "/".join(path[self.depth :]) + ("/" if folder else "")
        for pattern, line in reversed(self.patterns):
            if _matches(pattern, text, folder):
                if pattern.include:
                    return "out"
                return "named" if _names_something(line) else "in"
        return ""


def _matches(pattern: GitIgnoreSpecPattern, text: str, folder: bool) -> bool:
    """Say whether a pattern matches the path itself; pathspec also says so of all that lies below what it matches."""
    found = pattern.match_file(text)
    if found is None:
        return False
    expression = found.match.re
    if expression.pattern == _ANY_FOLDER:
        return folder
    slash = found.match.start(_FOLDER_MARK) if _FOLDER_MARK in expression.groupindex else -1
    return slash in (-1, len(text) - 1)


def rule_list(text: str, depth: int) -> RuleList:
    """Compile an ignore file. Lines that are no valid pattern are passed over, as git does."""
    patterns = []
    for line in text.removeprefix("\ufeff").splitlines():
        tamed = tame(line)
        if not tamed.strip() or tamed.startswith("#"):
            continue
        try:
            pattern = GitIgnoreSpecPattern(tamed)
        except (GitIgnorePatternError, re.error):
            continue
        if pattern.include is not None:
            patterns.append((pattern, tamed))
    return RuleList(depth, tuple(patterns))


def tame(line: str) -> str:
    """Return a pattern whose matching cannot take for ever, since ignore files come with foreign folders.

    Backtracking over n stars takes up to length**n steps. What stands between the first and the last of more than two
    stars in a name is dropped, and so is the middle of a path with more than three `**` (one at the end aside): that
    matches a little more. A line with `!` that would have to be widened is dropped whole, lest it bring back too much.

    >>> tame("a*b*c"), tame("*a*b*c*d.log"), tame("!x*y*z*"), tame("**/a/**/b/**/c/**/d")
    ('a*b*c', '*d.log', '', '**/a/**/d')
    """
    if line.startswith("!"):
        kept = tame(line[1:])
        return "!" + kept if kept in (line[1:], _inside(line[1:])) else ""
    parts = [_tame_name(part) for part in line.split("/")]
    deep = [at for at, part in enumerate(parts) if part == "**" and any(parts[at + 1 :])]
    if len(deep) > 3:
        parts = parts[: deep[1]] + parts[deep[-1] :]
    if sum(part.count("*") for part in parts if part != "**") > 4:
        parts = [re.sub(r"\*.*\*", "*", part) if part != "**" else part for part in parts]
    return _inside("/".join(parts))


def _inside(line: str) -> str:
    """Return `a/**` as `a/**/*`: everything below a, not a itself, which pathspec lets it match too."""
    return re.sub(r"/\*\*(/?)\s*\Z", r"/**/*\1", line)


def _tame_name(part: str) -> str:
    return part if len(re.findall(r"\*+", part)) <= 2 else re.sub(r"\*.*\*", "*", part)


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
