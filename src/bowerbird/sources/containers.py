"""Containers (archives, mailboxes, messages with attachments) as items of their own, one for each member.

A container stays an item itself. Its members are asked of the sandbox in slices that fit one answer; the key of one is
`CONTAINER!/PATH`, with nothing in PATH that leads out of it and doubled names told apart by ` (2)`. Secrets and the
defaults of `ignore` are left out inside archives too.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import quote

import msgspec

from bowerbird.core.errors import ContainerError, ExtractionError, SourceError
from bowerbird.core.ids import content_hash
from bowerbird.core.records import Failure, Item
from bowerbird.core.settings import Settings
from bowerbird.sandbox import Sandbox
from bowerbird.sources.files import media_type, moment
from bowerbird.sources.ignore import skips_member
from bowerbird.sources.keys import MEMBER, depth, join, readable, split_members
from bowerbird.sources.unpack import Content, Listing, Member, path_parts

Kind = TypeVar("Kind")

_MODULE = "bowerbird.sources.unpack"
CONTAINER_PRELOAD: tuple[str, ...] = (_MODULE,)
"""Modules that the sandbox must preload for this room."""

_ENDINGS = {
    "zip": (".zip",),
    "tar": (".tar", ".tgz", ".tar.gz", ".tbz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz"),
    "mbox": (".mbox", ".mbx"),
    "eml": (".eml",),
}
_HOSTILE = "Do not trust the file: it may be made to break what opens it."
_MOST_FAILED_CALLS = 6
"""Calls for contents that may fail before the rest of a container is given up: each may have cost its full time."""
_ANSWER_ROOM = 1 << 20
_FRAME = 64
"""Bytes of an answer left for what stands around the contents: in all, and around each."""


def container_kind(name: str) -> str:
    """Return how a file of this name is taken apart: `zip`, `tar`, `mbox`, `eml`, or "" for not at all.

    >>> container_kind("a.TAR.gz"), container_kind("plan.docx"), container_kind("mail.eml")
    ('tar', '', 'eml')
    """
    low = name.lower()
    return next((kind for kind, endings in _ENDINGS.items() if low.endswith(endings)), "")


def is_container(name: str) -> bool:
    """Say whether a file of this name may have members.

    Documents that happen to be archives (Office, EPUB, jar, whl) are not; a message has its attachments as members.
    """
    return bool(container_kind(name))


@dataclass(slots=True)
class Budget:
    """What may still be taken out of one outermost container and all that is nested in it.

    Pass the same Budget to every `members` call below one file: nesting then cannot multiply the limits.
    """

    bytes: int
    members: int

    @classmethod
    def of(cls, settings: Settings) -> Budget:
        """Return the budget that the settings `max_archive_mb` and `max_archive_members` give."""
        return cls(settings.get("max_archive_mb", int) << 20, settings.get("max_archive_members", int))


@dataclass(frozen=True, slots=True)
class _Box:
    """One container, and how to ask the sandbox about it."""

    sandbox: Sandbox
    kind: str
    data: bytes
    settings: Settings

    @property
    def largest(self) -> int:
        """Bytes a member may have: it must be worth reading and fit one answer."""
        answer = (self.settings.get("sandbox_output_mb", int) << 20) - _ANSWER_ROOM
        return max(0, min(self.settings.get("max_file_mb", int) << 20, answer))

    def listing(self, budget: Budget) -> Listing:
        """List the members; raises ExtractionError."""
        answer = self.sandbox.call(
            f"{_MODULE}:listing", self.data, kind=self.kind, max_members=budget.members, max_bytes=budget.bytes
        )
        return _decoded(answer, Listing)

    def contents(self, members: Sequence[Member], max_bytes: int) -> list[Content]:
        """Fetch the contents of some members, in their order; raises ExtractionError."""
        indexes = ",".join(str(member.index) for member in members)
        answer = self.sandbox.call(
            f"{_MODULE}:contents",
            self.data,
            kind=self.kind,
            indexes=indexes,
            max_bytes=max_bytes,
            max_member=self.largest,
        )
        found = _decoded(answer, list[Content])
        if [content.index for content in found] != [member.index for member in members]:
            raise ContainerError("The unpacker's answer makes no sense: other members than asked for.", _HOSTILE)
        return found

    def slices(self, members: Sequence[Member]) -> Iterator[list[Member]]:
        """Yield runs of members whose contents fit one answer."""
        run: list[Member] = []
        size = 0
        for member in members:
            if run and size + member.size > self.largest:
                yield run
                run, size = [], 0
            run.append(member)
            size += member.size + _FRAME
        if run:
            yield run


def _decoded(answer: bytes, kind: type[Kind]) -> Kind:
    try:
        return msgspec.msgpack.decode(answer, type=kind)
    except msgspec.MsgspecError as problem:
        # A boxed process that foreign bytes have taken over may answer anything.
        raise ContainerError(
            f"The unpacker's answer makes no sense: {problem}.", "The file may be hostile."
        ) from problem


def members(
    sandbox: Sandbox, item: Item, data: bytes, settings: Settings, budget: Budget | None = None
) -> Iterator[Item | Failure]:
    """Yield the members of a container as items with their content, in its own order.

    Containers among them are items as any; expand them in turn, with the same `budget`. A member that cannot be had is
    a Failure with its key; a container that is broken, too large or nested too deep is a Failure with its own key,
    after the members that could be had.
    """
    kind = container_kind(item.name)
    if not kind or (kind == "eml" and not re.search(rb"(?i)multipart/|content-disposition", data)):
        return
    if depth(item.key) >= settings.get("max_archive_depth", int):
        yield Failure(item.key, ContainerError.code, "It is nested too deep in other archives to be opened.")
        return
    box = _Box(sandbox, kind, data, settings)
    budget = budget if budget is not None else Budget.of(settings)
    try:
        listing = box.listing(budget)
    except ExtractionError as problem:
        yield Failure(item.key, problem.code, problem.cause)
        return
    wanted: dict[int, tuple[str, Member]] = {}
    for key, member in _keyed(item.key, kind, listing.members):
        trouble = member.problem or (_too_large(box) if member.size > box.largest else "")
        if trouble:
            yield Failure(key, ContainerError.code, trouble)
        else:
            wanted[member.index] = (key, member)
    # Set aside now what these members will take, so that what is nested in them can only have the rest.
    limit = budget.bytes
    budget.members -= len(listing.members)
    budget.bytes -= sum(member.size for _, member in wanted.values())
    yield from _fetched(box, item, wanted, limit)
    if listing.problem:
        yield Failure(item.key, ContainerError.code, listing.problem)


def _too_large(box: _Box) -> str:
    return f"It is larger than the {box.largest >> 20} MiB that one member may have."


def _keyed(container: str, kind: str, listed: Sequence[Member]) -> Iterator[tuple[str, Member]]:
    """Give every member that is wanted its key; the same listing always gives the same keys."""
    seen: dict[str, int] = {}
    for member in listed:
        parts = path_parts(member.path) if kind in ("zip", "tar") else (member.path,)
        parts = parts or (f"member {member.index + 1}",)
        if kind != "mbox" and skips_member(parts, member.size):
            continue
        key = plain = join(parts)
        while key in seen:
            seen[plain] += 1
            key = join((*parts[:-1], f"{parts[-1]} ({seen[plain]})"))
        seen[key] = 1
        yield container + MEMBER + key, member


def _fetched(box: _Box, item: Item, wanted: dict[int, tuple[str, Member]], limit: int) -> Iterator[Item | Failure]:
    """Fetch the members run by run; a run that fails is halved until it is known which member it was."""
    waiting = deque(box.slices([member for _, member in wanted.values()]))
    failed = 0
    while waiting:
        run = waiting.popleft()
        if failed >= _MOST_FAILED_CALLS:
            yield from (Failure(wanted[each.index][0], ContainerError.code, "Too much else failed.") for each in run)
            continue
        try:
            found = box.contents(run, limit)
        except ExtractionError as problem:
            failed += 1
            if len(run) > 1:
                waiting.extendleft((run[len(run) // 2 :], run[: len(run) // 2]))
            else:
                yield Failure(wanted[run[0].index][0], problem.code, problem.cause)
            continue
        for content in found:
            key, member = wanted[content.index]
            yield _item(item, key, member, content)


def _item(container: Item, key: str, member: Member, content: Content) -> Item | Failure:
    if content.data is None:
        return Failure(key, ContainerError.code, content.problem or "It cannot be unpacked.")
    path = path_parts(member.path)
    name = member.name or (path[-1] if path else f"member {member.index + 1}")
    return Item(
        key=key,
        name=readable(name),
        uri=f"{container.uri}{MEMBER}{quote(key[len(container.key) + len(MEMBER) :])}",
        version="sha256:" + content_hash(content.data)[:16],
        size=len(content.data),
        modified=moment(member.modified),
        media_type=member.media_type or media_type(name),
        scope=container.scope,
        container=container.key,
        content=content.data,
    )


def member(sandbox: Sandbox, key: str, data: bytes, settings: Settings) -> bytes:
    """Return the bytes of one member by its whole key, from the bytes of the outermost container.

    Raises SourceError where the container no longer has it, ExtractionError where it cannot be opened.
    """
    first, *inner = split_members(key)
    at, name = first, first
    for step in inner:
        box = _Box(sandbox, container_kind(name), data, settings)
        at, name, data = _opened(box, at, step)
    return data


def _opened(box: _Box, container: str, step: str) -> tuple[str, str, bytes]:
    """Open one member: its key, its name and its bytes."""
    key = container + MEMBER + step
    budget = Budget.of(box.settings)
    listed = box.listing(budget).members if box.kind else []
    found = next((each for at, each in _keyed(container, box.kind, listed) if at == key), None)
    if found is None:
        raise SourceError(f"{container} no longer has `{step}`.", "Run `bowerbird sync`.")
    content = box.contents([found], budget.bytes)[0]
    if content.data is None:
        raise ContainerError(f"{key}: {content.problem}", "Open the container with the program that made it.")
    return key, found.name or found.path, content.data
