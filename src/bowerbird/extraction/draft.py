"""What a parser found so far, and how a Document is made of it: title, language, limits, clean text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import PurePosixPath

from bowerbird.core.records import Block, Document, Person
from bowerbird.extraction.text import clean
from bowerbird.extraction.version import PARSER_VERSION

MAX_CHARACTERS = 2_000_000
"""More text than this of one item is not indexed; the document says so in its field `truncated`."""

_FIELD_CHARACTERS, _TITLE_CHARACTERS, _AUTHORS = 2000, 300, 20
_NOBODY = frozenset(
    (
        "openpyxl", "python-docx", "python-pptx", "reportlab", "apache poi", "anonymous", "(anonymous)", "unknown",
        "(unspecified)", "unspecified", "user", "root", "admin", "author", "administrator", "windows", "owner",
        "default", "none", "windows user", "microsoft office user",
    )
)  # fmt: skip
_NO_TITLE = re.compile(
    r"(\(?(untitled|unspecified|anonymous|title|unknown|document|slide|presentation|book|sheet|doc)\)?[\s\d]*"
    r"|powerpoint[- ]pr[eäé]sentation|untitled document|print)$",
    re.IGNORECASE,
)
_PROGRAM = re.compile(r"^microsoft (word|powerpoint|excel) - ", re.IGNORECASE)
_FILE_ENDING = re.compile(r"\.(docx?|pptx?|xlsx?|pdf|indd|qxd|odt|rtf|tex|dvi|txt|cdr|pub|wpd)$", re.IGNORECASE)
_SPACE = re.compile(r"\s+")


@dataclass
class Draft:
    """What a parser collects.

    `untitled`: no heading may become the title (sheet names, for one). `prose`: the text is in some language, and the
    name of the file without its ending is a title. `cleaned`: the blocks were cut from clean text.
    """

    blocks: list[Block] = field(default_factory=list)
    title: str = ""
    media_type: str = ""
    language: str = ""
    authors: list[Person] = field(default_factory=list)
    created: datetime | None = None
    modified: datetime | None = None
    pages: int | None = None
    fields: dict[str, str] = field(default_factory=dict)
    untitled: bool = False
    prose: bool = True
    cleaned: bool = False


def finish(draft: Draft, name: str) -> Document:
    """Make the Document: clean every text, drop what is empty, bound the whole, choose the title."""
    blocks, whole = _bounded(draft)
    lines = {key.lower(): line(value)[:_FIELD_CHARACTERS] for key, value in draft.fields.items()}
    fields = {key: value for key, value in lines.items() if value and value.lower() not in _NOBODY}
    if not whole:
        fields["truncated"] = "yes"
    return Document(
        title=_title(draft, blocks, name),
        blocks=blocks,
        parser=PARSER_VERSION,
        media_type=draft.media_type,
        language=draft.language,
        authors=tuple(dict.fromkeys(people(draft.authors)))[:_AUTHORS],
        created=draft.created,
        modified=draft.modified,
        pages=draft.pages,
        fields=fields,
    )


def line(text: str) -> str:
    """Return text as one clean line."""
    return _SPACE.sub(" ", clean(text)).strip()


def stem(name: str) -> str:
    """Return a file name without its ending, as a title."""
    path = PurePosixPath(line(name).replace("\\", "/"))
    return path.stem or path.name or "untitled"


def people(found: Iterable[Person]) -> Iterable[Person]:
    """Yield those who are somebody: programs and placeholders sign documents too."""
    for person in found:
        name, address = line(person.name)[:200], line(person.address).lower()[:200]
        if name.lower() in _NOBODY or not (name or address):
            continue
        yield Person(name or address, address if "@" in address else "")


def when(text: str) -> datetime | None:
    """Read a time as ISO 8601 or as in mails (RFC 5322); without a zone it is taken as UTC. None if it is neither."""
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            moment = parse(text.strip())
        except (ValueError, TypeError, IndexError):
            continue
        try:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (OverflowError, ValueError):
            return None
    return None


def _bounded(draft: Draft) -> tuple[tuple[Block, ...], bool]:
    kept: list[Block] = []
    room = MAX_CHARACTERS
    for block in draft.blocks:
        text = (block.text if draft.cleaned else clean(block.text)).strip("\n")
        text = line(text) if block.kind == "heading" else text if block.kind == "code" else text.strip()
        if not text.strip() and block.kind != "media":
            continue
        if len(text) > room:
            if room > 0:
                kept.append(replace(block, text=text[:room].rstrip()))
            return tuple(kept), False
        room -= len(text)
        kept.append(block if text == block.text else replace(block, text=text))
    return tuple(kept), True


def _title(draft: Draft, blocks: tuple[Block, ...], name: str) -> str:
    own = _PROGRAM.sub("", line(draft.title))
    if _sensible(own):
        return _FILE_ENDING.sub("", own)[:_TITLE_CHARACTERS]
    if not draft.untitled:
        headings = (block.text for block in blocks[:50] if block.kind == "heading")
        first = next((heading for heading in headings if _sensible(heading)), "")
        if first:
            return first[:_TITLE_CHARACTERS]
    return stem(name)[:_TITLE_CHARACTERS] if draft.prose else line(PurePosixPath(name).name)[:_TITLE_CHARACTERS]


def _sensible(title: str) -> bool:
    return len(title) >= 2 and any(letter.isalpha() for letter in title) and not _NO_TITLE.fullmatch(title)
