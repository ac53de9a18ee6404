"""Who may read what, over HTTP: policies, rules, mappings, why, viewing as somebody, and what is shared too widely."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Any

import pytest

from bowerbird.store import audit

ADMIN = ("read", "write", "admin")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, portal: Any, house_of: Any) -> Any:
    """An application over three files, indexed by words, with people in it."""
    from bowerbird.core.settings import Settings
    from bowerbird.library import Library

    root = tmp_path_factory.mktemp("place")
    for name, text in (("hr/pay.txt", "the harbour pays"), ("Payroll/may.txt", "harbour wages"), ("a.txt", "harbour")):
        (root / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "files" / name).write_text(text)
    with Library.open(root / "home", Settings({})) as library:
        library.add(str(root / "files"), "Office")
        library.enqueue("sync")
        settle(library)
        house = house_of(library)
        for handle, role in (("gus", "guest"), ("mia", "member"), ("amy", "admin")):
            house.enter(handle, role)
        yield house


@pytest.fixture(autouse=True)
def _undone(place: Any) -> Any:
    yield
    library = place.library
    for rule in library.permissions.rules():
        library.permissions.remove_rule(rule.id)
    library.permissions.set_policy("Office", "private")
    settle(library)


def settle(library: Any) -> None:
    with closing(library.worker()) as worker:
        worker.run_until_idle(lambda _: None, threading.Event(), vectors=False)


def paths(client: Any) -> set[str]:
    return {hit["path"] for hit in client.get("/api/search", params={"q": "harbour"}).json()["hits"]}


def actions(library: Any) -> list[str]:
    with library.store.database.read() as connection:
        return [event.action for event in audit.exported(connection)]


ROUTES = [
    ("POST", "/api/view-as"), ("DELETE", "/api/view-as"), ("GET", "/api/access/policies/Office"),
    ("PUT", "/api/access/policies/Office"), ("GET", "/api/access/scopes/Office"),
    ("GET", "/api/access/mappings/Office"), ("PUT", "/api/access/mappings/Office"), ("GET", "/api/access/rules"),
    ("POST", "/api/access/rules"), ("DELETE", "/api/access/rules/x"), ("GET", "/api/access/why"),
    ("GET", "/api/items/x/why"), ("GET", "/api/access/oversharing"), ("POST", "/api/access/oversharing/fix"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_nobody_but_admins(place: Any, method: str, path: str) -> None:
    for handle in ("gus", "mia"):
        assert place.program(handle).request(method, path, json={}).status_code == 403
    if path != "/api/view-as" or method == "POST":
        assert place.program("amy").request(method, path, json={}).status_code == 403, "a token without admin"
    assert place.browser().request(method, path, json={}).status_code == 401


def test_policies_and_rules_take_effect_with_the_next_request(place: Any) -> None:
    admin, mia, gus = place.program("amy", *ADMIN), place.program("mia"), place.program("gus")
    assert paths(mia) == paths(admin) == set(), "an admin reads what they may read, no more"
    done = admin.request("PUT", "/api/access/policies/Office", json={"policy": "members"})
    assert done.json() == {"source": "Office", "policy": "members", "owner": "owner", "unmapped": []}
    assert paths(mia) == {"hr/pay.txt", "Payroll/may.txt", "a.txt"} and paths(gus) == set()
    rule = {"source": "Office", "prefix": "hr", "principal": "mia", "effect": "deny"}
    made = admin.post("/api/access/rules", json=rule)
    assert made.status_code == 201 and made.json()["items"] == 1 and made.json()["rule"]["principal"] == "mia"
    assert paths(mia) == {"Payroll/may.txt", "a.txt"}
    again = admin.post("/api/access/rules", json={**rule, "effect": "allow"}).json()
    assert [one["id"] for one in again["conflicts"]] == [made.json()["rule"]["id"]]
    assert paths(mia) == {"Payroll/may.txt", "a.txt"}, "the deny wins"
    scopes = {one["path"]: one for one in admin.get("/api/access/scopes/Office").json()["scopes"]}
    assert scopes["hr"]["items"] == 1 and {entry["effect"] for entry in scopes["hr"]["entries"]} == {"allow", "deny"}
    assert len(admin.get("/api/access/rules").json()["rules"]) == 2
    gone = admin.delete(f"/api/access/rules/{made.json()['rule']['id']}")
    assert gone.json() == made.json()["rule"]
    settle(place.library)
    assert paths(mia) == {"hr/pay.txt", "Payroll/may.txt", "a.txt"}
    assert admin.delete(f"/api/access/rules/{made.json()['rule']['id']}").status_code == 404


def test_wrong_rules_policies_and_mappings_change_nothing(place: Any) -> None:
    admin = place.program("amy", *ADMIN)
    good = {"source": "Office", "prefix": "hr", "principal": "mia", "effect": "allow"}
    for change, status in (
        ({"source": "Nowhere"}, 404), ({"principal": "eve"}, 404), ({"principal": "group:none"}, 404),
        ({"prefix": "../etc"}, 422), ({"prefix": "/etc"}, 422), ({"effect": "maybe"}, 422),
    ):  # fmt: skip
        answer = admin.post("/api/access/rules", json={**good, **change})
        assert answer.status_code == status and answer.json()["remedy"], change
    assert admin.get("/api/access/rules").json() == {"rules": []}
    assert admin.request("PUT", "/api/access/policies/Office", json={"policy": "everyone"}).status_code == 422
    for body, status in (
        ({"theirs": "alice", "principal": "mia"}, 422),
        ({"theirs": "user:a", "principal": "eve"}, 404),
    ):
        assert admin.request("PUT", "/api/access/mappings/Office", json=body).status_code == status
    assert admin.get("/api/access/mappings/Office").json() == {"mappings": []}


def test_mappings_are_set_and_taken_back(place: Any) -> None:
    admin = place.program("amy", *ADMIN)
    body = {"theirs": "user:alice", "principal": "mia"}
    mapping = {"theirs": "user:alice", "principal": "mia", "scopes": 0}
    assert admin.request("PUT", "/api/access/mappings/Office", json=body).json() == {"mappings": [mapping]}
    done = admin.request("PUT", "/api/access/mappings/Office", json={"theirs": "user:alice", "principal": ""})
    assert done.json() == {"mappings": []}


def test_why_by_path_and_by_id(place: Any) -> None:
    admin = place.program("amy", *ADMIN)
    found = admin.get("/api/access/why", params={"item": "hr/pay.txt", "person": "mia"}).json()
    assert not found["visible"] and found["lines"][0] == "mia may not read hr/pay.txt (source Office)."
    assert found["audience"] == {"people": 1, "active": 4, "public": False}
    same = admin.get(f"/api/items/{found['item']}/why", params={"person": place.ids["mia"]}).json()
    assert same == found
    for wrong in ({"item": "hr/none.txt", "person": "mia"}, {"item": "hr/pay.txt", "person": "eve"}):
        assert admin.get("/api/access/why", params=wrong).status_code == 404
    assert actions(place.library)[-1].startswith("system.") or "access.explained" in actions(place.library)


def test_an_admin_looks_through_somebody_and_changes_nothing_meanwhile(place: Any) -> None:
    place.library.permissions.add_rule("Office", "hr", "mia", "allow")
    settle(place.library)
    browser = place.browser()
    browser.sign_in("amy")
    assert paths(browser) == set()
    assert browser.post("/api/view-as", json={"person": "mia"}).json() == {"viewing": place.ids["mia"]}
    assert paths(browser) == {"hr/pay.txt"}
    assert browser.get("/api/me").json()["viewing"]["handle"] == "mia"
    rule = {"source": "Office", "prefix": "", "principal": "amy", "effect": "allow"}
    assert browser.post("/api/access/rules", json=rule).status_code == 403
    assert browser.post("/api/view-as", json={"person": "gus"}).status_code == 403
    assert paths(place.program("amy")) == set(), "only this session views"
    assert browser.delete("/api/view-as").json() == {"viewing": ""}
    assert paths(browser) == set() and browser.get("/api/me").json()["viewing"] is None
    assert browser.post("/api/view-as", json={"person": "owner"}).status_code == 403
    assert browser.post("/api/view-as", json={"person": "eve"}).status_code == 404
    assert place.program("amy", *ADMIN).post("/api/view-as", json={"person": "mia"}).status_code == 422
    told = [one for one in actions(place.library) if one.startswith("view.")]
    assert told[-2:] == ["view.started", "view.ended"]


def test_who_lost_the_role_looks_through_nobody(place: Any) -> None:
    browser = place.browser()
    place.enter("bea", "admin")
    browser.sign_in("bea")
    place.library.permissions.add_rule("Office", "hr", "mia", "allow")
    settle(place.library)
    browser.post("/api/view-as", json={"person": "mia"}).raise_for_status()
    assert paths(browser) == {"hr/pay.txt"}
    place.library.identity.people.set_role(place.ids["bea"], "member")
    assert browser.get("/api/search", params={"q": "harbour"}).status_code == 401, "their sessions end with the role"


def test_oversharing_is_found_planned_and_closed(place: Any) -> None:
    admin, mia = place.program("amy", *ADMIN), place.program("mia")
    admin.request("PUT", "/api/access/policies/Office", json={"policy": "members"})
    report = admin.get("/api/access/oversharing").json()
    assert [(one["path"], one["signs"][0]["kind"]) for one in report["findings"]] == [
        ("Payroll", "pay"), ("hr", "personnel"),
    ]  # fmt: skip
    assert (report["looked"], report["left"], report["cursor"]) == (3, 0, "")
    wanted = [{"source": one["source"], "path": one["path"]} for one in report["findings"]]
    planned = admin.post("/api/access/oversharing/fix", json={"wanted": wanted}).json()
    assert not planned["applied"] and admin.get("/api/access/rules").json() == {"rules": []}
    assert [(one["prefix"], one["principal"], one["effect"]) for one in planned["fixes"]] == [
        ("hr", "owner", "only"), ("Payroll", "owner", "only"),
    ]  # fmt: skip
    done = admin.post("/api/access/oversharing/fix", json={"wanted": wanted, "apply": True}).json()
    assert done["applied"] and done["fixes"] == planned["fixes"]
    settle(place.library)
    assert paths(mia) == {"a.txt"}
    assert admin.get("/api/access/oversharing").json()["findings"] == []
    for path in ("..", "a//b"):
        body = {"wanted": [{"source": "Office", "path": path}], "apply": True}
        assert admin.post("/api/access/oversharing/fix", json=body).status_code == 422
