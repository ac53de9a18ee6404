"""How the two sides of the box talk: length-prefixed frames over a stream socket, JSON over the control socket."""

from __future__ import annotations

import socket
import struct
import time
from dataclasses import dataclass
from typing import Literal

RESULT, ERROR, OVERSIZE, MEMORY = range(4)
"""What a reply holds: the answer, an error as JSON, nothing (answer above the cap), nothing (out of memory)."""

_REQUEST = struct.Struct("!IQ")
_REPLY = struct.Struct("!BBQ")
MESSAGE_BYTES = 1 << 16
"""Largest control message."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may use. `skip` names guards to leave out, so that tests see the others hold alone."""

    seconds: float
    memory_mb: int
    output_mb: int
    calls: int = 200
    skip: tuple[Literal["seccomp", "landlock", "namespace"], ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """A worker's answer; `last` says that it takes no further call (used up, or something looked suspicious)."""

    kind: int
    data: bytes
    last: bool


def send_request(link: socket.socket, meta: bytes, data: bytes, deadline: float) -> None:
    """Send one call: JSON about it and the foreign bytes. Raises TimeoutError, or OSError where the worker is gone."""
    link.settimeout(_left(deadline))
    link.sendall(_REQUEST.pack(len(meta), len(data)) + meta)
    if data:
        link.settimeout(_left(deadline))
        link.sendall(data)


def receive_request(link: socket.socket) -> tuple[bytes, bytes] | None:
    """Wait for one call; None when the other side has closed."""
    head = _receive(link, _REQUEST.size, None)
    if head is None:
        return None
    meta_size, size = _REQUEST.unpack(head)
    meta = _receive(link, meta_size, None)
    data = _receive(link, size, None)
    return None if meta is None or data is None else (meta, data)


def send_reply(link: socket.socket, reply: Reply) -> None:
    """Send an answer."""
    link.sendall(_REPLY.pack(reply.kind, reply.last, len(reply.data)))
    link.sendall(reply.data)


def receive_reply(link: socket.socket, cap: int, deadline: float) -> Reply | None:
    """Wait for an answer until the deadline (monotonic seconds); None when the worker died before it was whole.

    Raises TimeoutError at the deadline. An answer above `cap` bytes is not read: it arrives as OVERSIZE.
    """
    head = _receive(link, _REPLY.size, deadline)
    if head is None:
        return None
    kind, last, size = _REPLY.unpack(head)
    if size > cap:
        return Reply(OVERSIZE, b"", True)
    data = _receive(link, size, deadline)
    return None if data is None else Reply(kind, data, bool(last))


def _receive(link: socket.socket, size: int, deadline: float | None) -> bytes | None:
    buffer = bytearray(size)
    view = memoryview(buffer)
    while view:
        if deadline is not None:
            link.settimeout(_left(deadline))
        try:
            count = link.recv_into(view)
        except ConnectionError:
            return None
        if count == 0:
            return None
        view = view[count:]
    return bytes(buffer)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
