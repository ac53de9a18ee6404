"""Writing the demo workspace: every piece of the story is rendered, written and dated."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bowerbird.core.errors import StoreError
from bowerbird.core.kinds import kind_of
from bowerbird.core.records import Person
from bowerbird.lab.workspace import figures, letters, markup, office, outside, paper, pictures, story
from bowerbird.lab.workspace.manifest import Entry, Manifest
from bowerbird.lab.workspace.story import Calendar, Piece, listed

TEAM = "Oarlock Instruments"

_IDENTIFIER = re.compile(r"\b(?:OAR-\d{3}|E-\d{3}|PM-\d{2}|RFQ-\d{4}|MN2-\d{4})\b|(?<=[Ii]nvoice )\d{5}")
_LATE = (".eml", ".zip")

_STYLE = "body{font:16px/1.5 sans-serif;max-width:46rem;margin:2rem auto}td,th{border:1px solid #bbb;padding:3px}"


@dataclass(slots=True)
class _Studio:
    """What the renderers share: the calendar, the people, the seed, and the files made so far by path."""

    calendar: Calendar
    people: dict[str, Person]
    seed: int
    made: dict[str, bytes] = field(default_factory=dict)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def random(self, path: str) -> np.random.Generator:
        """Return the chance of one file: its own, so that a new file changes no other."""
        return np.random.default_rng((self.seed, zlib.crc32(path.encode())))


def generate(folder: Path, *, seed: int = 7, year: int | None = None) -> Manifest:
    """Write the demo workspace into a folder and return what it holds and which questions it answers.

    The story runs from 8 January to 17 December of `year`, moved by up to three days so that weekdays stay; without
    a year it ends within the last week, so every date lies in the past 12 months. Same seed and year, same texts.
    Raises MissingExtra without the `demo` extra, StoreError where the folder holds files already or cannot be written.
    """
    calendar = Calendar.of(year, datetime.now(UTC).date())
    pieces = story.pieces(calendar)
    studio = _Studio(calendar, story.team(), seed)
    final = {piece.path: piece for piece in pieces}
    entries: list[Entry] = []
    skipped: list[str] = []
    try:
        if folder.exists() and any(folder.iterdir()):
            raise StoreError(f"The folder {folder} is not empty.", "Name a folder that does not exist yet.")
        for piece in sorted(final.values(), key=lambda piece: piece.suffix in _LATE):
            data = _render(piece, studio)
            if data is None:
                skipped.append(f"{piece.path}: {outside.SPEAKER} is not installed, so nothing can speak it")
            else:
                entries += _written(folder, piece, data, studio)
        skipped += _histories(folder, pieces)
    except OSError as problem:
        raise StoreError(f"The demo workspace cannot be written to {folder}: {problem}.") from problem
    entries.sort(key=lambda entry: entry.path)
    there = {entry.path for entry in entries}
    asked = tuple(question for question in story.questions(calendar) if there.issuperset(question.paths))
    first, last = story.FIRST + calendar.shift, story.LAST + calendar.shift
    return Manifest(TEAM, seed, first, last, tuple(entries), asked, tuple(skipped))


def _histories(folder: Path, pieces: list[Piece]) -> Iterator[str]:
    for name in sorted({piece.fields["repo"] for piece in pieces if "repo" in piece.fields}):
        if not outside.repository(folder / name, [piece for piece in pieces if piece.fields.get("repo") == name]):
            yield f"{name}: {outside.VERSIONER} is not installed, so its files have no history"


def _written(folder: Path, piece: Piece, data: bytes, studio: _Studio) -> Iterator[Entry]:
    """Write a piece and its copies (`copy: PATH; PATH`) and date them."""
    studio.made[piece.path] = data
    facts = dict.fromkeys(listed(piece.fields.get("facts", ""), ";") + sorted(set(_IDENTIFIER.findall(piece.body))))
    for path in (piece.path, *listed(piece.fields.get("copy", ""), ";")):
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        os.utime(file, (piece.when.timestamp(), piece.when.timestamp()))
        name = path.rpartition("/")[2]
        yield Entry(
            path,
            kind_of(name),
            piece.people,
            tuple(facts),
            piece.when,
            piece.fields.get("broken", ""),
            studio.members.get(piece.path, ()),
        )


def _render(piece: Piece, studio: _Studio) -> bytes | None:
    """Render a piece to bytes, damaged if the story says so; None where this machine cannot make it."""
    form = piece.fields.get("as", piece.suffix.lstrip("."))
    data = _FORMS.get(form, _text)(piece, studio)
    return None if data is None else _damaged(piece, data)


def _damaged(piece: Piece, data: bytes) -> bytes:
    if "cut" in piece.fields:
        return data[: int(len(data) * float(piece.fields["cut"]))]
    return data + piece.fields["tail"].encode() * 400 if "tail" in piece.fields else data


def _text(piece: Piece, studio: _Studio) -> bytes | None:
    return piece.body.encode()


def _figures(piece: Piece, studio: _Studio) -> bytes | None:
    return figures.MAKERS[piece.fields["as"]](piece, studio.random(piece.path)).encode()


def _page(piece: Piece, studio: _Studio) -> bytes | None:
    author = f'<meta name="author" content="{piece.people[0].name}">' if piece.people else ""
    head = f'<meta charset="utf-8"><title>{piece.title}</title>{author}<style>{_STYLE}</style>'
    navigation = '<nav><a href="/">Oarlock</a> · <a href="/docs">Documentation</a> · <a href="/status">Status</a></nav>'
    language = piece.fields.get("language", "en")
    body = f"{navigation}\n<main>\n{markup.to_html(piece.body)}\n</main>"
    page = f'<!doctype html>\n<html lang="{language}">\n<head>{head}</head>\n<body>\n{body}\n</body>\n</html>\n'
    return page.encode()


def _mailbox(piece: Piece, studio: _Studio) -> bytes | None:
    data, studio.members[piece.path] = letters.mailbox(piece, studio.people, studio.calendar)
    return data


def _archive(piece: Piece, studio: _Studio) -> bytes | None:
    """Pack files made before (`members: PATH; PATH`) and the texts of the body (`=== NAME` and lines)."""
    members = {path.rpartition("/")[2]: studio.made[path] for path in listed(piece.fields.get("members", ""), ";")}
    for part in re.split(r"^=== ", piece.body, flags=re.MULTILINE)[1:]:
        name, _, text = part.partition("\n")
        members[name.strip()] = text.encode()
    studio.members[piece.path] = tuple(members)
    return office.zipped(members, piece.when)


_FORMS: dict[str, Callable[[Piece, _Studio], bytes | None]] = {
    "docx": lambda piece, studio: office.document(piece),
    "pptx": lambda piece, studio: office.presentation(piece),
    "xlsx": lambda piece, studio: office.workbook(piece),
    "pdf": lambda piece, studio: paper.pdf(piece, piece.fields.get("password", "")),
    "scan": lambda piece, studio: paper.scan(piece, studio.random(piece.path)),
    "html": _page,
    "eml": lambda piece, studio: letters.message(piece, studio.people, studio.made),
    "mbox": _mailbox,
    "png": lambda piece, studio: pictures.screenshot(piece),
    "jpg": lambda piece, studio: pictures.photo(piece, studio.random(piece.path)),
    "wav": lambda piece, studio: outside.spoken(piece),
    "zip": _archive,
    **dict.fromkeys(figures.MAKERS, _figures),
}
"""How a piece is rendered, by its `as` header or else its ending; everything else is written as it stands."""
