"""The search page reads queries as the server does, keeps searches, and means the days of its own time zone."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bowerbird.search import grammar
from bowerbird.search.grammar import Group, Leaf
from bowerbird.search.query import OPERATORS, parse

pytestmark = pytest.mark.browser

TIMEOUT = 10_000
PIECES = [
    *('"', " ", "“", "pdf", "type:", "from:", "Q3 plans", "a", "b", ":", "12:30", "東京", "\n", "-", "'", "(", ")"),
    *(" OR ", "OR", " -", "é", '-"', "-(", "\u200b", "\x85", "\ufeff", "f(x)", "))", "((", "in:hr", '-from:"ada b"'),
    *("😀", "\u3000", "\x00"),
]  # fmt: skip
WITHOUT_ITS_PLACE = """const bare = (part) => part.choices
  ? {choices: part.choices.map((choice) => choice.map(bare)), excluded: part.excluded}
  : {text: part.text, name: part.name, phrase: part.phrase, excluded: part.excluded};"""


@pytest.fixture
def page(browse: Callable[..., Any]) -> Any:
    return browse()


@pytest.fixture
def nothing_saved(site: Any) -> Iterator[None]:
    yield
    for one in site.library.saved.listed("owner"):
        site.library.saved.remove("owner", one.id)


def texts(count: int) -> list[str]:
    """Texts made of what has a meaning in queries; always the same."""
    choose = random.Random(4)
    return ["".join(choose.choices(PIECES, k=choose.randrange(14))) for _ in range(count)]


def plain(part: Leaf | Group) -> dict[str, Any]:
    if isinstance(part, Group):
        return {"choices": [[plain(one) for one in choice] for choice in part.choices], "excluded": part.excluded}
    return {"text": part.text, "name": part.name, "phrase": part.phrase, "excluded": part.excluded}


def in_page(page: Any, module: str, expression: str, values: object = None) -> Any:
    """Evaluate an expression over a module of the page, with `values`."""
    return page.evaluate(
        f"async (values) => {{ const it = await import('/static/js/{module}.js'); {WITHOUT_ITS_PLACE}"
        f" return {expression}; }}",
        values,
    )


def search_for(page: Any, text: str) -> Any:
    """Type a text; returns the answer of the whole search."""

    def answers(answer: Any) -> bool:
        asked = parse_qs(urlsplit(answer.url).query)
        return urlsplit(answer.url).path == "/api/search" and (asked["q"], asked["pipeline"]) == ([text], ["hybrid"])

    with page.expect_response(answers, timeout=TIMEOUT) as answer:
        page.locator("#q").fill(text)
    return answer.value


def focused(page: Any, wanted: str) -> None:
    """Wait until the focus is on the element of a selector."""
    page.locator(f"{wanted}:focus").wait_for(timeout=TIMEOUT)


def test_the_page_reads_queries_as_the_server_does(page: Any) -> None:
    asked = texts(3_000)
    read = in_page(page, "grammar", "values.map((text) => bare(it.read(text)))", asked)
    for text, tree in zip(asked, read, strict=True):
        assert tree == plain(grammar.read(parse(text).text)), text


def test_what_is_added_stands_for_itself_and_changes_nothing_else(page: Any) -> None:
    asked = [text for text in texts(3_000) if "type:" not in text]
    added = in_page(page, "operators", "values.map((text) => it.toggled(text, 'type', 'mail'))", asked)
    for text, more in zip(asked, added, strict=True):
        before, after = parse(text), parse(more)
        assert after.filters.types == ("message",), (text, more)
        if "OR" not in before.words:  # where there is nothing but OR, that is the word
            assert (after.words, after.phrases, after.checks) == (before.words, before.phrases, before.checks), text


def test_every_operator_is_in_the_help(page: Any) -> None:
    assert set(in_page(page, "operators", "Object.keys(it.OPERATORS)")) == set(OPERATORS)


@pytest.mark.parametrize(
    ("text", "chips", "pressed", "without"),
    [
        ("walrus -type:pdf", ["not type: pdf"], [], "walrus"),
        ("type:note OR in:hr walrus", ["type: note or in: hr"], [], "walrus"),
        ("(type:note in:notes) walrus", ["type: note", "in: notes"], ["Notes"], "walrus"),
        ("-(type:pdf OR in:hr)", ["not (type: pdf or in: hr)"], [], ""),
        ("walrus OR type:pdf", [], [], "walrus OR type:pdf"),
        ('walrus date:"last year"', ["date: last year"], [], "walrus"),
    ],
)
def test_chips_are_what_narrows(page: Any, text: str, chips: list[str], pressed: list[str], without: str) -> None:
    search_for(page, text)
    assert page.locator(".chip").all_inner_texts() == chips
    assert page.locator(".facet [aria-pressed=true] .label").all_inner_texts() == pressed
    for _ in chips:
        page.locator(".chip").first.press("Enter", timeout=TIMEOUT)
    assert page.locator("#q").input_value().strip() == without


def test_a_filter_takes_the_place_of_its_exclusion(page: Any) -> None:
    search_for(page, "walrus -type:note OR")
    toggle = "['walrus -type:note', 'walrus OR'].map((text) => it.toggled(text, 'type', 'note'))"
    assert in_page(page, "operators", toggle) == ["walrus type:note ", "walrus type:note "]


def test_save_run_rename_and_delete(page: Any, nothing_saved: None) -> None:
    search_for(page, "walrus -type:pdf")
    star = page.get_by_role("button", name="Save this search")
    assert star.get_attribute("aria-pressed") == "false"
    star.click()
    page.get_by_role("dialog", name="Save this search").get_by_label("Name").fill("Walruses")
    page.keyboard.press("Enter")
    link = page.get_by_role("group", name="Saved searches").get_by_role("link", name="Walruses")
    link.wait_for(timeout=TIMEOUT)
    assert (star.get_attribute("aria-pressed"), link.get_attribute("aria-current")) == ("true", "true")
    search_for(page, "cloudberry")
    assert star.get_attribute("aria-pressed") == "false"
    link.click()
    assert page.locator("#q").input_value() == "walrus -type:pdf"
    page.reload()
    page.get_by_role("button", name="Edit …").click()
    dialog = page.get_by_role("dialog", name="Saved searches")
    dialog.get_by_role("button", name="Rename Walruses").click()
    page.get_by_role("dialog", name="Rename").get_by_label("Name").fill("Big seals")
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Delete Big seals").click()
    dialog.get_by_role("button", name="Undo").click()
    dialog.get_by_role("button", name="Delete Big seals").wait_for(timeout=TIMEOUT)
    dialog.get_by_role("button", name="Done").click()
    focused(page, "[data-facet='saved:edit']")
    star.click()
    page.locator(".toast", has_text="Big seals is no longer saved.").get_by_role("button", name="Undo").click()
    page.get_by_role("link", name="Big seals").wait_for(timeout=TIMEOUT)


def test_the_order_is_kept_and_a_name_that_is_taken_is_said(page: Any, site: Any, nothing_saved: None) -> None:
    site.library.saved.add("owner", "Newest", "walrus", "date")
    page.reload()
    page.get_by_role("link", name="Newest").click()
    assert "sort=date" in page.url
    assert page.get_by_role("button", name="Date", exact=True).get_attribute("aria-pressed") == "true"
    search_for(page, "cloudberry")
    page.get_by_role("button", name="Save this search").click()
    dialog = page.get_by_role("dialog", name="Save this search")
    dialog.get_by_label("Name").fill("NEWEST")
    page.keyboard.press("Enter")
    dialog.get_by_text("already").wait_for(timeout=TIMEOUT)
    page.allowed = "422"
    dialog.get_by_role("button", name="Cancel").click()
    focused(page, "#save")


def test_saved_searches_are_accessible(
    page: Any, site: Any, nothing_saved: None, violations: Callable[[Any], list[str]]
) -> None:
    for name in ("Walruses", "A name that is much too long for the narrow column beside the results"):
        site.library.saved.add("owner", name, f"walrus {name}")
    page.reload()
    page.get_by_role("button", name="Edit …").click()
    page.get_by_role("dialog", name="Saved searches").wait_for(timeout=TIMEOUT)
    assert violations(page) == []
    page.keyboard.press("Escape")
    assert violations(page) == []
    width = page.evaluate(
        "document.querySelector('.facets').scrollWidth - document.querySelector('.facets').clientWidth"
    )
    assert width == 0


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_days_are_those_of_the_browser(browse: Callable[..., Any], site: Any, zone: str) -> None:
    page = browse(timezone_id=zone)
    answer = search_for(page, "walrus after:today")
    assert f"zone={zone.replace('/', '%2F')}" in answer.url
    asked = json.loads(answer.body())
    # the files were written just now, which is today everywhere
    assert asked["counts"]["date"]["today"] == len(site.library.search("walrus after:today", zone=zone, limit=100).hits)
