"""Which parser takes a file: by its first bytes where they tell, else by the ending of its name, else by its text."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

from bowerbird.core.kinds import KINDS, kind_of

Route = Literal[
    "markdown", "restructured", "plain", "code", "delimited", "records", "calendar", "image", "audio", "video",
    "mail", "markup", "native", "refused",
]  # fmt: skip

_BY_ROUTE: dict[Route, str] = {
    "code": KINDS["code"]
    + " yaml yml toml ini cfg conf properties sas groovy rules service desktop po pot rc env lock tcl nsi",
    "markdown": "md markdown mdx rmd qmd",
    "restructured": "rst rest",
    "plain": "txt text log nfo lst srt in gitignore",
    "delimited": "csv tsv",
    "records": "json jsonl ndjson geojson",
    "calendar": "ics ical vcs vcf",
    "image": KINDS["image"] + " dng nef cr2 arw ppm pgm pbm pcx jxl bpg djvu icns wmf emf j2k jb2",
    "audio": KINDS["audio"] + " au amr ac3 mid midi aif",
    "video": KINDS["video"] + " flv mpe asf",
    "mail": "eml emlx msg",
    "markup": "html htm xhtml xht xml svg rss atom rdf kml opml fods fodt fodp xmp xsl xsd dita",
    "native": "ipynb tex latex org adoc asciidoc bib ris nbib enw vtt dbk docbook fb2 jats nxml typ typst dj djot",
}
# A later row wins: TeX is a document of xberg's, SVG is an image, but one made of text.
_ENDINGS = {ending: route for route, endings in _BY_ROUTE.items() for ending in endings.split()}
_TEXTUAL: frozenset[Route] = frozenset(
    ("markdown", "restructured", "plain", "code", "delimited", "records", "calendar")
)

_BY_KIND: dict[str, Route] = {"note": "plain", "code": "code", "image": "image", "audio": "audio", "video": "video"}
_RIFF: dict[bytes, Route] = {b"WEBP": "image", b"WAVE": "audio", b"AVI ": "video"}
_MAGIC: tuple[tuple[bytes, Route], ...] = (
    (b"\x89PNG\r\n", "image"), (b"\xff\xd8\xff", "image"), (b"GIF8", "image"), (b"II*\0", "image"),
    (b"MM\0*", "image"), (b"8BPS", "image"), (b"ID3", "audio"), (b"fLaC", "audio"), (b"OggS", "audio"),
    (b"\x1aE\xdf\xa3", "video"), (b"{\\rtf", "native"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "native"),
    (b"PK\x03\x04", "native"),
)  # fmt: skip

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\x7fELF", "a program or library"), (b"MZ\x90", "a program or library"), (b"MZP\0", "a program or library"),
    (b"\xcf\xfa\xed\xfe", "a program or library"), (b"\xce\xfa\xed\xfe", "a program or library"),
    (b"\xca\xfe\xba\xbe", "a program or library"), (b"\0asm", "a program or library"),
    (b"\0\x01\0\0\0", "a font"), (b"OTTO", "a font"), (b"wOFF", "a font"), (b"wOF2", "a font"), (b"ttcf", "a font"),
    (b"SQLite format 3\0", "a database"), (b"\0\x01\0\0Standard Jet DB", "a database"),
    (b"\0\x01\0\0Standard ACE DB", "a database"), (b"7z\xbc\xaf\x27", "an archive"), (b"Rar!\x1a\x07", "an archive"),
    (b"MSCF", "an archive"), (b"!<arch>\n", "an archive"), (b"\x1f\x9d", "an archive"), (b"\x1f\x8b", "an archive"),
    (b"BZh", "an archive"), (b"\xfd7zXZ\0", "an archive"), (b"\x28\xb5\x2f\xfd", "an archive"),
    (b"PK\x05\x06", "an archive"), (b"PAR1", "a data file"), (b"\x89HDF\r\n", "a data file"),
    (b"\x93NUMPY", "a data file"), (b"AC10", "a drawing"), (b"ITSF", "a compiled help file"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d", "a OneNote section"), (b"AT&TFORM", "a scanned book without a reader"),
    (b"FWS", "an animation"), (b"CWS", "an animation"),
)  # fmt: skip

_REFUSED_BY_NATURE = {
    "an archive": "zip tar tgz tbz2 txz jar war ear whl apk ipa z01 warc wacz arc iso dmg",
    "a program or library": "o a so dll exe pyc class wasm",
    "a font": "ttf otf woff woff2 pfb",
    "a database": "db sqlite mdb accdb",
    "a drawing": "dwg dwf dgn vsd stl 3mf",
    "a key, a certificate or a sealed message": "pem der crt p7c p7m p7s gpg",
}
_REFUSED_ENDINGS = {ending: what for what, endings in _REFUSED_BY_NATURE.items() for ending in endings.split()}

_MAIL_HEADER = re.compile(
    r"(from|to|cc|subject|date|received|return-path|message-id|mime-version|content-type|delivered-to|sent|x-[\w-]+):",
    re.IGNORECASE,
)
_HTML = re.compile(r"\s*(<!--.*?-->\s*)*<(!doctype html|html|head|body)\b", re.IGNORECASE | re.DOTALL)


def ending_of(name: str) -> str:
    """Return the ending of a file name in lower case, without the dot: "" if it has none."""
    return PurePosixPath(name.lower().replace("\\", "/")).suffix.lstrip(".")


def by_bytes(data: bytes) -> Route | None:
    """Return the parser that the first bytes of a file tell, if any."""
    if b"%PDF-" in data[:1024]:
        return "native"
    if data[:4] == b"RIFF":
        return _RIFF.get(data[8:12])
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        return "audio" if brand == b"M4A " else "image" if brand in (b"heic", b"mif1", b"avif", b"heix") else "video"
    for magic, route in _MAGIC:
        if data.startswith(magic):
            return route
    return "refused" if any(data.startswith(magic) for magic, _ in _REFUSED) or data[257:262] == b"ustar" else None


def by_name(name: str, media_type: str = "") -> Route | None:
    """Return the parser that a file name tells, or else the media type, if any."""
    ending = ending_of(name)
    if ending in _ENDINGS:
        return _ENDINGS[ending]
    if not ending:
        found = _BY_KIND.get(kind_of(name)) or _BY_KIND.get(media_type.partition("/")[0])
        if found is not None:
            return found
    return "mail" if media_type == "message/rfc822" else None


def by_text(text: str) -> Route:
    """Return the parser for text under a name that tells nothing."""
    if is_mail(text):
        return "mail"
    head = text[:2000].lstrip()
    if head.startswith("<?xml") or _HTML.match(head):
        return "markup"
    if head.startswith("BEGIN:VC"):
        return "calendar"
    return "code" if head.startswith("#!") else "plain"


def is_textual(route: Route) -> bool:
    """Say whether a parser is one of ours that takes decoded text."""
    return route in _TEXTUAL


def is_mail(text: str) -> bool:
    """Say whether text begins as a message does (RFC 5322): its first line is a header field, and so are more."""
    lines = text[:4000].split("\n")[:25]
    return bool(_MAIL_HEADER.match(lines[0])) and sum(bool(_MAIL_HEADER.match(line)) for line in lines) >= 3


def is_html(text: str) -> bool:
    """Say whether text begins as HTML does."""
    return _HTML.match(text[:2000]) is not None


def nature(name: str, data: bytes) -> str:
    """Say in a few words what a file without text is, "" where that is not known."""
    for magic, what in _REFUSED:
        if data.startswith(magic):
            return what
    if data[257:262] == b"ustar":
        return "an archive"
    return _REFUSED_ENDINGS.get(ending_of(name), "")
