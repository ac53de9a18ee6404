"""What the generator wrote, and what must be found in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from bowerbird.core import records
from bowerbird.core.records import Filters, Person, Query
from bowerbird.search import query

Sort = Literal["name", "identifier", "phrase", "words", "paraphrase", "person", "type", "date", "language", "media"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One file: its path below the folder (`/`-separated), its kind as in `core.kinds`, who is in it, what it says.

    `facts` are identifiers and statements that the file is the place to learn; `broken` says how it was damaged on
    purpose ("" for a sound file); `members` are the names within an archive or the subjects within a mailbox.
    """

    path: str
    kind: str
    people: tuple[Person, ...]
    facts: tuple[str, ...]
    modified: datetime
    broken: str = ""
    members: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A query with the paths that must be found; a hit on a member of a container counts for the container.

    `text` holds the free words and quoted phrases, `filters` what would be typed as operators. With `every` set all
    the paths must be found, else any one of them (they are versions or copies of each other) answers the question.
    """

    text: str
    sort: Sort
    paths: tuple[str, ...]
    filters: Filters = field(default_factory=Filters)
    every: bool = False

    @property
    def typed(self) -> str:
        """The question as it is typed into the box, with its operators."""
        return query.format(Query(self.text, words=self.text, filters=self.filters))


@dataclass(frozen=True, slots=True)
class Manifest:
    """All that is known by construction; `skipped` says which kinds could not be made here, and why."""

    team: str
    seed: int
    first: date
    last: date
    entries: tuple[Entry, ...]
    questions: tuple[Question, ...]
    skipped: tuple[str, ...] = ()

    def entry(self, path: str) -> Entry:
        """Return the entry of a path; raises KeyError where there is none."""
        for entry in self.entries:
            if entry.path == path:
                return entry
        raise KeyError(path)

    def save(self, file: Path) -> None:
        """Write the manifest as JSON; keep it outside of the indexed folder, or it answers every question."""
        file.write_bytes(records.to_json(self))

    @classmethod
    def load(cls, file: Path) -> Manifest:
        """Read what `save` wrote; raises ValueError where the file is something else."""
        return records.from_json(file.read_bytes(), cls)
