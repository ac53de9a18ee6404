"""The report of the benchmarks: known misses and exit codes."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from bowerbird.lab.measuring import Figure

FILE = Path(__file__).parents[2] / "benchmarks" / "_harness.py"


@pytest.fixture(scope="module")
def harness():
    spec = importlib.util.spec_from_file_location("_harness", FILE)
    module = importlib.util.module_from_spec(spec)
    sys.modules["_harness"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["_harness"]


GOOD = Figure("fine", 1.0, 2.0, "<=")
BAD = Figure("slow", 3.0, 2.0, "<=")
ABSENT = Figure("absent", None, 2.0, ">=", note="not installed")
TOLD = Figure("told", 9.0)


@pytest.mark.parametrize(
    ("figures", "known", "code"),
    [
        ([GOOD, TOLD], {}, 0),
        ([GOOD, BAD], {}, 1),
        ([GOOD, BAD], {"slow": "why"}, 3),
        ([BAD, ABSENT], {"slow": "why"}, 1),
        ([BAD, ABSENT], {"slow": "why", "absent": "why"}, 3),
        ([GOOD], {"slow": "an entry that is no longer needed"}, 0),
        ([], {}, 1),
    ],
)
def test_the_exit_code(harness, figures, known, code):
    assert harness.exit_code(figures, known) == code


@pytest.mark.parametrize(
    ("figures", "known", "told"),
    [
        ([GOOD, TOLD], {}, "OK: 1 of 1 targets met"),
        ([GOOD, BAD], {"slow": "why"}, "OK: 1 of 2 targets met, the others are open"),
        ([GOOD, BAD, ABSENT], {"slow": "why"}, "FAIL: 1 of 3 targets missed: absent"),
        ([], {}, "FAIL: nothing was measured"),
    ],
)
def test_the_last_line_says_ok_or_fail(harness, figures, known, told):
    assert harness.verdict(figures, known) == told


def test_known_misses_need_a_reason(harness):
    assert harness.open_misses('# c\n\nslow: "one core: too few"\nother: x\n') == {
        "slow": "one core: too few",
        "other": "x",
    }
    for line in ("slow", "slow:", 'slow: ""', "  - slow: x"):
        with pytest.raises(ValueError, match="line 1"):
            harness.open_misses(line)


def test_the_committed_list_is_readable(harness):
    harness.open_misses(FILE.with_name("open.yaml").read_text(encoding="utf-8"))


def test_the_report_prints_every_figure_and_the_machine(harness, tmp_path, monkeypatch, capsys):
    known = tmp_path / "open.yaml"
    known.write_text('slow: "why it is slow"\n', encoding="utf-8")
    monkeypatch.setattr(harness, "OPEN", known)
    assert harness.report("speed", [GOOD, BAD], as_json=False) == 3
    text = capsys.readouterr().out
    assert "cores" in text
    assert "fine" in text
    assert "MISSED" in text
    assert "why it is slow" in text
    assert harness.report("speed", [GOOD, BAD], as_json=True) == 3
    told = json.loads(capsys.readouterr().out)
    assert [row["holds"] for row in told["figures"]] == [True, False]
    assert told["figures"][1]["open"] == "why it is slow"


def test_parts_are_chosen(harness, monkeypatch, capsys):
    ran = []

    def part(name):
        def run(setup):
            ran.append((name, setup.quick))
            return [GOOD]

        return run

    parts = {name: part(name) for name in ("a", "b", "slow")}
    monkeypatch.setattr(harness, "_pulled", lambda home: home)
    monkeypatch.setattr(sys, "argv", ["x", "--quick"])
    assert harness.run("x", "x", parts, optional=("slow",)) == 0
    monkeypatch.setattr(sys, "argv", ["x", "--only", "b"])
    assert harness.run("x", "x", parts, optional=("slow",)) == 0
    monkeypatch.setattr(sys, "argv", ["x", "--slow"])
    assert harness.run("x", "x", parts, optional=("slow",)) == 0
    assert ran == [("a", True), ("b", True), ("b", False), ("a", False), ("b", False), ("slow", False)]
    capsys.readouterr()


def test_a_part_that_fails_is_a_miss_and_the_others_run(harness, monkeypatch, capsys):
    def broken(setup):
        raise RuntimeError("the server did not come up")

    monkeypatch.setattr(harness, "_pulled", lambda home: home)
    monkeypatch.setattr(sys, "argv", ["x"])
    assert harness.run("x", "x", {"broken": broken, "good": lambda setup: [GOOD]}) == 1
    text = capsys.readouterr().out
    assert "the server did not come up" in text
    assert "fine" in text
