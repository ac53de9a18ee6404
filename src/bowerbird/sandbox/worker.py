"""A worker: one forked process that answers calls until it is used up, looks suspicious, or is killed."""

from __future__ import annotations

import os
import resource
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

import msgspec

from bowerbird.core.errors import BowerbirdError, ExtractionError
from bowerbird.sandbox import guards
from bowerbird.sandbox.wire import ERROR, MEMORY, OVERSIZE, RESULT, Limits, Reply, receive_request, send_reply

_CAUSE_CHARACTERS = 500
_CPU_TURNS = 5
"""A worker that has used this many calls' worth of processor time retires, well before its limit would kill it."""


def run(link: socket.socket, limits: Limits, modules: frozenset[str], readable: tuple[str, ...]) -> NoReturn:
    """Confine this process and serve calls from `link`; never returns."""
    status = 1
    try:
        _detach(link)
        guards.confine(limits, readable)
        _serve(link, limits, modules)
        status = 0
    finally:
        os._exit(status)


def _detach(link: socket.socket) -> None:
    """Leave the server's session and files: a worker holds its own socket and nothing else."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    own = link.fileno()
    os.closerange(3, own)
    os.closerange(own + 1, 1024)


def _serve(link: socket.socket, limits: Limits, modules: frozenset[str]) -> None:
    start = guards.address_space()
    for served in range(1, limits.calls + 1):
        request = receive_request(link)
        if request is None:
            return
        reply = _answer(*request, limits, modules)
        tired = (
            served == limits.calls
            or guards.address_space() - start > limits.memory_mb << 19  # half of what it may grow by
            or sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) > limits.seconds * _CPU_TURNS
        )
        send_reply(link, Reply(reply.kind, reply.data, reply.last or tired))
        if reply.last or tired:
            return
        del request, reply


def _answer(meta: bytes, data: bytes, limits: Limits, modules: frozenset[str]) -> Reply:
    try:
        call = msgspec.json.decode(meta)
        result = _function(call["function"], modules)(data, **call["options"])
        if len(result) > limits.output_mb << 20:
            return Reply(OVERSIZE, b"", True)
        return Reply(RESULT, bytes(result), False)
    except MemoryError:
        return Reply(MEMORY, b"", True)
    except BowerbirdError as error:
        return Reply(ERROR, _encode(type(error).__name__, error.cause, error.remedy), False)
    except BaseException as problem:  # whatever a parser throws, SystemExit too, is an answer about the file
        cause = f"The parser failed: {type(problem).__name__}: {str(problem)[:_CAUSE_CHARACTERS]}"
        return Reply(ERROR, _encode(ExtractionError.__name__, cause, ""), True)


def _function(name: str, modules: frozenset[str]) -> Callable[..., bytes]:
    module, _, attribute = name.partition(":")
    if module not in modules:
        raise LookupError(f"{module} was not preloaded, so nothing in it can be called")
    function: Callable[..., bytes] = getattr(sys.modules[module], attribute)
    return function


def _encode(kind: str, cause: str, remedy: str) -> bytes:
    texts = {"kind": kind, "cause": cause, "remedy": remedy}
    return msgspec.json.encode({key: text.encode("utf-8", "replace").decode() for key, text in texts.items()})
