"""A process that is killed loses nothing, doubles nothing, and does not do finished work again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text as sql

from bowerbird.core.settings import Settings
from bowerbird.library import Library

FILES = 250
KILLS = 5


def start(home: Path, folder: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    return subprocess.Popen(
        [sys.executable, "-m", "bowerbird", "--home", str(home), "add", "--yes", str(folder)],
        env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip


def test_kill_at_random_moments(tmp_path: Path) -> None:
    folder, home = tmp_path / "files", tmp_path / "home"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"note{number}.txt").write_text(f"Note {number} mentions word{number} and the common heron. " * 20)
    chance = random.Random(20261124)
    for _ in range(KILLS):
        process = start(home, folder)
        time.sleep(chance.uniform(0.8, 4.0))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert start(home, folder).wait(timeout=120) == 0
    with Library.open(home, Settings({})) as library:
        assert library.doctor(verify=True).findings == ()
        assert library.status().items == FILES
        for number in (0, 117, FILES - 1):
            hits = library.search(f"word{number}", pipeline="words").hits
            assert [hit.path for hit in hits] == [f"note{number}.txt"]
        with library.store.database.read() as connection:
            versions = connection.execute(sql("SELECT DISTINCT content_version FROM items")).scalars().all()
        assert versions == [1], "finished work was done again"
