"""A library over a real folder, with the real sandbox, index and encoder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.library.identity import Identity
from bowerbird.store.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small work folder."""
    root = tmp_path / "work"
    (root / "notes").mkdir(parents=True)
    (root / "notes" / "harbour.md").write_text("# Harbour plan\n\nThe crane lifts containers at dawn.\n")
    (root / "notes" / "kitchen.txt").write_text("Sourdough needs flour, water and patience.\n")
    (root / "budget.csv").write_text("month,amount\nJanuary,120\nFebruary,140\n")
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def library(home: Path) -> Iterator[Library]:
    with Library.open(home, Settings({"rescan_seconds": 3600})) as opened:
        yield opened


@pytest.fixture
def index(library: Library) -> Callable[..., None]:
    """Sync everything and index it, by words or with vectors too."""

    def run(vectors: bool = False) -> None:
        library.enqueue("sync")
        with closing(library.worker()) as worker:
            worker.run_until_idle(lambda _: None, threading.Event(), vectors=vectors)

    return run


class Clock:
    """A clock that a test moves; seconds since 1970."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(home: Path) -> Iterator[Store]:
    made = Store(home)
    made.open()
    yield made
    made.close()


@pytest.fixture
def identity(store: Store, clock: Clock) -> Identity:
    """The ways into an empty library, by a clock that the test moves."""
    return Identity(store, Settings({}), clock)


@pytest.fixture
def enter(identity: Identity) -> Callable[..., str]:
    """`enter(handle, role, password)`: invite somebody who sets a password; returns their id."""

    def enter(handle: str = "ada", role: str = "member", password: str = "gravel otter seventeen") -> str:
        person, link = identity.people.invite(handle, role)
        identity.set_up(link.secret, password)
        return person.id

    return enter
