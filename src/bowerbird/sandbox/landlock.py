"""Landlock (landlock(7), Linux 5.13): no file is written and only the interpreter and its libraries are read."""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 1, 1 << 2, 1 << 3
_BITS_BY_ABI = (0, 13, 14, 15, 15, 16)  # how many file system rights each version of the interface knows
_NET_RIGHTS, _SCOPES = 0b11, 0b11  # bind and connect TCP (version 4); abstract Unix sockets and signals (version 6)

_SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime", "/dev/null", "/dev/zero", "/dev/urandom")


def version(libc: ctypes.CDLL) -> int:
    """Return the version of Landlock that the kernel offers, 0 for none."""
    if sys.platform != "linux":
        return 0
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_FLAG)))


def readable(modules: Iterable[str]) -> tuple[str, ...]:
    """Return the paths a worker may read: system libraries, the interpreter, and the packages of these modules."""
    paths = {*_SYSTEM, sys.prefix, sys.base_prefix, *sysconfig.get_paths().values()}
    paths.update(entry for entry in sys.path if Path(entry).name in ("site-packages", "dist-packages"))
    for name in modules:
        file = getattr(sys.modules.get(name.partition(".")[0]), "__file__", None)
        if file is not None:
            own = Path(file).absolute()
            paths.add(str(own.parent if own.name == "__init__.py" else own))
    return tuple(sorted(paths - {"", "/"}))


def restrict(libc: ctypes.CDLL, paths: Iterable[str]) -> int:
    """Confine this process; it may read `paths`, /proc/self and nothing else. Returns the version used, 0 for none.

    PR_SET_NO_NEW_PRIVS must be set.
    """
    abi = version(libc)
    if abi == 0:
        return 0
    handled = (1 << _BITS_BY_ABI[min(abi, len(_BITS_BY_ABI) - 1)]) - 1
    attributes = struct.pack("@QQQ", handled, _NET_RIGHTS, _SCOPES)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    ruleset = libc.syscall(_CREATE_RULESET, ctypes.c_char_p(attributes), ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return 0
    try:
        for path in (*paths, f"/proc/{os.getpid()}"):
            _allow(libc, ruleset, path)
        return abi if libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0 else 0
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    """Add one rule; a path that does not exist on this system needs none."""
    rights = _READ_FILE | (_READ_DIR if Path(path).is_dir() else 0) | (_WRITE_FILE if path == "/dev/null" else 0)
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        rule = struct.pack("=Qi", rights, handle)
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.c_char_p(rule), 0)
    finally:
        os.close(handle)
