"""What holds a worker in the box, put up from inside it before it sees a foreign byte, and measured from inside too.

Every guard is taken as far as the kernel and the container allow; `probe` reports what really holds.
"""

from __future__ import annotations

import ctypes
import os
import resource
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bowerbird.core.records import from_json, to_json
from bowerbird.sandbox import landlock, seccomp
from bowerbird.sandbox.wire import Limits

PROBE = "bowerbird.sandbox.guards"
"""The module whose `probe` measures the guards; every server offers it."""

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_CHILD_SUBREAPER = 1, 38, 36
_SIGKILL = 9
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_CAPSET = {"x86_64": 126, "aarch64": 91}
_CAPABILITY_VERSION_3 = 0x20080522
_CPU_TURNS = 10
"""A worker may burn this many calls' worth of processor time, over its life and all its threads."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What holds in a worker: the empty network and who empties it, Landlock's version (0 is none), the limits.

    `processes` says that no child process can be started. `rlimits` are bytes (AS, FSIZE, CORE), seconds (CPU) and
    files (NOFILE).
    """

    network: Literal["namespace", "seccomp", "none"]
    landlock: int
    seccomp: bool = False
    processes: bool = False
    rlimits: Mapping[str, int] = field(default_factory=dict)


def libc() -> ctypes.CDLL:
    """Open the C library of this process."""
    return ctypes.CDLL(None, use_errno=True)


def adopt_orphans(library: ctypes.CDLL) -> None:
    """Make this process the parent of what its children leave behind, so that it can end it (prctl(2))."""
    library.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def leave_network(library: ctypes.CDLL) -> None:
    """Move this single-threaded process into an empty network namespace, where the kernel allows it.

    With privileges that is one call; without, a user namespace around it, in which the process keeps its own ids.
    """
    if sys.platform != "linux":
        return
    if os.geteuid() == 0 and library.unshare(_CLONE_NEWNET) == 0:
        return
    ids = {
        "setgroups": "deny",
        "uid_map": f"{os.geteuid()} {os.geteuid()} 1",
        "gid_map": f"{os.getegid()} {os.getegid()} 1",
    }
    if library.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
        for name, text in ids.items():
            try:
                Path("/proc/self", name).write_text(text)
            except OSError:
                return  # without a map the ids read as nobody's, which changes no right


def network_name() -> str:
    """Return the name of this process's network namespace, "" where there is none to name."""
    try:
        return str(Path("/proc/self/ns/net").readlink())
    except OSError:
        return ""


def confine(limits: Limits, readable: Iterable[str]) -> None:
    """Put up every guard around this process: it must be single-threaded, and cannot take them down again."""
    _limit(limits)
    if sys.platform != "linux":
        return
    library = libc()
    library.prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
    _drop_capabilities(library)
    library.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if "landlock" not in limits.skip:
        landlock.restrict(library, readable)
    if "seccomp" not in limits.skip:
        seccomp.install(library, os.getpid())


def address_space() -> int:
    """Return the size of this process's address space in bytes (proc_pid_statm(5)), 0 where it cannot be read."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        return 0


def probe(data: bytes, network: str = "") -> bytes:
    """Measure the guards from inside; `network` names the namespace of whoever asks. Returns a Guard as JSON."""
    filtered = not _works(lambda: socket.socket().close())
    apart = bool(network) and network_name() not in ("", network)
    # An absolute path outside the allowed ones that every system has and everyone may read.
    walled = not _works(lambda: os.listdir("/"))
    names = ("AS", "CPU", "FSIZE", "CORE", "NOFILE")
    return to_json(
        Guard(
            network="namespace" if apart else "seccomp" if filtered else "none",
            landlock=landlock.version(libc()) if walled else 0,
            seccomp=filtered,
            processes=not _works(_fork),
            rlimits={name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[0] for name in names},
        )
    )


def parse_guard(data: bytes) -> Guard:
    """Decode what `probe` returned; raises ValueError."""
    return from_json(data, Guard)


def _limit(limits: Limits) -> None:
    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    values = {
        resource.RLIMIT_CPU: int(used + limits.seconds * _CPU_TURNS) + 1,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: 256,
    }
    if base := address_space():
        values[resource.RLIMIT_AS] = base + (limits.memory_mb << 20)
    for kind, value in values.items():
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _drop_capabilities(library: ctypes.CDLL) -> None:
    """Give up root's privileges but not its identity: it still owns the interpreter's files (capset(2))."""
    number = _CAPSET.get(os.uname().machine)
    if number is not None:
        header = ctypes.create_string_buffer(struct.pack("@Ii", _CAPABILITY_VERSION_3, 0))
        library.syscall(number, header, ctypes.create_string_buffer(24))


def _works(attempt: Callable[[], object]) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
