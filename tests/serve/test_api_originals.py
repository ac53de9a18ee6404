"""Originals: shown where that is safe, boxed where it is not, in parts where asked for."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from bowerbird.serve.api_originals import byte_range, disposition


def opened(site: Any, client: httpx.Client, query: str, **headers: str) -> httpx.Response:
    return client.get(f"/open/{site.item(query)}", headers=headers)


@pytest.mark.parametrize(
    ("query", "media_type", "shown"),
    [
        ("cormorant", "application/pdf", "inline"),
        ("photo.png", "image/png", "inline"),
        ("standup.wav", "audio/wav", "inline"),
        ("cloudberry", "text/plain; charset=utf-8", "inline"),
        ("Zottelbart", "text/plain; charset=windows-1252", "inline"),
        ("tool.bin", "application/octet-stream", "attachment"),
        ("letters.zip", "application/octet-stream", "attachment"),
    ],
)
def test_originals_come_under_a_safe_type(
    site: Any, client: httpx.Client, query: str, media_type: str, shown: str
) -> None:
    answer = opened(site, client, query)
    assert answer.headers["content-type"] == media_type
    assert answer.headers["content-disposition"].startswith(f"{shown};")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src" not in answer.headers["content-security-policy"]


@pytest.mark.parametrize(("query", "media_type"), [("narwhal", "text/html"), ("drawing.svg", "image/svg+xml")])
def test_what_could_run_is_boxed(site: Any, client: httpx.Client, query: str, media_type: str) -> None:
    answer = opened(site, client, query)
    assert answer.headers["content-type"].startswith(media_type)
    policy = [part.strip() for part in answer.headers["content-security-policy"].split(";")]
    assert "sandbox" in policy and "default-src 'none'" in policy
    assert not any(part.startswith(("script-src", "sandbox allow")) for part in policy)


def test_a_member_of_an_archive_is_opened(site: Any, client: httpx.Client) -> None:
    assert opened(site, client, "lighthouse").text == "The lease of the lighthouse ends with the year."


def test_a_difficult_name_survives(site: Any, client: httpx.Client) -> None:
    value = opened(site, client, "aardvark").headers["content-disposition"]
    assert "filename*=UTF-8''Plan%20%E2%80%9C%C3%A9%E2%80%9D%20%C2%BD.txt" in value
    assert value.isascii() and "\n" not in value


@pytest.mark.parametrize("name", ['a"b\\c.txt', "line\r\nSet-Cookie: x=1", "../../etc/passwd", "naïve%.pdf", "", "🚆"])
def test_names_cannot_break_the_header(name: str) -> None:
    value = disposition(name, False)
    assert value.isascii() and value.isprintable()
    assert value.count('"') == 2 and "/" not in value.split("''")[0]


def test_ranges(site: Any, client: httpx.Client) -> None:
    whole = opened(site, client, "standup.wav").content
    part = opened(site, client, "standup.wav", range="bytes=4-7")
    assert (part.status_code, part.content) == (206, whole[4:8])
    assert part.headers["content-range"] == f"bytes 4-7/{len(whole)}"
    tail = opened(site, client, "standup.wav", range="bytes=-4")
    assert tail.content == whole[-4:]
    past = opened(site, client, "standup.wav", range=f"bytes={len(whole)}-")
    assert past.status_code == 416 and past.headers["content-range"] == f"bytes */{len(whole)}"
    assert opened(site, client, "standup.wav", range="lines=1-2").content == whole


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-", (0, 10)),
        ("bytes=0-99", (0, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes=1-2,4-5", None),
        ("bytes=-", None),
    ],
)
def test_range_headers(header: str, expected: tuple[int, int] | None) -> None:
    assert byte_range(header, 10) == expected


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=5-4", "bytes=-0"])
def test_ranges_outside(header: str) -> None:
    with pytest.raises(ValueError, match="outside"):
        byte_range(header, 10)


def test_an_original_that_is_gone_says_so(empty_site: Any, eventually: Any) -> None:
    with empty_site.client() as client:
        client.post("/api/sources", json={"location": str(empty_site.folder)}).raise_for_status()
        assert eventually(lambda: bool(empty_site.library.search("pelican").hits))
        item = empty_site.item("pelican")
        file = empty_site.folder / "first.md"
        file.rename(file.with_suffix(".away"))
        answer = client.get(f"/open/{item}")
        assert answer.json()["code"] in ("source-unreadable", "not-found")
        assert str(answer.json()["cause"]).endswith(".")
