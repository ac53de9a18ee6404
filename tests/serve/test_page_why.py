"""Why this, and why not, in the preview, in a real browser: by mouse, by keyboard, on a phone, and with axe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

TIMEOUT = 10_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}


def ask(page: Any, label: str) -> Any:
    button = page.get_by_role("button", name=label)
    button.wait_for(timeout=TIMEOUT)
    button.focus()
    page.keyboard.press("Enter")
    panel = page.locator("#why-panel")
    panel.locator(".why-place").wait_for(timeout=TIMEOUT)
    assert button.get_attribute("aria-expanded") == "true"
    return panel


@pytest.mark.parametrize("look", LOOKS)
def test_a_hit_says_why(site: Any, browse: Callable[..., Any], violations: Any, look: str) -> None:
    page = browse(f"/?q=cloudberry+allowance&item={site.item('cloudberry')}", **LOOKS[look], reduced_motion="reduce")
    panel = ask(page, "Why this?")
    assert panel.locator(".why-place").inner_text().startswith("Place 1 of ")
    assert "Words place 1 of" in " ".join(panel.inner_text().split())
    assert panel.locator(".amount").first.inner_text().startswith("+")
    page.wait_for_timeout(300)
    page.allowed = "status of 40"
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Why this?").click()
    panel.wait_for(state="hidden", timeout=TIMEOUT)


@pytest.mark.parametrize("look", LOOKS)
def test_what_a_query_does_not_find_says_why_not(
    site: Any, browse: Callable[..., Any], violations: Any, look: str
) -> None:
    page = browse(f"/?q=cloudberry+type:pdf&item={site.item('cloudberry')}", **LOOKS[look], reduced_motion="reduce")
    panel = ask(page, "Why not?")
    assert "type:pdf leaves it out: it is of the type note." in panel.inner_text()
    page.wait_for_timeout(300)
    page.allowed = "status of 40"
    assert violations(page) == []


def test_it_follows_the_query(site: Any, browse: Callable[..., Any]) -> None:
    page = browse(f"/?q=cloudberry&item={site.item('cloudberry')}")
    panel = ask(page, "Why this?")
    page.locator("#q").fill("walrus pier")
    panel.wait_for(state="hidden", timeout=TIMEOUT)
    assert "Not found by “walrus pier”" in ask(page, "Why not?").inner_text()
    page.locator("#q").fill("")
    page.get_by_role("button", name="Why", exact=False).wait_for(state="hidden", timeout=TIMEOUT)
