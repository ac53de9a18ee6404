"""Accounts over HTTP: signing in and out, cookies, setting a password, second factor, sessions, tokens."""

from __future__ import annotations

import time
from typing import Any

import pytest

from bowerbird.library import totp

GOOD, OTHER = "gravel otter seventeen", "violet teapot orbit"


@pytest.fixture
def browser(house: Any) -> Any:
    return house.browser()


def test_signing_in_and_out(house: Any, browser: Any) -> None:
    house.enter()
    assert browser.get("/api/me").status_code == 401
    answer = browser.sign_in()
    assert answer.status_code == 200 and answer.json()["handle"] == "ada"
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("bowerbird-80=") and "HttpOnly" in cookie and "SameSite=strict" in cookie
    me = browser.get("/api/me").json()
    assert (me["role"], me["via"], me["viewing"], me["has_password"]) == ("member", "session", None, True)
    kept = dict(browser.cookies)
    answer = browser.post("/api/signout")
    assert answer.status_code == 200 and not browser.cookies
    browser.cookies.update(kept)
    assert browser.get("/api/me").status_code == 401, "it ended on the server, too"


def test_over_https_the_cookie_is_bound_to_the_host(house: Any) -> None:
    house.enter()
    client = house.browser("https://localhost")
    cookie = client.sign_in().headers["set-cookie"]
    assert cookie.startswith("__Host-bowerbird=")
    assert "; Secure" in cookie and "; HttpOnly" in cookie and "; Path=/" in cookie and "Domain" not in cookie
    assert client.get("/api/me").status_code == 200


def test_signing_in_again_ends_the_session_before(house: Any, browser: Any) -> None:
    house.enter()
    browser.sign_in()
    before = dict(browser.cookies)
    browser.sign_in()
    assert browser.cookies != before and browser.get("/api/me").status_code == 200
    browser.cookies.update(before)
    assert browser.get("/api/me").status_code == 401


def test_whatever_is_wrong_looks_the_same(house: Any, browser: Any) -> None:
    house.enter()
    answers = [
        browser.sign_in(*wrong) for wrong in (("ada", OTHER), ("nobody", GOOD), ("ada", ""), ("ada", "é" * 4096))
    ]
    assert {(one.status_code, one.text) for one in answers} == {(401, answers[0].text)}
    assert "set-cookie" not in answers[0].headers


def test_too_many_tries_have_to_wait(house: Any, browser: Any) -> None:
    house.enter()
    for _ in range(5):
        browser.sign_in("ada", OTHER)
    answer = browser.sign_in()
    assert answer.status_code == 429 and answer.json()["code"] == "too-many-attempts"
    assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    "headers", [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": ""}]
)
def test_no_other_page_signs_a_browser_in(house: Any, headers: dict[str, str]) -> None:
    house.enter()
    client = house.browser(**headers)
    for path in ("/api/signin", "/api/setup", "/api/setup/check"):
        assert client.post(path, json={}).json()["code"] == "request-refused"


def test_setting_a_password_by_a_link(house: Any, browser: Any) -> None:
    _, link = house.library.identity.people.invite("ada", name="Ada")
    assert link.path == f"/setup#{link.secret}"
    assert browser.post("/api/setup/check", json={"secret": link.secret}).json() == {"handle": "ada", "name": "Ada"}
    weak = browser.post("/api/setup", json={"secret": link.secret, "password": "password1234"})
    assert (weak.status_code, weak.json()["code"]) == (422, "password-weak")
    done = browser.post("/api/setup", json={"secret": link.secret, "password": GOOD})
    assert done.json() == {"signed_in": True} and browser.get("/api/me").json()["handle"] == "ada"
    for path in ("/api/setup", "/api/setup/check"):
        used = browser.post(path, json={"secret": link.secret, "password": GOOD})
        assert (used.status_code, used.json()["code"]) == (401, "link-invalid")


def test_changing_the_password(house: Any, browser: Any) -> None:
    house.enter()
    other = house.browser()
    other.sign_in()
    browser.sign_in()
    wrong = browser.post("/api/me/password", json={"current": OTHER, "new": OTHER})
    assert wrong.status_code == 401 and other.get("/api/me").status_code == 200
    assert browser.post("/api/me/password", json={"current": GOOD, "new": OTHER}).status_code == 200
    assert browser.get("/api/me").status_code == 200 and other.get("/api/me").status_code == 401


def test_a_second_factor(house: Any, browser: Any) -> None:
    house.enter()
    browser.sign_in()
    offer = browser.post("/api/me/totp").json()
    step = int(time.time()) // 30
    proof = {"secret": offer["secret"], "password": GOOD, "code": totp.code_at(offer["secret"], step)}
    assert browser.post("/api/me/totp/confirm", json={**proof, "secret": "ABC"}).status_code == 422
    assert browser.post("/api/me/totp/confirm", json=proof).json() == {"has_totp": True}
    assert browser.sign_in().status_code == 401 and browser.sign_in(code=proof["code"]).status_code == 401
    assert browser.sign_in(code=totp.code_at(offer["secret"], step + 1)).status_code == 200
    assert browser.post("/api/me/totp/remove", json={"password": GOOD}).json() == {"has_totp": False}
    assert browser.sign_in().status_code == 200


def test_ending_other_sessions(house: Any, browser: Any) -> None:
    house.enter()
    other = house.browser(**{"user-agent": "Other"})
    other.sign_in()
    browser.sign_in()
    rows = browser.get("/api/me/sessions").json()["sessions"]
    assert {row["agent"]: row["current"] for row in rows if row["agent"]}["Other"] is False
    assert sum(row["current"] for row in rows) == 1
    name = next(row["id"] for row in rows if row["agent"] == "Other")
    assert browser.delete(f"/api/me/sessions/{name}").status_code == 200
    assert other.get("/api/me").status_code == 401 and browser.get("/api/me").status_code == 200
    assert browser.delete(f"/api/me/sessions/{name}").status_code == 404


def test_tokens_do_what_they_grant_and_no_more(house: Any, browser: Any) -> None:
    house.enter(role="admin")
    browser.sign_in()
    made = browser.post("/api/me/tokens", json={"name": "backup", "grants": ["read"], "days": 30})
    assert made.status_code == 201
    secret = made.json()["secret"]
    assert secret not in browser.get("/api/me/tokens").text
    program = house.browser(authorization=f"Bearer {secret}")
    assert program.get("/api/me").json()["via"] == "token"
    for method, path in (("GET", "/api/people"), ("POST", "/api/sync"), ("POST", "/api/me/tokens")):
        assert program.request(method, path, json={"name": "x"}).status_code == 403
    wide = browser.post("/api/me/tokens", json={"name": "all", "grants": ["read", "write", "admin"]}).json()
    program = house.browser(authorization=f"Bearer {wide['secret']}")
    assert program.get("/api/people").status_code == 200
    for method, path in (
        ("POST", "/api/me/tokens"), ("POST", "/api/me/totp"), ("POST", "/api/me/password"),
        ("DELETE", f"/api/me/tokens/{wide['token']['id']}"), ("DELETE", "/api/me/sessions/x"),
    ):  # fmt: skip
        answer = program.request(method, path, json={"name": "x", "current": GOOD, "new": OTHER})
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    assert browser.delete(f"/api/me/tokens/{wide['token']['id']}").status_code == 200
    assert program.get("/api/me").status_code == 401
    assert browser.post("/api/me/tokens", json={"name": "x", "grants": ["all"]}).status_code == 422


def test_the_suspended_are_refused_on_the_next_request(house: Any, browser: Any) -> None:
    person = house.enter()
    browser.sign_in()
    token = browser.post("/api/me/tokens", json={"name": "x"}).json()["secret"]
    assert browser.get("/api/search?q=x").status_code == 200
    house.library.identity.people.suspend(person)
    assert browser.get("/api/search?q=x").status_code == 401
    assert browser.get("/api/search?q=x", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_the_printed_link_needs_no_account_and_lasts_a_restart(house: Any) -> None:
    secret = house.app.state.doors.invite()
    again = house.again()
    client = again.browser()
    assert client.get("/signin", params={"token": secret}).status_code == 200
    me = client.get("/api/me").json()
    assert (me["role"], me["handle"], me["has_password"]) == ("owner", "owner", False)


def test_no_answer_tells_a_hash_or_a_secret(house: Any, browser: Any) -> None:
    house.enter(role="admin")
    browser.sign_in()
    for path in ("/api/me", "/api/me/sessions", "/api/me/tokens", "/api/people"):
        text = browser.get(path).text
        assert (
            "argon2" not in text and "pseudonym" not in text and not [c for c in browser.cookies.values() if c in text]
        )
