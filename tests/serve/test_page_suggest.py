"""The list under the search box in a real browser: by keyboard, by mouse, by touch, and for a screen reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser

TIMEOUT = 10_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}


@pytest.fixture(autouse=True)
def past(site: Any) -> Iterator[Any]:
    """The owner has searched for these before."""
    suggesting = site.library.suggesting
    suggesting.forget("owner")
    for text in ("cloudberry type:note", "walrus pier"):
        suggesting.remember("owner", text)
    yield lambda: suggesting.past("owner")
    suggesting.forget("owner")


@pytest.fixture
def page(browse: Callable[..., Any]) -> Any:
    return browse()


def type_in(page: Any, text: str) -> None:
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type(text, delay=15)


def option(page: Any, text: str) -> Any:
    found = page.locator(".suggestion", has_text=text).first
    found.wait_for(timeout=TIMEOUT)
    return found


def active(page: Any) -> str:
    """The text of the option that a screen reader is told of."""
    chosen = page.locator("#q").get_attribute("aria-activedescendant")
    return str(page.locator(f"#{chosen} .label").inner_text()) if chosen else ""


def gone(page: Any) -> None:
    page.locator("#suggestions").wait_for(state="hidden", timeout=TIMEOUT)
    assert page.locator("#q").get_attribute("aria-controls") == "hits"


def value(page: Any) -> str:
    return str(page.locator("#q").input_value())


def test_an_item_is_chosen_and_previewed(page: Any, past: Any) -> None:
    type_in(page, "trav")
    option(page, "Travel policy")
    box = page.locator("#q")
    assert (box.get_attribute("aria-expanded"), box.get_attribute("aria-controls")) == ("true", "suggestions")
    assert active(page) == ""
    page.keyboard.press("ArrowDown")
    assert active(page) == "Travel policy"
    assert page.locator('#suggestions [aria-selected="true"]').count() == 1
    page.keyboard.press("Enter")
    page.locator(".pane-title h2", has_text="Travel policy").wait_for(timeout=TIMEOUT)
    gone(page)
    assert value(page) == "trav"
    assert past() == ["walrus pier", "cloudberry type:note"], "what was typed half is no past query"


def test_escape_and_the_results_come_after_the_list(page: Any) -> None:
    type_in(page, "note")
    option(page, "cloudberry type:note")
    page.keyboard.press("Escape")
    gone(page)
    assert value(page) == "note"
    page.keyboard.press("Alt+ArrowDown")
    option(page, "cloudberry type:note")
    count = page.locator(".suggestion").count()
    for _ in range(count):
        page.keyboard.press("ArrowDown")
    assert active(page)
    page.keyboard.press("ArrowDown")
    gone(page)
    page.locator(".hit").first.wait_for(timeout=TIMEOUT)
    page.keyboard.press("ArrowDown")
    chosen = page.locator("#q").get_attribute("aria-activedescendant")
    assert chosen.startswith("hit-")


def test_operators_and_their_values(page: Any, past: Any) -> None:
    type_in(page, "walrus ty")
    option(page, "type:")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Alt+ArrowDown")
    option(page, "type:")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert value(page) == "walrus type:"
    option(page, "note").wait_for(timeout=TIMEOUT)
    page.keyboard.type("no", delay=15)
    page.locator(".suggestion").nth(1).wait_for(state="detached", timeout=TIMEOUT)
    page.keyboard.press("ArrowDown")
    assert active(page) == "note"
    page.keyboard.press("Enter")
    assert value(page) == "walrus type:note "
    page.locator(".chip", has_text="type: note").wait_for(timeout=TIMEOUT)
    page.locator(".hit .title", has_text="Note").first.wait_for(timeout=TIMEOUT)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".pane-title h2").wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(300)
    assert past()[0] == "walrus type:note"


def test_past_searches_are_there_on_a_click_and_can_be_forgotten(page: Any, past: Any) -> None:
    page.locator("#q").click()
    option(page, "walrus pier")
    assert page.locator(".suggest-title").all_inner_texts() == ["Past searches"]
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Delete")
    page.locator(".suggestion", has_text="walrus pier").wait_for(state="detached", timeout=TIMEOUT)
    assert past() == ["cloudberry type:note"]
    option(page, "cloudberry type:note").click()
    gone(page)
    assert value(page) == "cloudberry type:note"
    page.locator(".hit .title", has_text="Travel policy").first.wait_for(timeout=TIMEOUT)


def test_the_list_goes_when_somebody_looks_elsewhere(page: Any) -> None:
    type_in(page, "trav")
    option(page, "Travel policy")
    page.locator("#list-title").click()
    gone(page)


def test_in_the_middle_of_a_query(page: Any) -> None:
    type_in(page, "in:no walrus")
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Alt+ArrowDown")
    option(page, "notes")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert value(page) == "in:notes walrus"


def test_by_touch(browse: Callable[..., Any]) -> None:
    page = browse(**PHONE)
    page.locator("#q").tap()
    option(page, "walrus pier")
    page.keyboard.type("trav", delay=15)
    option(page, "Travel policy").tap()
    page.get_by_role("dialog", name="Preview").wait_for(timeout=TIMEOUT)
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.parametrize("look", LOOKS)
def test_no_accessibility_violations(browse: Callable[..., Any], violations: Any, look: str) -> None:
    page = browse(**LOOKS[look], reduced_motion="reduce")
    page.locator("#q").click()
    option(page, "walrus pier")
    assert violations(page) == []
    for text, wanted in (("trav", "Travel policy"), ("type:", "pdf"), ("in:", "notes"), ("so", "source:")):
        page.locator("#q").fill(text)
        option(page, wanted)
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(500)
        assert violations(page) == []


def test_the_account_page_forgets_them(browse: Callable[..., Any], violations: Any, past: Any, site: Any) -> None:
    for number in range(10):
        site.library.suggesting.remember("owner", f"search {number}")
    page = browse("/account")
    page.get_by_role("link", name="search 9").wait_for(timeout=TIMEOUT)
    assert violations(page) == []
    page.get_by_role("button", name="4 more").click()
    page.get_by_role("button", name="Forget walrus pier").click()
    page.get_by_role("button", name="Forget walrus pier").wait_for(state="detached", timeout=TIMEOUT)
    assert "walrus pier" not in past()
    page.get_by_role("button", name="Forget all").click()
    page.get_by_role("button", name="Forget them").click()
    page.locator("#past", has_text="There are none.").wait_for(timeout=TIMEOUT)
    assert past() == []
