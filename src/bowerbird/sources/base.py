"""The one thing every source is: something that can be pulled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from bowerbird.core.errors import SourceError
from bowerbird.core.records import Access, Checkpoint, Failure, Gone, Item
from bowerbird.core.settings import Settings


@dataclass(frozen=True, slots=True)
class Preview:
    """What adding a source would mean: files found, their bytes, entries left out by rules, seconds to index them.

    `left_out` are the keys of the first thousand entries (files, or whole folders) that the rules leave out.
    """

    files: int
    bytes: int
    ignored: int
    seconds_estimate: float
    left_out: tuple[str, ...] = ()


class Source(ABC):
    """A place things come from. A connector writes `pull`, and `read` where its items come without content.

    `location` is what the person typed; `exclude` are folders of Bowerbird's own that must never be indexed. Where
    `says_access` is true the source knows who may read what; it is asked to say so by `scoped`.
    """

    kind: ClassVar[str]

    def __init__(self, location: str, settings: Settings, exclude: Sequence[Path] = ()) -> None:
        self.location = location
        self.settings = settings
        self.exclude = tuple(exclude)
        self.scoped = False

    @property
    def says_access(self) -> bool:
        """Whether the source can say who may read what (Access records, and items with a `scope`)."""
        return False

    @abstractmethod
    def pull(self, checkpoint: Checkpoint) -> Iterator[Access | Item | Gone | Failure | Checkpoint]:
        """Yield what changed since the checkpoint (everything, for a fresh one), ending with a new Checkpoint.

        Keys are unique within a pull. A Checkpoint with `complete=True` says that what was not yielded is gone,
        except below a Failure with `prefix=True`. Raises SourceError where the source as a whole cannot be listed:
        then nothing may be concluded about its items. With `scoped`, an Access comes before the first item of each
        scope.
        """

    def read(self, item: Item) -> bytes:
        """Return the bytes of an item; raises SourceError where they cannot be read."""
        if item.content is None:
            raise SourceError(f"`{item.name}` came without its content.", "Run `bowerbird sync` to fetch it again.")
        return item.content
