"""Saved searches through the API: they are their person's, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from bowerbird.core.errors import NotFoundError

DECKS = {"name": "New decks", "query": "type:slides after:7d", "sort": "date"}


@pytest.fixture
def ada(house: Any) -> Any:
    house.enter("ada", "guest")
    browser = house.browser()
    browser.sign_in("ada")
    return browser


def test_save_list_rename_and_remove(ada: Any) -> None:
    made = ada.post("/api/me/saved", json=DECKS)
    assert made.status_code == 201
    assert {name: made.json()[name] for name in DECKS} == DECKS
    ada.post("/api/me/saved", json={"name": "ADA's mail", "query": "from:ada"})
    assert [one["name"] for one in ada.get("/api/me/saved").json()["saved"]] == ["ADA's mail", "New decks"]
    path = f"/api/me/saved/{made.json()['id']}"
    assert ada.patch(path, json={"name": "  Slides of\tthis week "}).json()["name"] == "Slides of this week"
    changed = ada.patch(path, json={"query": " type:slides ", "sort": "relevance"}).json()
    assert (changed["name"], changed["query"], changed["sort"]) == ("Slides of this week", "type:slides", "relevance")
    assert ada.delete(path).json()["query"] == "type:slides"
    assert [one["name"] for one in ada.get("/api/me/saved").json()["saved"]] == ["ADA's mail"]
    for method in ("PATCH", "DELETE"):
        assert ada.request(method, path, json={}).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""}, {"name": "x" * 101}, {"name": "\x00"}, {"name": "\u202e"}, {"query": "   "},
        {"query": "x" * 4_001}, {"query": "a\x00b"}, {"sort": "size"}, {"name": 7},
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(ada: Any, wrong: dict[str, Any]) -> None:
    answer = ada.post("/api/me/saved", json=DECKS | wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "usage")
    assert ada.get("/api/me/saved").json() == {"saved": []}


def test_a_name_is_used_once_whatever_its_case(ada: Any) -> None:
    first = ada.post("/api/me/saved", json=DECKS).json()
    other = ada.post("/api/me/saved", json=DECKS | {"name": "Other"}).json()
    for again in (
        ada.post("/api/me/saved", json=DECKS | {"name": "NEW decks"}),
        ada.patch(f"/api/me/saved/{other['id']}", json={"name": "New Decks"}),
    ):
        assert again.status_code == 422
        assert "already" in again.json()["cause"]
    assert ada.patch(f"/api/me/saved/{first['id']}", json={"name": "new DECKS"}).json()["name"] == "new DECKS"


def test_nobody_else_sees_changes_or_removes_them(house: Any, ada: Any) -> None:
    made = ada.post("/api/me/saved", json=DECKS).json()
    house.enter("bob", "owner")
    bob = house.browser()
    bob.sign_in("bob")
    path = f"/api/me/saved/{made['id']}"
    assert bob.get("/api/me/saved").json() == {"saved": []}
    assert bob.post("/api/me/saved", json=DECKS).status_code == 201, "the name is free for everybody else"
    nothing = bob.delete("/api/me/saved/0123456789abc").json()
    assert bob.delete(path).json() == nothing
    assert bob.patch(path, json={"name": "Mine"}).status_code == 404
    assert [one["name"] for one in ada.get("/api/me/saved").json()["saved"]] == ["New decks"]


def test_an_admin_who_views_as_somebody_has_their_own_and_changes_nothing(house: Any, ada: Any) -> None:
    ada.post("/api/me/saved", json=DECKS)
    house.enter("eve", "admin")
    eve = house.browser()
    eve.sign_in("eve")
    eve.post("/api/me/saved", json=DECKS | {"name": "Eve's"})
    assert eve.post("/api/view-as", json={"person": house.ids["ada"]}).status_code == 200
    assert [one["name"] for one in eve.get("/api/me/saved").json()["saved"]] == ["Eve's"]
    assert eve.post("/api/me/saved", json=DECKS).status_code == 403


def test_a_token_needs_its_grant(house: Any, ada: Any) -> None:
    assert house.program("ada", "read").get("/api/me/saved").status_code == 200
    assert house.program("ada", "read").post("/api/me/saved", json=DECKS).status_code == 403
    assert house.program("ada", "read", "write").post("/api/me/saved", json=DECKS).status_code == 201


def test_two_hundred_are_enough(house: Any, ada: Any) -> None:
    for number in range(200):
        house.library.saved.add(house.ids["ada"], f"number {number}", "x")
    answer = ada.post("/api/me/saved", json=DECKS)
    assert (answer.status_code, "200" in answer.json()["cause"]) == (422, True)


def test_they_are_exported_and_erased_with_their_person(house: Any, ada: Any) -> None:
    ada.post("/api/me/saved", json=DECKS)
    house.library.saved.add("owner", "Kept", "x")
    person = house.ids["ada"]
    given = house.library.records.export("ada")
    assert [row["query"] for row in given["saved_searches"]] == [DECKS["query"]]
    house.library.records.erase("ada")
    assert house.library.saved.listed(person) == []
    assert len(house.library.saved.listed("owner")) == 1
    with pytest.raises(NotFoundError):
        house.library.saved.named(person, "New decks")
