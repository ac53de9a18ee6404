"""`bowerbird saved`, and the days that the command line means."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two notes about owls, one of the evening before New Year in UTC."""
    place = tmp_path / "notes"
    place.mkdir()
    for name, moment in (("eve", datetime(2025, 12, 31, 23, 30)), ("summer", datetime(2025, 7, 1, 12))):
        file = place / f"{name}.md"
        file.write_text(f"# {name}\n\nAn owl.\n")
        os.utime(file, (moment.replace(tzinfo=UTC).timestamp(),) * 2)
    return place


def found(answer: Any) -> list[str]:
    return [hit["title"] for hit in answer.json["hits"]]


def test_save_run_rename_and_remove(bowerbird: Any, folder: Path) -> None:
    assert "Nothing is saved yet" in bowerbird("saved", "list").err
    bowerbird("add", str(folder))
    made = bowerbird("saved", "add", "Owls of summer", "owl", "date:2025-07", "--sort", "date", "--json").json
    assert (made["name"], made["query"], made["sort"]) == ("Owls of summer", "owl date:2025-07", "date")
    assert bowerbird("saved", "list").out == "Owls of summer: owl date:2025-07, newest first\n"
    assert found(bowerbird("saved", "run", "OWLS of summer", "--json")) == ["summer"]
    assert "summer" in bowerbird("saved", "run", "Owls of summer", "--limit", "3").out
    assert "called Owls now" in bowerbird("saved", "rename", "Owls of summer", "Owls").err
    listed = bowerbird("saved", "list", "--json").json["saved"]
    assert [(one["id"], one["name"], one["created"]) for one in listed] == [(made["id"], "Owls", made["created"])]
    assert bowerbird("saved", "remove", "owls").code == 0
    assert bowerbird("saved", "list", "--json").json == {"saved": []}


def test_what_is_refused_says_why(bowerbird: Any) -> None:
    bowerbird("saved", "add", "Owls", "owl")
    for arguments, code, words in (
        (("saved", "run", "Kiwis"), 1, "no such saved search"),
        (("saved", "remove", "Kiwis"), 1, "`bowerbird saved list`"),
        (("saved", "add", "OWLS", "x"), 2, "already"),
        (("saved", "add", " ", "x"), 2, "1 to 100 characters"),
        (("saved", "add", "New", " "), 2, "1 to 4,000 characters"),
        (("saved", "add", "New", "x", "--sort", "size"), 2, "not a way to sort"),
    ):
        ended = bowerbird(*arguments)
        assert (ended.code, ended.out) == (code, "") and words in ended.err, arguments


def test_a_saved_query_is_never_read_from_stdin(bowerbird: Any) -> None:
    bowerbird("saved", "add", "Odd", "-")
    assert bowerbird("saved", "run", "Odd", "--json").json["query"] == "-"


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the machine's zone cannot be changed")
def test_days_are_those_of_the_machines_zone(
    bowerbird: Any, folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    bowerbird("add", str(folder))
    request.addfinalizer(time.tzset)
    for zone, day, shown in (
        ("UTC", "2025-12-31", "31 December 2025"),
        (":Asia/Tokyo", "2026-01-01", "1 January 2026"),
        ("JST-9", "2026-01-01", "1 January 2026"),
    ):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        assert found(bowerbird("search", "owl", f"date:{day}", "--json")) == ["eve"], zone
        assert shown in bowerbird("search", "owl", f"date:{day}").out
    monkeypatch.undo()
