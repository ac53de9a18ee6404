"""The administration in a real browser: by keyboard alone, without accessibility violations, and only for admins."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.browser

TIMEOUT = 10_000
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}
PAGES = [
    "/admin",
    "/admin/people",
    "/admin/sources",
    "/admin/activity",
    "/admin/storage",
    "/admin/access",
    "/admin/audit",
]
_numbers = itertools.count(1)


@pytest.fixture
def person(site: Any) -> Callable[..., Any]:
    """Invite somebody with a handle that nobody had before, and a password where one is given."""

    def make(role: str = "member", password: str = "", name: str = "") -> Any:
        made, link = site.library.identity.people.invite(f"p{next(_numbers)}", role, name=name)
        if password:
            site.library.identity.set_up(link.secret, password)
        return made

    return make


def as_person(site: Any, page: Any, person: Any) -> None:
    """Sign a browser in as somebody."""
    page.context.clear_cookies()
    page.goto(f"{site.url}/signin?token={site.library.identity.signin_link(person.id).secret}")
    page.wait_for_url(f"{site.url}/", timeout=TIMEOUT)


def settle(page: Any) -> None:
    page.wait_for_load_state("networkidle")
    page.locator("[aria-busy]").first.wait_for(state="detached", timeout=TIMEOUT)


def toast(page: Any, words: str) -> None:
    page.locator(".toast", has_text=words).wait_for(timeout=TIMEOUT)


def choose(page: Any, of: str, action: str) -> None:
    """Open somebody's menu by the keyboard and walk to an entry."""
    button = page.get_by_role("button", name=f"Actions: {of}", exact=True)
    button.wait_for(timeout=TIMEOUT)
    button.press("Enter")
    for _ in range(8):
        if action in page.evaluate("document.activeElement.textContent"):
            break
        page.keyboard.press("ArrowDown")
    assert action in page.evaluate("document.activeElement.textContent"), f"the menu has no {action}"
    page.keyboard.press("Enter")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("path", PAGES)
def test_no_accessibility_violations(browse: Callable[..., Any], violations: Any, look: str, path: str) -> None:
    page = browse(path, **LOOKS[look], reduced_motion="reduce")
    settle(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than its window"


@pytest.mark.parametrize("look", LOOKS)
def test_menus_and_dialogs_have_no_violations(
    browse: Callable[..., Any], violations: Any, person: Callable[..., Any], look: str
) -> None:
    made = person()
    page = browse("/admin/people", **LOOKS[look], reduced_motion="reduce")
    settle(page)
    page.get_by_role("button", name=f"Actions: {made.handle}", exact=True).press("Enter")
    assert violations(page) == []
    page.keyboard.press("Escape")
    choose(page, made.handle, "Erase")
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Invite somebody").press("Enter")
    page.get_by_role("heading", name="Invite somebody").wait_for(timeout=TIMEOUT)
    assert violations(page) == []


@pytest.mark.parametrize("path", PAGES)
def test_the_tab_key_reaches_everything(browse: Callable[..., Any], path: str) -> None:
    page = browse(path)
    settle(page)
    wanted = page.evaluate(
        "[...document.querySelectorAll('a[href], button:not([disabled]), input, select, summary')]"
        ".filter((one) => one.checkVisibility()).length"
    )
    page.evaluate("document.activeElement.blur()")
    seen, first = 0, ""
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        at = page.evaluate(
            "(() => { const one = document.activeElement; one.dataset.walked ??= String(Math.random());"
            " return one === document.body ? '' : one.dataset.walked })()"
        )
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        if at and at == first:
            break
        first = first or at
        if at:
            seen += 1
            assert ring != "none", page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
    assert seen >= wanted


def test_a_member_is_refused(site: Any, browse: Callable[..., Any], person: Callable[..., Any]) -> None:
    page = browse("/")
    page.allowed = "status of 403"
    as_person(site, page, person("member"))
    page.locator("#account-button").press("Enter")
    page.get_by_text("Sign out").wait_for(timeout=TIMEOUT)
    assert page.get_by_role("link", name="Administration").count() == 0
    assert page.locator("#library-pill").count() == 0
    for path in PAGES:
        answer = page.goto(f"{site.url}{path}")
        assert answer.status == 403
        page.get_by_text("This is for people with the role admin.").wait_for(timeout=TIMEOUT)


def test_the_account_menu(site: Any, browse: Callable[..., Any], person: Callable[..., Any]) -> None:
    page = browse("/")
    as_person(site, page, person("admin", name="Ada Lovelace"))
    page.locator("#account-button").press("Enter")
    page.locator("#account-menu", has_text="Ada Lovelace").wait_for(timeout=TIMEOUT)
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.id") == "account-button"
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/admin", timeout=TIMEOUT)
    page.locator("#account-button").press("Enter")
    page.keyboard.press("End")
    page.allowed = "status of 401"
    page.keyboard.press("Enter")
    page.wait_for_url(f"{site.url}/signin", timeout=TIMEOUT)
    assert page.goto(f"{site.url}/admin").status == 401


def test_the_overview_leads_to_what_needs_attention(site: Any, browse: Callable[..., Any]) -> None:
    page = browse("/admin")
    page.locator("#concerns a", has_text="could not be read").press("Enter")
    page.wait_for_url(f"{site.url}/admin/activity#quarantine", timeout=TIMEOUT)
    page.locator("#refused", has_text="broken.pdf").wait_for(timeout=TIMEOUT)


def test_inviting_shows_the_link_once(site: Any, browse: Callable[..., Any]) -> None:
    page = browse("/admin/people")
    page.get_by_role("button", name="Invite somebody").press("Enter")
    handle = f"new{next(_numbers)}"
    page.get_by_role("heading", name="Invite somebody").wait_for(timeout=TIMEOUT)
    page.keyboard.type("x")
    page.keyboard.press("Enter")
    assert page.locator("dialog[open]").count() == 1  # two characters at least
    page.keyboard.type(handle)
    page.get_by_label("Name").fill("Grace Hopper")
    page.keyboard.press("Enter")
    link = page.get_by_label("One-time link")
    link.wait_for(timeout=TIMEOUT)
    secret = link.input_value().partition("#")[2]
    assert site.library.identity.invited(secret).handle == f"x{handle}"
    page.keyboard.press("Escape")
    row = page.locator("#people tr", has_text=f"x{handle}")
    row.wait_for(timeout=TIMEOUT)
    assert "Invited" in row.inner_text() and secret not in page.content()


def test_a_handle_that_is_taken_is_said_in_the_dialog(browse: Callable[..., Any], person: Callable[..., Any]) -> None:
    made = person()
    page = browse("/admin/people")
    page.allowed = "status of 422"
    page.get_by_role("button", name="Invite somebody").press("Enter")
    page.get_by_role("heading", name="Invite somebody").wait_for(timeout=TIMEOUT)
    page.keyboard.type(made.handle)
    page.keyboard.press("Enter")
    page.locator("dialog [role=alert]", has_text=f"The handle {made.handle} is taken").wait_for(timeout=TIMEOUT)
    page.keyboard.press("Escape")
    page.locator("dialog").wait_for(state="detached", timeout=TIMEOUT)


def test_roles_suspending_and_erasing_ask_first(
    site: Any, browse: Callable[..., Any], person: Callable[..., Any]
) -> None:
    made, people = person("member", "gravel otter seventeen"), site.library.identity.people
    page = browse("/admin/people")
    choose(page, made.handle, "Change the role")
    page.get_by_role("radio", name="Guest").check()
    page.get_by_role("button", name="Change the role").press("Enter")
    toast(page, "now guest")
    choose(page, made.handle, "Suspend")
    assert page.evaluate("document.activeElement.textContent") == "Cancel"
    page.keyboard.press("Enter")
    assert people.named(made.handle).state == "active"
    assert page.evaluate("document.activeElement.ariaLabel") == f"Actions: {made.handle}"  # where one was
    choose(page, made.handle, "Suspend")
    page.get_by_role("button", name="Suspend", exact=True).press("Enter")
    toast(page, "is suspended")
    assert (people.named(made.handle).role, people.named(made.handle).state) == ("guest", "suspended")
    choose(page, made.handle, "Erase")
    page.keyboard.type("somebody else")
    page.keyboard.press("Enter")
    page.locator("dialog [role=alert]", has_text="Type").wait_for(timeout=TIMEOUT)
    page.get_by_label("To confirm, type").fill(made.handle)
    page.keyboard.press("Enter")
    toast(page, "is erased")
    assert made.handle not in [one.handle for one in people.listed()]


def test_groups_hold_people_and_groups(site: Any, browse: Callable[..., Any], person: Callable[..., Any]) -> None:
    made, people = person(), site.library.identity.people
    page = browse("/admin/people")
    for name in ("Crew", "Fleet"):
        page.get_by_role("button", name="New group").press("Enter")
        page.keyboard.type(name)
        page.keyboard.press("Enter")
        toast(page, f"The group {name} is there.")
    for group, member in (("Crew", made.handle), ("Fleet", "Crew")):
        page.get_by_role("button", name=f"Add to {group}").press("Enter")
        page.get_by_label("Person or group").select_option(label=member)
        page.get_by_role("button", name="Add", exact=True).press("Enter")
        toast(page, f"is in {group}")
    assert [one.principal for one in people.members("group:local:Fleet")] == ["group:local:Crew"]
    page.get_by_role("button", name=f"Take {made.handle} out of Crew").press("Enter")
    page.get_by_role("button", name="Take out", exact=True).press("Enter")
    toast(page, "no longer in Crew")
    choose(page, "Fleet", "Remove the group")
    page.get_by_role("button", name="Remove the group", exact=True).press("Enter")
    toast(page, "The group Fleet is gone.")
    assert "Fleet" not in [one.name for one in people.groups()]


def test_sources_are_synced_and_removed_only_when_asked(site: Any, browse: Callable[..., Any]) -> None:
    page = browse("/admin/sources")
    page.locator('[data-source="Office"]').wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name="Sync Office").press("Enter")
    toast(page, "Office is read again.")
    page.locator("summary", has_text="could not be read").press("Enter")
    page.locator(".failures", has_text="broken.pdf").wait_for(timeout=TIMEOUT)
    choose(page, "Office", "Remove")
    page.get_by_role("heading", name="Remove Office?").wait_for(timeout=TIMEOUT)
    page.keyboard.press("Enter")  # the focus is on Cancel
    page.locator("dialog").wait_for(state="detached", timeout=TIMEOUT)
    assert [source.name for source in site.library.sources()] == ["Office"]
    page.goto(f"{site.url}/admin/activity")
    page.get_by_role("button", name="Cancel: Sync · Office").press("Enter")
    page.get_by_role("button", name="Cancel the job").press("Enter")
    page.locator("#jobs .card", has_text="Cancelled").wait_for(timeout=TIMEOUT)


def test_what_could_not_be_read_is_tried_again(empty_site: Any, browse: Callable[..., Any]) -> None:
    (empty_site.folder / "plan.pdf").write_bytes(b"%PDF-1.7\nnot a PDF")
    page = browse("/admin/sources", site=empty_site)
    page.locator("#sources .none").wait_for(timeout=TIMEOUT)
    page.get_by_label("Folder on this machine").fill(str(empty_site.folder))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Add it").press("Enter")
    page.locator(".card .name", has_text="files").wait_for(timeout=TIMEOUT)
    page.goto(f"{empty_site.url}/admin/activity")
    page.locator("#refused tr", has_text="plan.pdf").wait_for(timeout=3 * TIMEOUT)
    page.get_by_role("button", name="Try plan.pdf again").press("Enter")
    toast(page, "It is read again.")
    page.get_by_role("button", name="Try all again").press("Enter")
    page.get_by_role("button", name="Try again", exact=True).last.press("Enter")
    toast(page, "will be read again")


def test_storage_says_what_takes_how_much(browse: Callable[..., Any]) -> None:
    page = browse("/admin/storage")
    page.locator("[data-part=database]", has_text="Database").wait_for(timeout=TIMEOUT)
    page.locator("[data-part=index] .number", has_text="B").wait_for(timeout=TIMEOUT)


def test_backing_up_and_purging_ask_first(empty_site: Any, browse: Callable[..., Any]) -> None:
    page = browse("/admin/storage", site=empty_site)
    page.locator("#backups .none").wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name="Back up now").press("Enter")
    page.get_by_role("button", name="Back up", exact=True).press("Enter")
    toast(page, "The backup is under way.")
    page.locator("#backups tr", has_text=".tar.zst").wait_for(timeout=3 * TIMEOUT)
    page.get_by_role("button", name="Purge …").press("Enter")
    page.keyboard.press("Enter")
    assert page.locator("dialog[open]").count() == 1  # a word must be typed first
    page.keyboard.type("purge")
    page.keyboard.press("Enter")
    toast(page, "The purge is under way.")
    page.locator("#receipt .card", has_text="Not reached, as they are older: bowerbird-").wait_for(timeout=3 * TIMEOUT)


def test_only_an_owner_purges(site: Any, browse: Callable[..., Any], person: Callable[..., Any]) -> None:
    page = browse("/")
    as_person(site, page, person("admin"))
    page.goto(f"{site.url}/admin/storage")
    page.get_by_text("Only an owner can purge.").wait_for(timeout=TIMEOUT)
    assert page.get_by_role("button", name="Purge").count() == 0


def test_an_error_has_a_way_on(site: Any, browse: Callable[..., Any]) -> None:
    page = browse("/admin")
    page.allowed = "status of 503|Failed to load"
    broken = {"code": "store-failed", "cause": "The library refused.", "remedy": "Run `bowerbird doctor`."}
    page.route("**/api/jobs*", lambda route: route.fulfill(status=503, json=broken))
    page.goto(f"{site.url}/admin/activity")
    page.locator("#jobs [role=alert]", has_text="Run bowerbird doctor").wait_for(timeout=TIMEOUT)
    page.unroute("**/api/jobs*")
    page.get_by_role("button", name="Try again").first.press("Enter")
    page.locator("#jobs .card").first.wait_for(timeout=TIMEOUT)
