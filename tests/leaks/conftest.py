"""One suite for all tests here: a template and a sandbox are made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bowerbird.testing.leaks import Suite


@pytest.fixture(scope="session")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    with Suite(tmp_path_factory.mktemp("leaks")) as suite:
        yield suite
