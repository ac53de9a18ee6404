"""Source code -> blocks that a person would quote: a definition with the comment above it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bowerbird.core.records import Block
from bowerbird.extraction.draft import Draft

_COMMENT = re.compile(r"\s*(#|//|/\*|\*|--|;|%|\"\"\"|'''|<!--|\"|@|\[)")
_CLOSES = re.compile(r"[)\]}]|end\b|else\b|elif\b|except\b|finally\b|catch\b|fi\b|done\b|esac\b", re.IGNORECASE)
_SMALL, _LARGE = 200, 4000
"""Characters: smaller neighbours are joined, larger blocks are parted at any blank line."""


def code(text: str) -> Draft:
    """Part source code at the blank lines before what stands at the left margin; comments stay with what follows."""
    return Draft(blocks=[Block(part, "code") for part in _joined(_parts(text))], media_type="text/plain", prose=False)


def _parts(text: str) -> Iterator[str]:
    """Yield runs of lines that belong together: an indented or closing line after a blank one goes on with the run."""
    run: list[str] = []
    size = 0
    blank = comment = False
    for line in text.split("\n"):
        if not line.strip():
            blank = bool(run)
            continue
        margin = not line[0].isspace() and not _CLOSES.match(line)
        if blank and not comment and (margin or size > _LARGE):
            yield "\n".join(run)
            run, size = [], 0
        elif blank:
            run.append("")
        # What begins with a comment only goes on over a blank line: a licence or a note belongs to what it heads.
        comment = all(_COMMENT.match(each) for each in run if each) if len(run) < 40 and _COMMENT.match(line) else False
        run.append(line)
        size += len(line)
        blank = False
    if run:
        yield "\n".join(run)


def _joined(parts: Iterator[str]) -> Iterator[str]:
    """Join small neighbours (imports, constants) so that no block is a lone line."""
    held = ""
    for part in parts:
        if held and (len(held) + len(part) > _SMALL * 4 or len(part) > _SMALL < len(held)):
            yield held
            held = part
        else:
            held = f"{held}\n\n{part}" if held else part
    if held:
        yield held
