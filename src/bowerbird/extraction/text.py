"""Bytes -> str -> clean str: character sets, and what no text of ours may hold."""

from __future__ import annotations

import codecs
import re
import unicodedata

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_DECLARED = re.compile(rb"(?:charset|coding|encoding)\s*[=:]\s*[\"']?([A-Za-z][\w.-]{2,20})", re.IGNORECASE)
_DECLARED_TEXT = re.compile(r"((?:charset|encoding)\s*=\s*[\"']?)[A-Za-z][\w.-]{2,20}", re.IGNORECASE)
_CONTROLS = re.compile(rb"[\x00-\x06\x0e-\x1a\x1c-\x1f]")
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\u00ad\u200b\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("\r\n?|\x0b|\x0c|\x85|\u2028|\u2029")
_TRAILING = re.compile(r"[ \t]+$", re.MULTILINE)
_SAMPLE = 1 << 16


def decode(data: bytes) -> str | None:
    """Return the text of the bytes, or None where they are not text.

    A byte order mark decides; then UTF-8, UTF-16 without a mark, the declared character set, and a guess among the
    legacy ones that ends with Windows-1252. Bytes with NUL or more than 1 % control characters are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    if 0 in data[:_SAMPLE]:
        return _utf16(data)
    if len(_CONTROLS.findall(data[:_SAMPLE])) * 100 > len(data[:_SAMPLE]):
        return None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.start >= len(data) - 3 and problem.reason == "unexpected end of data":
            return data[: problem.start].decode("utf-8")
    return _legacy(data)


def clean(text: str) -> str:
    """Return the text in NFC, lines ended by newlines, without control characters, lone surrogates and soft hyphens.

    >>> clean("cafe\\u0301\\x00 \\r\\nau lait")
    'café\\nau lait'
    """
    text = _BREAKS.sub("\n", text)
    text = _UNWANTED.sub("", text)
    text = _TRAILING.sub("", text)
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def as_utf8(text: str) -> bytes:
    """Encode text for a parser that believes a declaration in it: what it declares at its beginning becomes UTF-8."""
    head = _DECLARED_TEXT.sub(r"\1utf-8", text[:2048])
    return (head + text[2048:]).encode()


def _utf16(data: bytes) -> str | None:
    """Recognise UTF-16 without a mark: text of mostly Latin letters has NUL in every other byte."""
    sample = data[: _SAMPLE & ~1]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    half = max(1, len(sample) // 2)
    if max(even, odd) < half * 0.6 or min(even, odd) > half * 0.05:
        return None
    return data.decode("utf-16-le" if odd > even else "utf-16-be", "replace")


def _legacy(data: bytes) -> str:
    declared = _DECLARED.search(data[:2048])
    for encoding in (declared.group(1).decode("ascii") if declared else "", _guess(data[:_SAMPLE])):
        try:
            if encoding.lower().replace("_", "-") not in ("", "utf-8", "utf8"):
                return data.decode(encoding)
        except (LookupError, ValueError):
            continue
    return data.decode("cp1252", "replace")


def _guess(sample: bytes) -> str:
    """Name the legacy character set by which bytes are frequent (GB 2312, JIS X 0208, KS X 1001, KOI8-R, 1251)."""
    high = [byte for byte in sample if byte >= 0x80]
    if len(high) * 10 < len(sample) * 3:
        return "cp1252"
    total = len(high)
    if sum(byte in (0x82, 0x83) for byte in high) * 4 > total:
        return "shift_jis"
    pairs = re.findall(rb"[\xa1-\xfe][\xa1-\xfe]", sample)
    letters = {low: sum(low <= byte < low + 32 for byte in high) for low in (0xC0, 0xE0)}
    if letters[0xC0] + letters[0xE0] > total * 0.9 and not _even_runs(sample):
        return "koi8_r" if letters[0xC0] > letters[0xE0] else "cp1251"
    kana = sum(pair[0] in (0xA4, 0xA5) for pair in pairs)
    if kana * 4 > len(pairs):
        return "euc_jp"
    hangul = sum(0xB0 <= pair[0] <= 0xC8 for pair in pairs)
    return "euc_kr" if hangul * 100 > len(pairs) * 92 else "gb18030"


def _even_runs(sample: bytes) -> bool:
    """Double-byte characters come in runs of even length; single-byte words in runs of any."""
    runs = re.findall(rb"[\x80-\xff]+", sample)
    return sum(len(run) % 2 for run in runs) * 10 < len(runs)
