"""Whatever the text, our own parsers never fail and lose no word."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bowerbird.extraction.calendar import calendar
from bowerbird.extraction.code import code
from bowerbird.extraction.draft import Draft, finish
from bowerbird.extraction.prose import markdown
from bowerbird.extraction.restructured import plain, restructured
from bowerbird.extraction.tables import delimited, records
from bowerbird.extraction.text import clean, decode

WORD = re.compile(r"[^\W_]+")
FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,}).*$", re.MULTILINE)

LINES = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["", "# Title", "## Two ##", "====", "----", "- item", "1. item", "    code", "> said", "```", "~~~", "::",
         ".. note::", ".. code-block:: c", "+---+---+", "| a | b |", "|---|---|", "=== ===", ":Author: Ada", "---",
         "title: x", "def f():", "    return 1", "}", "// note", "/*", " * more", "#!/bin/sh", "'''"]
    ),
)  # fmt: skip
TEXTS = st.lists(LINES, max_size=30).map("\n".join)


@pytest.mark.parametrize("parser", [markdown, restructured, plain, code])
def test_no_word_is_lost(parser: Callable[[str], Draft]) -> None:
    @settings(deadline=None)
    @given(TEXTS)
    def check(raw: str) -> None:
        text = clean(raw)
        found = finish(parser(text), "name.txt").text
        # What stands after a fence names the language of the code: it is mark-up, not a word.
        told = FENCE.sub("", text) if parser is markdown else text
        assert set(WORD.findall(told)) <= set(WORD.findall(found))

    check()


@pytest.mark.parametrize("parser", [markdown, restructured, plain, code, delimited, records, calendar])
def test_no_text_makes_a_parser_fail(parser: Callable[[str], Draft]) -> None:
    @settings(deadline=None)
    @given(st.one_of(TEXTS, st.text(max_size=300), st.text('BEGIN:VCALNDRTY\n;="\\ {}[],0123456789', max_size=200)))
    def check(raw: str) -> None:
        document = finish(parser(clean(raw)), "name")
        assert all(block.text.strip() for block in document.blocks)
        assert document.title

    check()


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_decoding_never_fails(data: bytes) -> None:
    text = decode(data)
    assert text is None or clean(clean(text)) == clean(text)


@settings(deadline=None)
@given(st.lists(st.lists(st.text("ab c,;\"'\n\t", max_size=8), min_size=1, max_size=4), max_size=60))
def test_every_cell_stays_in_its_row(rows: list[list[str]]) -> None:
    from bowerbird.extraction.tables import table

    text = "\n".join(block.text for block in table(rows))
    for cells in rows:
        for cell in cells:
            assert cell.replace("\n", " ").strip() in text
