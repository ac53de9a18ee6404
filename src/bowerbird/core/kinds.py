"""The kinds of item, as the `type:` operator, the counts and the icons know them.

A kind is decided by the file name, and where that says nothing, by the media type (IANA media types, RFC 6838).
"""

from __future__ import annotations

from pathlib import PurePosixPath

KINDS: dict[str, str] = {
    "document": "doc docx odt rtf pages wpd tex latex epub fb2 djot",
    "presentation": "ppt pptx odp key ppsx pptm potx",
    "spreadsheet": "xls xlsx ods numbers xlsm xlsb csv tsv dbf",
    "pdf": "pdf",
    "note": "md markdown mdx org adoc txt text rst typ",
    "page": "html htm xhtml mhtml webarchive url",
    "message": "eml msg mbox pst",
    "event": "ics ical vcs",
    "contact": "vcf",
    "image": "png jpg jpeg gif webp bmp tif tiff svg heic heif avif ico jp2 psd",
    "audio": "wav mp3 m4a ogg oga opus flac aac wma aiff",
    "video": "mp4 mkv mov avi webm m4v mpg mpeg wmv",
    "code": (
        "py pyi c h cc cpp cxx hpp rs go java kt js mjs cjs ts jsx tsx rb php pl pm sh bash zsh fish ps1 sql r jl lua"
        " swift scala clj hs ml ex exs erl cs fs vb dart asm s mk cmake gradle tf proto graphql css scss less vue"
        " svelte ipynb diff patch bat cmd awk sed vim el lisp f90 f95 zig nim"
    ),
    "data": "json jsonl ndjson xml yaml yml toml ini cfg conf properties parquet sqlite db log geojson bib ris nbib",
    "archive": "zip tar tgz gz bz2 xz zst 7z rar jar whl deb rpm tbz2 txz",
}
"""Kind -> file name endings, space-separated."""

KIND_NAMES: tuple[str, ...] = (*KINDS, "other")

KIND_ALIASES: dict[str, str] = {
    "doc": "document", "docs": "document", "word": "document", "slides": "presentation", "deck": "presentation",
    "sheet": "spreadsheet", "table": "spreadsheet", "excel": "spreadsheet", "csv": "spreadsheet",
    "markdown": "note", "text": "note", "txt": "note", "html": "page", "web": "page",
    "mail": "message", "email": "message", "calendar": "event", "picture": "image", "photo": "image",
    "screenshot": "image", "recording": "audio", "sound": "audio", "source": "code", "zip": "archive",
}  # fmt: skip
"""Other words people type for a kind."""

_BY_ENDING = {ending: kind for kind, endings in KINDS.items() for ending in endings.split()}
_BY_NAME = {
    "makefile": "code", "dockerfile": "code", "rakefile": "code", "gemfile": "code", "cmakelists.txt": "code",
    "readme": "note", "license": "note", "copying": "note", "changelog": "note", "authors": "note", "news": "note",
    "copyright": "note", "todo": "note",
}  # fmt: skip
_BY_MEDIA_TYPE = (
    ("image/", "image"), ("audio/", "audio"), ("video/", "video"), ("message/", "message"), ("text/html", "page"),
    ("text/calendar", "event"), ("text/markdown", "note"), ("text/csv", "spreadsheet"), ("text/x-", "code"),
    ("text/", "note"), ("application/pdf", "pdf"), ("application/json", "data"), ("application/xml", "data"),
    ("application/zip", "archive"), ("application/gzip", "archive"),
)  # fmt: skip


def kind_of(name: str, media_type: str = "") -> str:
    """Return the kind of an item by its file name, else by its media type, else `other`.

    >>> kind_of("Q3 plan.PPTX"), kind_of("Makefile"), kind_of("a/b", "image/png"), kind_of("x.tar.gz")
    ('presentation', 'code', 'image', 'archive')
    >>> kind_of("changes.gz", "text/plain"), kind_of("guide.rst.gz"), kind_of("x.gz")
    ('note', 'note', 'archive')
    """
    path = PurePosixPath(name.lower())
    kind = _BY_NAME.get(path.name) or _BY_ENDING.get(path.suffix.lstrip("."))
    if kind == "archive" and path.suffix in (".gz", ".bz2", ".xz", ".zst") and not path.stem.endswith(".tar"):
        inner = kind_of(path.stem, media_type)  # one compressed file is what is in it
        return inner if inner != "other" else "archive"
    if kind:
        return kind
    return next((kind for start, kind in _BY_MEDIA_TYPE if media_type.startswith(start)), "other")


def kind_named(word: str) -> str | None:
    """Return the kind that a typed word means (`slides` -> `presentation`), or None.

    >>> kind_named("Slides"), kind_named("presentations"), kind_named("sausage")
    ('presentation', 'presentation', None)
    """
    word = word.lower()
    for candidate in (word, word.removesuffix("s")):
        if candidate in KIND_NAMES:
            return candidate
        if candidate in KIND_ALIASES:
            return KIND_ALIASES[candidate]
    return _BY_ENDING.get(word.lstrip("."))
