"""The API is what its description says, for everybody who may ask, and it answers nobody else (schemathesis)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.serve.app import ROUTERS, create_app
from bowerbird.serve.policies import PolicyRoute
from bowerbird.testing.api_check import HOST, Budget, Findings, check_api, known_of, small_library

pytest.importorskip("schemathesis", reason="schemathesis is not installed")

SECONDS = {"owner": 24, "member": 14, "nobody": 10}
"""Of CI's minute."""


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Callable[[str, Budget], Findings]]:
    """`asked(who, budget)`: every operation of a small library, asked by somebody."""
    with Library.open(tmp_path / "home", Settings({"trusted_hosts": HOST})) as library:
        tokens = small_library(library, tmp_path / "notes")
        app = create_app(library, token="not used here", worker=False)
        yield lambda who, budget: check_api(app, tokens[who], budget, known_of(library))


def check(found: Findings) -> None:
    assert found.failures == {}
    assert found.server_errors == 0
    assert found.requests > 300


@pytest.mark.filterwarnings("ignore")  # schemathesis warns of what it could do with more settings
@pytest.mark.parametrize("who", list(SECONDS))
def test_every_answer_is_as_described(asked: Callable[[str, Budget], Findings], who: str) -> None:
    found = asked(who, Budget(examples=2, seconds=SECONDS[who]))
    check(found)
    if who == "nobody":
        assert found.statuses[401] > found.requests / 2


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("who", list(SECONDS))
def test_every_answer_is_as_described_for_long(asked: Callable[[str, Budget], Findings], who: str) -> None:
    check(asked(who, Budget(examples=60, seconds=900, seed=17)))


@pytest.fixture
def description(house: Any) -> dict[str, Any]:
    found: dict[str, Any] = house.app.openapi()
    return found


def test_the_description_says_who_may_ask(description: dict[str, Any]) -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, PolicyRoute)]
    described = [route for route in routes if route.include_in_schema]
    assert len(described) > 50
    for route in described:
        for method in route.methods:
            operation = description["paths"][route.path_format][method.lower()]
            wanted = [] if route.policy.least == "open" else [{"token": []}, {"session": []}]
            assert operation["security"] == wanted, route.path
            assert {"401", "403", "404", "422"} <= set(operation["responses"])
    assert set(description["components"]["securitySchemes"]) == {"token", "session"}


def test_every_json_answer_has_a_form(description: dict[str, Any]) -> None:
    for path, operations in description["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {}).get("application/json")
                assert content is None or content["schema"], (path, status)


def test_a_method_that_a_path_does_not_have(house: Any) -> None:
    house.enter("ada")
    browser = house.browser()
    assert browser.request("TRACE", "/api/me").status_code == 405
    browser.sign_in()
    answer = browser.request("PUT", "/api/me/tokens")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert "POST" in browser.request("TRACE", "/api/me").headers["allow"]


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"name": 1}', b'{"name": "a", "days": "7"}',
     b'{"name": "a", "days": true}',
     b'{"name": "a", "grants": {}}', b"[" * 20_000],
)  # fmt: skip
def test_bodies_of_the_wrong_form_are_refused(house: Any, body: bytes) -> None:
    house.enter("ada")
    browser = house.browser()
    browser.sign_in()
    answer = browser.post("/api/me/tokens", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422) and answer.json()["code"] == "usage"
    assert browser.get("/api/me/tokens").json() == {"tokens": []}
