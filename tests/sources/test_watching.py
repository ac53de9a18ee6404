import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bowerbird.core.errors import SourceError
from bowerbird.core.settings import Settings
from bowerbird.sources.files import FilesSource

Watched = Callable[[str], float]


class Watching:
    """A watch on a thread of its own."""

    def __init__(self, root: Path) -> None:
        self.stop = threading.Event()
        self.batches: queue.Queue[frozenset[str] | Exception] = queue.Queue()
        self.seen: set[str] = set()
        self.thread = threading.Thread(target=self._run, args=(FilesSource(str(root), Settings({})),))
        self.thread.start()
        assert self.batches.get(timeout=5) == frozenset()

    def _run(self, source: FilesSource) -> None:
        try:
            for batch in source.watch(self.stop):
                self.batches.put(batch)
        except SourceError as problem:
            self.batches.put(problem)

    def wait(self, *keys: str, seconds: float = 3.0) -> float:
        """Wait until all keys were seen since the last call; return how long that took."""
        start = time.perf_counter()
        missing = set(keys)
        while missing:
            left = seconds - (time.perf_counter() - start)
            assert left > 0, f"{missing} were not noticed, but {self.seen}"
            try:
                batch = self.batches.get(timeout=left)
            except queue.Empty:
                continue
            assert isinstance(batch, frozenset)
            self.seen |= batch
            missing -= batch
        return time.perf_counter() - start

    def quiet(self, seconds: float = 0.5) -> set[str]:
        """Return what comes within a while."""
        end = time.perf_counter() + seconds
        found: set[str] = set()
        while (left := end - time.perf_counter()) > 0:
            try:
                batch = self.batches.get(timeout=left)
            except queue.Empty:
                break
            assert isinstance(batch, frozenset)
            found |= batch
        return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "root" / "a.txt").write_text("a")
    return tmp_path / "root"


@pytest.fixture
def watching(root: Path) -> Iterator[Watching]:
    watch = Watching(root)
    yield watch
    watch.stop.set()
    watch.thread.join(5)
    assert not watch.thread.is_alive()


def test_changes_are_noticed_within_a_second(root: Path, watching: Watching) -> None:
    (root / "sub" / "new.md").write_text("new")
    assert watching.wait("sub/new.md") < 1
    (root / "a.txt").write_text("changed")
    assert watching.wait("a.txt") < 1
    (root / "sub" / "new.md").unlink()
    assert watching.wait("sub/new.md") < 1
    (root / "a.txt").rename(root / "b.txt")
    assert watching.wait("a.txt", "b.txt") < 1


def test_an_atomic_save_is_a_change_of_the_file(root: Path, watching: Watching) -> None:
    (root / ".a.txt.swp").write_text("x")
    (root / "a.txt~").write_text("x")
    (root / ".goutput-1").write_text("saved")
    os.replace(root / ".goutput-1", root / "a.txt")
    assert watching.wait("a.txt") < 1
    assert watching.quiet() | watching.seen == {"a.txt"}


def test_new_folders_are_watched_and_searched(root: Path, watching: Watching, tmp_path: Path) -> None:
    (root / "one" / "two" / "three").mkdir(parents=True)
    (root / "one" / "two" / "three" / "at once.md").write_text("x")
    assert watching.wait("one") < 1
    watching.quiet(0.4)
    (root / "one" / "two" / "three" / "later.md").write_text("x")
    assert watching.wait("one/two/three/later.md") < 1
    (tmp_path / "tree" / "in").mkdir(parents=True)
    (tmp_path / "tree" / "in" / "c.md").write_text("x")
    (tmp_path / "tree").rename(root / "tree")
    assert watching.wait("tree") < 1
    watching.quiet(0.4)
    (root / "tree" / "in" / "c.md").write_text("y")
    assert watching.wait("tree/in/c.md") < 1
    shutil.rmtree(root / "one")
    assert watching.wait("one") < 1
    (root / "tree").rename(root / "wood")
    assert watching.wait("tree", "wood") < 1
    watching.quiet(0.4)
    (root / "wood" / "in" / "c.md").write_text("z")
    assert watching.wait("wood/in/c.md") < 1


def test_what_is_left_out_is_not_noticed(root: Path, watching: Watching) -> None:
    (root / ".env").write_text("S=1")
    (root / ".git").mkdir()
    (root / ".git" / "index").write_text("x")
    (root / "node_modules" / "x").mkdir(parents=True)
    (root / "node_modules" / "x" / "readme.md").write_text("x")
    (root / "x.part").write_text("x")
    assert watching.quiet(0.7) == set()


def test_a_changed_ignore_file_concerns_its_folder(root: Path, watching: Watching) -> None:
    (root / "sub" / ".gitignore").write_text("*.log\n")
    assert watching.wait("sub") < 1
    (root / "sub" / "x.log").write_text("x")
    assert watching.quiet() == set()
    (root / ".bowerbirdignore").write_text("sub/\n")
    assert watching.wait("") < 1
    (root / "sub" / "y.md").write_text("x")
    assert watching.quiet() == set()
    (root / ".bowerbirdignore").unlink()
    watching.wait("")
    watching.quiet(0.4)
    (root / "sub" / "y.md").write_text("y")
    assert watching.wait("sub/y.md") < 1


def test_a_link_out_of_the_root_is_not_followed(root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (root / "link").symlink_to(tmp_path / "elsewhere")
    watch = Watching(root)
    (tmp_path / "elsewhere" / "x.md").write_text("x")
    assert watch.quiet() == set()
    watch.stop.set()
    watch.thread.join(5)


def test_names_that_are_not_utf8(root: Path, watching: Watching) -> None:
    (root / "sub" / os.fsdecode(b"caf\xe9.md")).write_text("x")
    assert watching.wait("") < 1
    watching.quiet(0.4)
    (root / "sub" / "b.md").write_text("x")
    assert watching.wait("sub/b.md") < 1


def test_folders_whose_names_are_not_utf8_do_not_stop_the_rest(root: Path) -> None:
    (root / os.fsdecode(b"caf\xe9")).mkdir()
    watch = Watching(root)
    (root / "sub" / "b.md").write_text("x")
    assert watch.wait("sub/b.md") < 1
    watch.stop.set()
    watch.thread.join(5)


def test_a_single_file(root: Path) -> None:
    watch = Watching(root / "a.txt")
    (root / "b.txt").write_text("x")
    assert watch.quiet() == set()
    (root / "a.tmp").write_text("y")
    os.replace(root / "a.tmp", root / "a.txt")
    assert watch.wait("a.txt") < 1
    watch.stop.set()
    watch.thread.join(5)


def test_a_root_that_vanishes_ends_the_watch(root: Path) -> None:
    watch = Watching(root)
    shutil.rmtree(root)
    watch.thread.join(5)
    assert not watch.thread.is_alive()
    last = watch.batches.get(timeout=1)
    while not watch.batches.empty():
        last = watch.batches.get()
    assert isinstance(last, SourceError)


def test_many_changes_come_in_few_batches_and_none_is_lost(root: Path, watching: Watching) -> None:
    wanted = set()
    for number in range(300):
        folder = root / f"f{number % 30}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.md").write_text("x")
        wanted.add(f"f{number % 30}/{number}.md")
    found = watching.quiet(1.5)
    source = FilesSource(str(root), Settings({}))
    assert wanted <= {record.key for record in source.peek(found)}


def test_a_root_that_was_replaced_is_watched_anew(root: Path, watching: Watching) -> None:
    root.rename(root.with_name("old"))
    root.mkdir()
    watching.wait("")
    (root / "new.md").write_text("x")
    assert watching.wait("new.md") < 1
