"""kill -9 in the middle of everything a library does, and what must be true before and after the next start."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from _harness import Setup, scratch
from _kill import Finished, _finished
from _server import command

from bowerbird.core.errors import BowerbirdError
from bowerbird.core.records import OWNER, Principal
from bowerbird.core.settings import Settings, child_environment, load
from bowerbird.lab.bench import lend_models
from bowerbird.lab.measuring import Figure, percentile
from bowerbird.library import Library
from bowerbird.serve.client import Server, running
from bowerbird.store import people
from bowerbird.store.restoring import unpack

KINDS = ("ingest", "permissions", "deletion", "purge", "compaction", "backup", "swap")
KILLS_A_HOME = 60
FIRST_FILES = 40
LATEST = 1.6
"""A kill comes between 0.02 and this many seconds after the operation was begun."""

SEED = 31
SECRET = "secret"
COMMON = "heron"

_EDITING = """
import sys, time
from pathlib import Path
from bowerbird.library import Library
library = Library.open(Path(sys.argv[1]))
edits, who = library.permissions, sys.argv[2]
while True:
    rules = [one for one in edits.rules("notes") if one.effect == "deny"]
    if rules:
        edits.remove_rule(rules[0].id)
    else:
        edits.add_rule("notes", "secret", who, "deny")
    print("edited", flush=True)
    time.sleep(0.02)
"""
_COMPACTING = """
import sys
from datetime import timedelta
from pathlib import Path
from bowerbird.library import Library
library = Library.open(Path(sys.argv[1]))
worker = library.worker()
worker.writer.open()
while True:
    worker.writer.compact(timedelta(0))
    print("compacted", flush=True)
"""


@dataclass(slots=True)
class Tally:
    """What was counted over all libraries."""

    kills: Counter[str] = field(default_factory=Counter)
    restarts: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    redone: int = 0
    findings: list[str] = field(default_factory=list)
    acknowledged: int = 0


class _Killing:
    """Processes of their own groups that die together."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[str]] = []

    def start(self, line: Sequence[str], **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            line, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=child_environment(**environment),
        )  # fmt: skip
        self.processes.append(process)
        return process

    def kill(self) -> None:
        for process in self.processes:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait()


Acknowledge = Callable[[Tally], None]
"""Takes down what had been acknowledged when the processes died."""


@dataclass(slots=True)
class Site:
    """One library, and what it has acknowledged: words of files that are indexed, of files that are gone, edits."""

    home: Path
    files: Path
    person: str
    chance: random.Random
    indexed: dict[str, str] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    edits: int = 0
    number: int = 0
    tokens: int = 220
    done: Finished = field(default_factory=dict)
    group: _Killing = field(default_factory=_Killing)

    def write(self, count: int) -> dict[str, str]:
        """Write new files, each with a word of its own; every fourth is secret. Returns the word by name."""
        made = {}
        for _ in range(count):
            self.number += 1
            folder = SECRET if self.number % 4 == 0 else "open"
            name, word = f"{folder}/note-{self.number:04}.txt", f"zq{self.number:04}xv"
            (self.files / name).parent.mkdir(parents=True, exist_ok=True)
            (self.files / name).write_text(f"Note {word} about the {COMMON}. " * 3, encoding="utf-8")
            made[name] = word
        return made


def kills(setup: Setup) -> list[Figure]:
    """Kill ingests, edits of permissions, deletions, purges, compactions, backups and swaps of generations."""
    wanted = 10 if setup.quick else 300
    chance, tally = random.Random(SEED), Tally()
    with scratch("kills") as place:
        for begin in range(0, wanted, KILLS_A_HOME):
            site = _site(setup, place / f"home-{begin}", place / f"files-{begin}", chance)
            _started(site)
            try:
                for number in range(begin, min(begin + KILLS_A_HOME, wanted)):
                    _one(site, KINDS[number % len(KINDS)], KINDS[(number + 1) % len(KINDS)], tally)
            finally:
                site.group.kill()
            _settle(site, tally)
            setup.log(f"{tally.kills.total()} kills; {tally.lost[:2]} {tally.shown[:2]} {tally.findings[:2]}")
    each = ", ".join(f"{kind} {tally.kills[kind]}" for kind in KINDS)
    restarts = f"of {len(tally.restarts)}; median {percentile(tally.restarts, 0.5):.2f} s, "
    restarts += f"p95 {percentile(tally.restarts, 0.95):.2f} s from the process's start to its first answer, of which "
    restarts += f"{percentile(tally.cpu, 0.5):.2f} s of CPU"
    return [
        Figure("kills", tally.kills.total(), wanted, ">=", "kills", each),
        Figure("kills-lost", len(tally.lost), 0, "==", "changes", _said(tally.lost, f"of {tally.acknowledged:,}")),
        Figure("kills-doubled", len(tally.doubled), 0, "==", "items", _said(tally.doubled)),
        Figure("kills-shown", len(tally.shown), 0, "==", "items", _said(tally.shown, "deleted or denied")),
        Figure("kills-redone", tally.redone, 0, "==", "files", "extracted before a kill, and again after it"),
        Figure("kills-findings", len(tally.findings), 0, "==", "findings", _said(tally.findings)),
        Figure("kills-restart", max(tally.restarts), 3.0, "<", "s", f"slowest {restarts}"),
    ]


def _said(found: Sequence[str], otherwise: str = "") -> str:
    return "; ".join(found[:3]) or otherwise


def _site(setup: Setup, home: Path, files: Path, chance: random.Random) -> Site:
    lend_models(setup.home / "models", home / "models")
    with Library.open(home, load(home)) as library:
        with library.store.database.write() as connection:
            person = people.add(connection, "mia", "member").id
        site = Site(home, files, f"user:{person}", chance)
        first = site.write(FIRST_FILES)
        library.add(str(files), "notes")
        library.permissions.add_rule("notes", "", site.person, "allow")
    site.edits = _edits(home)
    done = subprocess.run(command(home, "sync"), capture_output=True, check=False, env=child_environment())
    if done.returncode:
        raise RuntimeError(f"the first sync failed: {done.stderr[-500:]!r}")
    site.indexed |= first
    site.done = _finished(home)
    return site


def _one(site: Site, kind: str, following: str, tally: Tally) -> None:
    """Begin an operation, kill every process at some moment, look at what is left, start again, and look again."""
    if kind == "compaction":
        site.group.kill()  # there is one writer
    begin = {"permissions": _edit, "compaction": _compact}.get(kind, _serve)
    acknowledge = begin(site, kind)
    time.sleep(site.chance.uniform(0.02, LATEST))
    site.group.kill()
    acknowledge(tally)
    tally.kills[kind] += 1
    _look(site, tally, level=False)
    if following == "swap":
        site.tokens = 200 if site.tokens == 220 else 220
    begun = time.perf_counter()
    site.group = _Killing()
    server = _started(site)
    server.get("/api/search", q=COMMON)
    tally.restarts.append(time.perf_counter() - begun)
    tally.cpu.append(sum(psutil.Process(server.pid).cpu_times()[:2]))
    if following != "swap":
        _wait_level(server)
        _look(site, tally, level=True)


def _started(site: Site) -> Server:
    line = command(site.home, "serve", "--port", "0")
    process = site.group.start(line, BOWERBIRD_PASSAGE_TOKENS=str(site.tokens))
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        server = running(site.home)
        if server is not None and server.pid == process.pid:
            with suppress(ConnectionError):
                server.get("/api/sources")
                return server
        time.sleep(0.01)
    raise TimeoutError("the server did not come up")


def _edit(site: Site, kind: str) -> Acknowledge:
    process = site.group.start([sys.executable, "-c", _EDITING, str(site.home), site.person])
    if process.stdout is not None:
        process.stdout.readline()  # it works now

    def acknowledge(tally: Tally) -> None:
        told = 1 + (process.stdout.read().count("edited\n") if process.stdout is not None else 0)
        found = _edits(site.home)
        tally.acknowledged += told
        if found < site.edits + told:
            tally.lost.append(f"{site.edits + told - found} edits of permissions")
        site.edits = found

    return acknowledge


def _compact(site: Site, kind: str) -> Acknowledge:
    process = site.group.start([sys.executable, "-c", _COMPACTING, str(site.home)])
    if process.stdout is not None:
        process.stdout.readline()
    return lambda tally: None


def _serve(site: Site, kind: str) -> Acknowledge:
    """Ask a server for something; what it has acknowledged (its job is done) when it dies must stay."""
    server = running(site.home)
    if server is None:
        raise RuntimeError("there is no server")
    made = site.write(5) if kind == "ingest" else {}
    removed = {}
    if kind == "deletion":
        removed = {name: site.indexed[name] for name in site.chance.sample(sorted(site.indexed), 2)}
        for name in removed:
            (site.files / name).unlink()
    path = {"purge": "/api/purge", "backup": "/api/backup"}.get(kind, "/api/sync")
    job = server.post(path, {})["job"]
    before_kill = _Acknowledged(site.home, str(job["id"]) if isinstance(job, dict) else "")

    def acknowledge(tally: Tally) -> None:
        for name in removed:  # whether it is gone yet or not, it no longer has to be there
            site.gone |= {site.indexed.pop(name)} if before_kill.done() else set()
            site.indexed.pop(name, None)
        if before_kill.done():
            tally.acknowledged += 1
            site.indexed |= made

    return acknowledge


@dataclass(frozen=True, slots=True)
class _Acknowledged:
    """Whether a job was told to be done, read from the store beside whatever is left."""

    home: Path
    job: str

    def done(self) -> bool:
        with closing(sqlite3.connect(self.home / "bowerbird.sqlite", timeout=30)) as connection:
            row = connection.execute("SELECT state FROM jobs WHERE id = ?", (self.job,)).fetchone()
        return row is not None and row[0] == "done"


def _edits(home: Path) -> int:
    with closing(sqlite3.connect(home / "bowerbird.sqlite", timeout=30)) as connection:
        query = "SELECT count(*) FROM audit WHERE action LIKE 'rule.%'"
        return int(connection.execute(query).fetchone()[0])


def _wait_level(server: Server) -> None:
    """Wait until what was moved or deleted while no writer ran has reached the index: until then it is hidden."""
    until = time.monotonic() + 60
    while time.monotonic() < until and server.get("/api/status")["pending"]:
        time.sleep(0.05)


def _look(site: Site, tally: Tally, level: bool) -> None:
    """Search as the owner and as the person, and compare with what was acknowledged and with the rules in SQL.

    Only once the index is level with SQL does everything that was acknowledged have to be found.
    """
    with closing(sqlite3.connect(site.home / "bowerbird.sqlite", timeout=30)) as connection:
        denied = bool(connection.execute("SELECT count(*) FROM access_rules WHERE effect = 'deny'").fetchone()[0])
    names = site.chance.sample(sorted(site.indexed), 5)
    secret = [name for name in sorted(site.indexed) if name.startswith(SECRET)]
    with Library.open(site.home, load(site.home)) as library:
        for name in names:
            found = _found(library, site.indexed[name], OWNER)
            tally.doubled += [name] if found.count(name) > 1 else []
            tally.lost += [name] if level and name not in found else []
        for word in site.chance.sample(sorted(site.gone), min(3, len(site.gone))):
            tally.shown += [f"deleted: {path}" for path in _found(library, word, OWNER)]
        for name in site.chance.sample(secret, 2):
            seen = name in _found(library, site.indexed[name], Principal(site.person))
            tally.shown += [f"denied: {name}"] if seen and denied else []
            tally.lost += [f"allowed: {name}"] if level and not seen and not denied else []
    after = _finished(site.home)
    tally.redone += sum(1 for key, state in site.done.items() if after.get(key, state) != state)
    site.done = after


def _found(library: Library, word: str, principal: Principal) -> list[str]:
    return [hit.path for hit in library.search(word, principal, pipeline="words", limit=50).hits]


def _settle(site: Site, tally: Tally) -> None:
    """Let the library finish what was begun, then have every Keeper verify it, and every backup be read."""
    for arguments in (("sync",), ("purge",), ("backup",)):
        subprocess.run(command(site.home, *arguments), capture_output=True, check=False, env=child_environment())
    tokens = Settings({}).get("passage_tokens", int)
    with Library.open(site.home, load(site.home).replace(passage_tokens=tokens)) as library:
        tally.findings += [str(finding) for keeper in library.keepers() for finding in keeper.verify()]
        for name, word in site.indexed.items():
            tally.lost += [name] if _found(library, word, OWNER) != [name] else []
    folder = site.home / "backups"
    tally.findings += [f"left behind: {path.name}" for path in folder.glob(".*")]
    for file in folder.glob("*.tar.zst"):
        try:
            unpack(file, None)
        except BowerbirdError as problem:
            tally.findings.append(problem.cause)
