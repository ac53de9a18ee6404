"""docs/security.md names every requirement of ASVS 5.0 at the levels 1 and 2, and only tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| v5\.0\.0-(\d+\.\d+\.\d+) \| ([12]) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
ROWS = ROW.findall(PAGE)
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))

LEVEL_1 = """
1.2.1 1.2.2 1.2.3 1.2.4 1.2.5 1.3.1 1.3.2 1.5.1 2.1.1 2.2.1 2.2.2 2.3.1 3.2.1 3.2.2 3.3.1 3.4.1 3.4.2 3.5.1 3.5.2 3.5.3
4.1.1 4.4.1 5.2.1 5.2.2 5.3.1 5.3.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.3.1 6.3.2 6.4.1 6.4.2
7.2.1 7.2.2 7.2.3 7.2.4 7.4.1 7.4.2 8.1.1 8.2.1 8.2.2 8.3.1 9.1.1 9.1.2 9.1.3 9.2.1 10.4.1 10.4.2 10.4.3 10.4.4 10.4.5
11.3.1 11.3.2 11.4.1 12.1.1 12.2.1 12.2.2 13.4.1 14.2.1 14.3.1 15.1.1 15.2.1 15.3.1
"""


@cache
def functions_of(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_every_test_named_exists(file: str, name: str) -> None:
    assert (ROOT / file).is_file(), file
    assert name in functions_of(file)


def test_no_requirement_is_missing() -> None:
    assert len(LEVEL_1.split()) == 70
    assert {number for number, level, *_ in ROWS if level == "1"} == set(LEVEL_1.split())
    assert sum(level == "2" for _, level, *_ in ROWS) == 183
    assert len({number for number, *_ in ROWS}) == len(ROWS)


def test_every_requirement_has_a_test_or_a_reason() -> None:
    for number, _, words, answer in ROWS:
        assert words.strip() and answer.strip(), number
        assert re.search(r"`tests/|not applicable: \w|\w{3,}.*\.", answer), number


def test_every_line_of_the_table_is_one() -> None:
    assert len(re.findall(r"^\| v5", PAGE, re.MULTILINE)) == len(ROWS)
