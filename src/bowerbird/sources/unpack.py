"""Opening archives and mail; every function here runs inside the sandbox as f(data, **options) -> bytes.

`listing` answers with a Listing, `contents` with the contents of some of its members (by index); both in MessagePack.
A member that cannot be had carries its `problem`; a container that breaks off is listed as far as it goes.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, cast

import msgspec

from bowerbird.core.errors import ContainerError
from bowerbird.sources import mail

_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, struct.error, ValueError,
    NotImplementedError, RuntimeError, IndexError, KeyError, MemoryError,
)  # fmt: skip
"""What the standard library raises on damaged archives, encrypted members and methods it does not know."""

_REMEDY = "Open the file with the program that made it; it may be damaged."


@dataclass(frozen=True, slots=True)
class Member:
    """One file in a container. `path` is as written there, `modified` in seconds since 1970, sizes in bytes.

    `name` and `media_type` are set where the path does not say them (messages of a mailbox).
    """

    index: int
    path: str
    size: int
    modified: float | None = None
    name: str = ""
    media_type: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """The members of a container in its own order; `problem` says why there are no more."""

    members: list[Member]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one member, None with a `problem` where they cannot be had."""

    index: int
    data: bytes | None = None
    problem: str = ""


def listing(data: bytes, kind: str, max_members: int, max_bytes: int) -> bytes:
    """List a container of a kind (`zip`, `tar`, `mbox`, `eml`); reads at most `max_bytes` expanded.

    Raises ContainerError where not even the first member can be made out.
    """
    members: list[Member] = []
    problem = ""
    found = _LISTERS[kind](data, max_bytes)
    try:
        for member in found:
            if len(members) >= max_members:
                problem = f"It has more than {max_members:,} members; only those are searched."
                break
            members.append(member)
    except ContainerError as error:
        problem = error.cause
    except _BROKEN as error:
        problem = f"It is damaged: {_said(error)}."
    if problem and not members:
        raise ContainerError(problem, _REMEDY)
    return msgspec.msgpack.encode(Listing(members, problem))


def contents(data: bytes, kind: str, indexes: str, max_bytes: int, max_member: int) -> bytes:
    """Return the contents of the members with these indexes (ascending, comma-separated), as a list of Content.

    No member may be larger than `max_member`, whatever its header says; `max_bytes` bounds what is expanded in all.
    """
    wanted = [int(index) for index in indexes.split(",")]
    return msgspec.msgpack.encode(list(_READERS[kind](data, wanted, max_bytes, max_member)))


def _said(error: BaseException) -> str:
    return (str(error) or type(error).__name__).rstrip(".")


class _Limited(io.RawIOBase):
    """A stream that refuses to give more than a number of bytes: what decompression may cost is bounded by it."""

    def __init__(self, raw: IO[bytes], limit: int) -> None:
        self._raw = raw
        self._limit = limit
        self._given = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes (all up to the limit for -1); raises ContainerError beyond the limit."""
        room = self._limit - self._given
        part = self._raw.read(min(size, room + 1) if size >= 0 else room + 1)
        self._given += len(part)
        if self._given > self._limit:
            raise ContainerError(
                f"It expands to more than {max(1, self._limit >> 20):,} MiB; the rest is not searched.",
                "Raise the setting `max_archive_mb` if the file is to be trusted.",
            )
        return part


def _whole(stream: IO[bytes], size: int, most: int) -> bytes:
    if size > most:
        raise ContainerError(f"It is larger than {most >> 20:,} MiB.", _REMEDY)
    data = stream.read(size + 1)
    if len(data) > size:
        raise ContainerError("It expands to more than its header says.", _REMEDY)
    return data


def _zip_members(data: bytes, max_bytes: int) -> Iterator[Member]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
    total = 0
    for index, info in enumerate(infos):
        mode = info.external_attr >> 16
        if info.is_dir() or (info.create_system == 3 and mode & 0o170000 not in (0, 0o100000)):
            continue
        problem = "It is encrypted with a password." if info.flag_bits & 1 else ""
        total += info.file_size
        if total > max_bytes:
            mib = max_bytes >> 20
            raise ContainerError(f"It expands to more than {max(1, mib):,} MiB; the rest is not searched.", _REMEDY)
        yield Member(index, _zip_name(info), info.file_size, _zip_time(info), problem=problem)


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Return the name; many programs write UTF-8 without saying so, which is then read as code page 437."""
    name = info.orig_filename.split("\0", 1)[0]
    if not info.flag_bits & 0x800:
        with suppress(UnicodeError):  # it was code page 437 after all
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _zip_time(info: zipfile.ZipInfo) -> float | None:
    """Return the extended timestamp (Info-ZIP, 0x5455), else the local time without zone that the header has."""
    extra = info.extra
    while len(extra) >= 4:
        kind, length = struct.unpack("<HH", extra[:4])
        if kind == 0x5455 and length >= 5 and len(extra) >= 9 and extra[4] & 1:
            return float(struct.unpack("<i", extra[5:9])[0])
        extra = extra[4 + length :]
    try:
        return datetime(*info.date_time, tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _zip_contents(data: bytes, wanted: list[int], max_bytes: int, max_member: int) -> Iterator[Content]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        infos = archive.infolist()
        for index in wanted:
            info = infos[index]
            try:
                with archive.open(info) as stream:
                    yield Content(index, _whole(stream, info.file_size, min(max_bytes, max_member)))
            except ContainerError as error:
                yield Content(index, problem=error.cause)
            except _BROKEN as error:
                yield Content(index, problem=f"It cannot be unpacked: {_said(error)}.")


def _tar_open(data: bytes, max_bytes: int) -> tarfile.TarFile:
    """Open a tar by what its first bytes say about compression, as a stream (each pass decompresses anew)."""
    raw = io.BytesIO(data)
    openers: dict[bytes, Callable[[IO[bytes]], object]] = {
        b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open
    }  # fmt: skip
    stream = next((opener(raw) for magic, opener in openers.items() if data.startswith(magic)), raw)
    # Padding and headers are not content: a little room for them, so that the limit bites on what expands.
    limited = _Limited(cast(IO[bytes], stream), max_bytes + max_bytes // 8 + (1 << 20))
    return tarfile.open(fileobj=cast(IO[bytes], limited), mode="r|", bufsize=1 << 18)


def _tar_files(data: bytes, max_bytes: int) -> Iterator[tuple[int, tarfile.TarInfo, tarfile.TarFile]]:
    with _tar_open(data, max_bytes) as archive:
        for index, info in enumerate(archive):
            if info.isreg():
                yield index, info, archive


def _tar_members(data: bytes, max_bytes: int) -> Iterator[Member]:
    for index, info, _ in _tar_files(data, max_bytes):
        yield Member(index, info.name, info.size, float(info.mtime))


def _tar_contents(data: bytes, wanted: list[int], max_bytes: int, max_member: int) -> Iterator[Content]:
    left = set(wanted)
    try:
        for index, info, archive in _tar_files(data, max_bytes):
            if index not in left:
                continue
            stream = archive.extractfile(info)
            if stream is None:
                continue
            try:
                content = Content(index, _whole(stream, info.size, max_member))
            except ContainerError as error:
                content = Content(index, problem=error.cause)
            left.discard(index)
            yield content
            if not left:
                return
    except (ContainerError, *_BROKEN) as error:
        for index in sorted(left):
            yield Content(index, problem=f"It cannot be unpacked: {_said(error)}.")


def _mbox_members(data: bytes, max_bytes: int) -> Iterator[Member]:
    seen = False
    for index, (start, end) in enumerate(mail.messages(data)):
        seen = True
        name, ident, sent = mail.heading(data[start:end], index + 1)
        path = ident or f"message {index + 1}"
        yield Member(index, path, end - start, sent, name=name, media_type="message/rfc822")
    if not seen and data.strip():
        raise ContainerError("It is no mailbox: no line begins with `From `.", _REMEDY)


def _mbox_contents(data: bytes, wanted: list[int], max_bytes: int, max_member: int) -> Iterator[Content]:
    for index, start, end in _wanted_messages(data, wanted):
        if end - start > max_member:
            yield Content(index, problem=f"It is larger than {max_member >> 20:,} MiB.")
        else:
            yield Content(index, mail.unquoted(data[start:end]))


def _wanted_messages(data: bytes, wanted: list[int]) -> Iterator[tuple[int, int, int]]:
    left = set(wanted)
    for index, (start, end) in enumerate(mail.messages(data)):
        if index in left:
            left.discard(index)
            yield index, start, end
        if not left:
            return


def _eml_members(data: bytes, max_bytes: int) -> Iterator[Member]:
    for index, part in enumerate(mail.attachments(data)):
        yield Member(index, part.name, len(part.data), None, media_type=part.media_type)


def _eml_contents(data: bytes, wanted: list[int], max_bytes: int, max_member: int) -> Iterator[Content]:
    left = set(wanted)
    for index, part in enumerate(mail.attachments(data)):
        if index not in left:
            continue
        left.discard(index)
        if len(part.data) > max_member:
            yield Content(index, problem=f"It is larger than {max_member >> 20:,} MiB.")
        else:
            yield Content(index, part.data)
        if not left:
            return


_LISTERS = {"zip": _zip_members, "tar": _tar_members, "mbox": _mbox_members, "eml": _eml_members}
_READERS = {"zip": _zip_contents, "tar": _tar_contents, "mbox": _mbox_contents, "eml": _eml_contents}


def path_parts(path: str) -> tuple[str, ...]:
    """Return the parts of a member's path without anything that would lead out of the container.

    >>> path_parts("../../etc/passwd"), path_parts("C:/x//y"), path_parts("/")
    (('etc', 'passwd'), ('x', 'y'), ())
    """
    path = re.sub(r"\A[A-Za-z]:(?=/)", "", path)
    return tuple(part for part in path.split("/") if part not in ("", ".", ".."))
