"""The labels that people narrow to: `lang:`, `has:`, `is:` and `tag:` (see `extraction.labels`)."""

from __future__ import annotations

from collections.abc import Mapping

LANGUAGES: Mapping[str, str] = {
    "arabic": "ar", "bulgarian": "bg", "chinese": "zh", "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "finnish": "fi", "french": "fr", "german": "de", "deutsch": "de", "greek": "el", "hebrew": "he",
    "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it", "japanese": "ja", "korean": "ko",
    "norwegian": "no", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "slovak": "sk",
    "spanish": "es", "swedish": "sv", "thai": "th", "turkish": "tr", "ukrainian": "uk", "vietnamese": "vi",
}  # fmt: skip
"""Names of languages -> ISO 639-1; any code of two letters does as well."""

HAS = ("attachment", "code", "image", "link", "list", "recording", "table")
IS = ("archived", "attachment")

LABELS: Mapping[str, tuple[str, ...]] = {"lang": tuple(LANGUAGES), "has": HAS, "is": IS, "tag": ()}
"""Operator -> the values it knows, () for any."""


def label_named(operator: str, value: str) -> str | None:
    """Return the value of a label that a typed one means, or None.

    >>> label_named("lang", "German"), label_named("has", "Tables"), label_named("is", "odd"), label_named("tag", "#Q3")
    ('de', 'table', None, 'q3')
    """
    plain = value.lower()
    if operator == "tag":
        return plain.removeprefix("#") or None
    if operator == "lang":
        return LANGUAGES.get(plain) or (plain if len(plain) == 2 and plain.isalpha() and plain.isascii() else None)
    return next((one for one in LABELS[operator] if one in (plain, plain.removesuffix("s"))), None)
