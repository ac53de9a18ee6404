"""Two worlds that differ only in what U may not see, driven by random programs: U cannot tell them apart."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from bowerbird.testing.leak_machine import machine
from bowerbird.testing.leaks import Drive, Suite

LENGTH = 50
CI_STEPS, CI_SECONDS = 1_000, 240
NIGHT_STEPS, NIGHT_SECONDS, EACH_ROUTE = 20_000, 90 * 60, 50


def run(suite: Suite, programs: int, fixed: bool) -> tuple[int, float]:
    """Run programs of LENGTH steps; returns how many steps were done, and the seconds."""
    Drive.steps = 0
    Drive.counts.clear()
    begun = time.monotonic()
    run_state_machine_as_test(
        machine(suite),
        settings=settings(
            max_examples=programs, stateful_step_count=LENGTH, deadline=None, derandomize=fixed, database=None,
            suppress_health_check=list(HealthCheck), phases=[Phase.generate], print_blob=True,
        ),
    )  # fmt: skip
    return Drive.steps, time.monotonic() - begun


def test_a_thousand_steps_tell_nothing(suite: Suite) -> None:
    steps, seconds = run(suite, 24, fixed=True)
    assert steps >= CI_STEPS
    assert seconds < CI_SECONDS


@pytest.mark.nightly
def test_a_night_of_steps_tells_nothing(suite: Suite) -> None:
    steps, seconds = run(suite, 460, fixed=False)
    drive = suite.begin(exact=True)
    asked = {door.name: Drive.counts[door.name] for door in drive.doors()}
    told = {"steps": steps, "seconds": round(seconds), "requests": Drive.counts.total(), "routes": asked}
    if place := os.environ.get("LEAK_REPORT"):
        Path(place).write_text(json.dumps(told), encoding="utf-8")
    assert steps >= NIGHT_STEPS
    assert seconds < NIGHT_SECONDS
    assert {name: count for name, count in asked.items() if count < EACH_ROUTE} == {}


def test_the_same_seed_gives_the_same_program(suite: Suite) -> None:
    import random

    traces = []
    for _ in range(2):
        drive = suite.begin(exact=True)
        choose = random.Random(5).choice
        for _ in range(25):
            drive.step(choose)
        traces.append([line for line in drive.trace if not line.startswith("ask")])
    assert traces[0] == traces[1]
