"""Examples for the OpenAPI description: one plausible answer a route, and the errors that every route may give."""

from __future__ import annotations

from typing import Any

Example = dict[int | str, dict[str, Any]]


def answers(example: object, description: str = "Done.", status: int = 200) -> Example:
    """Return the `responses` of a route that answers JSON like the example."""
    content = {"application/json": {"example": example}}
    return {status: {"description": description, "content": content}, **ERRORS}


def binary(media_type: str, description: str) -> Example:
    """Return the `responses` of a route that answers bytes."""
    return {200: {"description": description, "content": {media_type: {}}}, **ERRORS}


def _error(description: str, code: str, cause: str, remedy: str) -> dict[str, Any]:
    example = {"code": code, "cause": cause, "remedy": remedy}
    return {"description": description, "content": {"application/json": {"example": example}}}


ERRORS: Example = {
    401: _error(
        "No valid session or token.",
        "signin-required",
        "You are not signed in to this library.",
        "Open the link that `bowerbird serve` prints, or send the server's token as `Authorization: Bearer`.",
    ),
    404: _error("Not there, or not yours.", "not-found", "There is no item q8v7c2m4k1zte.", "Search for it again."),
    422: _error("The request is not of the right form.", "query-invalid", "The query is too long.", "Shorten it."),
}

PASSAGE: dict[str, Any] = {
    "id": "q8v7c2m4k1zte.1.4",
    "text": "Trips under 300 km go by train; the budget for a night is 140 euros.",
    "highlights": [[36, 42]],
    "place": "page 3 · Travel › Nights",
    "headings": ["Travel", "Nights"],
    "page": 3,
    "start": 4210,
    "end": 4278,
    "seconds": None,
}

HIT: dict[str, Any] = {
    "rank": 1,
    "item": "q8v7c2m4k1zte",
    "title": "Travel policy",
    "uri": "file:///home/ada/Documents/hr/travel-policy.pdf",
    "source": "Documents",
    "kind": "pdf",
    "path": "hr/travel-policy.pdf",
    "modified": "2026-03-02T09:14:00Z",
    "people": [{"name": "Ada Byron", "address": "ada@example.org"}],
    "snippet": PASSAGE["text"],
    "snippet_highlights": PASSAGE["highlights"],
    "passages": [PASSAGE],
    "explanation": ["words: rank 1 of 84", "meaning: rank 3 of 200", "rrf: 1/(60+1) + 1/(60+3) = 0.0323"],
}

SEARCH: dict[str, Any] = {
    "query": "travel budget type:pdf",
    "formula": "(words % 200 | meaning % 200) >> fuse >> rank % 50 >> snippets",
    "took_ms": 18.4,
    "hits": [HIT],
    "cursor": "",
    "counts": {"type": {"pdf": 1}, "source": {"Documents": 1}, "person": {"Ada Byron": 1}, "date": {"year": 1}},
    "hints": [],
    "partial": {"items": 0, "vectors": 0},
}

ITEM: dict[str, Any] = {
    **{name: HIT[name] for name in ("item", "source", "path", "title", "uri", "kind", "modified", "people")},
    "name": "travel-policy.pdf",
    "media_type": "application/pdf",
    "size": 184_320,
    "state": "indexed",
    "language": "en",
    "pages": 12,
    "container": "",
    "preview": "pages",
    "error_code": "",
    "error": "",
}

TEXT: dict[str, Any] = {
    "title": "Travel policy",
    "language": "en",
    "pages": 12,
    "fields": {"subject": "Human resources"},
    "start": 4000,
    "end": 4900,
    "length": 31_544,
    "blocks": [
        {"start": 4203, "text": "Nights", "kind": "heading", "level": 2, "page": 3, "seconds": None},
        {"start": 4210, "text": PASSAGE["text"], "kind": "paragraph", "level": 0, "page": 3, "seconds": None},
    ],
}

SOURCE: dict[str, Any] = {
    "id": "4t6zk0c9ws1rd",
    "name": "Documents",
    "kind": "files",
    "location": "/home/ada/Documents",
    "items": 1260,
    "failures": 2,
    "last_sync": "2026-03-02T09:20:11Z",
    "state": "ok",
    "error": "",
}

JOB: dict[str, Any] = {
    "id": "9m2v0h7xj5e8q",
    "kind": "sync",
    "source_id": "4t6zk0c9ws1rd",
    "state": "running",
    "done": 412,
    "total": 1260,
    "failed": 1,
    "message": "reading",
    "attempts": 1,
    "created": "2026-03-02T09:15:00Z",
    "started": "2026-03-02T09:15:01Z",
    "ended": None,
}

STATUS: dict[str, Any] = {
    "items": 1260,
    "passages": 9184,
    "pending": 848,
    "pending_vectors": 1010,
    "quarantined": [
        {
            "item": "0c3n8w5r2t7yb",
            "source": "Documents",
            "key": "scans/broken.pdf",
            "code": "extraction-failed",
            "cause": "The file ends in the middle of an object.",
        }
    ],
    "jobs": [JOB],
    "model": "ready",
    "guard": {"network": "namespace", "landlock": 4, "seccomp": True, "processes": True, "rlimits": {"CPU": 20}},
    "sources": [SOURCE],
}
