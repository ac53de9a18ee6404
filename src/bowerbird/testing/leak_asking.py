"""The questions of the leak suite: each is put to both worlds as U, and the answers are compared and looked through."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from bowerbird.core.records import SYSTEM
from bowerbird.testing.leak_changes import Changes
from bowerbird.testing.leak_compare import Leak, check_clean, compare
from bowerbird.testing.leak_plan import ROLES
from bowerbird.testing.leak_requests import HOSTILE, Choose, Door, Pools, doors, request
from bowerbird.testing.leak_texts import SECRETS, WORDS
from bowerbird.testing.leak_world import SOURCES, Answer, Asked

FILTERS = (
    "type:note", "type:message", "type:image", "in:hr", "in:hr/pay", "in:vault", "source:Office", "source:Attic",
    "source:zqapricot", "source:zqbanana", "from:ada", "from:zqanora", "from:zqbnora", "after:2026-01-01",
    "before:2026-02-01", "after:30d", "date:2026-01", "date:2026-01..2026-02", "from:adda", "from:zqanorra",
    "-from:adda", "from:zqb", "source:Atic", "source:zqapricott", "source:off", "to:zqanorra", "from:zqbnorra",
)  # fmt: skip
PIPELINES = ("hybrid", "hybrid", "words", "meaning", "prefix >> items >> snippets", "typing", "typing", "recent")
STATIC = ("/static/js/api.js", "/static/img/mark.svg", "/static/../api/status", "/nothing/there", "/api/openapi.json")
PAGE_ROUTE = "/api/items/{item_id}/pages/{page}.png"
TOLD = frozenset({"source-unreadable", "extraction-failed"})
"""Errors of a source or a parser about an item that U may see; any other error of the server is a failure."""

ITEM_ROUTES = ("/api/items/{item_id}", "/api/items/{item_id}/text", "/open/{item_id}")


class Asking(Changes):
    """Asks both worlds the same. `counts` says how often each route was asked, over all programs."""

    counts: ClassVar[Counter[str]] = Counter()
    """Requests by route, of all programs of this process."""

    later: tuple[Asked, tuple[str, str]] | None = None
    """A search and the cursors by which it goes on, one for each world."""

    def ask(self, asked: Asked, name: str, exact: bool = True) -> tuple[Answer, Answer]:
        """Send a request to both worlds; raises Leak where U can tell them apart, or sees what U may not."""
        self.counts[name] += 1
        first, second = (world.ask(asked) for world in self.worlds)
        self.note(f"ask {asked.method} {asked.path} {dict(asked.query)} as {asked.door or 'nobody'}: {first.status}")
        if any(answer.status >= 500 and _json(answer).get("code") not in TOLD for answer in (first, second)):
            raise Leak(f"{asked.method} {asked.path} {dict(asked.query)} fails: {first.body[:300]!r}")
        if asked.path.startswith("/api/me/") and isinstance(asked.body, dict):
            self.written.update(str(value) for value in asked.body.values() if value)
        for answer in (first, second):
            check_clean(asked, answer, written=sorted(self.written, key=len, reverse=True))
        compare(asked, (first, second), exact)
        return first, second

    def search(self, choose: Choose) -> None:
        """Search, in one of many ways; where the order counts, also a short page whose cursor is kept."""
        by_date = choose((False, False, True))
        ordered = self.exact or by_date
        query = [("q", self.query(choose)), ("pipeline", choose(PIPELINES)), ("limit", "100")]
        if by_date:
            query.append(("sort", "date"))
        if ordered:
            query[2] = ("limit", str(choose((1, 3, 10, 100))))
        if choose((False, False, True)):
            self.worlds[choose((0, 1))].others_search(query[0][1])  # what is kept for others must not be U's
        asked = Asked("GET", "/api/search", tuple(query), door=choose(("session", "token")))
        answers = self.ask(asked, "GET /api/search", self.exact)
        self._check_hits(answers)
        cursors = tuple(_json(answer).get("cursor", "") for answer in answers)
        if ordered and all(cursors):
            self.later = (asked, (cursors[0], cursors[1]))

    def go_on(self, choose: Choose) -> None:
        """Ask for the next page of a search of before, whatever has changed since."""
        if self.later is None:
            return self.search(choose)
        asked, cursors = self.later
        self.counts["GET /api/search"] += 1
        pages = [Asked(asked.method, asked.path, (*asked.query, ("cursor", one)), door=asked.door) for one in cursors]
        answers = tuple(world.ask(page) for world, page in zip(self.worlds, pages, strict=True))
        self.note(f"the next page of {dict(asked.query)}: {answers[0].status}")
        for page, answer in zip(pages, answers, strict=True):
            check_clean(page, answer)
        compare(pages[0], (answers[0], answers[1]), self.exact)
        self._check_hits((answers[0], answers[1]))
        found = tuple(_json(answer).get("cursor", "") for answer in answers)
        self.later = (asked, (found[0], found[1])) if all(found) else None
        return None

    def suggest(self, choose: Choose) -> None:
        """Type the start of something: what is offered, and in which order, follows from what U may see alone."""
        hidden = [word for secrets in SECRETS for word in secrets]
        word = choose((*WORDS, *hidden))[: choose((2, 3, 4, 40))]
        start = choose((word, choose(("zq", "zqa", "zqb", "ad", "hr", "pl", "va", "of")), ""))
        text = choose(("", "", "budget ", "type:note ")) + choose(("", "", "from:", "in:", "source:", "to:")) + start
        asked = Asked("GET", "/api/suggest", (("q", text), ("limit", "20")), door=choose(("session", "token")))
        visible = self.plan.visible()
        for answer in self.ask(asked, "GET /api/suggest"):
            shown = {one["item"] for one in _json(answer).get("suggestions", ()) if one["item"]}
            if shown - visible:
                raise Leak(f"{text!r} suggests what U may not see: {sorted(shown - visible)}")

    def explain(self, choose: Choose) -> None:
        """Ask why an item is found or not: what U may not see is what never was."""
        item, door = choose(self.item_ids()), choose(("session", "token"))
        query = (("q", self.query(choose)), ("item", item), ("pipeline", choose(PIPELINES)))
        asked = Asked("GET", "/api/explain", query, door=door)
        never = Asked("GET", "/api/explain", (query[0], ("item", "0123456789abc"), query[2]), door=door)
        found = self.ask(asked, "GET /api/explain", self.exact)
        if item not in self.plan.visible():
            for answer, none in zip(found, self.ask(never, "GET /api/explain", self.exact), strict=True):
                if (answer.status, answer.body) != (none.status, none.body):
                    raise Leak(f"{dict(query)} is explained in another way than what never was: {answer.body[:300]!r}")

    def borrow(self, choose: Choose) -> None:
        """Use a cursor of the search of somebody who may see all: it must open nothing."""
        text = self.query(choose)
        for_both = [world.library.search(text, SYSTEM, limit=1).cursor for world in self.worlds]
        if not all(for_both):
            return
        query = (("q", text), ("limit", "100"))
        answers = []
        for world, cursor in zip(self.worlds, for_both, strict=True):
            asked = Asked("GET", "/api/search", (*query, ("cursor", cursor)))
            answers.append(world.ask(asked))
            check_clean(asked, answers[-1])
            if answers[-1].status == 200:
                raise Leak(f"the cursor of somebody else's search for {text!r} is taken")
        self.counts["GET /api/search"] += 1
        self.note(f"borrow a cursor for {text!r}")
        self._check_hits((answers[0], answers[1]))

    def item(self, choose: Choose) -> None:
        """Ask for an item, its text, its page or its original, whole or in part."""
        path = choose((*ITEM_ROUTES, PAGE_ROUTE))
        part = choose(("", "", "bytes=0-3", "bytes=-2", "bytes=9999-"))
        self.look_at(choose(self.item_ids()), path, part, choose(("session", "token")))

    def look_at(self, item_id: str, path: str, part: str = "", door: str = "session") -> None:
        """Ask a route about an item: it answers with something only where U may see the item."""
        headers = (("range", part),) if part and path.startswith("/open") else ()
        where = path.replace("{item_id}", item_id).replace("{page}", "1")
        first, _ = self.ask(Asked("GET", where, door=door, headers=headers), f"GET {path}")
        sees = item_id in self.plan.visible()
        if first.status < 300 and not sees:
            raise Leak(f"{where} answers {first.status}, but U may not see it")
        if sees and path == ITEM_ROUTES[0] and first.status != 200:
            raise Leak(f"{where} answers {first.status}, but U may see it")

    def sweep(self) -> None:
        """Ask for everything there is, once: each item, picture, text, source and job, and a few searches."""
        for held in [*self.plan.held.values()]:
            picture = any(thing.key.endswith(".png") for _, thing in held.existing())
            for path in (ITEM_ROUTES[0], PAGE_ROUTE if picture else ITEM_ROUTES[1]):
                self.look_at(held.id, path)
        for item_id in self.plan.gone[-3:]:
            self.look_at(item_id, ITEM_ROUTES[0])
        if self.plan.rights.role != "admin":
            for path in ("/api/sources", *(f"/api/jobs/{one}" for one in self.plan.jobs[-2:])):
                self.ask(Asked("GET", path), "GET /api/sources" if path == "/api/sources" else "GET /api/jobs/{job_id}")
        for path in ("/api/me/saved", "/api/me/queries"):
            self.ask(Asked("GET", path), f"GET {path}")
        for text in ("after:2025-01-01", "source:zqapricot", "ha", "budget", '"harbour budget"'):
            asked = Asked("GET", "/api/search", (("q", text), ("limit", "100")))
            self._check_hits(self.ask(asked, "GET /api/search", self.exact))

    def others_look(self, choose: Choose) -> None:
        """Let pictures be drawn for somebody who may see all, so that they are kept; U must not get at them by that."""
        for world, library in enumerate(world.library for world in self.worlds):
            pictures = [
                held.id for held in self.plan.held.values()
                if (thing := held.things[world]) is not None and thing.key.endswith(".png")
            ]  # fmt: skip
            ready = [one for one in pictures if library.item(one, SYSTEM).state == "indexed"]
            if ready:
                library.page_image(choose(ready), 1, 1_200, SYSTEM)
        self.note("others look at pictures")

    def others_keep(self, choose: Choose) -> None:
        """Let somebody else save a search and be remembered by one, of another word in each world: it is theirs."""
        place, other = choose(range(len(SECRETS[0]))), self.plan.cast.other
        for world, secrets in zip(self.worlds, SECRETS, strict=True):
            world.library.saved.add(other, f"{secrets[place]} {self._next()}", secrets[place])
            world.library.suggesting.remember(other, secrets[place])
        self.note(f"others keep {[secrets[place] for secrets in SECRETS]}")

    def any_route(self, choose: Choose) -> None:
        """Ask any route, with values that fit or are hostile."""
        door: Door = choose(self.doors())
        by = choose(("session", "session", "token", ""))
        asked = request(self.worlds[0].app, door, choose, self.pools(), by)
        if door.path in ("/api/search", "/api/explain"):
            return self.search(choose) if door.path == "/api/search" else self.explain(choose)
        self.ask(asked, door.name)
        return None

    def static(self, choose: Choose) -> None:
        """Ask for a file of our own, or for what is not there."""
        path = choose(STATIC)
        self.ask(Asked("GET", path, door=choose(("session", ""))), f"GET {path}")

    def command(self, choose: Choose) -> None:
        """Search by the command line with U's eyes, in this process."""
        from typer.testing import CliRunner

        from bowerbird.serve.cli import app

        text = self.query(choose)
        pipeline = choose(("words", "hybrid"))
        outs = []
        for world in self.worlds:
            arguments = ["--home", str(world.home), "search", "--as", self.plan.cast.u, "--pipeline", pipeline]
            handlers = logging.getLogger().handlers[:]
            done = CliRunner().invoke(app, [*arguments, "--limit", "100", "--json", "--", *(text.split() or [""])])
            logging.getLogger().handlers[:] = handlers  # a command sends the log to a stderr that is closed by now
            outs.append(world.alike(done.stdout_bytes))
        self.counts["cli search --as"] += 1
        self.note(f"search {text!r} --as U --pipeline {pipeline}")
        asked = Asked("GET", "/api/search", (("q", text),), door="command line")
        answers = [Answer(200, {"content-type": "application/json"}, out) for out in outs]
        for answer in answers:
            check_clean(asked, answer)
        compare(asked, (answers[0], answers[1]), self.exact)
        self._check_hits((answers[0], answers[1]))

    def doors(self) -> Sequence[Door]:
        """Return the routes that U is compared on: as an admin, only what guests may ask."""
        every = _doors(self)
        if self.plan.rights.active and self.plan.rights.role == "admin":
            return [door for door in every if door.policy.least in ("open", "guest")]
        return every

    def query(self, choose: Choose) -> str:
        """Return a query: words, phrases, names and words of what is hidden, unfinished words, filters."""
        hidden = [word for secrets in SECRETS for word in secrets]
        word = choose(("", *WORDS, *hidden))
        parts = [word]
        kind = choose(("word", "two", "phrase", "start", "name", "hidden start", "filter"))
        if kind == "two":
            parts.append(choose(WORDS))
        elif kind == "phrase":
            parts = [f'"{choose(WORDS)} {choose(WORDS)}"']
        elif kind == "start":
            parts = [choose((*WORDS, *hidden))[: choose((2, 3, 4))]]
        elif kind == "hidden start":
            parts = [choose(("zqa", "zqb", "zq", "ha", "bu"))]
        elif kind == "name":
            names = [thing.key for held in self.plan.held.values() for _, thing in held.existing()]
            parts = [choose(names or ["nothing"])]
        if kind == "filter" or choose((False, False, True)):
            parts.append(choose(FILTERS))
        return " ".join(part for part in parts if part)

    def item_ids(self) -> list[str]:
        """Return ids of what is visible, hidden, gone, and of what never was."""
        return [*self.plan.held, *sorted(self.plan.visible()), *self.plan.gone[-3:], "0123456789abc"]

    def pools(self) -> Pools:
        """Return what parameters are filled with."""
        cast, sources = self.plan.cast, [*SOURCES, "zqapricot", "zqbanana", "nothing"]
        people = [cast.u, cast.other, "owner", "nobody"]
        groups = ["group:local:staff", "group:local:zqalumni", "group:local:zqbankers", "group:local:none"]
        named: Mapping[str, Sequence[str]] = {
            "item_id": self.item_ids(), "item": self.item_ids(), "name": sources, "source": sources,
            "job_id": [*self.plan.jobs[-3:], "none"], "person": people, "principal": [f"user:{one}" for one in people],
            "group": groups, "member": [*groups, f"user:{cast.u}"], "location": ["/nowhere/zq", "/tmp"],  # noqa: S108
            "q": [*WORDS[:4], "zqamber", "zqbison"], "prefix": ["hr", "vault", "zqamber"], "page": ["1", "2"],
        }  # fmt: skip
        return Pools(named, HOSTILE)

    def _check_hits(self, answers: tuple[Answer, Answer]) -> None:
        visible = self.plan.visible()
        for answer in answers:
            shown = {hit["item"] for hit in _json(answer).get("hits", ())}
            if shown - visible:
                raise Leak(f"hits that U may not see: {sorted(shown - visible)}")


def least_for(role: str, door: Door) -> bool:
    """Tell whether a role suffices for a route."""
    return door.policy.least == "open" or ROLES.index(role) >= [*ROLES, "owner"].index(door.policy.least)


def _doors(asking: Asking) -> list[Door]:
    app = asking.worlds[0].app
    kept: list[Door] | None = getattr(app.state, "leak_doors", None)
    if kept is None:
        kept = app.state.leak_doors = doors(app)
    return kept


def _json(answer: Answer) -> dict[str, Any]:
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return {}
    body = json.loads(answer.body)
    return body if isinstance(body, dict) else {}
