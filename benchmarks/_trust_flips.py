"""One flipped bit in any file of a library: it is found, and what is derived is made again."""

from __future__ import annotations

import random
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from _harness import Setup, scratch
from _passages import paragraphs
from _server import call, serving

from bowerbird.core.errors import BowerbirdError, ModelError
from bowerbird.core.settings import load
from bowerbird.lab.bench import lend_models
from bowerbird.lab.measuring import Figure
from bowerbird.library import Library
from bowerbird.library.maintaining import settings_changed
from bowerbird.store.restoring import unpack
from bowerbird.store.store import Store
from bowerbird.testing.encoder import HashEncoder
from bowerbird.understanding.models import ModelStore

SEED = 3
QUERIES = ("zq0001xv", "zq0011xv", "zq0023xv")
SETTINGS = "port = 7311\nrescan_seconds = 3600\npassage_tokens = 220\n"

Judge = Callable[[], str]
"""Says what came of a flip: found, harmless (nothing that is read has changed), or silent."""


def flips(setup: Setup) -> list[Figure]:
    """Flip bits in every kind of file, and look whether that is found and mended."""
    each = 4 if setup.quick else 40
    chance = random.Random(SEED)
    tally: dict[str, Counter[str]] = {}
    with scratch("flips") as place:
        home = _library(place, 120 if setup.quick else 1_100)
        for kind, files in _kinds(home).items():
            judge = _in_place(home)
            tally[kind] = Counter(_flipped(chance, chance.choice(files), judge) for _ in range(each))
            setup.log(f"{kind}: {dict(tally[kind])}")
        tally["log"] = _log_flips(home, place, chance, each)
        tally["backup"] = _backup_flips(home, place, chance, each)
        tally["model"] = _model_flips(setup, place, chance, max(3, each // 8))
        tally["server.json"] = _server_flips(home, chance, max(2, each // 8))
        rebuilt = _rebuilt(setup, home, place, chance)
    total = sum((counts for counts in tally.values()), Counter[str]())
    silent = "; ".join(f"{kind} {counts['silent']}" for kind, counts in tally.items() if counts["silent"])
    kinds = ", ".join(f"{kind} {counts['found']}/{counts.total()}" for kind, counts in tally.items())
    return [
        Figure("flips-made", total.total(), each * 10, ">=", "flips", f"found by kind: {kinds}"),
        Figure("flips-silent", total["silent"], 0, "==", "flips", silent or f"{total['harmless']} changed nothing"),
        Figure("flips-rebuilt", sum(rebuilt.values()), len(rebuilt), "==", "kinds", ", ".join(rebuilt)),
    ]


def _library(place: Path, count: int) -> Path:
    """Make a library of files with words of their own, with every kind of index file, old rows and deleted ones."""
    files, home = place / "files", place / "home"
    files.mkdir()
    texts = paragraphs()
    for number in range(count):
        body = "\n\n".join(texts[(number * 7 + part) % len(texts)] for part in range(6))
        (files / f"note-{number:04}.txt").write_text(f"Note zq{number:04}xv\n\n{body}\n", encoding="utf-8")
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text(SETTINGS, encoding="utf-8")
    with _opened(home) as library:
        library.add(str(files), "notes")
        _work(library)
        (files / "note-0002.txt").unlink()
        (files / "note-0003.txt").write_text("Note zq0003xv, and nothing else.\n", encoding="utf-8")
        _work(library)
    return home


@contextmanager
def _opened(home: Path) -> Iterator[Library]:
    with Library.open(home, load(home)) as library:
        vars(library.models)["encoder"] = lambda wanted: HashEncoder()
        yield library


def _work(library: Library) -> None:
    library.enqueue("sync")
    with closing(library.worker()) as worker:
        worker.run_until_idle(lambda progress: None, threading.Event(), vectors=True)


def _kinds(home: Path) -> dict[str, list[Path]]:
    """Return the files of a library by kind."""
    kinds = {"settings": [home / "settings.toml"], "database": [home / "bowerbird.sqlite"]}
    kinds["blobs"] = [path for path in home.glob("blobs/??/*")]
    for path in home.glob("index/g-*/**/*"):
        if not path.is_file():
            continue
        folder = path.parent.name if path.parent.name.startswith(("_", "data")) else path.parent.parent.name
        kinds.setdefault(f"index {folder if path.parent.parent.name != 'index' else 'sums'}", []).append(path)
    return kinds


def _flipped(chance: random.Random, file: Path, judge: Judge) -> str:
    """Flip one bit of a file, judge, and put the file back."""
    before, times = file.read_bytes(), file.stat()
    data = bytearray(before)
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    file.write_bytes(data)
    try:
        return judge()
    finally:
        file.write_bytes(before)
        _restore_time(file, times.st_atime_ns, times.st_mtime_ns)


def _restore_time(file: Path, accessed: int, modified: int) -> None:
    import os

    os.utime(file, ns=(accessed, modified))


def _in_place(home: Path) -> Judge:
    """Return a judge that opens the library, has all Keepers verify it, and compares what it holds and finds."""
    expected = _content(home)

    def judge() -> str:
        try:
            with _opened(home) as library:
                if settings_changed(library.store):
                    return "found"
                if any(True for keeper in library.keepers() for _ in keeper.verify()):
                    return "found"
            return "harmless" if _content(home) == expected else "silent"
        except (BowerbirdError, sqlite3.DatabaseError):
            return "found"

    return judge


def _content(home: Path) -> list[object]:
    """Return every row of the database, and what some searches find."""
    with closing(sqlite3.connect(f"file:{home / 'bowerbird.sqlite'}?mode=ro", uri=True)) as connection:
        held: list[object] = [line for line in connection.iterdump() if '"sqlite_sequence"' not in line]
    with _opened(home) as library:
        for query in QUERIES:
            hits = library.search(query, limit=20, pipeline="words").hits
            held.append([(hit.path, [passage.snippet.text for passage in hit.passages]) for hit in hits])
    return held


def _log_flips(home: Path, place: Path, chance: random.Random, count: int) -> Counter[str]:
    """Flip bits in a log that a killed process left; its last transaction cannot be told from a torn one."""
    kept = place / "log"
    kept.mkdir()
    file = kept / "bowerbird.sqlite"
    shutil.copy(home / "bowerbird.sqlite", file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        for number in range(40):
            connection.execute("INSERT INTO terms VALUES (?, 1)", (f"zzlog{number}",))
        logged, main = file.with_name(f"{file.name}-wal").read_bytes(), file.read_bytes()
    last = len(logged) - 2 * (24 + 4096)
    tally = Counter[str]()
    for _ in range(count):
        shutil.rmtree(kept)
        kept.mkdir()
        data = bytearray(logged)
        data[chance.randrange(last)] ^= 1 << chance.randrange(8)
        file.write_bytes(main)
        file.with_name(f"{file.name}-wal").write_bytes(data)
        store = Store(kept)
        try:
            store.open()
            tally["silent"] += 1
        except BowerbirdError:
            store.open(accept_loss=True)
            tally["found"] += not store.database.integrity()
        finally:
            store.close()
    return tally


def _backup_flips(home: Path, place: Path, chance: random.Random, count: int) -> Counter[str]:
    with _opened(home) as library:
        file = Path(library.records.backup(place).path)

    def judge() -> str:
        try:
            unpack(file, None)
        except BowerbirdError:
            return "found"
        return "silent"

    return Counter(_flipped(chance, file, judge) for _ in range(count))


def _model_flips(setup: Setup, place: Path, chance: random.Random, count: int) -> Counter[str]:
    """Flip bits in a copy of the encoder's files; one is found when it is loaded or verified."""
    folder = place / "models"
    name = load(setup.home).get("encoder", str)
    shutil.copytree(setup.home / "models" / name, folder / name, copy_function=shutil.copy)
    files = [path for path in (folder / name).iterdir() if path.is_file()]
    whole = ModelStore(folder).encoder(name).id

    def judge() -> str:
        store = ModelStore(folder)
        try:
            store.verify(name)
            same = store.encoder(name).id == whole
        except ModelError:
            return "found"
        return "harmless" if same else "silent"

    return Counter(_flipped(chance, file, judge) for file in files for _ in range(count))


def _server_flips(home: Path, chance: random.Random, count: int) -> Counter[str]:
    """Flip bits in the file that tells where the server is: a command then says so, or finds what it should."""
    with serving(home):

        def judge() -> str:
            done = call(home, "search", QUERIES[0], "--json")
            return "found" if done.returncode or '"note-0001.txt"' in done.stdout else "silent"

        return Counter(_flipped(chance, home / "run" / "server.json", judge) for _ in range(count))


def _rebuilt(setup: Setup, home: Path, place: Path, chance: random.Random) -> dict[str, bool]:
    """Damage each kind of derived file badly, have `doctor --repair` mend it, and compare what is held and found."""
    expected = _content(home)[-len(QUERIES) :]
    result = {}
    for kind in [name for name in _kinds(home) if name.startswith(("blobs", "index"))]:
        copy = place / "mended"
        shutil.copytree(home, copy)
        for file in chance.sample(_kinds(copy)[kind], min(3, len(_kinds(copy)[kind]))):
            file.write_bytes(bytes(byte ^ 0x55 for byte in file.read_bytes()))
        left: object = "not opened"
        with suppress(BowerbirdError), _opened(copy) as library:
            left = library.doctor(verify=True, repair=True).findings
            _work(library)
        result[kind] = left == () and _content(copy)[-len(QUERIES) :] == expected
        setup.log(f"{kind} mended: {result[kind]} {left if left else ''}")
        shutil.rmtree(copy)
    lend_models(setup.home / "models", home / "models")
    return result
