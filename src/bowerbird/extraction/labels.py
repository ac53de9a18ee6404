"""What an item's row keeps of its document to narrow by: `lang:`, `has:`, `tag:` as labels, and whom it went to."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bowerbird.core.records import Document

_HAS = {"table": "table", "code": "code", "list": "list"}
"""Kind of block -> what the item has."""

_LINK = re.compile(r"https?://\w")
_TAG_FIELDS = ("keywords", "tags", "tag", "categories", "category")
_MOST, _LONGEST = 40, 80


def labels_of(document: Document, media_type: str = "") -> tuple[str, ...]:
    """Return labels such as `lang:en`, `has:table` and `tag:budget`: what a document says of itself, lower case.

    >>> from bowerbird.core.records import Block
    >>> made = Document("Plan", (Block("a | b", "table"),), "x", language="en", fields={"tags": "[Budget, Q3]"})
    >>> labels_of(made)
    ('lang:en', 'has:table', 'tag:budget', 'tag:q3')
    """
    found = [f"lang:{document.language}"] if document.language else []
    found += [f"has:{what}" for what in sorted(set(_parts(document, media_type)))]
    found += [f"tag:{tag}" for tag in dict.fromkeys(_tags(document))]
    return tuple(found)


def recipients_of(document: Document) -> str:
    """Return the names and addresses that a message went to, lower case, one a line."""
    sent = ", ".join(filter(None, (document.fields.get(field, "") for field in ("to", "cc"))))
    return "\n".join(dict.fromkeys(part.strip().lower() for part in re.split(r"[,;]", sent) if part.strip()))


def _parts(document: Document, media_type: str) -> Iterator[str]:
    for block in document.blocks:
        if block.kind in _HAS:
            yield _HAS[block.kind]
        elif block.kind == "media" and not media_type.startswith(("image/", "audio/", "video/")):
            yield "recording" if block.seconds else "image"
        if _LINK.search(block.text):
            yield "link"
    if document.fields.get("attachments"):
        yield "attachment"


def _tags(document: Document) -> Iterator[str]:
    told = ",".join(document.fields.get(field, "").strip("[]") for field in _TAG_FIELDS)
    tags = (" ".join(re.sub(r"[\"'#]", "", tag).lower().split()) for tag in re.split(r"[,;]", told))
    yield from [tag[:_LONGEST] for tag in tags if tag][:_MOST]
