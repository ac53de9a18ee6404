"""What the tests run inside the box: well-behaved, broken and hostile functions. Each takes bytes and gives bytes."""

import ctypes
import os
import socket
import sys
import threading
import time
from pathlib import Path

from bowerbird.core.errors import ContainerError


def echo(data: bytes, suffix: str = "") -> bytes:
    return data + suffix.encode()


def pid(data: bytes) -> bytes:
    return str(os.getpid()).encode()


def spin(data: bytes) -> bytes:
    while True:
        pass


def nap(data: bytes, seconds: float = 0.2) -> bytes:
    time.sleep(seconds)
    return b"rested"


def hog(data: bytes) -> bytes:
    return bytes(len(bytearray(8 << 30)))


def slow_hog(data: bytes) -> bytes:
    kept = []
    while True:
        kept.append(bytearray(16 << 20))


def grow(data: bytes) -> bytes:
    """Keep memory between calls, as a leaking parser does."""
    _LEAK.append(bytearray(60 << 20))
    return str(os.getpid()).encode()


_LEAK: list[bytearray] = []


def flood(data: bytes, megabytes: int = 8) -> bytes:
    return bytes(megabytes << 20)


def quit_now(data: bytes, status: int = 3) -> bytes:
    os._exit(status)


def leave(data: bytes) -> bytes:
    sys.exit(4)


def segfault(data: bytes) -> bytes:
    return ctypes.string_at(0)


def fail(data: bytes) -> bytes:
    raise ValueError("this is not a turnip")


def refuse(data: bytes) -> bytes:
    raise ContainerError("The archive is nested too deep.", "Unpack it by hand.")


def attempt(data: bytes, what: str) -> bytes:
    """Try something forbidden; returns `done` or the name of the error."""
    try:
        _ATTEMPTS[what]()
    except OSError as problem:
        return type(problem).__name__.encode()
    return b"done"


def write_to(data: bytes, path: str) -> bytes:
    """Try to write a file without the help of a signal handler for SIGXFSZ."""
    try:
        Path(path).write_bytes(data)
    except OSError as problem:
        return type(problem).__name__.encode()
    return b"done"


def environment(data: bytes) -> bytes:
    return repr(dict(os.environ)).encode()


def strew(data: bytes) -> bytes:
    """Start a child that leaves the session and would run on, then return as if nothing had happened."""
    child = os.fork()
    if child == 0:
        os.setsid()
        while True:
            time.sleep(1)
    return str(child).encode()


def bomb(data: bytes) -> bytes:
    for _ in range(50):
        if os.fork() == 0:
            time.sleep(3600)
    while True:
        time.sleep(1)


def threads(data: bytes) -> bytes:
    thread = threading.Thread(target=time.sleep, args=(0,))
    thread.start()
    thread.join()
    return b"joined"


def _connect() -> None:
    with socket.create_connection(("127.0.0.1", 9), timeout=1):
        pass


_ATTEMPTS = {
    "socket": lambda: socket.socket().close(),
    "connect": _connect,
    "read": lambda: Path("/etc/passwd").read_text(),
    "list": lambda: os.listdir("/"),
    "write": lambda: Path("/tmp/bowerbird-box-test").write_text("x"),
    "write-module": lambda: Path(__file__).with_suffix(".tmp").write_text("x"),
    "remove": lambda: Path(__file__).unlink(),
    "fork": os.fork,
    "execute": lambda: os.execv("/bin/true", ["true"]),
    "signal": lambda: os.kill(os.getppid(), 0),
}
