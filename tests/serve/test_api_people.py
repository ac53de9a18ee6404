"""People and groups over HTTP: who may do what."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(autouse=True)
def _people(house: Any) -> None:
    for handle, role in (("gus", "guest"), ("mia", "member"), ("amy", "admin"), ("abe", "admin")):
        house.enter(handle, role)


@pytest.mark.parametrize("handle", ["gus", "mia"])
def test_only_admins_see_people_and_groups(house: Any, handle: str) -> None:
    client = house.program(handle)
    for method, path in (
        ("GET", "/api/people"), ("POST", "/api/people"), ("POST", f"/api/people/{house.ids['gus']}/suspend"),
        ("DELETE", f"/api/people/{house.ids['gus']}"), ("GET", "/api/groups"), ("POST", "/api/groups"),
    ):  # fmt: skip
        assert client.request(method, path, json={"handle": "eve", "name": "x"}).status_code == 403, path


def test_an_admin_invites_changes_and_lets_go(house: Any) -> None:
    client = house.program("amy", "read", "write", "admin")
    made = client.post("/api/people", json={"handle": "Eve", "role": "guest", "name": "Eve"})
    assert made.status_code == 201 and made.json()["link"]["path"].startswith("/setup#")
    person = made.json()["person"]["id"]
    assert client.post("/api/people", json={"handle": "eve"}).json()["cause"] == "The handle eve is taken."
    assert client.patch(f"/api/people/{person}", json={"handle": "eva"}).json()["handle"] == "eva"
    assert client.post(f"/api/people/{person}/role", json={"role": "member"}).json()["role"] == "member"
    assert client.post(f"/api/people/{person}/link").status_code == 201
    assert client.post(f"/api/people/{person}/suspend").json()["state"] == "suspended"
    assert client.post(f"/api/people/{person}/link", json={"without_code": True}).status_code == 422
    assert client.post(f"/api/people/{person}/reactivate").json()["state"] == "active"
    assert [one["handle"] for one in client.get("/api/people").json()["people"]] == [
        "abe", "amy", "eva", "gus", "mia", "owner",
    ]  # fmt: skip
    assert client.delete(f"/api/people/{person}").status_code == 200
    assert client.delete(f"/api/people/{person}").status_code == 404


def test_admins_do_not_act_on_admins_and_owners(house: Any) -> None:
    client = house.program("amy", "read", "write", "admin")
    for person in (house.ids["abe"], "owner"):
        for method, path in (("POST", "/suspend"), ("POST", "/link"), ("DELETE", "")):
            assert client.request(method, f"/api/people/{person}{path}").status_code == 403
        assert client.post(f"/api/people/{person}/role", json={"role": "guest"}).status_code == 403
    for role in ("admin", "owner"):
        assert client.post("/api/people", json={"handle": "eve", "role": role}).status_code == 403
        assert client.post(f"/api/people/{house.ids['mia']}/role", json={"role": role}).status_code == 403
    client = house.program("owner", "read", "write", "admin")
    assert client.post(f"/api/people/{house.ids['mia']}/role", json={"role": "admin"}).status_code == 200
    assert client.post(f"/api/people/{house.ids['abe']}/suspend").status_code == 200
    assert client.post("/api/people/owner/suspend").status_code == 403
    assert client.post("/api/people/none/suspend").status_code == 404


def test_groups(house: Any) -> None:
    gus = f"user:{house.ids['gus']}"
    client = house.program("amy", "read", "write", "admin")
    team = client.post("/api/groups", json={"name": "a/b & c"}).json()["id"]
    outer = client.post("/api/groups", json={"name": "outer"}).json()["id"]
    assert team == "group:local:a/b & c"
    assert client.post(f"/api/groups/{team}/members", json={"member": gus}).json()["label"] == "gus"
    assert client.post(f"/api/groups/{outer}/members", json={"member": team}).status_code == 201
    refused = client.post(f"/api/groups/{team}/members", json={"member": outer})
    assert (refused.status_code, refused.json()["code"]) == (422, "group-cycle")
    for group, member in (("group:local:none", gus), (team, "user:none"), (team, "group:oidc:none")):
        assert client.post(f"/api/groups/{group}/members", json={"member": member}).status_code == 404
    assert client.post(f"/api/groups/{team}/members", json={"member": "everybody"}).status_code == 422
    assert [one["members"] for one in client.get("/api/groups").json()["groups"]] == [1, 1]
    assert client.get(f"/api/groups/{team}/members").json()["members"][0]["principal"] == gus
    assert client.delete(f"/api/groups/{team}/members", params={"member": gus}).status_code == 200
    assert client.delete(f"/api/groups/{team}/members", params={"member": gus}).status_code == 404
    assert client.delete(f"/api/groups/{team}").status_code == 200
    assert client.get(f"/api/groups/{team}/members").status_code == 404
