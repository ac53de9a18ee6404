"""What every source must do, as a mixin: a connector's own test is a class with a `source` fixture.

class TestMySource(SourceContract):
    @pytest.fixture
    def source(self, tmp_path):
        (tmp_path / "a.txt").write_text("hello")
        return MySource(str(tmp_path), Settings({}))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from bowerbird.core.records import Access, Checkpoint, Failure, Gone, Item, from_json, to_json
from bowerbird.sources.base import Source

Record = Access | Item | Gone | Failure | Checkpoint
Peek = Callable[[Iterable[str]], Iterator[Access | Item | Gone | Failure]]


class SourceContract:
    """Checks a source that a fixture named `source` gives; it must hold at least one readable item and not change."""

    def test_has_a_kind(self, source: Source) -> None:
        """The kind is a word that could be typed."""
        expect(source.kind.isidentifier(), f"{source.kind!r} cannot be typed as a kind")

    def test_pull_ends_with_a_checkpoint(self, source: Source) -> None:
        """The last thing a pull yields says where the next may resume."""
        expect(isinstance(pulled(source)[-1], Checkpoint), "a pull must end with a Checkpoint")

    def test_keys_are_unique_and_printable(self, source: Source) -> None:
        """No key comes twice, and each survives a terminal and UTF-8."""
        keys = [record.key for record in pulled(source) if not isinstance(record, Access | Checkpoint)]
        expect(all(keys), "every record needs a key")
        expect(len(keys) == len(set(keys)), "a key came twice in one pull")
        for key in keys:
            expect(not any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in key), f"{key!r} cannot be printed")

    def test_records_survive_json(self, source: Source) -> None:
        """Every record is the same after a round trip through JSON."""
        for record in pulled(source):
            expect(from_json(to_json(record), type(record)) == record, f"{record} changes on its way through JSON")

    def test_pulling_twice_gives_the_same(self, source: Source) -> None:
        """A source that did not change says the same in the same order, versions included."""
        expect(pulled(source) == pulled(source), "two pulls of an unchanged source differ")

    def test_items_say_what_they_are(self, source: Source) -> None:
        """Name, address and version are there; times have a zone."""
        for item in items(source):
            expect(bool(item.name and item.version and ":" in item.uri), f"{item.key} lacks name, version or URL")
            expect(item.modified is None or item.modified.tzinfo is not None, f"{item.key}: a time without zone")

    def test_read_gives_the_stated_bytes(self, source: Source) -> None:
        """What is read has the size that was listed, each time."""
        found = items(source)
        expect(bool(found), "the fixture needs at least one item")
        for item in found:
            data = source.read(item)
            expect(len(data) == item.size, f"{item.key} has {len(data)} bytes, but {item.size} were listed")
            expect(source.read(item) == data, f"{item.key} reads differently the second time")

    def test_resuming_repeats_no_more_than_a_fresh_pull(self, source: Source) -> None:
        """A pull from the last checkpoint yields nothing that a fresh one would not."""
        fresh = pulled(source)
        last = fresh[-1]
        again = list(source.pull(last)) if isinstance(last, Checkpoint) else []
        expect(bool(again) and isinstance(again[-1], Checkpoint), "a resumed pull must end with a Checkpoint")
        known = {record.key for record in fresh if isinstance(record, Item)}
        expect({record.key for record in again if isinstance(record, Item)} <= known, "a resumed pull invents items")

    def test_access_comes_once_and_before_the_items_of_a_scope(self, source: Source) -> None:
        """A source that knows who may read what says so of every scope before its first item, naming principals."""
        if not source.says_access:
            return
        source.scoped = True
        try:
            records = pulled(source)
        finally:
            source.scoped = False
        told: set[str] = set()
        for record in records:
            if isinstance(record, Access):
                expect(record.scope not in told, f"the scope {record.scope!r} is told twice")
                told.add(record.scope)
                for name in (*record.allow, *record.deny):
                    kind, _, rest = name.partition(":")
                    expect(name == "public" or (kind in ("user", "group") and bool(rest)), f"{name!r} names nobody")
            elif isinstance(record, Item):
                expect(record.scope in told, f"nothing was said of the scope of {record.key} before it came")

    def test_peek_agrees_with_pull(self, source: Source) -> None:
        """Where a source can look again at single keys, it says of each what a pull says, and Gone of unknown ones."""
        peek: Peek | None = getattr(source, "peek", None)
        if peek is None:
            return
        for item in items(source):
            expect(
                [one for one in peek([item.key]) if not isinstance(one, Access)] == [item],
                f"peek and pull disagree about {item.key}",
            )
        unknown = "no/such key"
        expect(list(peek([unknown])) == [Gone(unknown)], "peek must say Gone of what is not there")


def expect(holds: bool, otherwise: str) -> None:
    """Fail the test where something does not hold (a bare assert would vanish under `python -O`)."""
    if not holds:
        raise AssertionError(otherwise)


def pulled(source: Source) -> list[Record]:
    """Return all that a fresh pull yields."""
    return list(source.pull(Checkpoint()))


def items(source: Source) -> list[Item]:
    """Return the items that a fresh pull yields."""
    return [record for record in source.pull(Checkpoint()) if isinstance(record, Item)]
