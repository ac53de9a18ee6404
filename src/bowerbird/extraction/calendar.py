"""Events and contacts -> readable text: iCalendar (RFC 5545), vCalendar 1.0 and vCard (RFC 6350)."""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from bowerbird.core.records import Block, Person
from bowerbird.extraction.draft import Draft, when

_LINE = re.compile(r"(?:[\w-]+\.)?([A-Za-z0-9-]+)((?:;(?:\"[^\"]*\"|[^:\";])*)*):(.*)$", re.DOTALL)
_PARAMETER = re.compile(r";([A-Za-z0-9-]+)=(\"[^\"]*\"|[^;]*)")
_ESCAPE = re.compile(r"\\([nN,;\\])")
_ENTRIES = ("VEVENT", "VTODO", "VJOURNAL", "VCARD")
_ENTRIES_KEPT = 5000

_LABELS = {
    "location": "Where", "organizer": "Organizer", "attendee": "With", "status": "Status", "rrule": "Repeats",
    "url": "Link", "categories": "Categories", "org": "Organization", "title": "Role", "role": "Role",
    "email": "Mail", "tel": "Phone", "adr": "Address", "bday": "Birthday", "due": "Due", "contact": "Contact",
}  # fmt: skip
_TEXTS = ("description", "note", "comment")


@dataclass(frozen=True, slots=True)
class _Property:
    name: str
    value: str
    parameters: dict[str, str]

    @property
    def person(self) -> Person:
        address = self.value.removeprefix("mailto:").removeprefix("MAILTO:")
        return Person(self.parameters.get("cn", ""), address if "@" in address else "")


@dataclass
class _Entry:
    kind: str
    properties: list[_Property] = field(default_factory=list)

    def first(self, *names: str) -> str:
        """Return the value of the first of these names that is there."""
        for name in names:
            for each in self.properties:
                if each.name == name and each.value.strip():
                    return each.value.strip()
        return ""


def calendar(text: str) -> Draft:
    """Parse events, tasks and journal entries, or contacts: a heading each, then labelled lines and the description."""
    entries = list(_entries(text))
    cards = any(entry.kind == "VCARD" for entry in entries)
    draft = Draft(media_type="text/vcard" if cards else "text/calendar")
    for entry in entries:
        draft.blocks.extend(_blocks(entry))
    if len(entries) == 1:
        _describe(entries[0], draft)
    elif entries:
        draft.untitled = True
        draft.fields["entries"] = str(len(entries))
    return draft


def _entries(text: str) -> Iterator[_Entry]:
    open_: _Entry | None = None
    depth = count = 0
    for line in _unfolded(text):
        found = _LINE.match(line)
        if found is None:
            continue
        name, value = found.group(1).lower(), found.group(3)
        if name == "begin" and open_ is None and value.strip().upper() in _ENTRIES:
            open_, depth = _Entry(value.strip().upper()), 0
        elif open_ is not None and name == "begin":
            depth += 1  # an alarm inside an event
        elif open_ is not None and name == "end":
            if depth == 0:
                yield open_
                open_ = None
                count += 1
                if count == _ENTRIES_KEPT:
                    return
            depth -= 1
        elif open_ is not None and depth == 0:
            open_.properties.append(_property(name, found.group(2), value))
    if open_ is not None:
        yield open_


def _unfolded(text: str) -> Iterator[str]:
    """Join folded lines: one that begins with a blank continues the last (RFC 5545, 3.1); so does `=` in vCard 2.1."""
    parts: list[str] = []
    for line in text.split("\n"):
        soft = bool(parts) and parts[-1].endswith("=") and "QUOTED-PRINTABLE" in parts[0].upper()
        if parts and line[:1] in (" ", "\t"):
            parts.append(line[1:])
        elif soft:
            parts[-1] = parts[-1][:-1]
            parts.append(line)
        else:
            if parts:
                yield "".join(parts)
            parts = [line]
    yield "".join(parts)


def _property(name: str, parameters: str, value: str) -> _Property:
    options = {key.lower(): text.strip('"') for key, text in _PARAMETER.findall(parameters)}
    if "QUOTED-PRINTABLE" in parameters.upper():
        value = quopri.decodestring(value.encode()).decode(options.get("charset", "utf-8").lower(), "replace")
    if name in ("n", "adr", "org"):
        value = ", ".join(part.strip() for part in re.split(r"(?<!\\);", value) if part.strip())
    return _Property(
        name, _ESCAPE.sub(lambda found: "\n" if found.group(1) in "nN" else found.group(1), value), options
    )


def _moment(entry: _Entry, name: str) -> datetime | None:
    value = entry.first(name)
    return when(value) if value else None


def _says(moment: datetime | None, value: str) -> str:
    if moment is None:
        return value
    return moment.strftime("%A, %d %B %Y" if len(value) <= 10 else "%A, %d %B %Y, %H:%M")


def _blocks(entry: _Entry) -> Iterator[Block]:
    yield Block(entry.first("summary", "fn", "n", "org") or "(no title)", "heading", 1)
    lines = []
    start, end = entry.first("dtstart"), entry.first("dtend", "due")
    if start:
        lines.append(
            f"When: {_says(_moment(entry, 'dtstart'), start)}" + (f" to {_says(when(end), end)}" if end else "")
        )
    for each in entry.properties:
        if each.name in _LABELS:
            who = each.person
            value = f"{who.name} <{who.address}>" if who.name and who.address else who.name or who.address or each.value
            lines.append(f"{_LABELS[each.name]}: {value}")
    if lines:
        yield Block("\n".join(lines), "header")
    for each in entry.properties:
        if each.name in _TEXTS:
            yield Block(each.value)


def _describe(entry: _Entry, draft: Draft) -> None:
    """Let the document of a single entry carry its title, people, dates and fields."""
    draft.title = entry.first("summary", "fn")
    draft.created = _moment(entry, "dtstart") or _moment(entry, "created")
    draft.modified = _moment(entry, "last-modified") or _moment(entry, "rev")
    if entry.kind == "VCARD":
        draft.authors = [Person(entry.first("fn", "n"), entry.first("email"))]
    for each in entry.properties:
        if each.name in ("organizer", "attendee"):
            draft.authors.append(each.person)
    wanted = {
        "dtstart": "start",
        "dtend": "end",
        "location": "location",
        "uid": "uid",
        "tel": "phone",
        "org": "organization",
    }
    draft.fields.update({key: entry.first(name) for name, key in wanted.items()})
