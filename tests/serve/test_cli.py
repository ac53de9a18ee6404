"""The command line as a person meets it: folders in, hits out, exit codes, errors that help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PDF_THAT_IS_NONE = b"%PDF-1.7\n" + bytes(range(256)) * 40


def write_notes(folder: Path) -> Path:
    """A few notes about birds."""
    (folder / "nests").mkdir(parents=True)
    (folder / "bowerbird.md").write_text("# Satin bowerbird\n\nThe male collects blue things for his bower.\n")
    (folder / "nests" / "swift.txt").write_text("The swift sleeps on the wing and nests under roofs.\n")
    (folder / "nests" / "größe.txt").write_text("Übersicht der Größe aller Nester.\n", encoding="utf-8")
    os.utime(folder / "bowerbird.md", (1_700_000_000, 1_700_000_000))
    os.utime(folder / "nests" / "swift.txt", (1_600_000_000, 1_600_000_000))
    return folder


@pytest.fixture
def folder(tmp_path):
    return write_notes(tmp_path / "field notes")


@pytest.fixture(scope="module")
def filled(commands_at, tmp_path_factory):
    """The command line with a library that holds the notes already; for tests that only read."""
    place = tmp_path_factory.mktemp("filled")
    commands = commands_at(place / "home")
    assert commands("add", str(write_notes(place / "field notes"))).code == 0
    yield commands
    commands.end()


def titles(found: dict) -> list[str]:
    return [hit["title"] for hit in found["hits"]]


def test_add_then_search(bowerbird, folder):
    added = bowerbird("add", str(folder))
    assert added.code == 0, added.err
    assert "3 items" in added.out
    found = bowerbird("search", "swift", "--json")
    assert found.code == 0
    assert found.json["query"] == "swift"
    hit = found.json["hits"][0]
    assert (hit["rank"], hit["path"], hit["source"], hit["kind"]) == (1, "nests/swift.txt", "field notes", "note")
    assert hit["uri"] == (folder / "nests" / "swift.txt").as_uri()
    assert "sleeps on the wing" in hit["snippet"]
    assert {"text", "place"} <= set(hit["passages"][0])


def test_search_for_people(filled):
    found = filled("search", "blue", "things")
    assert found.code == 0
    first, about, text = found.out.splitlines()[:3]
    assert first == "1. Satin bowerbird"
    assert about.strip().startswith("note, bowerbird.md, ")
    assert "collects blue things" in text
    assert "\x1b" not in found.out, "no colours where nobody sees them"
    assert "1 hit" in found.err


def test_search_finds_nothing(filled):
    found = filled("search", "zyzzyva")
    assert (found.code, found.out) == (0, "")
    assert "Nothing found" in found.err


def test_add_json_is_one_object(bowerbird, folder):
    added = bowerbird("add", str(folder), "--name", "birds", "--json")
    assert added.code == 0
    assert added.json == {
        "sources": [{"name": "birds", "location": str(folder), "items": 3}], "items": 3, "failed": [],
    }  # fmt: skip


def test_add_again_changes_nothing(bowerbird, folder):
    bowerbird("add", str(folder))
    again = bowerbird("add", str(folder), "--json")
    assert again.code == 0
    assert again.json["items"] == 3
    assert len(bowerbird("sources", "list", "--json").json["sources"]) == 1


def test_a_broken_file_is_listed_and_the_rest_goes_on(bowerbird, folder):
    (folder / "scan.pdf").write_bytes(PDF_THAT_IS_NONE)
    added = bowerbird("add", str(folder))
    assert added.code == 3
    assert "1 file could not be read" in added.err
    assert "scan.pdf: " in added.err
    assert titles(bowerbird("search", "swift", "--json").json)
    status = bowerbird("status", "--json").json
    assert [one["key"] for one in status["quarantined"]] == ["scan.pdf"]
    assert "scan.pdf" in bowerbird("status", "--failed").out
    assert bowerbird("sync", "--json").code == 3


def test_ten_failures_are_shown_and_how_to_see_the_rest(bowerbird, folder):
    for number in range(12):
        (folder / f"scan{number}.pdf").write_bytes(PDF_THAT_IS_NONE + bytes([number]))
    added = bowerbird("add", str(folder))
    assert added.code == 3
    assert added.err.count(".pdf: ") == 10
    assert "and 2 more: `bowerbird status --failed`" in added.err
    assert len(bowerbird("status", "--failed").out.splitlines()) == 12


def test_sync_sees_what_changed(bowerbird, folder):
    bowerbird("add", str(folder), "--name", "birds")
    (folder / "nests" / "swift.txt").unlink()
    (folder / "crane.txt").write_text("Cranes dance in spring.\n")
    synced = bowerbird("sync", "birds", "--json")
    assert synced.code == 0
    assert synced.json["items"] == 3
    assert bowerbird("search", "cranes", "--json").json["hits"][0]["path"] == "crane.txt"
    assert bowerbird("search", "swift", "--json").json["hits"] == []


def test_sources(bowerbird, folder):
    bowerbird("add", str(folder), "--name", "birds")
    assert bowerbird("sources", "list").out.startswith("birds: 3 items, read ")
    checked = bowerbird("sources", "check", "birds", "--json")
    assert checked.code == 0
    assert checked.json["files"] == 3
    assert bowerbird("sources", "remove", "birds").code == 0
    assert bowerbird("sources", "list", "--json").json == {"sources": []}
    assert bowerbird("search", "swift", "--json").json["hits"] == []
    assert (folder / "bowerbird.md").exists()
    unknown = bowerbird("sources", "remove", "birds", "--json")
    assert (unknown.code, unknown.json["error"]["code"]) == (1, "not-found")


def test_status_of_a_new_library(bowerbird):
    status = bowerbird("status", "--json")
    assert status.code == 0
    for name in ("items", "passages", "pending"):
        assert status.json[name] == 0
    assert status.json["sources"] == []
    assert "bowerbird add" in bowerbird("status").err


def test_search_as_somebody_else_sees_nothing(filled):
    assert filled("search", "swift", "--as", "stranger", "--json").json["hits"] == []


@pytest.mark.parametrize("pipeline", ["words", "meaning", "hybrid"])
def test_pipelines(filled, pipeline):
    found = filled("search", "swift", "--pipeline", pipeline, "--json")
    assert found.code == 0, found.out
    assert found.json["formula"]


def test_newest_first(filled):
    found = filled("search", "the", "--sort", "date", "--json").json
    dates = [hit["modified"] for hit in found["hits"]]
    assert dates == sorted(dates, reverse=True)


def test_a_large_first_run_says_how_large(bowerbird, folder):
    added = bowerbird("add", str(folder), BOWERBIRD_PREVIEW_ABOVE="2")
    assert added.code == 0
    assert "would index 3 files, " in added.err
    assert "would index" not in bowerbird("add", str(folder), BOWERBIRD_PREVIEW_ABOVE="2").err


def test_without_a_network_it_goes_on_with_words(bowerbird, folder):
    added = bowerbird("add", str(folder))
    assert "words only" in added.err
    assert titles(bowerbird("search", "swift", "--json").json)


def test_up_and_demo_without_serving(bowerbird, folder):
    up = bowerbird("up", str(folder), "--no-serve", "--json")
    assert up.code == 0
    assert up.json["items"] == 3


def test_doctor(filled):
    for option in ((), ("--verify",), ("--repair",)):
        report = filled("doctor", *option, "--json")
        assert report.json["findings"] == []
        assert [check["name"] for check in report.json["checks"] if not check["passed"]] == ["model"]
        assert report.code == 1, "search by meaning is off, and doctor says so"
    assert "ok: database: " in filled("doctor").out


def test_settings_are_listed(bowerbird):
    listed = bowerbird("doctor", "--settings", BOWERBIRD_PORT="8123")
    assert "port = 8123 (default 7310): " in listed.out
    assert bowerbird("doctor", "--settings", "--json").json["settings"]["port"]["value"] == 7310


def test_help_is_quick(bowerbird):
    runs = [bowerbird("--help") for _ in range(3)]
    assert all(run.code == 0 for run in runs)
    assert "search" in runs[0].out
    assert min(run.seconds for run in runs) < 0.4


def test_starting_imports_nothing_heavy():
    program = "import sys, bowerbird.serve.cli; print(' '.join(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    heavy = {"lancedb", "pyarrow", "sqlalchemy", "fastapi", "numpy", "onnxruntime", "xberg", "httpx", "msgspec"}
    assert not heavy & set(ended.stdout.split())


def test_search_is_quick_when_cold(filled):
    assert min(filled("search", "swift").seconds for _ in range(3)) < 2


def test_no_arguments_is_help(bowerbird):
    nothing = bowerbird()
    assert nothing.code == 0
    assert "Usage" in nothing.out


def test_version(bowerbird):
    from bowerbird import __version__

    assert bowerbird("--version").out == f"bowerbird {__version__}\n"


def test_home_option_wins(bowerbird, folder, tmp_path):
    bowerbird("--home", str(tmp_path / "other"), "add", str(folder))
    assert bowerbird("status", "--json").json["items"] == 0
    assert bowerbird("--home", str(tmp_path / "other"), "status", "--json").json["items"] == 3


def test_a_reader_that_goes_away_is_no_traceback(filled):
    process = filled.start("search", "the", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    process.wait(30)
    assert "Traceback" not in process.stderr.read()


def test_json_output_is_utf8_or_escaped(filled):
    for encoding in ("utf-8", "ascii"):
        found = filled("search", "Übersicht", "--json", PYTHONIOENCODING=encoding)
        assert json.loads(found.out)["hits"][0]["path"] == "nests/größe.txt"
