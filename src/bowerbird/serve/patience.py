"""How long the server waits for somebody to say what they want.

Uvicorn waits for ever for the head of a request; many connections that say nothing, or a byte a minute, would use up
the server (CWE-400). Sizes are bounded by h11, bodies by `edge.read_body`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
"""A connection without a request under way is closed after once to twice this time."""

HEAD_BYTES = 64 * 1024
"""For the request line and all headers: a query of 4,000 characters may take 48,000 bytes in an address."""

CONNECTIONS = 500
"""More than these are answered with 503."""


class Patient(H11Protocol):
    """HTTP/1.1 of uvicorn, which closes connections on which no request arrives."""

    seconds = HEAD_SECONDS
    _watch: asyncio.TimerHandle | None = None
    _waited = False

    def connection_made(self, transport: Any) -> None:
        """Begin to watch a new connection."""
        super().connection_made(transport)
        self._watch = self.loop.call_later(self.seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        under_way = self.cycle is not None and not self.cycle.response_complete
        if self._waited and not under_way:
            self.transport.close()
            return
        self._waited = not under_way
        self._watch = self.loop.call_later(self.seconds, self._look)
