"""What admins' pages ask for: the overview, what could not be read, the room taken, the list of jobs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import httpx

from bowerbird.store.audit import chained


def refused(client: httpx.Client, **query: Any) -> dict[str, Any]:
    answer = client.get("/api/admin/quarantine", params=query)
    assert answer.status_code == 200, answer.text
    result: dict[str, Any] = answer.json()
    return result


def test_the_overview_says_what_needs_attention(site: Any, client: httpx.Client) -> None:
    overview = client.get("/api/admin/overview").json()
    assert overview["items"] > 50 and overview["sources"] == 1 and overview["people"] >= 1
    assert overview["refused"] == refused(client)["total"] > 0
    concerns = {row["code"]: row for row in overview["concerns"]}
    assert (
        concerns["quarantine"]["page"].startswith("/admin/") and "found by name only" in concerns["quarantine"]["text"]
    )


def test_what_could_not_be_read_comes_in_pages_and_by_code(client: httpx.Client) -> None:
    every = refused(client)
    assert sum(every["codes"].values()) == every["total"] == len(every["refused"])
    (broken,) = [row for row in every["refused"] if row["key"] == "broken.pdf"]
    assert broken["code"] == "extraction-failed" and broken["cause"] and broken["source"] == "Office"
    assert broken["size"] > 0 and broken["at"].endswith("Z")
    walked, at = [], 0
    while True:
        part = refused(client, limit=1, offset=at)
        walked += part["refused"]
        at = part["next"]
        if not at:
            break
    assert walked == every["refused"]
    assert refused(client, code="extraction-failed")["total"] == every["codes"]["extraction-failed"]
    assert refused(client, code="none") == {"refused": [], "codes": every["codes"], "total": 0, "next": 0}
    assert refused(client, source="Nowhere")["total"] == 0


def test_what_was_mended_is_read_again(empty_site: Any, eventually: Callable[..., bool]) -> None:
    broken = empty_site.folder / "plan.pdf"
    broken.write_bytes(b"%PDF-1.7\nnot a PDF")
    with empty_site.client() as client:
        client.post("/api/sources", json={"location": str(empty_site.folder)})
        assert eventually(lambda: refused(client)["total"] == 1)
        (row,) = refused(client)["refused"]
        assert client.post("/api/admin/quarantine/retry", json={"items": ["nothing"]}).json() == {"retried": 0}
        assert client.post("/api/admin/quarantine/retry", json={"items": [row["item"]]}).json() == {"retried": 1}
        assert eventually(lambda: refused(client)["refused"][:1] not in ([], [row]))  # read again, and refused again
        assert client.post("/api/admin/quarantine/retry", json={"code": "none"}).json() == {"retried": 0}
        assert client.post("/api/admin/quarantine/retry", json={"code": row["code"]}).json() == {"retried": 1}


def test_the_parts_add_up_to_what_the_library_takes(site: Any, client: httpx.Client) -> None:
    storage = client.get("/api/admin/storage").json()
    shares = {row["part"]: row for row in storage["shares"]}
    assert {"database", "documents", "index"} <= set(shares)
    assert storage["bytes"] == sum(row["bytes"] for row in storage["shares"])
    on_disk = sum(file.lstat().st_size for file in (site.library.home / "blobs").rglob("*") if file.is_file())
    blobs = ("documents", "vectors", "renders", "unused")
    assert sum(shares[part]["bytes"] for part in blobs if part in shares) == on_disk
    assert 0 < storage["free"] < storage["total"]


def test_jobs_are_listed_newest_first(site: Any, client: httpx.Client) -> None:
    jobs = client.get("/api/jobs").json()["jobs"]
    assert jobs and jobs == sorted(jobs, key=lambda job: job["created"], reverse=True)
    assert len(client.get("/api/jobs", params={"limit": 1}).json()["jobs"]) == 1
    assert client.get("/api/jobs", params={"limit": 0}).status_code == 422


def test_the_audit_log_in_pages_with_handles_while_there_are_any(site: Any, client: httpx.Client) -> None:
    people = site.library.identity.people
    people.make_group("Auditors")
    made = people.invite("audited", "guest")[0]
    newest = client.get("/api/audit", params={"limit": 1}).json()
    (event,) = newest["events"]
    assert (event["action"], event["person"], event["subject"]) == ("person.invited", "owner", "audited")
    assert event["object"] == made.id and event["id"] == newest["next"]
    older = client.get("/api/audit", params={"before": newest["next"], "limit": 500}).json()
    assert all(row["id"] < event["id"] for row in older["events"])
    only = client.get("/api/audit", params={"action": "person.invited", "limit": 500}).json()
    assert {row["action"] for row in only["events"]} == {"person.invited"} <= set(only["actions"])
    people.remove(made.id)
    again = client.get("/api/audit", params={"action": "person.invited", "limit": 1}).json()["events"][0]
    assert again["subject"] == "" and again["object"] == made.id


def test_the_audit_log_is_exported_whole_and_checked(site: Any, client: httpx.Client) -> None:
    assert client.get("/api/audit/verify").json()["broken"] == []
    answer = client.get("/api/audit/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines[-1]["action"] == "audit.exported"
    for before, row in itertools.pairwise(lines):
        assert chained(before["hash"], row["at"], row["actor"], row["action"], row["object"]) == row["hash"]
    assert client.get("/api/audit/verify").json() == {"events": len(lines), "broken": []}
