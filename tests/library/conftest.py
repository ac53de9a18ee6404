"""A library over a real folder, with the real sandbox, index and encoder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bowerbird.core.settings import Settings
from bowerbird.library import Library


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
