"""Who may read a file by the modes on its path: never more than the kernel lets, exactly that where it is usual."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bowerbird.core.errors import SourceError
from bowerbird.core.records import Access, Checkpoint, Item
from bowerbird.core.settings import Settings
from bowerbird.sources import posix
from bowerbird.sources.files import FilesSource
from bowerbird.sources.posix import EVERYBODY, NOBODY, Rights, classes, met

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root may give files to other users")

USERS = {5001: {6001}, 5002: {6001, 6002}, 5003: set(), 5004: {6002}}
"""Made-up users and the groups they are in."""


def is_member(user: str, group: str) -> bool:
    return int(group.removeprefix("group:#")) in USERS.get(int(user.removeprefix("user:#")), set())


def may(user: int, mode: int, owner: int, group: int, bit: int) -> bool:
    """POSIX.1-2017, 4.5: the first class that somebody is in decides."""
    shift = 6 if user == owner else 3 if group in USERS[user] else 0
    return bool(mode >> shift & bit)


def who(words: frozenset[str]) -> set[int]:
    """The users that a set of words lets in."""
    return {
        user for user, groups in USERS.items()
        if "public" in words or f"user:#{user}" in words or any(f"group:#{group}" in words for group in groups)
    }  # fmt: skip


STATE = st.tuples(st.integers(0, 0o777), st.sampled_from(sorted(USERS)), st.sampled_from([6001, 6002]))
USUAL = st.tuples(
    st.sampled_from([0o777, 0o755, 0o750, 0o700, 0o775, 0o711, 0o644, 0o640, 0o600, 0o000]),
    st.just(5002),
    st.just(6001),
)


def effective(folders: list[tuple[int, int, int]], file: tuple[int, int, int]) -> tuple[set[int], set[int]]:
    """(what the words let in, what the kernel would) for a file below some folders."""
    words = EVERYBODY
    for state in folders:
        words = met(words, classes(*state, bit=1, listed=False), is_member)
    words = met(words, classes(*file, bit=4, listed=False), is_member)
    real = {u for u in USERS if all(may(u, *one, bit=1) for one in folders) and may(u, *file, bit=4)}
    return who(words), real


@given(st.lists(STATE, max_size=4), STATE)
def test_never_more_than_the_kernel_lets(folders, file) -> None:
    said, real = effective(folders, file)
    assert said <= real


@given(st.lists(USUAL, max_size=4), USUAL)
def test_exactly_the_kernel_where_owner_and_group_are_the_same_on_the_whole_path(folders, file) -> None:
    said, real = effective(folders, file)
    assert said == real


@given(st.lists(STATE, min_size=1, max_size=4), st.data())
def test_the_order_of_the_path_does_not_matter(states, data) -> None:
    def together(some) -> frozenset[str]:
        words = EVERYBODY
        for state in some:
            words = met(words, classes(*state, bit=1, listed=False), is_member)
        return words

    assert together(states) == together(data.draw(st.permutations(states)))


def test_a_list_of_rights_beside_the_mode_leaves_the_owner_only() -> None:
    assert classes(0o777, 5001, 6001, 4, listed=True) == {"user:#5001"}
    assert classes(0o077, 5001, 6001, 4, listed=True) == NOBODY


def test_names_come_from_the_system() -> None:
    assert posix.user_word(0) == "user:root" and posix.group_word(0) == "group:root"
    assert posix.user_word(4_000_001) == "user:#4000001" and posix.group_word(4_000_001) == "group:#4000001"
    assert posix.in_group("user:root", "group:root")
    assert not posix.in_group("user:root", "group:nobody-made-this") and not posix.in_group("user:#12", "group:root")


def as_user(name: str, folder: Path, path: str) -> bool:
    """Try to read a file below a folder as somebody else; what lies above the folder is passed beforehand."""
    groups = os.getgrouplist(name, pwd.getpwnam(name).pw_gid)
    asked = ["/bin/cat", path]
    return subprocess.run(
        asked, cwd=folder, user=name, group=groups[0], extra_groups=groups, capture_output=True, check=False
    ).returncode == 0  # fmt: skip


SOME = ["daemon", "bin", "nobody"]
REAL = st.tuples(st.integers(0, 0o777), st.sampled_from(SOME), st.sampled_from(SOME))


@needs_root
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(REAL, REAL, REAL)
def test_on_a_real_disk_never_more_than_the_kernel(tmp_path: Path, top, inner, file) -> None:
    root = tmp_path / "root"
    target = root / "in" / "f.txt"
    if not target.exists():
        target.parent.mkdir(parents=True)
        target.write_text("x")
    for path, (mode, owner, group) in ((root, top), (root / "in", inner), (target, file)):
        os.chown(path, pwd.getpwnam(owner).pw_uid, pwd.getpwnam(group).pw_gid)
        os.chmod(path, mode)
    words = Rights(str(root)).readers(("in", "f.txt"))
    for name in SOME:
        mine = {
            f"user:{name}",
            "public",
            *(posix.group_word(gid) for gid in os.getgrouplist(name, pwd.getpwnam(name).pw_gid)),
        }
        if mine & words:
            assert as_user(name, root, "in/f.txt"), f"{name} by {sorted(words)}"


@needs_root
def test_real_lists_of_rights_are_noticed(tmp_path: Path) -> None:
    target = tmp_path / "f"
    target.write_text("x")
    target.chmod(0o644)
    try:
        # version 2: owner rw, user 2 nothing, group r, mask r, others r (acl(5), linux/posix_acl_xattr.h)
        entries = [(1, 6, 0xFFFFFFFF), (2, 0, 2), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 4, 0xFFFFFFFF)]
        data = (2).to_bytes(4, "little") + b"".join(
            tag.to_bytes(2, "little") + perm.to_bytes(2, "little") + who_.to_bytes(4, "little")
            for tag, perm, who_ in entries
        )
        os.setxattr(target, "system.posix_acl_access", data)
    except OSError as problem:
        pytest.skip(f"this file system keeps no lists of rights: {problem}")
    assert Rights(str(tmp_path)).readers(("f",)) <= {"user:root"}


def pulled(root: Path) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """(whom each scope lets in, the scope of each item)."""
    source = FilesSource(str(root), Settings({}))
    source.scoped = True
    said: dict[str, tuple[str, ...]] = {}
    items: dict[str, str] = {}
    for one in source.pull(Checkpoint()):
        if isinstance(one, Access):
            assert one.scope not in said, "a scope is told once"
            said[one.scope] = one.allow
        elif isinstance(one, Item):
            assert one.scope in said, "before its first item"
            items[one.key] = one.scope
    return said, items


def tree(root: Path, **modes: int) -> Path:
    for name, mode in modes.items():
        path = root / name.replace("__", "/").replace("_txt", ".txt")
        if path.suffix:
            path.write_text("x")
        else:
            path.mkdir(exist_ok=True)
        path.chmod(mode)
    return root


def me() -> str:
    return posix.user_word(os.geteuid())


def test_folders_are_scopes_and_files_that_differ_have_their_own(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    tree(tmp_path, a_txt=0o644, hr=0o700, hr__pay_txt=0o644, hr__own_txt=0o600, open=0o755, open__secret_txt=0o600)
    said, items = pulled(tmp_path)
    assert items == {"a.txt": "", "hr/own.txt": "hr", "hr/pay.txt": "hr", "open/secret.txt": "open/secret.txt"}
    assert said == {"": ("public",), "hr": (me(),), "open": ("public",), "open/secret.txt": (me(),)}


def test_what_lies_above_the_root_does_not_matter(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    root = tmp_path / "root"
    root.mkdir()
    root.chmod(0o755)
    said, _ = pulled(tree(root, a_txt=0o644))
    assert said == {"": ("public",)}


def test_a_single_file_is_its_own_source(tmp_path: Path) -> None:
    said, items = pulled(tree(tmp_path, a_txt=0o640) / "a.txt")
    assert items == {"a.txt": ""} and said == {"": tuple(sorted((me(), posix.group_word(os.getegid()))))}


def test_a_peek_says_the_same(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    tree(tmp_path, hr=0o700, hr__pay_txt=0o644, secret_txt=0o600)
    source = FilesSource(str(tmp_path), Settings({}))
    source.scoped = True
    said = list(source.peek(["hr/pay.txt", "secret.txt"]))
    assert [one for one in said if isinstance(one, Access)] == [
        Access("hr", (me(),)), Access("", ("public",)), Access("secret.txt", (me(),)),
    ]  # fmt: skip
    assert source.says_access and not FilesSource("memory://x", Settings({})).says_access


def test_who_is_not_asked_says_nothing(tmp_path: Path) -> None:
    tree(tmp_path, a_txt=0o644)
    found = list(FilesSource(str(tmp_path), Settings({})).pull(Checkpoint()))
    assert [type(one) for one in found] == [Item, Checkpoint] and found[0].scope == ""


@needs_root
def test_a_user_of_the_group_is_the_user(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    nobody = pwd.getpwnam("nobody")
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_text("x")
    os.chown(tmp_path / "d", 0, nobody.pw_gid)
    (tmp_path / "d").chmod(0o750)
    os.chown(tmp_path / "d" / "f", nobody.pw_uid, 0)
    (tmp_path / "d" / "f").chmod(0o400)
    assert Rights(str(tmp_path)).readers(("d", "f")) == {"user:nobody"}


def test_a_file_that_changed_since_its_mode_was_looked_at_is_not_read(tmp_path: Path) -> None:
    """Somebody closes a file and then writes a secret into it: it must not be read under the mode it had before."""
    tree(tmp_path, a_txt=0o644)
    source = FilesSource(str(tmp_path), Settings({}))
    item = next(one for one in source.pull(Checkpoint()) if isinstance(one, Item))
    (tmp_path / "a.txt").chmod(0o600)
    (tmp_path / "a.txt").write_text("a secret")
    assert source.read(item) == b"a secret", "where modes do not matter"
    source.scoped = True
    with pytest.raises(SourceError, match="changed since it was listed"):
        source.read(item)
    fresh = next(one for one in source.pull(Checkpoint()) if isinstance(one, Item))
    assert source.read(fresh) == b"a secret"


def test_a_folder_that_can_no_longer_be_looked_into_is_closed(tmp_path: Path, monkeypatch) -> None:
    tree(tmp_path, hr=0o755, hr__a_txt=0o644)
    rights = Rights(str(tmp_path))
    assert rights.readers(("hr", "a.txt")) != NOBODY
    monkeypatch.setattr(os, "listxattr", lambda *_, **__: (_ for _ in ()).throw(PermissionError(13, "denied")))
    assert Rights(str(tmp_path)).readers(("hr", "a.txt")) == NOBODY
