"""The JSON faces of the records, and the one way errors and answers are encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from fastapi import Request
from starlette.responses import Response

from bowerbird.core.errors import BowerbirdError, RateLimitError
from bowerbird.core.kinds import kind_of
from bowerbird.core.records import Document
from bowerbird.store.items import StoredItem

if TYPE_CHECKING:
    from bowerbird.library import Library
    from bowerbird.library.status import Status
    from bowerbird.store.sources import SourceRow

Face = dict[str, Any]

_encoder = msgspec.json.Encoder()


class Json(Response):
    """An answer encoded by msgspec: records, times (RFC 3339) and plain values; no second validation on the way out."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content as compact JSON."""
        return _encoder.encode(content)


def library_of(request: Request) -> Library:
    """Return the library that this server answers from."""
    library: Library = request.app.state.library
    return library


def error_face(problem: BowerbirdError, status: int | None = None, **more: str) -> Json:
    """Answer with `{code, cause, remedy}` and the error's HTTP status."""
    body = {"code": problem.code, "cause": problem.cause, "remedy": problem.remedy, **more}
    return Json(body, status or problem.status, error_headers(problem, status or problem.status))


def error_headers(problem: BowerbirdError, status: int) -> dict[str, str]:
    """Return what an error says in headers: how to sign in (RFC 9110, 11.6.1), how long to wait (10.2.3)."""
    headers = {"www-authenticate": "Bearer"} if status == 401 else {}
    if isinstance(problem, RateLimitError):
        headers["retry-after"] = str(problem.retry_after)
    return headers


def preview_of(item: StoredItem) -> str:
    """Return how the page can show an item beside its text: `pages`, `image`, `audio`, `video` or ""."""
    kind = kind_of(item.name, item.media_type)
    return {"pdf": "pages", "image": "image", "audio": "audio", "video": "video"}.get(kind, "")


def item_face(item: StoredItem) -> Face:
    """Show an item's row; what only the store needs (hashes, scope numbers) stays inside."""
    return {
        "item": item.id,
        "source": item.source_name,
        "path": item.key,
        "name": item.name,
        "title": item.title,
        "uri": item.uri,
        "kind": item.kind,
        "media_type": item.media_type,
        "size": item.size,
        "modified": item.modified,
        "people": item.people,
        "state": item.state,
        "language": item.language,
        "pages": item.pages,
        "container": item.container,
        "preview": preview_of(item),
        "error_code": item.error_code,
        "error": item.error,
    }


def source_face(source: SourceRow) -> Face:
    """Show a source; how far its connector has read and who may see it stay inside."""
    shown = ("id", "name", "kind", "location", "items", "failures", "last_sync", "state", "error")
    return {name: getattr(source, name) for name in shown}


def status_face(status: Status) -> Face:
    """Show how the library stands."""
    shown = ("items", "passages", "pending", "pending_vectors", "quarantined", "jobs", "model", "guard")
    face = {name: getattr(status, name) for name in shown}
    return {**face, "sources": [source_face(source) for source in status.sources]}


def text_face(document: Document, start: int, length: int) -> Face:
    """Show the blocks that overlap `length` characters of the text from `start`; each says where it begins.

    Offsets are code points of `Document.text`. A block at the edge is cut: the answer is never larger than asked.
    """
    end, position, blocks = start + length, 0, []
    for block in document.blocks:
        if not block.text:
            continue
        first, last = max(start, position), min(end, position + len(block.text))
        if first < last:
            shown = block.text[first - position : last - position]
            face = {"start": first, "text": shown, "kind": block.kind, "level": block.level, "page": block.page}
            blocks.append({**face, "seconds": block.seconds})
        position += len(block.text) + 2
    return {
        "title": document.title,
        "language": document.language,
        "pages": document.pages,
        "fields": dict(document.fields),
        "start": start,
        "end": min(end, max(position - 2, 0)),
        "length": max(position - 2, 0),
        "blocks": blocks,
    }
