"""What every answer carries, whoever asks for whatever by whichever method; and whom the pages talk to."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.serve import pages
from bowerbird.serve.app import ROUTERS
from bowerbird.serve.edge import METHODS
from bowerbird.serve.policies import PolicyRoute

ROUTES = [route for router in ROUTERS for route in router.routes if isinstance(route, PolicyRoute)]
STATIC = sorted(f"/static/{file.relative_to(pages.STATIC)}" for file in pages.STATIC.rglob("*") if file.is_file())
EXACT = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}
OFF = ("camera", "microphone", "geolocation", "payment", "usb")


def paths() -> list[str]:
    """Every path of the router with something for its parameters, our own files, and what is not there."""
    filled = {re.sub(r"\{page\}", "1", route.path) for route in ROUTES}
    filled = {re.sub(r"\{[a-z_]+(:path)?\}", "none", path) for path in filled}
    return [
        *sorted(filled),
        "/api/openapi.json",
        *STATIC,
        "/static/none",
        "/static",
        "/none",
        "/api/none",
        "//",
        "/%00",
    ]


def check(answer: httpx.Response, where: str, *, https: bool) -> None:
    """What must hold of any answer."""
    headers = answer.headers
    for name, value in EXACT.items():
        assert headers.get(name) == value, (where, name)
    policy = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'", where
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'", where
    assert "form-action" in policy and policy.get("object-src", "'none'") in ("'self'", "'none'"), where
    assert "unsafe-eval" not in headers["content-security-policy"]
    assert "unsafe-inline" not in policy.get("script-src", ""), where
    assert all(f"{feature}=()" in headers["permissions-policy"] for feature in OFF), where
    assert headers["cache-control"] == ("no-cache" if is_static(answer) else "no-store"), where
    assert ("strict-transport-security" in headers) is https, where
    assert not [name for name in headers if name.startswith("access-control-")], where
    assert "server" not in headers and "x-powered-by" not in headers, where
    if answer.content and answer.status_code not in (204, 304):
        kind = headers["content-type"]
        assert not kind.startswith("text/") or "charset=" in kind, where


def is_static(answer: httpx.Response) -> bool:
    return answer.request.url.path.startswith("/static/") and answer.status_code == 200


@pytest.fixture
def secure(tmp_path: Path, house_of: Any) -> Iterator[Any]:
    """A house that answers to a name of its own, over https."""
    with Library.open(tmp_path / "home", Settings({"base_url": "https://find.example.org"})) as library:
        yield house_of(library)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("who", ["owner", "nobody"])
def test_every_answer_carries_the_headers(secure: Any, who: str, scheme: str) -> None:
    given = {"authorization": "Bearer a-token-for-tests"} if who == "owner" else {}
    seen = set()
    for accept in ("application/json", "text/html"):
        browser = secure.browser(f"{scheme}://find.example.org", accept=accept, **given)
        for path in paths():
            for method in (*METHODS, "TRACE", "PROPFIND") if accept == "application/json" else ("GET", "POST"):
                answer = browser.request(method, path)
                check(answer, f"{method} {path} as {who}", https=scheme == "https")
                assert answer.status_code < 500, (method, path, answer.text)
                seen.add(answer.status_code)
    assert seen >= ({401, 404, 405} if who == "nobody" else {200, 404, 405, 422})


def test_refusals_before_the_router_carry_them(secure: Any) -> None:
    browser = secure.browser("https://find.example.org")
    for answer, status in (
        (browser.get("/", headers={"host": "evil.example"}), 403),
        (browser.get("/api/me", headers={"authorization": "Bearer wrong"}), 401),
        (browser.get("/api/items/" + "x" * 5_000), 414),
        (browser.post("/api/signin", content=b"x" * 70_000), 413),
        (browser.post("/api/signin", headers={"origin": "https://evil.example"}), 403),
    ):
        assert answer.status_code == status
        headers = {**answer.headers}
        assert headers["content-security-policy"].startswith("default-src 'none'"), status
        assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"


def test_originals_and_pages_of_items_carry_them(site: Any) -> None:
    with site.client() as client:
        hits = client.get("/api/search", params={"q": "type:note", "limit": 3}).json()["hits"]
        items = [hit["item"] for hit in hits] + [site.item(word) for word in ("narwhal", "cormorant", "photo", "tool")]
        for item in items:
            for path in (f"/open/{item}", f"/api/items/{item}", f"/api/items/{item}/text"):
                answer = client.get(path)
                check(answer, path, https=False)
                assert answer.status_code == 200
            assert client.get(f"/open/{item}").headers["content-disposition"].startswith(("inline", "attachment"))
        check(client.get(f"/api/items/{site.item('cormorant')}/pages/1.png"), "page", https=False)
        check(client.get(f"/open/{site.item('cormorant')}", headers={"range": "bytes=9999999-"}), "416", https=False)


def test_cookies_are_the_browsers_alone(secure: Any) -> None:
    secure.enter("ada")
    for base, prefix in (("https://find.example.org", "__Host-bowerbird="), ("http://127.0.0.1", "bowerbird-80=")):
        browser = secure.browser(base)
        for answer in (browser.sign_in(), browser.post("/api/signout")):
            cookie = answer.headers["set-cookie"]
            assert cookie.startswith(prefix)
            flags = {part.strip().lower() for part in cookie.split(";")[1:]}
            assert {"httponly", "path=/", "samesite=strict"} <= flags
            assert ("secure" in flags) is base.startswith("https") and not [f for f in flags if f.startswith("domain")]
        assert answer.headers["clear-site-data"]


SHOWN = sorted(
    {route.path for route in ROUTES if "GET" in route.methods and not re.match(r"/api|/oidc|/favicon", route.path)}
)


@pytest.mark.browser
def test_pages_ask_nobody_but_us(site: Any, chromium: Any, tmp_path: Path) -> None:
    """Chromium writes down every request and every name that it looks up (its network log)."""
    log = tmp_path / "net.json"
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
               f"--log-net-log={log}"]  # fmt: skip
    browser = chromium.browser_type.launch(executable_path="/usr/bin/chromium", args=options)
    page = browser.new_context().new_page()
    page.goto(f"{site.url}/signin?token={site.app.state.doors.invite()}")
    page.wait_for_url(f"{site.url}/")
    items = [site.item(word) for word in ("narwhal", "cormorant", "cloudberry", "photo")]
    shown = [path for path in SHOWN if "{" not in path] + [f"/open/{item}" for item in items[:1] + items[2:3]]
    for path in [*shown, "/?q=walrus", "/?q=cormorant", "/?q=narwhal", "/none"]:
        page.goto(f"{site.url}{path}")
        page.wait_for_load_state("networkidle")
    page.goto(f"{site.url}/?q=cormorant")
    page.keyboard.press("ArrowDown")
    page.wait_for_load_state("networkidle")
    browser.close()
    whole = json.loads(log.read_text(encoding="utf-8"))
    begun = whole["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    jobs = [event["params"] for event in whole["events"] if event["type"] == begun and "url" in event.get("params", {})]
    # the browser itself also asks for updates, accounts and the time; such requests come from no page
    asked = [job["url"] for job in jobs if job["url"].startswith(f"{site.url}/")]
    foreign = [job["url"] for job in jobs if job["url"] not in asked and job.get("initiator") != "not an origin"]
    assert len(set(asked)) > 20 and [url for url in foreign if not url.startswith(("data:", "blob:"))] == []
    scripted = [job for job in jobs if job.get("initiator") == site.url]
    assert len(scripted) > 20  # so initiators are what they are taken for


def test_pages_name_no_other_host() -> None:
    files = [*pages.STATIC.rglob("*"), *(pages.HERE / "templates").rglob("*")]
    names = re.compile(r"""(?:(?:https?|wss?):)?//(?!\s)[\w-]+(?:\.[\w-]+)+""")
    for file in files:
        if file.is_file() and file.suffix in (".js", ".css", ".html", ".svg", ".json", ".webmanifest"):
            found = set(names.findall(file.read_text(encoding="utf-8"))) - {"http://www.w3.org"}  # a namespace
            assert not found, file.name
