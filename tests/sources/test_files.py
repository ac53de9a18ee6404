import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from bowerbird.core.errors import MissingExtra, SourceError, UsageError
from bowerbird.core.records import Failure, Gone, Item
from bowerbird.core.settings import Settings
from bowerbird.sources import kinds, open_source
from bowerbird.sources.base import Source
from bowerbird.sources.files import FilesSource
from bowerbird.testing.source_contract import SourceContract, items, pulled


def source_at(root: object, **values: int) -> FilesSource:
    return FilesSource(str(root), Settings({}).replace(**values))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub" / "deep").mkdir(parents=True)
    (root / "b.md").write_text("bee")
    (root / "a.txt").write_text("hello")
    (root / "sub" / "deep" / "c.pdf").write_bytes(b"%PDF")
    (root / "z.txt").write_text("")
    return root


@pytest.fixture
def memory() -> Iterator[str]:
    system = fsspec.filesystem("memory")
    system.pipe(
        {"/team/notes/a.md": b"alpha", "/team/b.txt": b"beta", "/team/.env": b"SECRET=1", "/team/x.log": b"noise"}
    )
    system.pipe("/team/.gitignore", b"*.log\n")
    yield "memory://team"
    system.rm("/team", recursive=True)


class TestLocalFolder(SourceContract):
    @pytest.fixture
    def source(self, folder: Path) -> Source:
        (folder / os.fsdecode(b"caf\xe9 \x1b[1m!")).write_text("old name")
        return source_at(folder)


class TestSingleFile(SourceContract):
    @pytest.fixture
    def source(self, folder: Path) -> Source:
        return source_at(folder / "a.txt")


class TestMemory(SourceContract):
    @pytest.fixture
    def source(self, memory: str) -> Source:
        return source_at(memory)


def test_the_door() -> None:
    assert isinstance(open_source("files", "/tmp", Settings({})), FilesSource) and "files" in kinds()
    with pytest.raises(UsageError, match="gopher"):
        open_source("gopher", "x", Settings({}))


def test_a_listing(folder: Path) -> None:
    os.utime(folder / "a.txt", ns=(1, 1_700_000_000_123_456_789))
    assert [item.key for item in items(source_at(folder))] == ["a.txt", "b.md", "z.txt", "sub/deep/c.pdf"]
    item = items(source_at(folder))[0]
    assert item.version == "5:1700000000123456789" and item.size == 5 and item.content is None
    assert item.uri == (folder / "a.txt").as_uri() and item.media_type == "text/plain"
    assert item.modified is not None and item.modified.replace(microsecond=0) == datetime(
        2023, 11, 14, 22, 13, 20, tzinfo=UTC
    )
    assert source_at(folder).read(item) == b"hello"


def test_one_code_for_other_file_systems(memory: str) -> None:
    source = source_at(memory)
    assert [(item.key, item.uri) for item in items(source)] == [
        ("b.txt", "memory:///team/b.txt"), ("notes/a.md", "memory:///team/notes/a.md")
    ]  # fmt: skip
    before = items(source)[0]
    time.sleep(0.002)
    fsspec.filesystem("memory").pipe("/team/b.txt", b"gamma")
    assert items(source)[0].version != before.version and source.read(before) == b"gamma"
    fsspec.filesystem("memory").rm("/team/b.txt")
    assert list(source.peek(["b.txt", "notes"])) == [Gone("b.txt"), items(source)[0]]
    with pytest.raises(SourceError, match="no longer"):
        source.read(before)


def test_what_cannot_be_a_source(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    for location in (folder / "nowhere", folder / "pipe", "memory://nowhere/at/all", "gopher://x/y"):
        with pytest.raises((SourceError, MissingExtra)):
            pulled(source_at(location))


def test_a_root_that_vanished_says_nothing_about_its_items(folder: Path) -> None:
    source = source_at(folder)
    assert items(source)
    folder.rename(folder.with_name("away"))
    with pytest.raises(SourceError, match="no such file"):
        pulled(source)
    with pytest.raises(SourceError):
        list(source.peek(["a.txt"]))


def test_links_loop_nowhere_and_leave_nothing(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.txt").write_text("not asked for")
    (folder / "loop").symlink_to(folder)
    (folder / "sub" / "up").symlink_to("..")
    (folder / "self").symlink_to("self")
    (folder / "again.txt").symlink_to("a.txt")
    (folder / "out.txt").symlink_to(tmp_path / "outside.txt")
    (folder / "gone-out").symlink_to(tmp_path / "nothing")
    (folder / "dangling").symlink_to("nothing")
    found = pulled(source_at(folder))
    assert [r.key for r in found if isinstance(r, Item)] == ["a.txt", "b.md", "z.txt", "sub/deep/c.pdf"]
    failures = {r.key: r.cause for r in found if isinstance(r, Failure)}
    assert failures == {"dangling": "The link points to nothing.", "self": "The link points to itself."}
    (tmp_path / "way").symlink_to(folder)
    assert items(source_at(tmp_path / "way")) == items(source_at(folder))


def test_pipes_and_sockets_are_passed_over(folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "s"))
        assert len(pulled(source_at(folder))) == 5


def test_names_that_are_not_utf8(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9\n.txt")
    (folder / name).write_text("coffee")
    (folder / "100%\\n.txt").write_text("per cent")
    source = source_at(folder)
    found = {item.key: item for item in items(source)}
    item = found[r"caf\xe9\x0a.txt"]
    assert item.name == "café .txt" and item.uri.endswith("caf%E9%0A.txt") and source.read(item) == b"coffee"
    assert source.read(found[r"100%\\n.txt"]) == b"per cent"
    assert list(source.peek([item.key])) == [item]


def test_renames_are_one_gone_and_one_new(folder: Path) -> None:
    source = source_at(folder)
    (folder / "sub").rename(folder / "moved")
    assert list(source.peek(["sub"])) == [Gone("sub")]
    assert [r.key for r in source.peek(["moved", "moved/deep/c.pdf"])] == ["moved/deep/c.pdf"]


def test_peek_at_the_root_is_a_pull(folder: Path) -> None:
    assert list(source_at(folder).peek([""])) == items(source_at(folder))


def test_reading_says_what_is_wrong(folder: Path, tmp_path: Path) -> None:
    source = source_at(folder, max_file_mb=1)
    (folder / "large.txt").write_bytes(bytes((1 << 20) + 1))
    found = {item.key: item for item in items(source)}
    with pytest.raises(SourceError, match="larger than 1 MiB"):
        source.read(found["large.txt"])
    (tmp_path / "passwd").write_text("secret")
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(tmp_path / "passwd")
    with pytest.raises(SourceError, match="link"):
        source.read(found["a.txt"])
    (folder / "b.md").unlink()
    os.mkfifo(folder / "b.md")
    with pytest.raises(SourceError, match="regular"):
        source.read(found["b.md"])
    for key in ("../passwd", "a/../../passwd", "/etc/passwd", "sub"):
        with pytest.raises(SourceError):
            source.read(Item(key, "x", "", "1"))


def test_preview(folder: Path) -> None:
    (folder / ".hidden").write_text("x")
    (folder / "node_modules").mkdir()
    (folder / "large.bin").write_bytes(bytes(3 << 20))
    preview = source_at(folder, max_file_mb=1).preview()
    assert (preview.files, preview.bytes, preview.ignored) == (5, 12 + (3 << 20), 2)
    assert 0 <= preview.seconds_estimate < 1


AS_NOBODY = """
import os, sys
from bowerbird.core.records import Checkpoint, Item, Failure
from bowerbird.core.settings import Settings
from bowerbird.sources.files import FilesSource
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
source = FilesSource(sys.argv[1], Settings({}))
for record in source.pull(Checkpoint()):
    print(type(record).__name__, getattr(record, "key", ""), getattr(record, "prefix", ""))
    if isinstance(record, Item) and record.key == "mine.txt":
        try:
            source.read(record)
        except Exception as problem:
            print(type(problem).__name__, problem)
print([(type(r).__name__, r.key) for r in source.peek(["locked/inner/x.md", "ruled"])])
"""


def test_folders_and_files_that_may_not_be_read() -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        root.chmod(0o755)
        (root / "locked" / "inner").mkdir(parents=True)
        (root / "locked" / "inner" / "x.md").write_text("x")
        (root / "mine.txt").write_text("x")
        (root / "ruled").mkdir()
        (root / "ruled" / ".gitignore").write_text("x.md\n")
        (root / "ruled" / "x.md").write_text("x")
        for path in ("locked", "mine.txt", "ruled/.gitignore"):
            (root / path).chmod(0)
        ran = subprocess.run([sys.executable, "-c", AS_NOBODY, name], capture_output=True, text=True, check=False)
        for path in ("locked", "mine.txt", "ruled/.gitignore"):
            (root / path).chmod(0o700)
    assert ran.stdout.splitlines() == [
        "Item mine.txt ",
        "SourceError mine.txt cannot be read: permission denied.",
        "Failure locked True",
        "Failure ruled True",
        "Checkpoint  ",
        "[('Failure', 'locked/inner/x.md'), ('Failure', 'ruled')]",
    ], ran.stderr


def test_an_unreadable_root_is_an_error_not_an_empty_listing() -> None:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o711)
        ran = subprocess.run([sys.executable, "-c", AS_NOBODY, name], capture_output=True, text=True, check=False)
    assert "SourceError" in ran.stderr and "permission denied" in ran.stderr and not ran.stdout


def test_twenty_thousand_files_list_fast(tmp_path: Path) -> None:
    for folder in range(100):
        (tmp_path / f"d{folder}").mkdir()
        for file in range(200):
            (tmp_path / f"d{folder}" / f"{file}.txt").touch()
    start = time.perf_counter()
    assert len(items(source_at(tmp_path))) == 20_000
    assert time.perf_counter() - start < 2
