"""Looks for a text in every file below a folder: as bytes, and as whatever the file is decoded to."""

from __future__ import annotations

import io
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import zstandard
from lance.file import LanceFileReader

_FST_COMMON = b"te/oasripcnw.hlm-du012g=:bf3y5&_4v9678k%?xCDASFIBEjPTzRNM+LOqHG"
"""The bytes that the token dictionaries (crate `fst`, format 3) write as their place in this list, from 1."""


def holding(folder: Path, text: str) -> list[str]:
    """The files (paths below the folder) that hold a text in any form."""
    return [
        str(path.relative_to(folder))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and any(_in(data, text) for data in _forms(path))
    ]


def _in(data: bytes, text: str) -> bool:
    """Whether bytes hold a text in some case or encoding; token dictionaries (FST) hold words back to front."""
    plain = text.lower()
    forms = (plain.encode(), plain[::-1].encode(), plain[:3:-1].encode(), plain.encode("utf-16-le"))
    return any(form in data.lower() for form in forms)


def _forms(path: Path) -> Iterator[bytes]:
    data = path.read_bytes()
    yield path.name.encode()
    yield data
    with suppress(zstandard.ZstdError):
        unpacked = zstandard.ZstdDecompressor().stream_reader(data).read()
        yield unpacked
        if path.name.endswith(".tar.zst"):
            with tarfile.open(fileobj=io.BytesIO(unpacked)) as archive:
                for entry in archive:
                    file = archive.extractfile(entry)
                    content = file.read() if file is not None else b""
                    yield content
                    with suppress(zstandard.ZstdError):
                        yield zstandard.ZstdDecompressor().stream_reader(content).read()
    if path.suffix in (".lance", ".arrow"):
        yield from _lance(path)
    if path.suffix == ".sqlite":
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            for line in connection.iterdump():
                yield line.encode("utf-8", "surrogatepass")


def _lance(path: Path) -> Iterator[bytes]:
    if path.suffix == ".arrow":
        return  # deleted rows: numbers
    for batch in LanceFileReader(str(path)).read_all().to_batches():
        for column in batch.columns:
            for value in column.to_pylist():
                if isinstance(value, bytes):
                    yield value
                    yield _chains(value)
                else:
                    yield repr(value).encode("utf-8", "surrogatepass")


def _chains(data: bytes) -> bytes:
    """The letters of nodes with one way out, in the order of a dictionary's bytes: back to front along each word.

    A word's first letters, which it shares with others, are elsewhere; what only it has stands in one run.
    """
    table = {0x80 | number: letter for number, letter in enumerate(_FST_COMMON, 1)}
    table |= {0xC0 | number: letter for number, letter in enumerate(_FST_COMMON, 1)}
    return bytes(table.get(byte, 0) for byte in data)
