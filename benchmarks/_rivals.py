"""Other systems, each in a virtual environment of its own: made on demand in the cache, asked by a script, kept."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from _harness import Setup

from bowerbird.core.settings import child_environment, load
from bowerbird.lab.collections import Collection, Topic

PACKAGES = {"txtai": ("torch==2.13.0", "txtai"), "bm25s": ("bm25s", "PyStemmer")}
"""System -> what is installed into its environment."""


def python_of(setup: Setup, system: str) -> tuple[Path | None, str]:
    """Return the interpreter of a system's own virtual environment, or why there is none."""
    place = setup.cache / system
    python = place / "bin" / "python"
    if (place / "complete").is_file():
        return python, ""
    if setup.quick:
        return None, f"{system} is not installed, and --quick does not do it"
    setup.log(f"installing {' and '.join(PACKAGES[system])} into {place}")
    shutil.rmtree(place, ignore_errors=True)
    install = [str(python), "-m", "pip", "install", "-q", *PACKAGES[system]]
    for step in ([sys.executable, "-m", "venv", str(place)], install):
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode:
            return None, f"{system} cannot be installed: {done.stderr.strip()[-200:]}"
    (place / "complete").touch()
    return python, ""


def run_of(setup: Setup, system: str, collection: Collection, topics: Sequence[Topic]) -> tuple[Path | None, str]:
    """Return the TREC run of a system on these topics, made once and kept in the cache, or why there is none."""
    python, problem = python_of(setup, system)
    if python is None:
        return None, problem
    model = load(setup.home).get("encoder", str)
    script = Path(__file__).with_name("_rival_run.py")
    asked = "".join(f"{json.dumps({'_id': topic.id, 'text': topic.text})}\n" for topic in topics)
    parts = (collection.checksum(), system, model, asked, script.read_text(encoding="utf-8"))
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
    place = setup.cache / "runs" / f"{collection.name}-{key}"
    run = place / f"{system}.txt"
    if run.is_file():
        return run, ""
    place.mkdir(parents=True, exist_ok=True)
    queries = place / "queries.jsonl"
    queries.write_text(asked, encoding="utf-8")
    setup.log(f"{system} on {collection.name} …")
    written = run.with_suffix(".part")
    done = subprocess.run(
        list(map(str, (python, script, system, collection.corpus, queries, written, setup.home / "models" / model))),
        capture_output=True, text=True, check=False, env=child_environment(HF_HUB_OFFLINE="1"),
    )  # fmt: skip
    if done.returncode:
        return None, f"{system} failed: {done.stderr.strip()[-200:]}"
    written.rename(run)
    return run, ""
