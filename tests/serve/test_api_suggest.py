"""Suggestions and past queries through the API and the command line."""

from __future__ import annotations

from typing import Any

import httpx
import pytest


def labels(answer: httpx.Response, kind: str) -> list[str]:
    assert answer.status_code == 200
    return [one["label"] for one in answer.json()["suggestions"] if one["kind"] == kind]


def test_names_folders_and_values_are_suggested(client: httpx.Client) -> None:
    found = client.get("/api/suggest", params={"q": "trav"})
    assert labels(found, "item") == ["Travel policy"]
    (item,) = [one for one in found.json()["suggestions"] if one["kind"] == "item"]
    assert client.get(f"/api/items/{item['item']}").json()["title"] == "Travel policy"
    assert (item["icon"], item["detail"], item["highlights"]) == ("note", "Office › hr", [[0, 4]])
    assert found.json()["partial"] is False
    assert labels(client.get("/api/suggest", params={"q": "note 0", "limit": 20}), "item")[0][:6] == "Note 0"
    assert labels(client.get("/api/suggest", params={"q": "type:pdf birds"}), "item") == ["birds"]
    assert labels(client.get("/api/suggest", params={"q": "type:audio birds"}), "item") == []
    assert labels(client.get("/api/suggest", params={"q": "in:"}), "folder")[0] == "notes"
    assert labels(client.get("/api/suggest", params={"q": "source:"}), "source") == ["Office"]


def test_what_is_too_much_is_refused(client: httpx.Client) -> None:
    assert client.get("/api/suggest", params={"q": "x" * 4_001}).json()["code"] == "query-invalid"
    assert client.get("/api/suggest", params={"limit": 21}).status_code == 422
    for text in ("", "x" * 401, "x" * 4_001):
        assert client.post("/api/me/queries", json={"text": text}).status_code == 422


@pytest.fixture
def two(house: Any) -> tuple[Any, Any]:
    """Two people, signed in."""
    browsers = []
    for handle in ("ada", "bob"):
        house.enter(handle, "guest")
        browser = house.browser()
        browser.sign_in(handle)
        browsers.append(browser)
    return browsers[0], browsers[1]


def test_past_queries_are_offered_to_their_person_alone(two: tuple[Any, Any]) -> None:
    ada, bob = two
    assert ada.get("/api/me/queries").json() == {"queries": []}
    for text in ("travel plan", "budget\u0000\u202e 2026"):
        assert ada.post("/api/me/queries", json={"text": text}).json() == {"kept": True}
    assert ada.post("/api/me/queries", json={"text": "\u0000 "}).json() == {"kept": False}
    assert ada.get("/api/me/queries").json() == {"queries": ["budget 2026", "travel plan"]}
    assert labels(ada.get("/api/suggest"), "query") == ["budget 2026", "travel plan"]
    assert labels(ada.get("/api/suggest?q=pl"), "query") == ["travel plan"]
    assert labels(bob.get("/api/suggest"), "query") == []
    assert bob.delete("/api/me/queries").json() == {"removed": 0}
    assert ada.delete("/api/me/queries?text=BUDGET 2026").json() == {"removed": 1}
    assert ada.delete("/api/me/queries").json() == {"removed": 1}
    assert labels(ada.get("/api/suggest"), "query") == []


def test_who_looks_through_others_eyes_is_offered_nobodys_past(house: Any, two: tuple[Any, Any]) -> None:
    house.enter("eve", "admin")
    eve = house.browser()
    eve.sign_in("eve")
    eve.post("/api/me/queries", json={"text": "eve's own"})
    two[0].post("/api/me/queries", json={"text": "ada's own"})
    assert labels(eve.get("/api/suggest"), "query") == ["eve's own"]
    assert eve.post("/api/view-as", json={"person": house.ids["ada"]}).status_code < 300
    assert labels(eve.get("/api/suggest"), "query") == []
    assert eve.post("/api/me/queries", json={"text": "as ada"}).status_code == 403


def test_the_settings_may_keep_none(house_of: Any, tmp_path: Any) -> None:
    from bowerbird.core.settings import Settings
    from bowerbird.library import Library

    with Library.open(tmp_path / "home", Settings({"queries_kept": 0})) as library:
        assert library.suggesting.remember("owner", "budget") is False
        assert library.suggesting.past("owner") == []


def test_commands(commands_at: Any, tmp_path: Any) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "Travel policy.md").write_text("By train.")
    commands = commands_at(tmp_path / "home")
    assert commands("add", str(folder)).code == 0
    told = commands("suggest", "trav")
    assert (told.code, told.out.split()) == (0, ["item", "Travel", "policy", "notes"])
    assert commands("suggest", "zebra").err.strip().endswith("Nothing to suggest.")
    assert commands("suggest", "trav", "--json").json["suggestions"][0]["label"] == "Travel policy"
    assert commands("suggest", "trav", "--as", "nobody").out == ""
    assert commands("queries", "list", "--json").json == {"queries": []}
    assert commands("queries", "forget", "--json").json == {"removed": 0}
    commands.end()
