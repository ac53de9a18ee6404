"""kill -9 at random moments of an ingest, and what must be true afterwards."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from _harness import Setup, scratch
from _passages import paragraphs
from _server import call, command

from bowerbird.core.settings import child_environment, load
from bowerbird.lab.bench import lend_models
from bowerbird.lab.measuring import Figure

FILES = 400
KILLS_A_HOME = 10
"""Kills before a library is left to finish and is checked; then the next one begins empty."""

LATEST = 5.0
"""A run is killed between 0.2 and this many seconds after its start."""

SEED = 9

Finished = dict[str, tuple[int, float]]
"""Item key -> (content version, time of its last change), of the items that were done."""


@dataclass(slots=True)
class Tally:
    """What was counted over all libraries."""

    kills: int = 0
    in_time: int = 0
    wrong: list[str] = field(default_factory=list)
    findings: int = 0
    redone: int = 0
    survivors: int = 0


def kill(setup: Setup) -> list[Figure]:
    """Kill an ingest again and again, let it finish, and check every file."""
    wanted = 5 if setup.quick else 50
    chance = random.Random(SEED)
    tally = Tally()
    with scratch("kill") as place:
        words = _write_files(place / "files", 60 if setup.quick else FILES)
        number = 0
        while tally.kills < wanted:
            home = place / f"home-{number}"
            lend_models(setup.home / "models", home / "models")
            kills = min(KILLS_A_HOME, wanted - tally.kills)
            _torment(setup, home, place / "files", (kills, chance), tally)
            _check(setup, home, words, tally)
            setup.log(f"{tally.kills} kills, {tally.in_time} of them while it worked; wrong: {tally.wrong[:3]}")
            number += 1
    note = f"{tally.in_time} of them before the ingest had ended" + "".join(f"; {one}" for one in tally.wrong[:3])
    return [
        Figure("kill-moments", tally.kills, wanted, ">=", "kills", note),
        Figure("kill-wrong-files", len(tally.wrong), 0, "==", "files", "not indexed, or not found exactly once"),
        Figure("kill-findings", tally.findings, 0, "==", "findings", "of doctor --verify"),
        Figure("kill-redone", tally.redone, 0, "==", "items", "done before a kill, and done again after it"),
        Figure("kill-survivors", tally.survivors, 0, "==", "processes", "alive two seconds after their server died"),
    ]


def _write_files(folder: Path, count: int) -> dict[str, str]:
    """Write text files, each with a word of its own; return that word by file name."""
    folder.mkdir(parents=True)
    texts = iter(paragraphs())
    words = {}
    for number in range(count):
        name, word = f"note-{number:04}.txt", f"zq{number:04}xv"
        body = "\n\n".join(next(texts) for _ in range(6))
        (folder / name).write_text(f"Note {word}\n\n{body}\n", encoding="utf-8")
        words[name] = word
    return words


def _torment(setup: Setup, home: Path, files: Path, plan: tuple[int, random.Random], tally: Tally) -> None:
    kills, chance = plan
    done: Finished = {}
    for _ in range(kills):
        process = subprocess.Popen(
            command(home, "add", str(files), "--yes"), start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=child_environment(),
        )  # fmt: skip
        time.sleep(chance.uniform(0.2, LATEST))
        tally.in_time += process.poll() is None
        below = _below(process.pid)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        tally.kills += 1
        time.sleep(2.0 if below else 0.0)
        tally.survivors += sum(1 for child in below if child.is_running() and child.status() != psutil.STATUS_ZOMBIE)
        tally.redone += _again(done, _finished(home))
        done |= _finished(home)
    ended = call(home, "add", str(files), "--yes")
    if ended.returncode:
        tally.wrong.append(f"the last run ended with {ended.returncode}: {ended.stderr.strip()[-200:]}")
    tally.redone += _again(done, _finished(home))


def _below(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _finished(home: Path) -> Finished:
    """Return the items that are done, read from the store beside whatever the killed process left."""
    file = home / "bowerbird.sqlite"
    if not file.is_file():
        return {}
    with closing(sqlite3.connect(file, timeout=30)) as connection:
        try:
            rows = connection.execute("SELECT key, content_version, updated FROM items WHERE state = 'indexed'")
            return {key: (version, updated) for key, version, updated in rows}
        except sqlite3.OperationalError:  # killed before the first migration was done
            return {}


def _again(before: Finished, after: Finished) -> int:
    return sum(1 for key, state in before.items() if after.get(key) != state)


def _check(setup: Setup, home: Path, words: dict[str, str], tally: Tally) -> None:
    """Every file is an item, indexed, and its own word finds it and nothing else; doctor has nothing to say."""
    from bowerbird.library import Library

    verified = call(home, "doctor", "--verify", "--json")
    found = json.loads(verified.stdout)["findings"] if verified.stdout else [verified.stderr]
    tally.findings += len(found)
    if found:
        setup.log(f"doctor: {found[:3]}")
    finished = _finished(home)
    with Library.open(home, load(home)) as library:
        for name, word in words.items():
            hits = [hit.path for hit in library.search(word, pipeline="words").hits]
            if name not in finished or hits != [name]:
                tally.wrong.append(f"{name}: state {finished.get(name)}, found as {hits}")
    if len(finished) != len(words):
        tally.wrong.append(f"{len(finished)} items of {len(words)} files")
