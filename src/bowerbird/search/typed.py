"""What somebody is typing: the last, unfinished part of a query, and what stands before it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂", '"'))
_LAST = re.compile(r'(?P<minus>-?)(?:(?P<name>[A-Za-z]+):)?(?P<quote>"?)(?P<value>[^"]*)')
_OPEN = re.compile(r'[^\s()"]*"[^"]*\Z')
_WORD = re.compile(r'[^\s()"]*\Z')


@dataclass(frozen=True, slots=True)
class Typed:
    """`head` is all before the part being typed; this is `minus`, an operator's `name` ("" for none) and a `value`.

    `quoted` says that the value stands in a quote that is still open.
    """

    head: str
    minus: str = ""
    name: str = ""
    value: str = ""
    quoted: bool = False

    def with_value(self, name: str, value: str, head: str | None = None) -> str:
        """Return the query with an operator and its value (or nothing yet) in place of the part being typed.

        >>> typed("budget -from:jo").with_value("from", "Jon Low")
        'budget -from:"Jon Low" '
        """
        clean = value.replace('"', "")
        written = clean if re.fullmatch(r'[^\s"()]*', clean) else f'"{clean}"'
        return f"{self.head if head is None else head}{self.minus}{name}:{written}{' ' if clean else ''}"


def typed(text: str) -> Typed:
    """Take a query apart that is typed up to its end.

    >>> typed('plan in:"Q3 pl')
    Typed(head='plan ', minus='', name='in', value='Q3 pl', quoted=True)
    >>> typed("plan ").head, typed("plan ").value
    ('plan ', '')
    """
    straight = text.translate(_QUOTES)
    pattern = _OPEN if straight.count('"') % 2 else _WORD
    found = pattern.search(straight)
    at = found.start() if found else len(text)
    part = _LAST.fullmatch(straight[at:])
    if part is None or (at and straight[at - 1] == '"'):
        return Typed(text)
    return Typed(text[:at], part["minus"], part["name"] or "", part["value"], bool(part["quote"]))
