"""The search page in a real browser, driven by the keyboard, over a real library."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

TIMEOUT = 10_000


@pytest.fixture
def page(browse: Callable[..., Any]) -> Any:
    return browse()


def type_in(page: Any, text: str) -> None:
    page.keyboard.press("/")
    page.keyboard.press("Control+a")
    page.keyboard.type(text, delay=15)


def wait_for(page: Any, title: str) -> None:
    page.locator(".hit .title", has_text=title).first.wait_for(timeout=TIMEOUT)


def until(page: Any, condition: str, seconds: float = 30) -> None:
    """Wait for a condition in the page; it is evaluated from outside, as the page's policy forbids eval."""
    end = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < end, condition
        page.wait_for_timeout(30)


def shown(page: Any) -> int:
    return int(page.locator(".hit").count())


def test_type_choose_preview_and_close(page: Any) -> None:
    type_in(page, "cloudberry")
    wait_for(page, "Travel policy")
    assert page.locator(".hit mark").first.inner_text().lower() == "cloudberry"
    page.keyboard.press("ArrowDown")
    active = page.locator("#q").get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Enter")
    passage = page.locator(".pane-body .passage mark", has_text="cloudberry").first
    passage.wait_for(timeout=TIMEOUT)
    assert passage.is_visible()
    assert page.locator(".pane-title h2").inner_text() == "Travel policy"
    assert "item=" in page.url
    page.keyboard.press("Escape")
    page.locator(".pane").wait_for(state="detached", timeout=TIMEOUT)
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("Escape")
    page.get_by_role("heading", name="Recently changed").wait_for(timeout=TIMEOUT)


def test_the_preview_follows_the_choice_and_enter_opens(page: Any) -> None:
    type_in(page, "walrus")
    wait_for(page, "Note")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.locator(".pane-title h2").wait_for(timeout=TIMEOUT)
    before = page.locator(".pane-title h2").inner_text()
    page.keyboard.press("ArrowDown")
    second = page.locator(".hit").nth(1).locator(".title").inner_text()
    assert second != before
    page.locator(".pane-title h2", has_text=second).wait_for(timeout=TIMEOUT)
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    opened.value.wait_for_load_state()
    assert "/open/" in opened.value.url and "walrus" in opened.value.locator("body").inner_text()


def test_chips_and_typed_operators_are_the_same(page: Any) -> None:
    type_in(page, "harbours OR walrus OR cloudberry type:note")
    wait_for(page, "Note")
    facet = page.locator('[data-facet="type:note"]')
    assert facet.get_attribute("aria-pressed") == "true"
    chip = page.locator(".chip")
    assert chip.inner_text() == "type: note"
    chip.focus()
    page.keyboard.press("Enter")
    chip.wait_for(state="detached", timeout=TIMEOUT)
    assert page.locator("#q").input_value() == "harbours OR walrus OR cloudberry"
    facet.focus()
    page.keyboard.press("Space")
    page.locator(".chip").wait_for(timeout=TIMEOUT)
    assert page.locator("#q").input_value().strip().endswith("type:note")
    assert "type%3Anote" in page.url
    type_in(page, "walrus type:notes")
    wait_for(page, "Note")
    assert facet.get_attribute("aria-pressed") == "true"


def test_back_and_forward(page: Any) -> None:
    type_in(page, "walrus")
    wait_for(page, "Note")
    page.locator('[data-facet="source:Office"]').focus()
    page.keyboard.press("Enter")
    page.locator(".chip").wait_for(timeout=TIMEOUT)
    page.go_back()
    page.locator(".chip").wait_for(state="detached", timeout=TIMEOUT)
    assert page.locator("#q").input_value() == "walrus"
    page.go_back()
    page.get_by_role("heading", name="Recently changed").wait_for(timeout=TIMEOUT)
    assert page.locator("#q").input_value() == ""
    page.go_forward()
    wait_for(page, "Note")
    assert page.locator("#q").input_value() == "walrus"


def test_load_more_and_the_count(page: Any) -> None:
    type_in(page, "walrus")
    wait_for(page, "Note")
    page.locator("#more").wait_for(timeout=TIMEOUT)
    assert shown(page) == 20
    page.locator("#more").focus()
    page.keyboard.press("Enter")
    until(page, "document.querySelectorAll('.hit').length === 40")
    page.keyboard.press("End")  # the rest comes when it is scrolled to
    until(page, "document.querySelectorAll('.hit').length === 45")
    ids = page.locator(".hit").evaluate_all("hits => hits.map((hit) => hit.id)")
    assert len(set(ids)) == 45
    until(page, "document.getElementById('live').textContent.includes('45')")
    assert page.locator("#more").is_hidden()


def test_sorting_is_in_the_address(page: Any) -> None:
    type_in(page, "walrus")
    wait_for(page, "Note")
    page.get_by_role("button", name="Date", exact=True).press("Enter")
    until(page, "location.search.includes('sort=date')")
    page.reload()
    wait_for(page, "Note")
    assert page.get_by_role("button", name="Date", exact=True).get_attribute("aria-pressed") == "true"


def test_a_stale_answer_never_replaces_a_newer_one(page: Any) -> None:
    held: list[Any] = []

    def hold(route: Any) -> None:
        if "aardvark" in route.request.url:
            held.append(route)
        else:
            route.continue_()

    page.evaluate("AbortController.prototype.abort = () => {}")  # as if the answer was under way already
    page.route("**/api/search*", hold)
    type_in(page, "aardvark")
    page.wait_for_timeout(300)
    assert held
    type_in(page, "cloudberry")
    wait_for(page, "Travel policy")
    for route in held:
        route.continue_()
    page.wait_for_timeout(700)
    assert [title.inner_text() for title in page.locator(".hit .title").all()] == ["Travel policy"]


def test_dark_is_remembered_and_does_not_flash(page: Any) -> None:
    root = page.locator("html")
    assert root.get_attribute("data-theme") == "light"
    page.get_by_role("button", name="Use the dark theme").press("Enter")
    assert root.get_attribute("data-theme") == "dark"
    page.add_init_script(
        "new MutationObserver(() => { if (document.body) window.first ??= document.documentElement.dataset.theme })"
        ".observe(document, {childList: true, subtree: true})"
    )
    page.reload()
    assert page.evaluate("window.first") == "dark"


def test_nothing_found_says_what_to_do(page: Any) -> None:
    type_in(page, "type:video zebrafinch")
    page.get_by_role("heading", name="Nothing found").wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name="Remove the filters").press("Enter")
    until(page, "document.getElementById('q').value === 'zebrafinch'")


def test_errors_and_silence_have_a_way_on(page: Any) -> None:
    page.allowed = "status of 503|ERR_CONNECTION_REFUSED"
    body = '{"code": "store-failed", "cause": "The index cannot be read.", "remedy": "Run `bowerbird doctor`."}'
    page.route("**/api/search*", lambda route: route.fulfill(status=503, body=body))
    type_in(page, "walrus")
    page.get_by_role("heading", name="That did not work").wait_for(timeout=TIMEOUT)
    assert page.locator("#state code", has_text="bowerbird doctor").is_visible()
    page.unroute("**/api/search*")
    page.route("**/api/search*", lambda route: route.abort("connectionrefused"))
    page.get_by_role("button", name="Try again").press("Enter")
    page.get_by_role("heading", name="Bowerbird is not running").wait_for(timeout=TIMEOUT)
    page.unroute("**/api/search*")
    wait_for(page, "Note")  # by itself


def test_content_is_never_markup(page: Any) -> None:
    hostile = '<img src=x onerror="window.pwned = 1">'
    page.route("**/api/search*", lambda route: rewrite(route, hostile))
    type_in(page, "cloudberry")
    wait_for(page, "<img")
    assert page.evaluate("window.pwned") is None
    assert page.locator(".hit img").count() == 0


def rewrite(route: Any, title: str) -> None:
    answer = route.fetch()
    body = answer.json()
    for hit in body["hits"]:
        hit["title"] = title
        for passage in hit["passages"]:
            passage.update(text=title, highlights=[[0, 4]])
    route.fulfill(response=answer, json=body)


def test_original_html_runs_nothing(page: Any, site: Any) -> None:
    page.goto(f"{site.url}/open/{site.item('narwhal')}")
    assert page.locator("p").inner_text() == "The narwhal speaks."
    page.wait_for_timeout(200)
    assert page.title() == "Press page"
    page.allowed = re.compile("Blocked script execution|sandboxed")


def test_pages_pictures_and_sound(page: Any) -> None:
    type_in(page, "cormorant")
    wait_for(page, "birds")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_text("Page 1 of 2").wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name="Next page").press("Enter")
    page.get_by_text("Page 2 of 2").wait_for(timeout=TIMEOUT)
    until(page, "document.querySelector('.picture img')?.naturalWidth > 0")
    page.get_by_role("button", name="Text", exact=True).press("Enter")
    page.locator(".passage mark", has_text="cormorant").wait_for(timeout=TIMEOUT)
    type_in(page, "photo.png")
    wait_for(page, "photo")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('.picture img.natural')?.naturalWidth > 0")
    type_in(page, "standup.wav")
    wait_for(page, "standup")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('audio')?.duration === 1")


def test_the_keys_are_listed(page: Any) -> None:
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    page.get_by_role("dialog", name="Keyboard and operators").wait_for(timeout=TIMEOUT)
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.id") == "q"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.locator('.hit[aria-selected="true"]').wait_for(timeout=TIMEOUT)


def test_copy_link_leads_back(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    type_in(page, "cloudberry")
    wait_for(page, "Travel policy")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Copy link").press("Enter")
    page.get_by_text("Link copied").wait_for(timeout=TIMEOUT)
    page.goto(page.evaluate("navigator.clipboard.readText()"))
    page.locator(".pane-title h2", has_text="Travel policy").wait_for(timeout=TIMEOUT)
    page.locator(".pane-body .passage").first.wait_for(timeout=TIMEOUT)


def test_phone(browse: Callable[..., Any]) -> None:
    page = browse(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator("#q").tap()
    page.keyboard.type("cloudberry", delay=15)
    wait_for(page, "Travel policy")
    page.locator(".hit").first.tap()
    sheet = page.get_by_role("dialog", name="Preview")
    sheet.wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(300)  # the sheet slides in
    assert sheet.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    page.go_back()
    sheet.wait_for(state="hidden", timeout=TIMEOUT)
    assert page.locator("#q").input_value() == "cloudberry"
