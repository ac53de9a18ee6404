"""Talks to a running server of the same library, with nothing but the standard library (it is quick to import)."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from bowerbird.core.errors import BowerbirdError, StoreError
from bowerbird.core.settings import api_token

SERVER_FILE = Path("run") / "server.json"
"""Where a server says how to reach it, below the data directory."""

TIMEOUT = 30.0
"""Seconds to wait for an answer."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that says it runs: process id, base URL on this machine, bearer token.

    `certificate` is the file of its own certificate, "" without TLS; `shown` is the base URL for browsers.
    """

    pid: int
    url: str
    token: str
    certificate: str = ""
    shown: str = ""

    def get(self, path: str, **query: str | int) -> dict[str, object]:
        """Return the JSON object at a path; raises the server's error, or ConnectionError if nobody answers."""
        filled = {name: value for name, value in query.items() if value != ""}
        return self._request("GET", path + (f"?{urlencode(filled)}" if filled else ""), None)

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, object]:
        """Send a JSON object and return the one that comes back; raises like `get`."""
        return self._request("POST", path, json.dumps(body).encode())

    def invitation(self) -> str:
        """Return a new link that signs one browser in, once."""
        return (self.shown or self.url) + str(self.post("/api/invitations", {}).get("path", "/"))

    def _connection(self, host: str, port: int | None) -> http.client.HTTPConnection:
        if not self.certificate:
            return http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        import ssl

        # just this certificate is accepted, whatever name it is for: it is reached by a loopback address
        own = Path(self.certificate).read_text(encoding="ascii", errors="replace")
        end = "-----END CERTIFICATE-----"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=own[own.find("-----BEGIN CERTIFICATE") : own.find(end) + len(end)])
        return http.client.HTTPSConnection(host, port, timeout=TIMEOUT, context=context)

    def _request(self, method: str, target: str, body: bytes | None) -> dict[str, object]:
        place = urlsplit(self.url)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection = self._connection(place.hostname or "127.0.0.1", place.port)
        try:
            connection.request(method, target, body, headers)
            response = connection.getresponse()
            status, data = response.status, response.read()
        except (OSError, http.client.HTTPException) as problem:
            raise ConnectionError(f"the server at {self.url} does not answer: {problem}") from problem
        finally:
            connection.close()
        try:
            answer = json.loads(data)
        except ValueError as problem:
            raise ConnectionError(f"what answers at {self.url} is not Bowerbird (HTTP {status})") from problem
        if status >= 400:
            raise error_of(answer)
        if not isinstance(answer, dict):
            raise StoreError("The server's answer is not a JSON object.", "Start the server again.")
        return answer


def running(home: Path) -> Server | None:
    """Return the server that has said it runs for this data directory and whose process is alive, else None."""
    try:
        said = json.loads((home / SERVER_FILE).read_text(encoding="utf-8"))
        pid, url, token = int(said["pid"]), str(said["url"]), api_token() or str(said["token"])
        server = Server(pid, url, token, str(said.get("certificate", "")), str(said.get("shown", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server if is_alive(server.pid) else None


def is_alive(pid: int) -> bool:
    """Return whether a process of this id exists (signal 0, POSIX kill)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def error_of(answer: object) -> BowerbirdError:
    """Return the error that a server sent as {code, cause, remedy}, as the class that has its code."""
    fields = answer if isinstance(answer, dict) else {}
    classes: list[type[BowerbirdError]] = [BowerbirdError]
    for known in classes:
        classes.extend(known.__subclasses__())
    code = str(fields.get("code", ""))
    found = next((known for known in classes if known.code == code), BowerbirdError)
    return found(str(fields.get("cause", "The server refused.")), str(fields.get("remedy", "")))
