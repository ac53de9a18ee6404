"""Who may read a local file, as its owner, group and mode say (POSIX.1-2017, 4.5 and 4.7), in words for an Access.

A file is readable by whom its own mode lets read it and the modes of all folders above it, from the source's root on,
let through. What cannot be said exactly (a class with fewer rights than a wider one, a list of access rights beside the
mode, a missing name) is said as less, never as more.
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from collections.abc import Callable, Iterable
from functools import lru_cache

Member = Callable[[str, str], bool]
"""Tells whether a user is in a group, both as words."""

PUBLIC = "public"
NOBODY: frozenset[str] = frozenset()
EVERYBODY = frozenset({PUBLIC})

_LISTS = ("system.posix_acl_access", "system.nfs4_acl", "system.richacl", "security.NTACL")
"""Extended attributes that hold a list of access rights: then the mode says who owns it, and no more."""


def user_word(uid: int) -> str:
    """Return `user:NAME`, or `user:#NUMBER` where the system knows no name."""
    try:
        return f"user:{pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user:#{uid}"


def group_word(gid: int) -> str:
    """Return `group:NAME`, or `group:#NUMBER` where the system knows no name."""
    try:
        return f"group:{grp.getgrgid(gid).gr_name}"
    except KeyError:
        return f"group:#{gid}"


def in_group(user: str, group: str) -> bool:
    """Tell whether the system's group database has the user (both as words) in the group."""
    name = user.removeprefix("user:")
    try:
        mine = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
    except (KeyError, OSError):
        return False
    return group in {group_word(gid) for gid in mine}


def classes(mode: int, uid: int, gid: int, bit: int, listed: bool) -> frozenset[str]:
    """Return whom a mode lets in; `bit` is 4 to read or 1 to pass through, `listed` says a list of rights stands by it.

    A class has the right only where those before it have it: else its members might be among the refused.
    """
    owner, group, others = (bool(mode >> shift & bit) for shift in (6, 3, 0))
    if not owner:
        return NOBODY
    if listed or not group:
        return frozenset({user_word(uid)})
    return EVERYBODY if others else frozenset({user_word(uid), group_word(gid)})


def met(one: Iterable[str], other: Iterable[str], member: Member) -> frozenset[str]:
    """Return who is in both sets of words; `member` tells whether a user is in a group."""
    return frozenset(word for a in one for b in other if (word := _met(a, b, member)))


def _met(a: str, b: str, member: Member) -> str:
    if b in (a, PUBLIC):
        return a
    if a == PUBLIC:
        return b
    user, group = (a, b) if a.startswith("user:") else (b, a)
    apart = user.startswith("group:") or group.startswith("user:")
    return user if not apart and member(user, group) else ""


class Rights:
    """Who may read what below a root, for one pass: what was looked up stays known."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._through: dict[tuple[str, ...], frozenset[str]] = {}
        self._classes = lru_cache(maxsize=None)(classes)
        self._member = lru_cache(maxsize=None)(in_group)
        self._met = lru_cache(maxsize=None)(lambda one, other: met(one, other, self._member))

    def through(self, path: tuple[str, ...]) -> frozenset[str]:
        """Return who may pass through a folder and all folders above it, from the root on."""
        if path not in self._through:
            own = self._own(path, 1)
            self._through[path] = self._met(self.through(path[:-1]), own) if path else own
        return self._through[path]

    def readers(self, path: tuple[str, ...], single: bool = False) -> frozenset[str]:
        """Return who may read a file; `single` says that the root itself is the file."""
        own = self._own(path, 4)
        return own if single else self._met(self.through(path[:-1]), own)

    def _own(self, path: tuple[str, ...], bit: int) -> frozenset[str]:
        full = os.path.join(self._root, *path)
        try:
            state = os.lstat(full)
            listed = any(name in _LISTS for name in _attributes(full))
        except OSError:
            return NOBODY
        if stat.S_ISLNK(state.st_mode):
            return NOBODY
        return self._classes(state.st_mode, state.st_uid, state.st_gid, bit, listed)


def _attributes(full: str) -> list[str]:
    try:
        return os.listxattr(full, follow_symlinks=False)
    except OSError as problem:
        if problem.errno == errno.ENOTSUP:
            return []
        raise
