"""The pages about who may read what and who did what, in a real browser; and an admin who views as somebody."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

TIMEOUT = 10_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}
_numbers = itertools.count(1)


@pytest.fixture
def reader(site: Any) -> Any:
    """A member whom nobody has opened anything to."""
    return site.library.identity.people.invite(f"reader{next(_numbers)}", "member")[0]


def toast(page: Any, words: str) -> None:
    page.locator(".toast", has_text=words).wait_for(timeout=TIMEOUT)


def explain(page: Any, item: str, person: str) -> None:
    page.get_by_role("textbox", name="Item").fill(item)
    page.get_by_role("combobox", name="Person").select_option(label=person)
    page.get_by_role("button", name="Explain").press("Enter")


@pytest.fixture
def office(empty_site: Any, eventually: Callable[..., bool]) -> Any:
    """A site of its own with a worker: a rule moves items to another scope, and the index follows."""
    (empty_site.folder / "hr").mkdir()
    (empty_site.folder / "hr/travel policy.md").write_text("Whoever travels, decides how.", encoding="utf-8")
    empty_site.library.add(str(empty_site.folder), "Office")
    empty_site.library.enqueue("sync")
    assert eventually(lambda: len(empty_site.library.search("travels").hits) == 1)
    return empty_site


def test_a_rule_opens_a_folder_and_why_says_so(
    office: Any, browse: Callable[..., Any], eventually: Callable[..., bool]
) -> None:
    reader = office.library.identity.people.invite("reader", "member")[0]
    page = browse("/admin/access", site=office)
    page.locator("#why-person option").first.wait_for(state="attached", timeout=TIMEOUT)
    explain(page, "hr/travel policy.md", reader.handle)
    page.locator("#why-answer", has_text=f"{reader.handle} may not read hr/travel policy.md").wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name="New rule").press("Enter")
    page.get_by_role("textbox", name="Path").fill("hr")
    page.get_by_role("combobox", name="Who").select_option(label=reader.handle)
    page.get_by_role("button", name="Put it into force").press("Enter")
    toast(page, "The rule is in force for")
    page.locator("#rules tr", has_text=reader.handle).wait_for(timeout=TIMEOUT)
    explain(page, "hr/travel policy.md", reader.handle)
    page.locator("#why-answer .good", has_text=f"{reader.handle} may read").wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name=f"Remove the rule for {reader.handle} in Office").press("Enter")
    page.keyboard.press("Enter")  # Cancel has the focus
    assert len([one for one in office.library.permissions.rules() if one.principal == reader.handle]) == 1
    page.get_by_role("button", name=f"Remove the rule for {reader.handle} in Office").press("Enter")
    page.get_by_role("button", name="Remove the rule", exact=True).press("Enter")
    toast(page, "The rule is removed.")
    assert not [one for one in office.library.permissions.rules() if one.principal == reader.handle]
    assert eventually(lambda: len(office.library.search("travels").hits) == 1)


def test_a_policy_is_changed_and_changed_back(site: Any, browse: Callable[..., Any]) -> None:
    page = browse("/admin/access")
    for policy in ("Members", "Private"):
        page.get_by_role("button", name="Change the policy of Office").press("Enter")
        page.get_by_role("radio", name=policy).check()
        page.get_by_role("button", name="Change the policy", exact=True).press("Enter")
        toast(page, f"Office: {policy}.")
        assert site.library.permissions.policy("Office").policy == policy.lower()


def test_what_everybody_can_read_is_reported_and_closed(
    empty_site: Any, browse: Callable[..., Any], violations: Any, eventually: Callable[..., bool]
) -> None:
    library = empty_site.library
    (empty_site.folder / "payroll").mkdir()
    (empty_site.folder / "payroll/march.md").write_text("What everybody earns.", encoding="utf-8")
    library.add(str(empty_site.folder), "Office")
    library.permissions.set_policy("Office", "public")
    library.enqueue("sync")
    assert eventually(lambda: len(library.search("earns").hits) == 1)
    page = browse("/admin/access", site=empty_site)
    page.get_by_role("button", name="Look for it").press("Enter")
    choice = page.get_by_role("checkbox", name="Choose payroll")
    choice.wait_for(timeout=TIMEOUT)
    assert page.get_by_role("button", name="Close what is chosen").is_disabled()
    choice.press("Space")
    assert violations(page) == []
    page.get_by_role("button", name="Close what is chosen").press("Enter")
    page.locator("dialog tr", has_text="payroll").wait_for(timeout=TIMEOUT)
    page.keyboard.press("Enter")  # Cancel has the focus: a dry run changes nothing
    page.locator("dialog").wait_for(state="detached", timeout=TIMEOUT)
    assert library.permissions.rules() == []
    page.get_by_role("button", name="Close what is chosen").press("Enter")
    page.get_by_role("button", name="Make the rules").press("Enter")
    toast(page, "1 rule made.")
    page.locator("#oversharing .none", has_text="none looks as if it should not be").wait_for(timeout=TIMEOUT)
    assert [(rule.prefix, rule.effect) for rule in library.permissions.rules()] == [("payroll", "only")]


@pytest.mark.parametrize("look", LOOKS)
def test_viewing_as_somebody_is_always_said(
    site: Any, browse: Callable[..., Any], violations: Any, reader: Any, look: str
) -> None:
    page = browse("/admin/people", **LOOKS[look], reduced_motion="reduce")
    page.get_by_role("button", name=f"Actions: {reader.handle}").press("Enter")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"View as {reader.handle}").press("Enter")
    page.wait_for_url(f"{site.url}/", timeout=TIMEOUT)
    page.get_by_text(f"You see what {reader.handle} sees.").wait_for(timeout=TIMEOUT)
    page.get_by_role("heading", name="Nothing for you yet").wait_for(timeout=TIMEOUT)
    assert violations(page) == []
    page.allowed = "status of 40[34]"
    for path in ("/account", "/none", "/admin"):
        page.goto(f"{site.url}{path}")
        page.get_by_text(f"You see what {reader.handle} sees.").wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name="Stop").press("Enter")
    page.wait_for_url(f"{site.url}/admin/people", timeout=TIMEOUT)
    assert page.locator("[data-viewing]").count() == 0


def test_the_audit_log_comes_in_pages_and_is_verified(site: Any, browse: Callable[..., Any], reader: Any) -> None:
    page = browse("/admin/audit")
    page.locator("#chain", has_text="Chain verified").wait_for(timeout=TIMEOUT)
    page.locator("#events tr", has_text="Person invited").first.wait_for(timeout=TIMEOUT)
    page.get_by_label("Action").select_option(label="Person invited")
    page.locator("#events tr", has_text="Session started").first.wait_for(state="detached", timeout=TIMEOUT)
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").press("Enter")
    lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert len(lines) > 3 and not [line for line in lines if reader.handle in line]
