"""Signing in by OpenID Connect, against real providers on this machine, and against one that breaks the standard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import OctKey, RSAKey

from bowerbird.core.errors import ProviderError
from bowerbird.core.settings import Settings, child_environment, load
from bowerbird.library import Library
from bowerbird.serve.oidc import Flow, Provider
from bowerbird.testing.openid import OpenIDProvider

BACK = "http://127.0.0.1/oidc/callback"


@pytest.fixture
def provider() -> Iterator[OpenIDProvider]:
    with OpenIDProvider("bowerbird", "a secret of the provider") as provider:
        provider.people["ada"] = {
            "sub": "ada-1", "preferred_username": "ada", "name": "Ada Lovelace", "groups": ["staff", "board"],
        }  # fmt: skip
        yield provider


@pytest.fixture
def place(tmp_path: Path, house_of: Callable[[Library], Any], provider: OpenIDProvider) -> Iterator[Any]:
    """An application that trusts the provider."""
    with Library.open(tmp_path / "home", settings_for(provider.issuer)) as library:
        yield house_of(library)


def settings_for(issuer: str, **more: Any) -> Settings:
    values = {"oidc_create": True, "oidc_admin_group": "board", "oidc_client_secret": "a secret of the provider"}
    return Settings({"oidc_issuer": issuer, "oidc_client_id": "bowerbird", **values, **more})


def go(browser: Any, person: str = "ada", start: str = "/oidc/start") -> str:
    """Begin, sign in at the provider, and return the path by which it sends the browser back."""
    begun = browser.get(start, headers={"sec-fetch-site": "same-origin"})
    assert begun.status_code == 303, begun.text
    sent = httpx.get(
        begun.headers["location"], params={**httpx.URL(begun.headers["location"]).params, "login_hint": person}
    )
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith(BACK)
    return str(sent.headers["location"].removeprefix("http://127.0.0.1"))


def return_(browser: Any, path: str) -> httpx.Response:
    answer: httpx.Response = browser.get(path, headers={"sec-fetch-site": "cross-site", "accept": "text/html"})
    return answer


def refused(browser: Any, path: str, words: str) -> None:
    answer = return_(browser, path)
    assert answer.status_code == 401 and words in answer.text, answer.text
    assert browser.get("/api/me").status_code == 401


def groups_of(place: Any, person: str) -> set[str]:
    people = place.library.identity.people
    return {
        one.name for one in people.groups() for member in people.members(one.id) if member.principal == f"user:{person}"
    }


def test_somebody_new_becomes_a_member_and_keeps_their_groups(place: Any, provider: OpenIDProvider) -> None:
    browser = place.browser()
    answer = return_(browser, go(browser))
    assert answer.status_code == 200 and "You are signed in" in answer.text
    me = browser.get("/api/me").json()
    assert (me["handle"], me["name"], me["role"], me["providers"]) == (
        "ada",
        "Ada Lovelace",
        "admin",
        [provider.issuer],
    )
    assert groups_of(place, me["id"]) == {"staff", "board"}
    assert [one.id for one in place.library.identity.people.groups()] == ["group:oidc:board", "group:oidc:staff"]
    provider.people["ada"]["groups"] = ["staff", "press"]
    assert return_(browser, go(browser)).status_code == 200
    again = browser.get("/api/me").json()
    assert (again["id"], again["role"]) == (me["id"], "member"), "no longer in the admins' group"
    assert groups_of(place, me["id"]) == {"staff", "press"}
    provider.people["ada"].pop("groups")
    return_(browser, go(browser))
    assert groups_of(place, me["id"]) == set()


def test_the_cookie_of_the_way_is_lax_short_and_gone_at_its_end(place: Any) -> None:
    browser = place.browser()
    path = go(browser)
    assert "bowerbird-oidc-80" in browser.cookies
    answer = return_(browser, path)
    cookies = answer.headers.get_list("set-cookie")
    assert any(one.startswith("bowerbird-80=") and "SameSite=strict" in one for one in cookies)
    assert "bowerbird-oidc-80" not in browser.cookies
    refused(place.browser(), path, "did not begin in this browser")


def test_over_https_the_cookies_are_bound_to_the_host(place: Any) -> None:
    browser = place.browser("https://localhost")
    begun = browser.get("/oidc/start")
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith("__Host-bowerbird-oidc=") and "; Secure" in cookie and "; HttpOnly" in cookie
    assert httpx.URL(begun.headers["location"]).params["redirect_uri"] == "https://localhost/oidc/callback"
    sent = httpx.get(httpx.URL(begun.headers["location"]).copy_add_param("login_hint", "ada"))
    answer = return_(browser, sent.headers["location"].removeprefix("https://localhost"))
    assert any(one.startswith("__Host-bowerbird=") for one in answer.headers.get_list("set-cookie"))


def test_groups_may_come_by_user_info(place: Any, provider: OpenIDProvider) -> None:
    provider.in_user_info_only = {"groups", "preferred_username"}
    browser = place.browser()
    return_(browser, go(browser))
    me = browser.get("/api/me").json()
    assert me["handle"] == "ada" and groups_of(place, me["id"]) == {"staff", "board"}


BREACHES: dict[str, dict[str, Any]] = {
    "nonce": {"claims": {"nonce": "x" * 43}},
    "no nonce": {"claims": {"nonce": None}},
    "audience": {"claims": {"aud": "another"}},
    "audiences": {"claims": {"aud": ["another", "third"]}},
    "authorized party": {"claims": {"aud": ["bowerbird", "another"], "azp": "another"}},
    "issuer": {"claims": {"iss": "https://issuer.example"}},
    "expired": {"claims": {"exp": int(time.time()) - 3600, "iat": int(time.time()) - 7200}},
    "no expiry": {"claims": {"exp": None}},
    "from the future": {"claims": {"iat": int(time.time()) + 3600}},
    "no subject": {"claims": {"sub": None}},
    "another access token": {"claims": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}},
    "another key": {"published": RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})},
    "unknown key": {"header": {"kid": "unknown"}},
    "symmetric": {
        "key": OctKey.import_key("a secret of the provider......", {"kid": "first"}),
        "header": {"alg": "HS256"},
    },
    "no token": {"answer": {"id_token": ""}},
    "unsigned": {"answer": {"id_token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEtMSJ9."}},
    "not a token": {"answer": {"id_token": "a.b.c"}},
}


@pytest.mark.parametrize("breach", BREACHES)
def test_an_id_token_that_is_wrong_in_one_place_is_refused(place: Any, provider: OpenIDProvider, breach: str) -> None:
    for name, value in BREACHES[breach].items():
        setattr(provider, name, value)
    browser = place.browser()
    refused(browser, go(browser), "ID token is not valid")
    assert [one.handle for one in place.library.identity.people.listed()] == ["owner"]


def test_a_signature_that_was_tampered_with_is_refused(place: Any, provider: OpenIDProvider) -> None:
    browser, made = place.browser(), provider._id_token

    def tampered(asked: dict[str, str], access: str) -> str:
        header, payload, signature = made(asked, access).split(".")
        return f"{header}.{payload}.{signature[:20]}{'A' if signature[20] != 'A' else 'B'}{signature[21:]}"

    provider._id_token = tampered  # type: ignore[method-assign]
    refused(browser, go(browser), "ID token is not valid")


def test_the_state_binds_the_answer_to_the_browser(place: Any) -> None:
    first, second = place.browser(), place.browser()
    path = go(first)
    go(second)
    refused(second, path, "belongs to another sign-in")
    refused(place.browser(), path, "did not begin in this browser")
    refused(first, path.replace("state=", "state=x"), "belongs to another sign-in")
    assert return_(first, path).status_code == 200
    assert return_(second, path).status_code == 401


def test_a_code_works_once_and_only_with_its_verifier(place: Any) -> None:
    browser = place.browser()
    path = go(browser)
    kept = dict(browser.cookies)
    return_(browser, path)
    other = place.browser()
    other.cookies.update(kept)
    refused(other, path, "does not take its own code back")
    third = place.browser()
    path = go(third)
    flow = Flow.parse(third.cookies["bowerbird-oidc-80"])
    fourth = place.browser()
    fourth.cookies.set("bowerbird-oidc-80", str(Flow(flow.state, flow.nonce, "v" * 43)))
    refused(fourth, path, "does not take its own code back")


def test_what_the_provider_refuses_is_said(place: Any) -> None:
    browser = place.browser()
    path = go(browser, "nobody")
    refused(browser, path, "access_denied")
    browser = place.browser()
    path = go(browser, "nobody").replace("access_denied", "%3Cscript%3E")
    refused(browser, path, "the provider said no")
    browser = place.browser()
    path = go(browser)
    refused(browser, path.split("&iss=")[0] + "&iss=https://other.example&" + path.split("&", 2)[2], "another provider")


def test_new_keys_of_the_provider_are_fetched(place: Any, provider: OpenIDProvider) -> None:
    browser = place.browser()
    return_(browser, go(browser))
    provider.new_key("second")
    assert return_(browser, go(browser)).status_code == 200


def test_who_is_unknown_or_suspended_stays_out(place: Any, provider: OpenIDProvider) -> None:
    place.library.settings = settings_for(provider.issuer, oidc_create=False)
    place.library.identity.accounts._settings = place.library.settings
    browser = place.browser()
    refused(browser, go(browser), "opens nothing in this library")
    place.library.identity.accounts._settings = settings_for(provider.issuer)
    return_(browser, go(browser))
    person = browser.get("/api/me").json()["id"]
    place.library.identity.people.suspend(person)
    refused(browser, go(browser), "opens nothing in this library")


def test_an_account_is_linked_to_who_is_signed_in(place: Any, provider: OpenIDProvider) -> None:
    provider.people["eve"] = {"sub": "eve-1", "preferred_username": "ada", "groups": []}
    person = place.enter("ada")
    browser = place.browser()
    browser.sign_in()
    assert return_(browser, go(browser, "eve", "/oidc/link")).status_code == 200
    other = place.browser()
    return_(other, go(other, "eve"))
    assert other.get("/api/me").json()["id"] == person
    third = place.browser()
    return_(third, go(third, "ada"))
    assert third.get("/api/me").json()["handle"] == "ada-2", "never matched by the name"
    browser.get("/oidc/link")
    path = go(browser, "ada", "/oidc/link")
    answer = return_(browser, path)
    assert answer.status_code == 422 and "belongs to somebody else" in answer.text
    path = go(browser, "eve", "/oidc/link")
    place.library.identity.people.suspend(person)
    assert return_(browser, path).status_code == 401


def test_other_sites_and_programs_begin_nothing(place: Any) -> None:
    place.enter("ada")
    assert place.browser().get("/oidc/start", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert place.browser().get("/oidc/link").status_code == 401
    assert place.program("ada").get("/oidc/link").status_code == 403


def test_without_a_provider_there_is_nothing(house: Any) -> None:
    for path in ("/oidc/start", "/oidc/callback"):
        assert house.browser().get(path).status_code == 404


@pytest.mark.parametrize(
    ("issuer", "document", "words"),
    [
        ("http://issuer.example", {}, "begins with https"),
        ("http://127.0.0.1:9", {}, "does not answer"),
        ("", {"issuer": "https://other.example"}, "another address"),
        ("", {"client": ""}, "`oidc_client_id` is empty"),
        ("", {"token_endpoint": "http://other.example/token"}, "no safe `token_endpoint`"),
        ("", {"jwks_uri": "file:///etc/passwd"}, "no safe `jwks_uri`"),
    ],
)
def test_a_provider_that_is_not_sound_is_not_used(
    provider: OpenIDProvider, issuer: str, document: dict[str, str], words: str
) -> None:
    client = document.get("client", "bowerbird")
    provider.document = document
    with pytest.raises(ProviderError) as problem:
        Provider(settings_for(issuer or provider.issuer, oidc_client_id=client)).begin(BACK)
    assert words in problem.value.cause and problem.value.status == 502


@pytest.mark.filterwarnings("ignore:get_jwt_config:DeprecationWarning", "ignore:OpenIDCode:DeprecationWarning")
def test_an_independent_provider_is_understood(tmp_path: Path, house_of: Callable[[Library], Any]) -> None:
    """oidc-provider-mock is built on Authlib's server side, and was written by others."""
    mock = pytest.importorskip("oidc_provider_mock")
    with mock.run_server_in_thread() as server:
        issuer = f"http://localhost:{server.server_port}"
        claims = {"name": "Bo", "preferred_username": "bo", "groups": ["crew"]}
        httpx.put(f"{issuer}/users/bo-1", json=claims).raise_for_status()
        with Library.open(tmp_path / "home", settings_for(issuer)) as library:
            place = house_of(library)
            browser = place.browser()
            begun = browser.get("/oidc/start")
            sent = httpx.post(begun.headers["location"], data={"sub": "bo-1"})
            assert sent.status_code in (302, 303), sent.text
            answer = return_(browser, sent.headers["location"].removeprefix("http://127.0.0.1"))
            assert answer.status_code == 200, answer.text
            me = browser.get("/api/me").json()
            assert (me["handle"], me["name"]) == ("bo", "Bo") and groups_of(place, me["id"]) == {"crew"}


def test_the_secret_of_the_provider_is_never_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOWERBIRD_OIDC_CLIENT_SECRET", "a secret of the provider")
    settings = load(tmp_path)
    assert settings.get("oidc_client_secret", str) == "a secret of the provider"
    shown = {row.name: value for row, value in settings.listed()}
    assert shown["oidc_client_secret"] == "(set)" and "a secret of the provider" not in repr(settings)
    assert "a secret of the provider" not in child_environment().values(), "parsers do not get it"
