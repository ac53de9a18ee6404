r"""Keys of items: printable, reversible and never ambiguous.

A key is the path below the source's root with `/` between its parts; a member of a container follows after `!/`. What
would not survive JSON, a terminal or that grammar is escaped inside a part: bytes that are no UTF-8 as `\xff` (PEP 383
names them by lone surrogates), control and direction-changing characters as `\x0a` or `\u202e`, the backslash as `\\`,
and `!` at the end of a part as `\x21`. Everything else stays as it is, so nearly every key reads like the path.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import quote

from bowerbird.core.errors import SourceError

MEMBER = "!/"
"""What stands between the key of a container and the path of its member."""

_UNSAFE = re.compile("[\x00-\x1f/\\\\\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]|!\\Z")
_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|(\\))")


def escape(part: str) -> str:
    r"""Return one part of a path (a file name as `os.fsdecode` gives it) as it stands in a key.

    >>> print(escape("caf\udce9.txt"), escape("a\\b"), escape("wow!"), escape("Größe 100%.md"))
    caf\xe9.txt a\\b wow\x21 Größe 100%.md
    """
    return _UNSAFE.sub(_escaped, part)


def _escaped(match: re.Match[str]) -> str:
    character = match[0]
    if character == "\\":
        return "\\\\"
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}"


def unescape(part: str) -> str:
    """Return the file name that `escape` was given.

    `\\x00` to `\\x7f` are the character itself and `\\x80` to `\\xff` the surrogate of that byte, so nothing is lost.
    """
    return _ESCAPED.sub(_unescaped, part)


def _unescaped(match: re.Match[str]) -> str:
    byte, code, backslash = match.groups()
    if backslash:
        return "\\"
    if code:
        return chr(int(code, 16))
    value = int(byte, 16)
    return chr(value if value < 0x80 else 0xDC00 + value)


def join(parts: Iterable[str]) -> str:
    """Return the key of a path given as its parts (file names as the file system has them).

    >>> join(["notes", "a.md"])
    'notes/a.md'
    """
    return "/".join(escape(part) for part in parts)


def split(key: str) -> tuple[str, ...]:
    """Return the parts that `join` was given; raises SourceError where a part would leave the root.

    >>> split("notes/a.md"), split("")
    (('notes', 'a.md'), ())
    """
    if not key:
        return ()
    parts = tuple(unescape(part) for part in key.split("/"))
    if any(part in ("", ".", "..") or "/" in part or "\0" in part for part in parts):
        raise SourceError(f"`{key}` is not the key of a file.", "Ask again with a key that a listing gave.")
    return parts


def split_members(key: str) -> tuple[str, ...]:
    """Return the key of the outermost container and the member paths below it, each as it stands in the key.

    >>> split_members("a.zip!/b.tar!/c/d.txt")
    ('a.zip', 'b.tar', 'c/d.txt')
    """
    return tuple(key.split(MEMBER))


def depth(key: str) -> int:
    """Return how many containers an item lies in: 0 for a file."""
    return len(split_members(key)) - 1


def readable(name: str) -> str:
    r"""Return a file name for people: NFC, and bytes that are no UTF-8 read as Windows-1252, the likeliest guess.

    >>> readable("caf\udce9.txt")
    'café.txt'
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        name = name.encode("utf-8", "surrogateescape" if _is_bytes(name) else "replace").decode("cp1252", "replace")
    name = re.sub("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", " ", name)
    return unicodedata.normalize("NFC", name)


def _is_bytes(name: str) -> bool:
    """Say whether all lone surrogates stand for bytes (PEP 383)."""
    return not re.search("[\ud800-\udc7f\udd00-\udfff]", name)


def file_uri(path: str) -> str:
    r"""Return the file:// URL of an absolute path, byte for byte (RFC 8089).

    >>> file_uri("/tmp/caf\udce9 1.txt")
    'file:///tmp/caf%E9%201.txt'
    """
    return "file://" + quote(os.fsencode(path))
