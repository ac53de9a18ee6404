"""The grammar of queries, loosest first; what it says, without knowing any operator.

    query = {choice}          choice = part {"OR" part}          part = ["-"] (group | field | phrase | word)
    group = "(" query ")"     field = name ":" (word | phrase)    phrase = '"' text '"'

There is no wrong query: what cannot be read so is a word, so that results keep coming while somebody types. `OR` with
nothing to join, a quote or a parenthesis that is never closed, and one that was never opened are left out. A pair of
parentheses inside a word stays (`f(x)`), and a minus excludes only where something follows it at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

DEEPEST = 12
"""How deep groups may nest; deeper parentheses are left out."""

_QUOTES = str.maketrans(dict.fromkeys("“”„‟＂", '"'))
_LEAF = re.compile(
    r'(?P<minus>-(?=[\w"]))?(?:(?P<name>[A-Za-z]+):"(?P<value>[^"]*)"|"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))'
)
_PARENTHESES = str.maketrans("()", "  ")
_OPEN = re.compile(r"(-?)\(")
_FIELD = re.compile(r"(?P<name>[A-Za-z]+):(?P<value>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A word, a phrase (something in quotes), or a field where `name` is not empty."""

    text: str
    name: str = ""
    phrase: bool = False
    excluded: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What stood in parentheses (or all of the query): choices, each a tuple of one or more alternatives."""

    choices: tuple[tuple[Leaf | Group, ...], ...]
    excluded: bool = False


_EMPTY = [made for excluded in (False, True) for made in (Group((), excluded), Leaf("", "", True, excluded))]


def read(text: str) -> Group:
    """Return the tree of a query.

    >>> [len(choice) for choice in read('plan OR "annual report" -draft (type:pdf OR from:ada)').choices]
    [2, 1, 1]
    """
    return _Reader(_balanced(text.translate(_QUOTES))).group(0)


def _balanced(text: str) -> str:
    """Leave out the last quote where it is never closed."""
    if text.count('"') % 2 == 0:
        return text
    head, tail = text.rsplit('"', 1)
    return f"{head}{tail}" if head.endswith(":") else f"{head} {tail}"


class _Reader:
    """Recursive descent over the text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def group(self, depth: int, excluded: bool = False) -> Group:
        """Read choices up to the end of the group, or of the text."""
        choices: list[list[Leaf | Group]] = []
        joined = False
        for part in self._parts(depth):
            if part is None:
                joined = bool(choices)
            elif part in _EMPTY:
                continue
            elif joined:
                choices[-1].append(part)
                joined = False
            else:
                choices.append([part])
        return Group(tuple(map(tuple, choices)), excluded)

    def _parts(self, depth: int) -> Iterator[Leaf | Group | None]:
        """Yield the parts of a group, None for each `OR`."""
        while self._skip():
            opened = _OPEN.match(self._text, self._at)
            if opened:
                self._at = opened.end()
                if depth < DEEPEST:
                    yield self.group(depth + 1, bool(opened[1]))
                continue
            leaf = _LEAF.match(self._text, self._at)
            if leaf is None:
                return  # never: quotes are balanced and blanks skipped
            if leaf["word"] is None:
                yield self._quoted(leaf)
                continue
            word, closes = self._word(leaf, depth)
            if word is None:
                continue  # the parentheses that fit nowhere are gone; it is read again
            if word == "OR" and not leaf["minus"]:
                yield None
            elif word:
                yield _leaf(word, bool(leaf["minus"]))
            if closes:
                return

    def _skip(self) -> bool:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
        return self._at < len(self._text)

    def _quoted(self, leaf: re.Match[str]) -> Leaf:
        self._at = leaf.end()
        excluded = bool(leaf["minus"])
        if leaf["phrase"] is not None:
            return Leaf(" ".join(leaf["phrase"].split()), phrase=True, excluded=excluded)
        return Leaf(" ".join(leaf["value"].split()), leaf["name"], True, excluded)

    def _word(self, leaf: re.Match[str], depth: int) -> tuple[str | None, bool]:
        """Take a word: (the word, whether it ends the group), or (None, False) where the text was mended instead."""
        start, word = leaf.start("word"), leaf["word"]
        opened, closed = word.count("("), word.count(")")
        closing = min(closed - opened, len(word) - len(word.rstrip(")"))) if depth else 0
        if closing > 0:
            word = word[:-closing]
        if not _balances(word):
            plain = word.translate(_PARENTHESES)
            self._text = self._text[:start] + plain + self._text[start + len(word) :]
            return None, False
        self._at = start + len(word) + (closing > 0)
        return word, closing > 0


def _balances(word: str) -> bool:
    depths = list(accumulate({"(": 1, ")": -1}.get(character, 0) for character in word))
    return not depths or (min(depths) >= 0 and depths[-1] == 0)


def _leaf(word: str, excluded: bool) -> Leaf:
    match = _FIELD.fullmatch(word)
    return Leaf(match["value"], match["name"], False, excluded) if match else Leaf(word, excluded=excluded)
