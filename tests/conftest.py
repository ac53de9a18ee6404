"""What all tests share: the command line as a person runs it, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest_plugins = ["bowerbird.testing.fixtures"]

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


class Commands:
    """Runs `bowerbird` with a data directory of its own, without a network (pip finds no index)."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.started: list[subprocess.Popen[str]] = []

    def environment(self, changes: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BOWERBIRD_")}
        own = {"PIP_NO_INDEX": "1", "BOWERBIRD_HOME": str(self.home), "COLUMNS": "100", "PYTHONPATH": str(ROOT / "src")}
        return {**kept, **own, **changes}

    def start(self, *arguments: str, **changes: str) -> subprocess.Popen[str]:
        """Start a command and leave it running; it is ended with the test."""
        process = subprocess.Popen(
            [sys.executable, "-m", "bowerbird", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, env=self.environment(changes),
        )  # fmt: skip
        self.started.append(process)
        return process

    def __call__(self, *arguments: str, stdin: bytes = b"", timeout: float = 120, **changes: str) -> Done:
        """Run a command to its end."""
        began = time.perf_counter()
        ended = subprocess.run(
            [sys.executable, "-m", "bowerbird", *arguments],
            input=stdin, capture_output=True, env=self.environment(changes), timeout=timeout, check=False,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        return Done(ended.returncode, ended.stdout.decode(), ended.stderr.decode(), seconds)

    def end(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
            process.communicate()


@pytest.fixture(scope="session")
def commands_at() -> type[Commands]:
    """`commands_at(home)`: the command line with a data directory; for fixtures that several tests share."""
    return Commands


@pytest.fixture
def bowerbird(tmp_path: Path) -> Iterator[Commands]:
    """The command line, with a data directory below `tmp_path`."""
    commands = Commands(tmp_path / "home")
    yield commands
    commands.end()


def eventually(check: Callable[[], bool], seconds: float = 30) -> bool:
    """Return whether a condition comes true in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return False


@pytest.fixture(name="eventually")
def eventually_fixture() -> Callable[..., bool]:
    """`eventually(check, seconds)`: waits for a condition."""
    return eventually


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate, with its key in the same file, for the names site.example and localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "site.example")])
    names = [x509.DNSName("site.example"), x509.DNSName("localhost")]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, private = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(made.public_bytes(pem) + key.private_bytes(pem, private, serialization.NoEncryption()))
    return file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests with a browser last: Playwright leaves an event loop and its greenlets in the main thread."""
    items.sort(key=lambda item: "chromium" in getattr(item, "fixturenames", ()))
