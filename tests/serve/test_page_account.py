"""Signing in, setting a password and one's own account in a real browser; axe-core finds nothing wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bowerbird.core.settings import Settings
from bowerbird.library import Library, totp

pytestmark = pytest.mark.browser

TIMEOUT = 10_000
GOOD, OTHER = "gravel otter seventeen", "violet teapot orbit"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark": {"color_scheme": "dark"}, "phone": PHONE}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, site_of: Callable[..., Any]) -> Iterator[Any]:
    """A server over an empty library with a person in it, and a provider named in the settings."""
    folder: Path = tmp_path_factory.mktemp("account")
    settings = Settings({"oidc_issuer": "https://id.example.org", "oidc_client_id": "bowerbird"})
    with Library.open(folder / "home", settings) as library, site_of(library, folder) as site:
        yield site


def enter(site: Any, handle: str, role: str = "member") -> str:
    person, link = site.library.identity.people.invite(handle, role, name=handle.title())
    site.library.identity.set_up(link.secret, GOOD)
    return person.id


def sign_in(page: Any, handle: str, password: str = GOOD, code: str = "") -> None:
    page.get_by_label("Name").fill(handle)
    page.get_by_label("Password").fill(password)
    page.get_by_label("Code").fill(code)
    page.keyboard.press("Enter")


def test_from_the_link_to_a_second_factor_and_back_in(home: Any, browse: Callable[..., Any]) -> None:
    _, link = home.library.identity.people.invite("ada", name="Ada Lovelace")
    page = browse(link.path, site=home, signed_in=False)
    page.allowed = "status of 4"
    page.get_by_text("Welcome, Ada Lovelace.").wait_for(timeout=TIMEOUT)
    page.get_by_label("New password").fill("password1234")
    page.get_by_label("The same again").fill("password1234")
    page.keyboard.press("Enter")
    page.get_by_text("first that anybody would try").wait_for(timeout=TIMEOUT)
    page.get_by_label("New password").fill(GOOD)
    page.get_by_label("The same again").fill(GOOD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{home.url}/", timeout=TIMEOUT)
    page.goto(f"{home.url}/account")
    page.get_by_role("button", name="Set up …").press("Enter")
    secret = page.locator(".secret").inner_text(timeout=TIMEOUT).replace(" ", "")
    assert (
        page.get_by_role("link", name="Open in an app")
        .get_attribute("href")
        .startswith("otpauth://totp/Bowerbird:ada?")
    )
    step = int(time.time()) // 30
    page.get_by_label("The code that the app shows").fill(totp.code_at(secret, step))
    page.get_by_label("Your present password").fill(GOOD)
    page.keyboard.press("Enter")
    page.get_by_text("Signing in takes a code from your app.").wait_for(timeout=TIMEOUT)
    page.locator("#account-button").press("Enter")
    page.get_by_role("button", name="Sign out").press("Enter")
    page.get_by_role("heading", name="Sign in").wait_for(timeout=TIMEOUT)
    sign_in(page, "ada")
    page.get_by_text("The name, the password or the code is wrong.").wait_for(timeout=TIMEOUT)
    sign_in(page, "ada", code=totp.code_at(secret, step + 1))
    page.wait_for_url(f"{home.url}/", timeout=TIMEOUT)


def test_signing_in_shows_what_was_asked_for(home: Any, browse: Callable[..., Any]) -> None:
    enter(home, "bea")
    page = browse("/account", site=home, signed_in=False)
    page.allowed = "status of 401"
    assert page.get_by_role("link", name="Sign in with id.example.org").get_attribute("href") == "/oidc/start"
    sign_in(page, "bea", OTHER)
    page.get_by_text("is wrong.").wait_for(timeout=TIMEOUT)
    assert page.get_by_label("Password").input_value() == "" and page.get_by_label("Name").input_value() == "bea"
    sign_in(page, "bea")
    page.get_by_role("heading", name="Your account").wait_for(timeout=TIMEOUT)
    page.get_by_text("bea · Member").wait_for(timeout=TIMEOUT)


def test_password_tokens_and_sessions(home: Any, browse: Callable[..., Any]) -> None:
    person = enter(home, "cleo")
    home.library.identity.sign_in("cleo", GOOD, agent="Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/140.0")
    page = browse("/account", site=home, signed_in=False)
    page.allowed = "status of 401"
    sign_in(page, "cleo")
    page.get_by_role("button", name="Sign out Firefox on Windows").press("Enter")
    page.get_by_text("That browser is signed out.").wait_for(timeout=TIMEOUT)
    page.get_by_role("button", name="New token").press("Enter")
    page.get_by_label("What is it for?").fill("backup")
    page.keyboard.press("Enter")
    secret = page.get_by_label("The token", exact=True).input_value(timeout=TIMEOUT)
    assert home.library.identity.token(secret).person == person
    page.get_by_role("button", name="Close").press("Enter")
    page.get_by_role("button", name="Revoke backup").press("Enter")
    page.get_by_role("button", name="Revoke", exact=True).press("Enter")
    page.get_by_text("backup is revoked.").wait_for(timeout=TIMEOUT)
    assert home.library.identity.token(secret) is None
    page.get_by_role("button", name="Change …").press("Enter")
    page.get_by_label("Your present password").fill(GOOD)
    page.get_by_label("New password").fill(OTHER)
    page.get_by_label("The same again").fill(OTHER)
    page.keyboard.press("Enter")
    page.get_by_text("The password is changed.").wait_for(timeout=TIMEOUT)
    assert home.library.identity.sign_in("cleo", OTHER)


def test_the_owner_sets_a_first_password(home: Any, browse: Callable[..., Any]) -> None:
    page = browse("/account", site=home)
    page.get_by_role("button", name="Set one …").press("Enter")
    page.get_by_label("New password").fill(GOOD)
    page.get_by_label("The same again").fill(GOOD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{home.url}/", timeout=TIMEOUT)
    assert home.library.identity.sign_in("owner", GOOD)


def test_a_link_that_does_not_work_says_why(home: Any, browse: Callable[..., Any]) -> None:
    page = browse("/setup", site=home, signed_in=False)
    page.get_by_text("needs the link that an admin made").wait_for(timeout=TIMEOUT)
    page = browse("/setup#wrong", site=home, signed_in=False)
    page.allowed = "status of 401"
    page.get_by_text("This link was used before").wait_for(timeout=TIMEOUT)
    assert page.locator("#setup").is_hidden()


def test_without_scripts_a_password_gets_into_no_address(home: Any, browse: Callable[..., Any]) -> None:
    enter(home, "gail")
    page = browse("/account", site=home, signed_in=False, java_script_enabled=False)
    page.allowed = "status of 4"
    sign_in(page, "gail")
    page.wait_for_url(f"{home.url}/signin", timeout=TIMEOUT)
    assert GOOD not in page.url


@pytest.mark.parametrize("look", LOOKS)
def test_the_pages_have_no_violations(
    home: Any, browse: Callable[..., Any], violations: Callable[[Any], list[str]], look: str
) -> None:
    enter(home, f"dora-{look}")
    page = browse("/account", site=home, signed_in=False, **LOOKS[look], reduced_motion="reduce")
    page.allowed = "status of 401"
    assert violations(page) == []
    sign_in(page, f"dora-{look}")
    page.get_by_role("button", name="Set up …").wait_for(timeout=TIMEOUT)
    page.locator("#sessions table").wait_for(timeout=TIMEOUT)
    assert violations(page) == []
    for name in ("New token", "Set up …", "Change …"):
        page.get_by_role("button", name=name).press("Enter")
        page.locator("dialog[open]").wait_for(timeout=TIMEOUT)
        assert violations(page) == []
        page.keyboard.press("Escape")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    _, link = home.library.identity.people.invite(f"finn-{look}", name="Finn")
    page = browse(link.path, site=home, signed_in=False, **LOOKS[look], reduced_motion="reduce")
    page.get_by_label("New password").wait_for(timeout=TIMEOUT)
    assert violations(page) == []
