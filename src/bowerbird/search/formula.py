"""Formulas: pipelines written down. The grammar, loosest first (the precedence of Python's operators):

beside = then {"|" then}        then = cut {">>" cut}        cut = atom {"%" number}        atom = name | "(" beside ")"
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from itertools import accumulate

from bowerbird.core.errors import UsageError
from bowerbird.search import learned, stages
from bowerbird.search.pipeline import Stage

NAMES: Mapping[str, Stage] = {**stages.NAMES, **learned.NAMES}
"""The words of a formula."""

LONGEST = 2_000
"""Longest formula, in characters."""

DEEPEST = 30
"""How deep parentheses may nest."""

_TOKEN = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>[0-9]+)(?!\w)|(?P<sign>>>|[|%()]))")


def parse(text: str) -> Stage:
    """Return the pipeline that a formula writes; raises UsageError that says where it is wrong, or cannot work.

    >>> print(parse("((words % 100)) >> items>>snippets"))
    words % 100 >> items >> snippets
    """
    tokens = _tokens(text)
    depths = accumulate({"(": 1, ")": -1}.get(token, 0) for token in tokens)
    if max(depths, default=0) > DEEPEST:
        raise _wrong(f"its parentheses nest deeper than {DEEPEST}")
    reader = _Reader(tokens)
    pipeline = reader.beside()
    if reader.next:
        raise _wrong(f"`{reader.next}` is not expected here")
    pipeline.shape(None)
    return pipeline


def _tokens(text: str) -> list[str]:
    if len(text) > LONGEST:
        raise _wrong(f"it is longer than {LONGEST:,} characters")
    tokens, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise _wrong(f"`{text[at:].strip()[:20]}` is not expected here")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


def _wrong(what: str) -> UsageError:
    return UsageError(
        f"The formula cannot be read: {what}.",
        "A formula looks like `(words % 200 | meaning % 200) >> fuse >> snippets`; "
        f"its words are {', '.join(sorted(NAMES))}.",
    )


class _Reader:
    """Recursive descent over the tokens, one method a line of the grammar."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def next(self) -> str:
        """The next token, "" at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self.next
        self._at += 1
        return token

    def beside(self) -> Stage:
        """Read pipelines side by side."""
        stage = self._then()
        while self.next == "|":
            self._take()
            stage = stage | self._then()
        return stage

    def _then(self) -> Stage:
        stage = self._cut()
        while self.next == ">>":
            self._take()
            stage = stage >> self._cut()
        return stage

    def _cut(self) -> Stage:
        stage = self._atom()
        while self.next == "%":
            self._take()
            number = self._take()
            if not number.isdigit() or len(number) > 6:
                raise _wrong(f"`%` needs a number up to 999999, not `{number}`")
            stage = stage % int(number)
        return stage

    def _atom(self) -> Stage:
        if self.next == "(":
            self._take()
            stage = self.beside()
            if self._take() != ")":
                raise _wrong("a parenthesis is not closed")
            return stage
        token = self._take()
        if token in NAMES:
            return NAMES[token]
        near = difflib.get_close_matches(token, NAMES, n=1)
        meant = f"; did you mean `{near[0]}`?" if near else ""
        raise _wrong(f"`{token}` is not a stage{meant}" if token else "it ends too early")
