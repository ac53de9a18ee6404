"""Two worlds that differ only in what U may not see, driven by random programs: U cannot tell them apart."""

from __future__ import annotations

import random
import time

import pytest

from bowerbird.testing.leak_machine import run_programs
from bowerbird.testing.leaks import Drive, Suite

CI_PROGRAMS, CI_STEPS, CI_SECONDS = 24, 1_000, 240
NIGHT_PROGRAMS, NIGHT_STEPS, NIGHT_SECONDS, EACH_ROUTE = 460, 20_000, 90 * 60, 50


def test_a_thousand_steps_tell_nothing(suite: Suite) -> None:
    begun = time.monotonic()
    assert run_programs(suite, CI_PROGRAMS, fixed=True) >= CI_STEPS
    assert time.monotonic() - begun < CI_SECONDS


@pytest.mark.nightly
def test_a_night_of_steps_tells_nothing(suite: Suite) -> None:
    begun = time.monotonic()
    assert run_programs(suite, NIGHT_PROGRAMS) >= NIGHT_STEPS
    assert time.monotonic() - begun < NIGHT_SECONDS
    asked = {door.name: Drive.counts[door.name] for door in suite.begin(exact=True).doors()}
    assert {name: count for name, count in asked.items() if count < EACH_ROUTE} == {}


def test_the_same_choices_give_the_same_program(suite: Suite) -> None:
    traces = []
    for _ in range(2):
        drive = suite.begin(exact=True)
        choose = random.Random(5).choice
        for _ in range(25):
            drive.step(choose)
        traces.append([line for line in drive.trace if not line.startswith("ask")])
    assert traces[0] == traces[1]
