"""The leak suite, long: that nothing leaks, how often every route was asked, and how soon planted leaks are found."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from _harness import ROOT, Setup, scratch

from bowerbird.lab.measuring import Figure
from bowerbird.testing.leak_machine import run_programs
from bowerbird.testing.leaks import Drive, Leak, Suite, walk

STEPS, SECONDS, EACH_ROUTE = 20_000, 90 * 60, 50
PLANTED_STEPS, PLANTED_LENGTH, QUICK_PLANTED = 2_000, 30, 5


def leaks(setup: Setup) -> list[Figure]:
    """Run the state machine, then the suite against leaks that are planted on purpose."""
    with scratch("leaks") as place, Suite(place) as suite:
        return [*_long(setup, suite), *_planted(setup, suite)]


def _long(setup: Setup, suite: Suite) -> list[Figure]:
    programs, steps, seconds = (24, 1_000, 240) if setup.quick else (640, STEPS, SECONDS)
    begun, found, note = time.monotonic(), 0, "status, headers and body of every answer compared"
    try:
        run_programs(suite, programs, fixed=setup.quick)
    except Leak as leak:
        found, note = 1, str(leak).splitlines()[0][:200]
    took = time.monotonic() - begun
    asked = {door.name: Drive.counts[door.name] for door in suite.begin(exact=True).doors()}
    rarest = min(asked, key=lambda name: asked[name])
    target = None if setup.quick else EACH_ROUTE
    return [
        Figure("leaks", found, 0, "==", "", note),
        Figure("leak-steps", Drive.steps, steps, ">=", "steps", f"{Drive.counts.total():,} requests in both worlds"),
        Figure("leak-seconds", took, seconds, "<=", "s", f"{programs} programs"),
        Figure("leak-rarest-route", asked[rarest], target, ">=", "times", f"{rarest}, of {len(asked)} routes"),
    ]


def _planted(setup: Setup, suite: Suite) -> list[Figure]:
    plants = _mutants()
    chosen = list(plants)[:: max(1, len(plants) // QUICK_PLANTED)] if setup.quick else list(plants)
    taken: dict[str, int] = {}
    for name in chosen:
        before = Drive.steps
        with pytest.MonkeyPatch.context() as patch:
            plants[name](patch)
            try:
                walk(suite, 11, PLANTED_STEPS, PLANTED_LENGTH)
            except Leak:
                taken[name] = Drive.steps - before
        suite.end()
    missed = ", ".join(name for name in chosen if name not in taken)
    last = max(taken, key=lambda name: taken[name], default="none")
    return [
        Figure("planted-leaks-found", len(taken), len(chosen), "==", "", f"missed: {missed}" if missed else "all"),
        Figure("planted-leak-steps", taken.get(last), PLANTED_STEPS, "<=", "steps", f"the slowest, {last}"),
    ]


def _mutants() -> Mapping[str, Callable[[Any], None]]:
    """Return the planted leaks, which are kept with the tests."""
    spec = importlib.util.spec_from_file_location("mutants", ROOT / "tests" / "leaks" / "mutants.py")
    if spec is None or spec.loader is None:
        raise RuntimeError("tests/leaks/mutants.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Mapping[str, Callable[[Any], None]] = module.MUTANTS
    return found
