"""Keys of items: where they lie within their source."""

from __future__ import annotations


def document_of(key: str) -> str:
    """Return the key of the document that an item is a part of: a fragment names a part (RFC 3986, section 3.5).

    >>> document_of("plans/roof.pdf#page=3"), document_of("plans/roof.pdf")
    ('plans/roof.pdf', 'plans/roof.pdf')
    """
    return key.partition("#")[0]
