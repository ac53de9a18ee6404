"""The HTTP API over a real library: what it answers, and how it refuses."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from bowerbird.core.records import Block, Document
from bowerbird.serve.api_faces import text_face

ROOT = Path(__file__).parents[2]


def search(client: httpx.Client, q: str, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/api/search", params={"q": q, **more}).raise_for_status().json()
    return answer


def test_search_finds_an_item_and_says_where(client: httpx.Client) -> None:
    answer = search(client, "cloudberry")
    hit = answer["hits"][0]
    assert (hit["title"], hit["path"], hit["source"], hit["kind"]) == (
        "Travel policy",
        "hr/travel policy.md",
        "Office",
        "note",
    )
    passage = hit["passages"][0]
    assert [passage["text"][a:b].lower() for a, b in passage["highlights"]] == ["cloudberry"] * len(
        passage["highlights"]
    )
    assert answer["counts"]["type"] == {"note": 1}
    assert hit["snippet"] == passage["text"]


def test_offsets_count_code_points(client: httpx.Client) -> None:
    hit = search(client, "night train counts")["hits"][0]
    place = hit["passages"][0]
    face = client.get(f"/api/items/{hit['item']}/text").json()
    whole = "\n\n".join(block["text"] for block in face["blocks"])
    assert face["length"] == len(whole)
    assert "🚆" in whole[place["start"] : place["end"]]


def test_more_hits_come_by_cursor(client: httpx.Client) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        answer = search(client, "walrus", limit=20, cursor=cursor)
        seen += [hit["path"] for hit in answer["hits"]]
        cursor = answer["cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 45


def test_sorting_by_date(client: httpx.Client) -> None:
    dates = [hit["modified"] for hit in search(client, "walrus", sort="date", limit=45)["hits"]]
    assert dates == sorted(dates, reverse=True)


def test_a_word_that_is_still_being_typed(client: httpx.Client) -> None:
    assert search(client, "cloudb", pipeline="typing")["hits"][0]["title"] == "Travel policy"


def test_item_and_its_text(site: Any, client: httpx.Client) -> None:
    item = site.item("cloudberry")
    face = client.get(f"/api/items/{item}").json()
    assert (face["name"], face["state"], face["preview"]) == ("travel policy.md", "indexed", "")
    assert "content_hash" not in face and "acl_id" not in face
    part = client.get(f"/api/items/{item}/text", params={"start": 3, "length": 5}).json()
    assert [block["text"] for block in part["blocks"]] == ["vel p"]


def test_text_is_cut_at_both_edges() -> None:
    document = Document("t", (Block("abcdef"), Block("", "media"), Block("ghij")), "x")
    assert [(b["start"], b["text"]) for b in text_face(document, 4, 6)["blocks"]] == [(4, "ef"), (8, "gh")]
    assert text_face(document, 100, 5)["blocks"] == []
    assert text_face(document, 0, 100)["length"] == len(document.text)


def test_pages_are_drawn(site: Any, client: httpx.Client) -> None:
    item = site.item("cormorant")
    assert client.get(f"/api/items/{item}").json()["preview"] == "pages"
    answer = client.get(f"/api/items/{item}/pages/2.png", params={"width": 400})
    assert answer.headers["content-type"] == "image/png" and answer.content.startswith(b"\x89PNG")


def test_what_could_not_be_read_is_listed_with_the_reason(client: httpx.Client) -> None:
    status = client.get("/api/status").json()
    assert status["pending"] == 0 and status["items"] > 50
    trouble = {row["key"]: row for row in status["quarantined"]}["broken.pdf"]
    assert trouble["code"] == "extraction-failed" and trouble["cause"]
    (source,) = client.get("/api/sources").json()["sources"]
    assert source["name"] == "Office" and source["items"] == status["items"]
    assert "checkpoint" not in source and "acl_id" not in source


def test_a_folder_is_added_and_found(empty_site: Any, eventually: Callable[..., bool]) -> None:
    with empty_site.client() as client:
        place = {"location": str(empty_site.folder)}
        assert client.post("/api/sources/preview", json=place).json()["files"] == 1
        added = client.post("/api/sources", json=place)
        assert added.status_code == 201
        job = added.json()["job"]["id"]
        assert eventually(lambda: client.get(f"/api/jobs/{job}").json()["state"] == "done")
        assert eventually(lambda: bool(search(client, "pelican")["hits"]))
        again = client.post("/api/sync", json={"source": added.json()["source"]["name"]})
        assert again.status_code == 202
        assert client.delete(f"/api/sources/{added.json()['source']['name']}").status_code == 200
        assert client.get("/api/sources").json() == {"sources": []}
        assert eventually(lambda: not search(client, "pelican")["hits"])


def test_reveal_says_the_path_where_there_is_no_desktop(
    site: Any, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    answer = client.post(f"/api/items/{site.item('lighthouse')}/reveal")
    assert answer.status_code == 409
    assert answer.json()["code"] == "no-desktop"
    assert answer.json()["path"] == str(site.folder / "letters.zip")


def test_reveal_opens_the_folder(
    site: Any, client: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opener = tmp_path / "xdg-open"
    opener.write_text(f'#!/bin/sh\necho "$1" > {tmp_path}/opened\n', encoding="utf-8")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("DISPLAY", ":99")
    answer = client.post(f"/api/items/{site.item('cloudberry')}/reveal")
    assert answer.json() == {"folder": str(site.folder / "hr")}
    end = time.monotonic() + 5
    while not (tmp_path / "opened").exists() and time.monotonic() < end:
        time.sleep(0.02)
    assert (tmp_path / "opened").read_text(encoding="utf-8").strip() == str(site.folder / "hr")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (f"/api/search?q={'x' * 4001}", 422, "query-invalid"),
        ("/api/search?q=x&limit=0", 422, "usage"),
        ("/api/search?q=x&sort=sideways", 422, "usage"),
        ("/api/search?q=x&cursor=nonsense", 422, "usage"),
        ("/api/search?q=x&pipeline=words%20%7C%20sausage", 422, "usage"),
        ("/api/items/0000000000000", 404, "not-found"),
        ("/api/items/0000000000000/text", 404, "not-found"),
        ("/open/0000000000000", 404, "not-found"),
        ("/open/..%2f..%2fetc%2fpasswd", 404, "not-found"),
        ("/api/jobs/0000000000000", 404, "not-found"),
        ("/api/nothing", 404, "not-found"),
    ],
)
def test_refusals_have_code_cause_and_remedy(client: httpx.Client, path: str, status: int, code: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["cause"] and answer.json()["remedy"]


def test_odd_queries_are_answered(client: httpx.Client) -> None:
    for q in ("", "   ", '"', "type:", "a" * 4000, "\x00\x07", "🚆", "(((", "type:pdf " * 50, "' OR 1=1 --", "%_*?"):
        assert client.get("/api/search", params={"q": q}).status_code == 200, q
    assert client.get("/api/search?q=walrus&unknown=1").status_code == 200


def test_bodies_must_be_right(client: httpx.Client) -> None:
    assert client.post("/api/sources", json={"where": "x"}).status_code == 422
    assert client.post("/api/sources", content=b"{", headers={"content-type": "application/json"}).status_code == 422
    missing = client.post("/api/sources", json={"location": "/no/such/folder"})
    assert missing.json()["code"] == "source-unreadable"
    assert client.put("/api/search").status_code == 405


def test_an_unexpected_error_leaks_nothing(site: Any, client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(site.library, "status", broken)
    answer = client.get("/api/status")
    assert (answer.status_code, answer.json()["code"]) == (500, "failed")
    assert "secret" not in answer.text and "content-security-policy" in answer.headers


def test_http_adds_little_to_a_search(client: httpx.Client) -> None:
    overheads = []
    for number in range(60):
        begun = time.perf_counter()
        answer = search(client, f"walrus pier {number % 5}", limit=20)
        overheads.append((time.perf_counter() - begun) * 1000 - answer["took_ms"])
    assert sorted(overheads)[len(overheads) // 2] < 10  # milliseconds


def test_every_route_is_documented_and_has_an_example(client: httpx.Client) -> None:
    page = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    description = client.get("/api/openapi.json").json()
    for path, methods in description["paths"].items():
        for method, route in methods.items():
            assert f"`{method.upper()} {path}`" in page, f"{method.upper()} {path} is not in docs/reference/api.md"
            done = next(answer for status, answer in route["responses"].items() if status.startswith("2"))
            media = done["content"]
            assert "application/json" not in media or media["application/json"].get("example"), path
