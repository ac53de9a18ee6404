"""The actions of the leak suite: changes that both worlds undergo, and changes of what U cannot see in one of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from bowerbird.core.ids import content_hash
from bowerbird.testing.leak_plan import PLACES, VAULT, Held, Plan, Rights, group_ids
from bowerbird.testing.leak_requests import Choose
from bowerbird.testing.leak_texts import hidden_pair, hidden_thing, moment, visible_thing
from bowerbird.testing.leak_world import GROUPS, Thing, World

Made = TypeVar("Made")

MOST_ITEMS = 40
"""Items at a time: all that a query finds fits on one page, so that nothing is cut off by its rank."""


class Changes:
    """Changes two worlds by chosen values, and keeps the plan of what they hold. `exact`: hidden items are in pairs."""

    def __init__(self, worlds: tuple[World, World], plan: Plan, exact: bool) -> None:
        self.worlds = worlds
        self.plan = plan
        self.exact = exact
        self.trace: list[str] = []
        self.number = 0
        self.rules: dict[str, list[str]] = {}
        self.written: set[str] = set()

    def note(self, text: str) -> None:
        """Remember a step of the program."""
        self.trace.append(text)

    # items that are the same in both worlds

    def add(self, choose: Choose) -> None:
        """Add an item to both worlds, where U sees it or not; sometimes its content is not read yet."""
        if len(self.plan.held) >= MOST_ITEMS:
            return self.delete(choose)
        source, folder = choose(PLACES)
        held = Held(self._id(), source, [visible_thing(choose, self._next(), folder)] * 2)
        waits = choose((False, False, False, False, True))
        self._enter(held, waits)

    def change(self, choose: Choose) -> None:
        """Give an item another content and date: in both worlds where U sees it, else perhaps in one."""
        held = self._any(choose)
        if held is None:
            return self.add(choose)
        self._split(held, choose)
        number, fresh = self._next(), dict[int, Thing]()
        made = self._contents(choose, number, held)
        for world, thing in held.existing():
            shown = made[world]
            if shown is not None and thing.key.rpartition(".")[2] == shown.key.rpartition(".")[2]:
                fresh[world] = Thing(thing.key, thing.scope, shown.content, moment(number))
        for world, thing in fresh.items():
            held.things[world] = thing
            self.worlds[world].put(held.source, thing, held.id)
        self.note(f"change {held.id} in {sorted(fresh)} to {[_text(one) for one in fresh.values()]}")

    def rename(self, choose: Choose) -> None:
        """Give an item another name, and perhaps another folder."""
        held = self._any(choose)
        if held is None:
            return self.add(choose)
        folder = choose([place[1] for place in PLACES if place[0] == held.source])
        if not held.twin and not self.plan.hides(held.source, folder):
            return self.move(choose)
        number = self._next()
        for world, before in list(held.existing()):
            word = "lantern" if held.twin else ("zqaspen", "zqbasil")[world]
            name = f"{word}{number}.{before.key.rpartition('.')[2]}"
            after = Thing(f"{folder}/{name}" if folder else name, folder, before.content, before.modified)
            self._said(world, held.source, folder)
            self.worlds[world].rename(held.source, held.id, before, after)
            held.things[world] = after
        self.note(f"rename {held.id} to {[thing.key for _, thing in held.existing()]}")
        return None

    def move(self, choose: Choose) -> None:
        """Put an item into another scope under its key, as where labels or channels say who may read it."""
        held = self._any(choose)
        if held is None:
            return
        scope = choose([place[1] for place in PLACES if place[0] == held.source])
        moved = {world: Thing(thing.key, scope, thing.content, thing.modified) for world, thing in held.existing()}
        if not held.twin and any(self.plan.sees(held.source, thing) for thing in moved.values()):
            return
        for world, thing in moved.items():
            held.things[world] = thing
            self._said(world, held.source, scope)
            self.worlds[world].move(held.source, thing)
        self.note(f"move {held.id} to the scope {scope!r}")

    def delete(self, choose: Choose) -> None:
        """Delete an item; one that U does not see perhaps in one world only."""
        held = self._any(choose)
        if held is None:
            return
        where = [world for world, _ in held.existing()]
        if not self.plan.shows(held) and not self.exact and len(where) > 1:
            where = choose(([0, 1], [0], [1]))
        self._delete([held], where)

    # items of one world

    def add_hidden(self, choose: Choose) -> None:
        """Add an item where U cannot see it, to one world or in another form to each."""
        if len(self.plan.held) >= MOST_ITEMS:
            return self.delete(choose)
        closed = [place for place in PLACES if self.plan.hides(*place)]
        source, folder = choose(closed or [VAULT])
        if not closed:
            return self.add(choose)
        number = self._next()
        if self.exact:
            things = hidden_pair(choose, number, folder)
        else:
            where = choose(([0], [1], [0, 1]))
            things = [hidden_thing(choose, number, folder, w) if w in where else None for w in (0, 1)]
        self._enter(Held(self._id(), source, things, twin=False), False)
        return None

    def hidden_source(self, choose: Choose) -> None:
        """Add a source to one world, or remove it, with a job and an error that names what it holds."""
        name, world = choose((("zqapricot", 0), ("zqbanana", 1)))
        there = self.plan.hidden_sources
        if name in there:
            self.worlds[world].remove_source(name)
            del there[name]
        else:
            self.worlds[world].add_source(name, f"{name}/zqacorn.txt cannot be read")
            self.plan.jobs.append(self.worlds[world].enqueue(name))
            there[name] = world
        self.note(f"source {name} {'added to' if name in there else 'removed from'} world {world}")

    def hidden_people(self, choose: Choose) -> None:
        """Put somebody else into a group of one world that U is not in."""
        world = choose((0, 1))
        inside = choose((True, False))
        group = ("zqalumni", "zqbankers")[world]
        member = f"user:{self.plan.cast.other}"
        try:
            self.worlds[world].member(group, member, inside)
        except Exception as problem:  # not in it: nothing to take out
            if inside:
                raise
            self.note(f"{problem}")
        self.note(f"{member} {'into' if inside else 'out of'} {group} in world {world}")

    # who may see what

    def say(self, choose: Choose) -> None:
        """Let a source say anew who may read a folder."""
        source, folder = choose([place for place in PLACES if place != VAULT])
        names = self.plan.cast.principals()
        allow = frozenset(choose(names) for _ in range(choose((0, 1, 2))))
        deny = frozenset(choose(names) for _ in range(choose((0, 0, 0, 1))))
        rights = self.plan.changed()
        rights.claims[source, folder] = (allow, deny)
        self._grant(rights, f"{source}/{folder} allows {sorted(allow)}, denies {sorted(deny)}")
        self._both(lambda world: world.say(source, folder, sorted(allow), sorted(deny)))

    def rule(self, choose: Choose) -> None:
        """Make a rule on a folder, or undo one."""
        rights = self.plan.changed()
        if rights.rules and choose((True, False)):
            name = choose(list(rights.rules))
            del rights.rules[name]
            self._grant(rights, f"{name} undone")
            made_as = self.rules.pop(name)
            self._both(lambda world: world.unrule(made_as[self.worlds.index(world)]))
            return
        source, folder = choose([place for place in PLACES if place not in (VAULT, ("Attic", ""))])
        principal, effect = choose(self.plan.cast.principals()), choose(("allow", "deny", "deny"))
        made = (source, folder, principal, effect)
        if made in rights.rules.values():
            return
        name = f"rule {self._next()}"
        rights.rules[name] = made
        self._grant(rights, f"{name} {made}")
        self.rules[name] = self._both(lambda world: world.rule(*made))

    def group(self, choose: Choose) -> None:
        """Put U or a group into a group, or take them out."""
        group = choose(group_ids())
        member = choose((f"user:{self.plan.cast.u}", *(one for one in group_ids() if one != group)))
        rights = self.plan.changed()
        inside = (group, member) not in rights.members
        if inside and self.plan.would_circle(group, member):
            return
        (rights.members.add if inside else rights.members.discard)((group, member))
        self._grant(rights, f"{member} {'into' if inside else 'out of'} {group}")
        name = GROUPS[group_ids().index(group)]
        self._both(lambda world: world.member(name, member, inside))

    def role(self, choose: Choose) -> None:
        """Give U another role, suspend or reactivate them."""
        rights = self.plan.changed()
        rights.role = choose(("guest", "member", "member", "admin"))
        rights.active = not rights.active or choose((True, True, True, False))
        self._grant(rights, f"U is {rights.role}, {'active' if rights.active else 'suspended'}")
        self._both(lambda world: world.role(rights.role, "active" if rights.active else "suspended"))

    # the index

    def level(self, choose: Choose) -> None:
        """Bring words, or words and vectors, up to the log."""
        vectors, tidy = choose((True, True, False)), choose((False, False, True))
        self._both(lambda world: world.level(vectors, tidy))
        self.note(f"level, vectors: {vectors}, tidy: {tidy}")

    def maintain(self, choose: Choose) -> None:
        """Compact the tables, or serve a new generation."""
        how = choose(("compact", "swap"))
        self._both(lambda world: world.compact() if how == "compact" else world.swap())
        self.note(how)

    def _enter(self, held: Held, waits: bool) -> None:
        self.plan.held[held.id] = held
        for world, thing in held.existing():
            self._said(world, held.source, thing.scope)
            enter = self.worlds[world].wait if waits else self.worlds[world].put
            enter(held.source, thing, held.id)
        told = [thing and (thing.key, *_text(thing)) for thing in held.things]
        self.note(f"add {held.id} {'twin' if held.twin else 'hidden'} {told}{' waits' if waits else ''}")

    def _delete(self, several: Sequence[Held], where: Sequence[int]) -> None:
        for held in several:
            for world in where:
                if held.things[world] is not None:
                    self.worlds[world].delete([held.id])
                    held.things[world] = None
            held.twin = False
            if not any(held.existing()):
                del self.plan.held[held.id]
                self.plan.gone.append(held.id)
            self.note(f"delete {held.id} in {list(where)}")

    def _said(self, world: int, source: str, scope: str) -> None:
        """Let a source say who may read a scope before the first item in it, as it does in every pull."""
        if said := self.plan.rights.claims.get((source, scope)):
            self.worlds[world].say(source, scope, sorted(said[0]), sorted(said[1]))

    def _grant(self, rights: Rights, told: str) -> None:
        """Put rights in force in the plan; what would show a difference between the worlds is deleted first."""
        self._delete(self.plan.exposed(rights), (0, 1))
        self.plan.rights = rights
        self.note(told)

    def _split(self, held: Held, choose: Choose) -> None:
        """Let an item that U does not see become another in each world, perhaps."""
        if held.twin and not self.exact and not self.plan.shows(held):
            held.twin = choose((True, False))

    def _contents(self, choose: Choose, number: int, held: Held) -> list[Thing | None]:
        """Return new contents for an item, one for each world."""
        if held.twin:
            return [visible_thing(choose, number, "")] * 2
        if self.exact:
            return hidden_pair(choose, number, "")
        return [hidden_thing(choose, number, "", world) for world in (0, 1)]

    def _any(self, choose: Choose) -> Held | None:
        return self.plan.held[choose(list(self.plan.held))] if self.plan.held else None

    def _both(self, run: Callable[[World], Made]) -> list[Made]:
        return [run(world) for world in self.worlds]

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _id(self) -> str:
        """Return the id of the next item: in a mixed order, and the same in every run."""
        return content_hash(f"item {self._next()}".encode())[:13]


def _text(thing: Thing) -> tuple[str, ...]:
    """Return what a step tells of an item's content."""
    return () if thing.key.endswith(".png") else (thing.content.decode().replace("\n", " ")[-60:],)
