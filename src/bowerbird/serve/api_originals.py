"""Originals over HTTP: what may be shown, what is downloaded, and how nothing in them gets to run."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote, urlsplit

from starlette.responses import Response

from bowerbird.core.errors import DesktopError, NotFoundError
from bowerbird.core.kinds import kind_of
from bowerbird.core.settings import child_environment
from bowerbird.serve.api_faces import Json, error_face
from bowerbird.store.items import StoredItem

SHOWN = {
    "pdf": "application/pdf", "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif",
    "webp": "image/webp", "bmp": "image/bmp", "ico": "image/x-icon", "avif": "image/avif",
    "wav": "audio/wav", "mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg", "oga": "audio/ogg",
    "opus": "audio/ogg", "flac": "audio/flac", "aac": "audio/aac", "mp4": "video/mp4", "m4v": "video/mp4",
    "webm": "video/webm",
}  # fmt: skip
"""File ending -> the type under which a browser shows it and runs nothing."""

ACTIVE = {"html": "text/html", "htm": "text/html", "xhtml": "application/xhtml+xml", "svg": "image/svg+xml"}
"""File ending -> types that could run scripts; they are shown in a sandbox only."""

SANDBOX_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'"
)
SHOWN_POLICY = (
    "default-src 'none'; object-src 'self'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline';"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For passive types; browsers build a small page around them, which needs a style and, for PDF, its viewer."""

TEXT_KINDS = frozenset({"note", "code", "data", "event", "contact", "spreadsheet"})
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def shown_as(item: StoredItem, data: bytes) -> tuple[str, str]:
    """Return (media type, Content-Security-Policy) for an original; the type is "" where it is only downloaded."""
    ending = PurePosixPath(item.name.lower()).suffix.lstrip(".")
    if ending in SHOWN:
        return SHOWN[ending], SHOWN_POLICY
    if ending in ACTIVE:
        return ACTIVE[ending], SANDBOX_POLICY
    if kind_of(item.name, item.media_type) in TEXT_KINDS and b"\0" not in data[:65_536]:
        return text_type(data), SANDBOX_POLICY
    return "", SANDBOX_POLICY


def text_type(data: bytes) -> str:
    """Return `text/plain` with the encoding that fits the bytes: UTF-8, else Windows-1252, which fits anything."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "text/plain; charset=windows-1252"
    return "text/plain; charset=utf-8"


def disposition(name: str, shown: bool) -> str:
    """Return a Content-Disposition with the file name for old and new clients (RFC 6266, RFC 8187).

    >>> disposition('Plan "é".pdf', True)
    'inline; filename="Plan ___.pdf"; filename*=UTF-8\\'\\'Plan%20%22%C3%A9%22.pdf'
    """
    plain = re.sub(r'[^ -~]|["\\%/]', "_", name) or "file"
    return f"{'inline' if shown else 'attachment'}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def byte_range(header: str, size: int) -> tuple[int, int] | None:
    """Return [start, end) of a single range, None for the whole; raises ValueError where it lies outside (RFC 9110).

    >>> byte_range("bytes=-3", 10), byte_range("bytes=4-", 10), byte_range("", 10)
    ((7, 10), (4, 10), None)
    """
    found = _RANGE.fullmatch(header.replace(" ", ""))
    if not found or not any(found.groups()):
        return None
    first, last = found.groups()
    start = int(first) if first else max(size - int(last), 0)
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        raise ValueError(f"{header} lies outside of {size} bytes")
    return start, end


def original_response(item: StoredItem, data: bytes, wanted: str = "") -> Response:
    """Answer with the original bytes, or with the range of them that was asked for (206, 416)."""
    media_type, policy = shown_as(item, data)
    headers = {
        "content-disposition": disposition(item.name, bool(media_type)),
        "content-security-policy": policy,
        "accept-ranges": "bytes",
    }
    kind = media_type or "application/octet-stream"
    try:
        part = byte_range(wanted, len(data))
    except ValueError:
        return Response(status_code=416, headers={**headers, "content-range": f"bytes */{len(data)}"})
    if part is None:
        return Response(data, headers=headers, media_type=kind)
    headers["content-range"] = f"bytes {part[0]}-{part[1] - 1}/{len(data)}"
    return Response(data[part[0] : part[1]], 206, headers, kind)


def local_file(item: StoredItem) -> Path:
    """Return the file of an item that is one, or the container that holds it; raises NotFoundError for all else."""
    address = urlsplit(item.uri)
    if address.scheme != "file":
        raise NotFoundError("This item is not a file of this machine.", "Use Open instead.")
    return Path(unquote(address.path).split("!/", 1)[0])


async def reveal_folder(item: StoredItem) -> Response:
    """Open the folder of an item's file in the desktop's file manager; 409 with the path where there is no desktop."""
    file = local_file(item)
    environment = child_environment()
    opener = shutil.which("xdg-open")
    has_desktop = environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY")
    if not opener or not has_desktop or not file.parent.is_dir():
        problem = DesktopError("There is no desktop here to show the folder in.", "Copy the path instead.")
        return error_face(problem, path=str(file))
    quiet = asyncio.subprocess.DEVNULL
    await asyncio.create_subprocess_exec(
        opener, str(file.parent), env=environment, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    return Json({"folder": str(file.parent)})
