"""Identifiers: tickets, error codes, dotted paths. Whoever types one wants what holds exactly it."""

from __future__ import annotations

import re

from bowerbird.core.records import Filters
from bowerbird.index.reading import Reading, WordQuery

_ASKED = 50
"""Passages looked at."""

_PARTS = (
    r"(?=.*\d)(?=.*[^\W\d_])",  # letters and digits: PRJ-123, E1234, Q3
    r"(?=.*\w_\w)",  # snake_case
    r"(?=.*\w(?:\.|::)\w)",  # dotted.path, 10.0.0.1, std::vector
    r"(?=.*[a-z][A-Z])",  # camelCase
)
_IDENTIFIER = re.compile(rf"(?:{'|'.join(_PARTS)})\w[\w.:/#+-]*\w")


def is_identifier(text: str) -> bool:
    """Say whether a text looks like a made-up name rather than a word.

    >>> [is_identifier(text) for text in ("PRJ-123", "os.path.join", "maxTokens", "follow-up", "budget", "two words")]
    [True, True, True, False, False, False]
    """
    return bool(_IDENTIFIER.fullmatch(text))


def holding(reader: Reading, text: str, filters: Filters) -> list[str]:
    """Return ids of items with a passage, name or title that holds this identifier as typed (but for case), best first.

    Nothing where the text is no identifier.
    """
    if not is_identifier(text):
        return []
    found = reader.words(WordQuery("", (text,)), filters, _ASKED)
    passages = reader.passages([candidate.passage for candidate in found])
    items = reader.items([candidate.item for candidate in found])
    exact = re.compile(rf"(?<!\w){re.escape(text)}(?!\w)", re.IGNORECASE)
    held = []
    for one in found:
        texts = [passages[one.passage].text] if one.passage in passages else []
        texts += [items[one.item].name, items[one.item].title] if one.item in items else []
        if any(map(exact.search, texts)):
            held.append(one.item)
    return list(dict.fromkeys(held))
