"""When two answers are the same, and what an answer must never hold.

What is not compared, and why:

    took_ms                     how long a search took; time is a channel of its own (docs/security.md)
    date, content-length        the clock; the length follows from the body, which is compared
    retry-after                 seconds that depend on the clock
    cursor, session cookie      random; compared by their length
    id, secret, uri, times      of sessions and tokens that the very request made, below /api/me: random, or the clock

Nothing else is. Where an answer is compared `exact`, all of it counts. Else the order by relevance does not, as it may
follow corpus word statistics (the channel that `leaks` documents): hits are compared without explanations and without
which of their passages is the best, as a list where they are sorted by `date`, as a set otherwise; and of one item that
is explained, its rank and the reasons for it do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from bowerbird.testing.leak_world import Answer, Asked

CANARY = "zq"
"""Every word, name and person of what is hidden in one world begins with this, and nothing visible holds it."""

RAW = frozenset({"score", "scores", "_score", "_distance"})
"""Names of fields that would tell raw scores."""

_ID = re.compile(r"[0-9a-z]{13}")
_LEFT_OUT = frozenset({"date", "content-length", "retry-after"})
_OWN = frozenset({"id", "secret", "uri", "created", "seen", "ends"})
_OWN_PATHS = ("/api/me", "/api/signin", "/api/setup")


class Leak(AssertionError):
    """U can tell the two worlds apart, or saw what U may not see."""


def told(answer: Answer, asked: Asked, exact: bool) -> dict[str, Any]:
    """Return what U can tell of an answer, in the form that is compared."""
    headers = {name: value for name, value in answer.headers.items() if name not in _LEFT_OUT}
    if "set-cookie" in headers:
        headers["set-cookie"] = re.sub(r"=[\w-]{20,}", lambda found: f"=<{len(found[0])}>", headers["set-cookie"])
    body: Any = answer.body
    if _is_json(answer):
        body = _plain(json.loads(answer.body), asked.path.startswith(_OWN_PATHS))
        if asked.path == "/api/search" and isinstance(body, dict) and not exact:
            body = unordered(body, ("sort", "date") in asked.query)
        if asked.path == "/api/explain" and isinstance(body, dict) and not exact:
            body = {name: value for name, value in body.items() if name not in ("rank", "lines", "reason")}
    return {"status": answer.status, "headers": headers, "body": body}


def unordered(found: dict[str, Any], dated: bool) -> dict[str, Any]:
    """Return an answer to a search without what follows from its order by relevance."""
    if "hits" not in found:
        return found
    hits = []
    for hit in found["hits"]:
        shown = {name: value for name, value in hit.items() if name not in _BY_RELEVANCE}
        hits.append({**shown, "passages": sorted(hit["passages"], key=lambda one: str(one["id"]))})
    return {**found, "hits": hits if dated else sorted(hits, key=lambda hit: str(hit["item"]))}


_BY_RELEVANCE = ("rank", "explanation", "snippet", "snippet_highlights")
"""Ranks, and what is said of the best passage, which is among the passages."""


def compare(asked: Asked, answers: tuple[Answer, Answer], exact: bool) -> None:
    """Raise Leak where U can tell the worlds apart by these two answers."""
    one, other = (told(answer, asked, exact) for answer in answers)
    if one == other:
        return
    different = [name for name in one if one[name] != other[name]]
    raise Leak(
        f"{asked.method} {asked.path} {dict(asked.query)} as {asked.door or 'nobody'} differs in {different}:\n"
        f"  world 0: {_short(one, different)}\n  world 1: {_short(other, different)}"
    )


def check_clean(
    asked: Asked, answer: Answer, canaries: Collection[str] = (CANARY,), written: Collection[str] = ()
) -> None:
    """Raise Leak where an answer holds a canary that the asker did not send, or a raw score.

    `written` is what the asker has put among their own things before.
    """
    own = asked.path.startswith(_OWN_PATHS)
    text = _readable(answer, own)
    for said in (*asked.said(), *(written if own else ())):
        text = text.replace(said, "").replace(said.lower(), "")
    for canary in canaries:
        if canary.lower() in text.lower():
            at = text.lower().index(canary.lower())
            raise Leak(f"{asked.method} {asked.path} {dict(asked.query)} tells: …{text[max(0, at - 80) : at + 80]}…")
    if _is_json(answer) and "openapi" not in asked.path:
        found = RAW & _names(json.loads(answer.body))
        if found:
            raise Leak(f"{asked.method} {asked.path} tells raw scores: {sorted(found)}")


def _readable(answer: Answer, own: bool) -> str:
    """Return headers and body as one text, JSON as its names and values, without what is random."""
    body = answer.body.decode("utf-8", "replace")
    if _is_json(answer):
        body = "\n".join(_texts(json.loads(answer.body), _OWN if own else frozenset({"cursor"})))
    shown = (f"{name}: {value}" for name, value in answer.headers.items() if name != "set-cookie")
    return "\n".join((*shown, body))


def _is_json(answer: Answer) -> bool:
    return bool(answer.body) and answer.headers.get("content-type", "").startswith("application/json")


def _plain(value: Any, own: bool) -> Any:
    if isinstance(value, dict):
        return {name: _kept(name, one, own) for name, one in value.items() if name != "took_ms"}
    return [_plain(one, own) for one in value] if isinstance(value, list) else value


def _kept(name: str, value: Any, own: bool) -> Any:
    if name == "cursor" and isinstance(value, str):
        return len(value)
    if own and name in _OWN:
        return type(value).__name__
    return _plain(value, own)


def _names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | {name for one in value.values() for name in _names(one)}
    return {name for one in value for name in _names(one)} if isinstance(value, list) else set()


def _texts(value: Any, skipped: Collection[str]) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from () if name in skipped else _texts(one, skipped)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, skipped)
    elif not _ID.fullmatch(str(value)):
        yield str(value)


def _short(one: dict[str, Any], names: Collection[str]) -> str:
    return str({name: one[name] for name in names})[:1_500]
