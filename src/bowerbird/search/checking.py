"""Alternatives and exclusions that bear on text (`a OR type:pdf`, `-draft`): which of some items pass.

They are about whole items, so the index cannot narrow to them: a passage without the word says nothing of the next. The
candidates of a pipeline are asked instead, one question to the index for each text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from bowerbird.core.records import Either, Filters
from bowerbird.index.reading import Reading


def kept(reader: Reading, items: Collection[str], checks: Iterable[Either]) -> set[str]:
    """Return those of these items that pass all checks; what may not be seen never does."""
    left = set(items)
    for check in checks:
        fitting = set[str]()
        for option in check.options:
            fitting |= _fitting(reader, left, option)
        left = left - fitting if check.excluded else fitting
    return left


def _fitting(reader: Reading, items: Collection[str], wanted: Filters) -> set[str]:
    """Return those of these items that are all of what an alternative says."""
    left = kept(reader, items, (one for one in wanted.either if one.textual))
    plain = replace(wanted, holding=(), either=tuple(one for one in wanted.either if not one.textual))
    if plain != Filters():
        left = reader.passing(sorted(left), plain)
    for text in wanted.holding:
        left = reader.holding(text, sorted(left))
    return left
