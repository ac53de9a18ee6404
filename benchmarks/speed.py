"""How fast, and with how much memory: ingest, idle server, query latency in process and over HTTP, against txtai.

    python benchmarks/speed.py [--quick] [--json] [--only PART]

`--quick` takes 300 files and 5,000 passages: a check that everything runs, not a measurement.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from _harness import Setup, run, scratch
from _passages import passages_library, questions
from _rivals import python_of
from _server import Running, serving

from bowerbird.core.settings import child_environment, load
from bowerbird.lab.bench import lend_models
from bowerbird.lab.measuring import Figure, PeakMemory, percentile, tree_memory

TREES = (Path("/usr/share/doc/linux-doc/Documentation"), Path(os.__file__).parent)
"""The first that is there is ingested: the sources of Debian's kernel documentation, else Python's own library."""

WARM_UP = 10
IDLE_SECONDS = 10.0
NOISY = "of the vectors, the first fifth is real and the rest is that with noise, for both"


def tree(setup: Setup, target: Path) -> Path:
    """Return the folder to ingest; for --quick, a copy of its first 300 files."""
    folder = next(place for place in TREES if place.is_dir()).resolve()
    if not setup.quick:
        return folder
    files = sorted(path for path in folder.rglob("*") if path.is_file())[:300]
    for path in files:
        place = target / "tree" / path.relative_to(folder)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, place)
    return target / "tree"


def ingest(setup: Setup) -> list[Figure]:
    """Bring a real tree in through a running server, watching all its processes."""
    with scratch("ingest") as place:
        folder = tree(setup, place)
        home = place / "home"
        lend_models(setup.home / "models", home / "models")
        with serving(home, "--no-watch") as server, PeakMemory(server.pid) as memory:
            words, vectors, status = _bring_in(setup, server, folder)
            after = tree_memory(server.pid)
        idle = _idle(home)
    files = int(status["items"])
    failed = len(status["quarantined"])
    few = None if setup.quick else 4000
    note = f"{files:,} files, {status['passages']:,} passages of {folder.name}"
    return [
        Figure("ingest-files", files, few, ">=", "files", f"{failed} quarantined with a reason"),
        Figure("ingest-rate", files / words, None if setup.quick else 150, ">=", "files/s", f"by words; {note}"),
        Figure("ingest-words", words, None, "<=", "s", "until all can be found by their words"),
        Figure("ingest-vectors", vectors, None, "<=", "s", "from the start until all can be found by meaning"),
        Figure("ingest-peak-memory", memory.peak_ / 1e6, 1500, "<", "MB", "PSS of server, fork-server and workers"),
        Figure("ingest-memory-after", after / 1e6, None, "<", "MB", "the same server once it is done"),
        Figure(
            "idle-memory", idle / 1e6, 500, "<", "MB", f"a server on that library, {IDLE_SECONDS:.0f} s after a search"
        ),
    ]


def _bring_in(setup: Setup, server: Running, folder: Path) -> tuple[float, float, dict[str, Any]]:
    """Return seconds until the words were complete, until the vectors were, and the last status."""
    begun = time.monotonic()
    job = server.post("/api/sources", {"location": str(folder)})["job"]["id"]
    words = 0.0
    told = 0.0
    while True:
        time.sleep(0.5)
        state = server.get(f"/api/jobs/{job}")["state"]
        status = server.get("/api/status")
        took = time.monotonic() - begun
        if state in ("failed", "cancelled"):
            raise RuntimeError(f"the sync of {folder} is {state}")
        if not words and state == "done" and not status["pending"]:
            words = took
            setup.log(f"words complete after {words:.0f} s: {status['items']:,} items")
        if words and not status["pending_vectors"]:
            return words, took, status
        if took - told > 30:
            told = took
            setup.log(f"{status['items']:,} items, waiting: {status['pending']:,} and {status['pending_vectors']:,}")
            time.sleep(1.0 if words else 0.0)


def _idle(home: Path) -> int:
    with serving(home) as server:
        server.get("/api/search", q="where is the documentation")
        time.sleep(IDLE_SECONDS)
        return tree_memory(server.pid)


def passages_of(setup: Setup) -> int:
    """Return how many passages the latency is measured on."""
    return 5_000 if setup.quick else 100_000


def cpu_of(ask: Callable[[str], object], texts: Sequence[str]) -> float:
    """Return the mean milliseconds of processor time a text takes, which a busy machine does not change much."""
    begun = time.process_time()
    for text in texts:
        ask(text)
    return (time.process_time() - begun) * 1000 / len(texts)


def timed(ask: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Return the milliseconds of each text after the first WARM_UP."""
    samples = []
    for number, text in enumerate(texts):
        begun = time.perf_counter()
        ask(text)
        if number >= WARM_UP:
            samples.append((time.perf_counter() - begun) * 1000)
    return samples


def latency(setup: Setup) -> list[Figure]:
    """Measure query latency in process, and over HTTP on the very same queries in turn."""
    from bowerbird.library import Library

    home = passages_library(setup, passages_of(setup))
    count = 60 if setup.quick else 510
    texts = questions(5 * count)
    parts = [texts[start::5] for start in range(5)]  # no text is asked twice: answers may be remembered
    with Library.open(home, load(setup.home)) as library:
        passages = library.status().passages
        words = timed(lambda text: library.search(text, pipeline="words"), parts[0])
        hybrid = timed(library.search, parts[1])
        letters = [text[:end] for text in parts[2][: count // 10] for end in range(1, len(text) + 1)]
        typing = timed(lambda text: library.search(text, pipeline="typing"), letters)
        cpu = cpu_of(library.search, parts[4][: count // 2])
        with serving(home, "--no-watch") as server:
            over = timed(lambda text: server.get("/api/search", q=text), parts[3])
        again = timed(library.search, parts[3])
    on = f"{passages:,} passages, {count - WARM_UP} queries"
    figures = []
    for name, samples, target in (("words", words, 25.0), ("hybrid", hybrid, 50.0), ("typing", typing, 40.0)):
        figures.append(Figure(f"{name}-p50", percentile(samples, 0.5), None, "<=", "ms"))
        figures.append(Figure(f"{name}-p95", percentile(samples, 0.95), target, "<=", "ms", on))
    extra = percentile(over, 0.95) - percentile(again, 0.95)
    return [
        *figures,
        Figure("hybrid-cpu", cpu, None, "<=", "ms", "processor time of one hybrid search, all threads, mean"),
        Figure("http-p95", percentile(over, 0.95), None, "<=", "ms", "hybrid, a new connection each"),
        Figure("http-overhead", extra, 10, "<=", "ms", "p95 over HTTP less p95 in process, the same queries"),
    ]


def rival(setup: Setup) -> list[Figure]:
    """Measure txtai hybrid and Bowerbird hybrid one after the other, on the same passages, vectors and queries."""
    from bowerbird.library import Library

    home = passages_library(setup, passages_of(setup))
    texts = questions(60 if setup.quick else 310)
    with Library.open(home, load(setup.home)) as library:
        ours = percentile(timed(library.search, texts), 0.95)
    python, problem = python_of(setup, "txtai")
    target = None if setup.quick else 1.0
    if python is None:
        return [Figure("faster-than-txtai", None, target, ">", "times", problem)]
    with scratch("txtai") as work:
        for name in ("passages.jsonl", "vectors.npy"):
            (work / name).symlink_to(home / name)
        (work / "queries.jsonl").write_text("".join(f"{json.dumps(text)}\n" for text in texts), encoding="utf-8")
        model = load(setup.home).get("encoder", str)
        script = Path(__file__).with_name("_txtai.py")
        done = subprocess.run(
            [str(python), str(script), str(work), str(setup.home / "models" / model)],
            capture_output=True, text=True, check=False, env=child_environment(HF_HUB_OFFLINE="1"),
        )  # fmt: skip
    if done.returncode:
        return [Figure("faster-than-txtai", None, target, ">", "times", f"txtai failed: {done.stderr[-200:].strip()}")]
    told = json.loads(done.stdout)
    kinds = {"plain": "ids and scores only", "content": "with the texts"}
    best = min(told[kind]["p95"] for kind in kinds)
    return [
        Figure("bowerbird-hybrid-p95", ours, None, "<=", "ms", "with snippets, counts and permissions"),
        *(Figure(f"txtai-{kind}-p95", told[kind]["p95"], None, "<=", "ms", note) for kind, note in kinds.items()),
        Figure("faster-than-txtai", best / ours, target, ">", "times", f"txtai's better p95 over ours; {NOISY}"),
    ]


PARTS = {"ingest": ingest, "latency": latency, "txtai": rival}

if __name__ == "__main__":
    sys.exit(run("speed", __doc__.partition("\n")[0], PARTS))
