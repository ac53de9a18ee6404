"""Explanations through the API and the command line."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from bowerbird.core.settings import Settings
from bowerbird.library import Library
from bowerbird.store import audit


def explained(client: Any, item: str, **asked: str) -> Any:
    answer = client.get("/api/explain", params={"item": item, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def amounts(reason: Any) -> list[Any]:
    return [one for part in reason["parts"] for one in amounts(part)] if reason["parts"] else [reason["amount"]]


def test_a_hit_is_explained_in_numbers_to_who_sees_everything(client: httpx.Client, site: Any) -> None:
    jam = site.item("cloudberry")
    told = explained(client, jam, q="cloudberry allowance", pipeline="words")
    assert (told["found"], told["rank"], told["path"]) == (True, 1, "hr/travel policy.md")
    assert sum(amounts(told["reason"])) == pytest.approx(told["reason"]["amount"], abs=1e-6)
    assert told["causes"] == [] and told["lines"]
    face = client.get("/api/search", params={"q": "cloudberry allowance"}).json()["hits"][0]
    assert "score" not in str(face) and "reason" not in face


def test_what_leaves_an_item_out_is_named(client: httpx.Client, site: Any) -> None:
    told = explained(client, site.item("cloudberry"), q="cloudberry type:pdf")
    assert not told["found"] and [cause["code"] for cause in told["causes"]] == ["filter"]
    assert "`type:pdf`" in told["causes"][0]["words"]
    assert [one["code"] for one in explained(client, site.item("cloudberry"), q="")["causes"]] == ["nothing-asked"]


def test_what_does_not_fit_is_refused(client: httpx.Client, site: Any) -> None:
    for item in ("0123456789abc", ""):
        assert client.get("/api/explain", params={"q": "walrus", "item": item}).status_code == 404
    jam = site.item("cloudberry")
    assert client.get("/api/explain", params={"q": "x" * 4_001, "item": jam}).json()["code"] == "query-invalid"
    assert client.get("/api/explain", params={"q": "jam", "item": jam, "pipeline": "nothing"}).status_code == 422


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, portal: Any, house_of: Any) -> Any:
    """An application over two files of which mia may read one; amy is an admin."""
    root = tmp_path_factory.mktemp("place")
    for name in ("hr/pay.txt", "a.txt"):
        (root / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "files" / name).write_text("the harbour pays")
    with Library.open(root / "home", Settings({})) as library:
        library.add(str(root / "files"), "Office")
        library.permissions.add_rule("Office", "hr", "public", "allow")
        library.enqueue("sync")
        with closing(library.worker()) as worker:
            worker.run_until_idle(lambda _: None, threading.Event(), vectors=False)
        house = house_of(library)
        for handle, role in (("mia", "member"), ("amy", "admin")):
            house.enter(handle, role)
        yield house


def test_others_get_words_and_whoever_views_as_them_the_cause(place: Any) -> None:
    mine, other = (place.library.permissions.item_id(path) for path in ("hr/pay.txt", "a.txt"))
    mia, amy = place.program("mia"), place.browser()
    told = explained(mia, mine, q="harbour", pipeline="words")
    assert (told["rank"], told["of"], set(amounts(told["reason"]))) == (1, 1, {None})
    hidden, never = (mia.get("/api/explain", params={"q": "harbour", "item": one}) for one in (other, "0123456789abc"))
    assert (hidden.status_code, hidden.content) == (never.status_code, never.content) and hidden.status_code == 404

    amy.sign_in("amy")
    assert amy.get("/api/explain", params={"q": "harbour", "item": other}).status_code == 404, "admins are nobody, too"
    amy.post("/api/view-as", json={"person": "mia"}).raise_for_status()
    seen = explained(amy, other, q="harbour")
    assert {cause["code"] for cause in seen["causes"]} == {"invisible"}
    assert "mia may not read a.txt" in seen["causes"][0]["words"]
    with place.library.store.database.read() as connection:
        assert [event.action for event in audit.exported(connection)][-1] == "access.explained"


@pytest.fixture
def office(bowerbird: Any, tmp_path: Path) -> Any:
    """The command line over a small indexed folder, with mia, a member who sees none of it."""
    (tmp_path / "office" / "hr").mkdir(parents=True)
    (tmp_path / "office" / "hr" / "pay.txt").write_text("the harbour pays\n")
    (tmp_path / "office" / "harbour.md").write_text("the harbour of the harbour\n")
    assert bowerbird("add", str(tmp_path / "office")).code == 0
    assert bowerbird("people", "invite", "mia").code == 0
    return bowerbird


def test_the_command_explains(office: Any) -> None:
    told = office("explain", "harbour pays", "hr/pay.txt", "--pipeline", "words")
    assert told.code == 0 and "place 1 of 2" in told.out and "words: place 1 of 2  +" in told.out
    face = office("explain", "harbour type:pdf", "hr/pay.txt", "--json").json["explained"][0]
    assert [cause["code"] for cause in face["causes"]] == ["filter"]
    missing = office("explain", "harbour", "hr/pay.txt", "--as", "mia")
    assert missing.code == 0 and "not found" in missing.out and "mia may not read hr/pay.txt" in missing.out
    assert office("explain", "harbour", "none.txt").code == 1
    assert office("explain", "harbour").code == 2


def test_the_command_puts_pipelines_side_by_side(office: Any) -> None:
    told = office("explain", "harbour", "--pipeline", "words", "--compare", "words % 1 >> items >> snippets")
    assert told.code == 0 and "hr/pay.txt" in told.out and "–" in told.out
    face = office("explain", "harbour", "hr/pay.txt", "--pipeline", "words", "--compare", "hybrid", "--json").json
    assert len(face["explained"]) == 2 and face["compared"]["pipelines"] == ["words", "hybrid"]
    assert all(len(row["ranks"]) == 2 for row in face["compared"]["rows"])
