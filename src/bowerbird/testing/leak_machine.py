"""The leak suite as a state machine of hypothesis: programs of actions and requests.

    with Suite() as suite:
        steps = run_programs(suite, programs=100)

Needs `hypothesis` (an extra of development). A step is one action, or one request in both worlds.
"""

from __future__ import annotations

from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bowerbird.testing.leak_requests import Choose
from bowerbird.testing.leaks import Drive, Suite

DATA = st.data()


def chooser(data: Any) -> Choose:
    """Return a choice of one of some values that hypothesis makes, and shrinks towards the first."""
    return lambda values: data.draw(st.sampled_from(list(values)))


class LeakMachine(RuleBasedStateMachine):
    """Two worlds and one person; `machine` gives it its suite."""

    suite: ClassVar[Suite]
    drive: Drive

    @initialize(exact=st.booleans())
    def begin(self, exact: bool) -> None:
        """Open two worlds."""
        self.drive = self.suite.begin(exact)

    @rule(data=DATA, name=st.sampled_from([name for name, weight in Drive.ACTIONS for _ in range(weight)]))
    def act(self, data: Any, name: str) -> None:
        """Change something in both worlds, or something hidden in one."""
        self.drive.do(name, chooser(data))

    @rule(data=DATA, name=st.sampled_from([name for name, weight in Drive.QUESTIONS for _ in range(weight)]))
    def ask(self, data: Any, name: str) -> None:
        """Ask both worlds the same."""
        self.drive.do(name, chooser(data))

    @rule(data=DATA)
    def ask_any_route(self, data: Any) -> None:
        """Ask both worlds any route, so that every route comes often."""
        self.drive.do("any_route", chooser(data))

    def teardown(self) -> None:
        """Let U ask for everything once more, and close the worlds."""
        try:
            if hasattr(self, "drive"):
                self.drive.end()
        finally:
            self.suite.end()


def machine(suite: Suite) -> type[LeakMachine]:
    """Return the state machine for a suite that is open."""

    class Machine(LeakMachine):
        """The machine of one suite."""

    Machine.suite = suite
    return Machine


LENGTH = 50
"""Steps of a program."""


def run_programs(suite: Suite, programs: int, fixed: bool = False) -> int:
    """Run programs of LENGTH steps (always the same where `fixed`); returns how many steps. Raises Leak.

    A program that fails is not shrunk, as every try takes seconds: the leak tells its steps. `Drive.counts` says how
    often each route was asked.
    """
    Drive.steps = 0
    Drive.counts.clear()
    how = settings(
        max_examples=programs, stateful_step_count=LENGTH, deadline=None, derandomize=fixed, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    run_state_machine_as_test(machine(suite), settings=how)
    return Drive.steps
