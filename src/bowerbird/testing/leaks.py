"""The leak suite: two worlds that differ only in what a person U may not see, and everything that U can ask of both.

    with Suite(folder) as suite:                      # for the tests of a plugin: its routes are found by themselves
        drive = suite.begin(exact=True)
        for _ in range(500):
            drive.step(random.Random(7).choice)       # raises Leak where U can tell the worlds apart

`leak_machine` has the same as a state machine of hypothesis.

**What is compared**: status, headers and body of every answer, but for what `leak_compare` lists.

**The one documented channel**: BM25 weighs a word by how many passages hold it and by the mean length of passages, over
the whole index. So what U may not see can change the *order* of U's hits by words (never which they are, how many, or
any count), where a query has several words or passages differ in length. It is bounded: scores are never told, and a
hit that holds every word of the query at least as often as another, in a passage that is no longer, stands before it
whatever is hidden (BM25 is monotone in both). It is closed where that costs nothing: the order by date, by meaning and
by name, of filters without words, and the completion of a word that is being typed follow from what U may see alone.
`exact` programs compare the order, too: there, hidden items come in pairs of the same length, without the words that
are asked for, so that the statistics are the same. `exact=False` lets hidden items hold any words.

Time is not compared: how long an answer takes is looked at in `docs/security.md`.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from bowerbird.core.settings import Settings
from bowerbird.library.worker import boxed
from bowerbird.testing.leak_asking import Asking
from bowerbird.testing.leak_compare import Leak
from bowerbird.testing.leak_plan import VAULT, Plan
from bowerbird.testing.leak_requests import Choose
from bowerbird.testing.leak_world import Cast, World, make_template

__all__ = ["Drive", "Leak", "Suite", "walk"]


class Drive(Asking):
    """A program under way: `step` does one action, or asks both worlds one thing."""

    steps = 0

    ACTIONS: tuple[tuple[str, int], ...] = (
        ("add", 5), ("add_hidden", 6), ("change", 2), ("rename", 2), ("move", 2), ("delete", 2), ("hidden_source", 1),
        ("hidden_people", 1), ("say", 4), ("rule", 2), ("group", 3), ("role", 1), ("level", 6), ("maintain", 1),
        ("others_look", 1), ("others_keep", 1),
    )  # fmt: skip
    QUESTIONS: tuple[tuple[str, int], ...] = (
        ("search", 12), ("suggest", 4), ("explain", 4), ("go_on", 3), ("borrow", 1), ("item", 8), ("any_route", 14),
        ("static", 1), ("command", 1),
    )  # fmt: skip
    """What there is to do, and how often."""

    def step(self, choose: Choose) -> None:
        """Do one thing, chosen by weight."""
        names = [name for name, weight in (*self.ACTIONS, *self.QUESTIONS) for _ in range(weight)]
        self.do(choose(names), choose)

    def do(self, name: str, choose: Choose) -> None:
        """Do one thing by name; a Leak tells the whole program."""
        type(self).steps += 1
        act: Callable[[Choose], None] = getattr(self, name)
        self._told(lambda: act(choose))

    def end(self) -> None:
        """End a program: U asks for everything there is once more, which counts as one step."""
        type(self).steps += 1
        self._told(self.sweep)

    def _told(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Leak as leak:
            raise Leak(f"{leak}\nThe program:\n  " + "\n  ".join(self.trace[-60:])) from leak


class Suite:
    """Makes worlds below a folder; they share one sandbox."""

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder
        self._worlds: list[World] = []
        self._count = 0

    def __enter__(self) -> Self:
        """Make the template and start the sandbox."""
        self.folder = self._given or Path(tempfile.mkdtemp(prefix="bowerbird-leaks-"))
        self.cast: Cast = make_template(self.folder / "template")
        self._sandbox = boxed(Settings({}))
        self._sandbox.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        """Remove what is left."""
        self.end()
        self._sandbox.close()
        if self._given is None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def world(self) -> World:
        """Open a new world; `end` closes it."""
        self._count += 1
        world = World(self.folder / f"world-{self._count:06d}", self.cast, self._sandbox)
        world.open(self.folder / "template")
        self._worlds.append(world)
        return world

    def begin(self, exact: bool) -> Drive:
        """Begin a program with two new worlds; those before are closed."""
        self.end()
        drive = Drive((self.world(), self.world()), Plan(self.cast), exact)
        first = random.Random(1).choice  # noqa: S311  (not for secrets)
        u = f"user:{self.cast.u}"
        for group, member in (("staff", u), ("board", "group:local:staff")):
            drive.plan.rights.members.add((f"group:local:{group}", member))
            for world in drive.worlds:
                world.member(group, member, True)
        opened = (
            ("Office", "hr", "public"),
            ("Office", "plans", "group:local:staff"),
            ("Attic", "old", "group:local:board"),
        )
        for source, scope, allow in opened:
            drive.plan.rights.claims[source, scope] = (frozenset((allow,)), frozenset())
            for world in drive.worlds:
                world.say(source, scope, (allow,), ())
        for world in drive.worlds:
            world.say(*VAULT, (f"user:{self.cast.other}",), ())
        for action in ("add", "add", "add", "add", "add_hidden", "add_hidden", "level"):
            drive.do(action, first)
        return drive

    def end(self) -> None:
        """Close the worlds that are open."""
        for world in self._worlds:
            world.close()
        self._worlds.clear()


def walk(suite: Suite, seed: int, steps: int, length: int = 60) -> int:
    """Run random programs of `length` steps, exact and not in turn, for so many steps; returns how many were done.

    Raises Leak. The same seed gives the same programs, whatever runs beside it.
    """
    done, program = 0, 0
    while done < steps:
        dice = random.Random(f"{seed}-{program}")  # noqa: S311  (not for secrets)
        drive = suite.begin(exact=program % 2 == 0)
        for _ in range(min(length, steps - done)):
            drive.step(dice.choice)
            done += 1
        drive.end()
        program += 1
    suite.end()
    return done
