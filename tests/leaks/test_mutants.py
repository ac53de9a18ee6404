"""The suite notices: every planted leak is found within a bounded number of steps."""

from __future__ import annotations

import pytest

from bowerbird.testing.leaks import Drive, Leak, Suite, walk

from .mutants import MUTANTS

BOUND, LENGTH = 2_000, 30
"""Steps within which each must be found (most are within a hundred), and those of a program."""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_leak_is_found(suite: Suite, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Drive.steps
    MUTANTS[name](monkeypatch)
    with pytest.raises(Leak) as found:
        walk(suite, 11, BOUND, LENGTH)
    print(f"{name}: after {Drive.steps - before} steps: {str(found.value).splitlines()[0][:200]}")
    suite.end()


def test_there_are_enough() -> None:
    assert len(MUTANTS) >= 10
