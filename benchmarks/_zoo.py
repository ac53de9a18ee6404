"""The zoo: real files of every kind, many of them broken, through the product's own `add`."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
from _harness import DATA, Setup, scratch
from _server import call, command

from bowerbird.core.settings import child_environment, load
from bowerbird.lab.bench import lend_models
from bowerbird.lab.measuring import Figure

LIMIT_SECONDS = 240
NOT_ANIMALS = ("manifest.jsonl", "LICENSE-NOTE.md")


def zoo(setup: Setup) -> list[Figure]:
    """Bring the zoo in: every file ends indexed or quarantined with a reason, and no process stays behind."""
    folder = DATA / "zoo"
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - set(NOT_ANIMALS)
    with scratch("zoo") as place:
        if setup.quick:
            files = _some(folder, place / "zoo", files)
            folder = place / "zoo"
        home = place / "home"
        lend_models(setup.home / "models", home / "models")
        took, left, code = _add(home, folder)
        states = _states(home)
        status = json.loads(call(home, "status", "--json").stdout)
        left_out = set(json.loads(call(home, "sources", "check", folder.name, "--json").stdout)["left_out"])
    unaccounted = sorted(file for file in files if not _settled(states.get(file)) and file not in left_out)
    quarantined = sum(1 for file in files if states.get(file, ("", ""))[0] == "quarantined")
    limit = load(setup.home).get("sandbox_seconds", float)
    note = f"{quarantined} quarantined; {status['items']:,} items with members; exit code {code}"
    ruled = f"{len(files & left_out)} left out as secret or hidden, and listed as such by `sources check`"
    return [
        Figure("zoo-files", len(files), None if setup.quick else 639, ">=", "files", note),
        Figure("zoo-unaccounted", len(unaccounted), 0, "==", "files", ", ".join(unaccounted[:5]) or ruled),
        Figure("zoo-outlived", left, 0, "==", "processes", f"still there after the run (limit {limit:.0f} s a file)"),
        Figure("zoo-seconds", took, LIMIT_SECONDS, "<", "s", "words and vectors"),
    ]


def _some(folder: Path, target: Path, files: set[str]) -> set[str]:
    kept = set(sorted(files)[::16])
    for file in kept:
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        (target / file).write_bytes((folder / file).read_bytes())
    return kept


def _settled(state: tuple[str, str] | None) -> bool:
    """Tell whether an item is indexed, or has a reason why not."""
    return state is not None and (state[0] == "indexed" or (state[0] == "quarantined" and bool(state[1])))


def _add(home: Path, folder: Path) -> tuple[float, int, int]:
    """Return the seconds it took, the processes that outlived it, and its exit code."""
    begun = time.monotonic()
    process = subprocess.Popen(
        command(home, "add", str(folder), "--yes"), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=child_environment(),
    )  # fmt: skip
    seen: dict[int, psutil.Process] = {}
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(process.pid, seen, stop), daemon=True)
    watcher.start()
    try:
        code = process.wait(LIMIT_SECONDS * 3)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
    took = time.monotonic() - begun
    stop.set()
    watcher.join()
    time.sleep(2.0)
    return took, sum(1 for child in seen.values() if _lives(child)), code


def _watch(pid: int, seen: dict[int, psutil.Process], stop: threading.Event) -> None:
    """Note every descendant there ever was: one that outlives its parent can no longer be found by it."""
    while not stop.wait(0.05):
        with suppress(psutil.NoSuchProcess):
            seen.update({child.pid: child for child in psutil.Process(pid).children(recursive=True)})


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _states(home: Path) -> dict[str, tuple[str, str]]:
    """Return state and reason of every item, by key."""
    with closing(sqlite3.connect(f"file:{home / 'bowerbird.sqlite'}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT key, state, error FROM items")
        return {key: (state, error) for key, state, error in rows}
