"""What the command line says when something is wrong: a code, a cause, a remedy, and never a traceback."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from bowerbird.core.errors import UsageError
from bowerbird.serve.cli_output import printable


def assert_helps(done, code, exit_code):
    """The error is printed as cause, remedy and code."""
    assert done.code == exit_code, (done.out, done.err)
    assert done.out == ""
    assert done.err.startswith("error: ")
    assert f"({code})" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["add", "no/such/folder"], "source-unreadable", 1),
        (["frobnicate"], "usage", 2),
        (["search"], "usage", 2),
        (["search", "x", "--limit", "many"], "usage", 2),
        (["search", "x", "--limit", "0"], "usage", 2),
        (["search", "x", "--frob"], "usage", 2),
        (["sync", "no-such-source"], "not-found", 1),
        (["sources", "frob"], "usage", 2),
        (["serve", "--host", "0.0.0.0"], "exposure-refused", 2),
        (["serve", "--port", "99999"], "usage", 2),
        (["doctor", "--settings", "--verify"], "usage", 2),
    ],
)  # fmt: skip
def test_mistakes(bowerbird, arguments, code, exit_code):
    assert_helps(bowerbird(*arguments), code, exit_code)
    told = bowerbird(*arguments, "--json")
    assert told.code == exit_code
    assert told.json["error"]["code"] == code
    assert told.json["error"]["cause"]
    assert told.json["error"]["remedy"]


def test_an_unknown_setting_names_the_nearest(bowerbird):
    bowerbird.home.mkdir()
    (bowerbird.home / "settings.toml").write_text("prot = 80\n")
    done = bowerbird("status")
    assert_helps(done, "setting-unknown", 2)
    assert "`port`" in done.err


@pytest.mark.parametrize(
    "text", ["port = [", "port = \"many\"", "log_level = \"loud\"", "sandbox_workers = 0", "\xff\xfe"]
)  # fmt: skip
def test_a_broken_settings_file(bowerbird, text):
    bowerbird.home.mkdir()
    (bowerbird.home / "settings.toml").write_bytes(text.encode("latin-1"))
    assert_helps(bowerbird("status"), "setting-unknown", 2)


def test_an_empty_query(bowerbird):
    for query in ("", "   "):
        done = bowerbird("search", query, "--json")
        assert done.code == 0
        assert done.json["hits"] == []


def test_a_query_of_ten_megabytes(bowerbird):
    assert_helps(bowerbird("search", "-", stdin=b"word " * 2_000_000), "query-invalid", 2)


def test_a_query_from_stdin_of_any_length_below(bowerbird):
    assert_helps(bowerbird("search", "-", stdin=b"word " * 5_000), "query-invalid", 2)
    assert bowerbird("search", "-", "--json", stdin=b"a few words\n").json["query"] == "a few words"


def test_a_query_of_noise(bowerbird):
    noise = random.Random(7).randbytes(2_000)
    done = bowerbird("search", "-", "--json", stdin=noise)
    assert done.code == 0, done.out
    assert done.json["hits"] == []


def test_a_query_that_is_not_utf8_on_the_command_line(bowerbird):
    done = bowerbird("search", os.fsdecode(b"caf\xe9 \x80\x81"), "--json")
    assert done.code == 0, done.out


def test_a_name_with_control_characters_does_not_reach_the_terminal(bowerbird, tmp_path):
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "bell\x07\x1b[31m.txt").write_text("oddity\n")
    assert bowerbird("add", str(folder)).code == 0
    found = bowerbird("search", "oddity")
    assert found.code == 0
    assert "\x07" not in found.out
    assert "\x1b" not in found.out
    assert printable("a\x1bb") == "a\ufffdb"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read(bowerbird, tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o000)
    assert_helps(bowerbird("add", str(folder)), "source-unreadable", 1)


def test_a_home_that_cannot_be(bowerbird, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert_helps(bowerbird("--home", str(tmp_path / "file" / "home"), "status"), "store-failed", 1)


def test_a_library_of_a_newer_bowerbird(bowerbird):
    import sqlite3

    from bowerbird.store.sums import row_sum

    assert bowerbird("status").code == 0
    with sqlite3.connect(bowerbird.home / "bowerbird.sqlite") as connection:
        connection.create_function("row_sum", -1, row_sum, deterministic=True)
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert_helps(bowerbird("status"), "schema-unknown", 1)


def test_a_database_that_is_damaged(bowerbird):
    assert bowerbird("status").code == 0
    for file in bowerbird.home.glob("bowerbird.sqlite*"):
        file.write_bytes(b"not a database" * 1000)
    assert_helps(bowerbird("status"), "store-failed", 1)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 3 MB."""
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    place = tmp_path / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "none", str(place)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk(bowerbird, small_disk, tmp_path):
    folder = tmp_path / "much"
    folder.mkdir()
    words = [f"word{number}" for number in range(50_000)]
    chance = random.Random(3)
    for number in range(40):
        (folder / f"{number}.txt").write_text(" ".join(chance.choices(words, k=50_000)))
    done = bowerbird("--home", str(small_disk), "add", str(folder))
    assert done.code == 1, done.err
    assert "(disk-full)" in done.err
    assert "Traceback" not in done.err


def test_a_traceback_for_those_who_ask(bowerbird):
    assert "Traceback" in bowerbird("add", "no/such/folder", BOWERBIRD_LOG_LEVEL="debug").err


def test_errors_in_code_have_a_code_and_a_remedy():
    error = UsageError("The port is taken.", "Take another.")
    assert (error.code, error.exit_code, str(error)) == ("usage", 2, "The port is taken.")
