"""Secrets of programs and people in a text: keys by the shapes that their services give them, the rest by entropy."""

from __future__ import annotations

import math
import re
from collections import Counter

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a private key", re.compile(r"-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY(?: BLOCK)?-----\s+[A-Za-z0-9+/=]{40}")),
    ("a key of AWS", re.compile(r"\b(?:AKIA|ASIA)(?![A-Z0-9]*EXAMPLE)[A-Z2-7]{16}\b")),
    ("a token of GitHub", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})\b")),
    ("a token of GitLab", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}\b")),
    ("a token of Slack", re.compile(r"\bxox[abeprs]-\d{8,}-[A-Za-z0-9-]{16,}")),
    ("a key of Google", re.compile(r"\bAIza[A-Za-z0-9_-]{35}\b")),
    ("a live key of Stripe", re.compile(r"\b[rs]k_live_[A-Za-z0-9]{20,}\b")),
    ("a key of OpenAI or Anthropic", re.compile(r"\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b")),
)  # fmt: skip

_NAMED = re.compile(
    r"(?i)\b([a-z0-9_.-]{0,30}?(?:api[_ -]?key|secret(?:[_ -]?key)?|access[_ -]?key|auth[_ -]?token|access[_ -]?token"
    r"|client[_ -]?secret|password|passwort|passwd|kennwort|pwd))\b[\"']?\s{0,9}(?::=|=>|[:=])\s{0,9}[\"']?"
    r"([^\s\"'`,;<>]{8,128})"
)
_PLACEHOLDER = re.compile(
    r"(?i)x{4}|\*{3}|\.{3}|…|change|example|sample|dummy|your|placeholder|todo|none|null|true|false|test|secret|passwor[dt]"
    r"|kennwort|\$|\{|\}|%|\(|\[|env|config|settings|process|getenv|https?:|^/|^\w+\.\w+\.|required|optional|hunter2|abc123"
    r"|12345|qwert|correcthorse"
)
_KEY_ENTROPY, _KEY_LENGTH = 3.5, 16
_PASSWORD_ENTROPY = 2.7
_CLASSES = (re.compile(r"[a-z]"), re.compile(r"[A-Z]"), re.compile(r"\d"), re.compile(r"[^A-Za-z0-9]"))
_PASSWORD_CLASSES = 3


def secrets_in(text: str) -> list[str]:
    """Return what secrets a text holds, in words that do not repeat them.

    >>> secrets_in("DB_PASSWORD=Tr0ub4dor&3x"), secrets_in("password: your-password-here")
    (['a value that looks like a password stands beside “db_password”'], [])
    """
    found = [f"it holds {what}" for what, shape in _SHAPES if shape.search(text)]
    for name, value in _NAMED.findall(text):
        plain = value.rstrip(".)")
        if not _PLACEHOLDER.search(plain) and _is_secret(name.lower(), plain):
            what = "a password" if _is_password(name.lower()) else "a key"
            found.append(f"a value that looks like {what} stands beside “{name.lower().strip('-._ ')[-40:]}”")
    return list(dict.fromkeys(found))


def entropy(text: str) -> float:
    """Return the Shannon entropy of the characters of a text, in bits for each.

    >>> entropy("aaaa"), entropy("abcd")
    (0.0, 2.0)
    """
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values()) + 0.0


def _is_password(name: str) -> bool:
    return name.endswith(("password", "passwort", "passwd", "kennwort", "pwd"))


def _is_secret(name: str, value: str) -> bool:
    classes = sum(bool(kind.search(value)) for kind in _CLASSES)
    if _is_password(name):
        return classes >= _PASSWORD_CLASSES and entropy(value) >= _PASSWORD_ENTROPY
    return (
        len(value) >= _KEY_LENGTH and classes > 1 and bool(re.search(r"\d", value)) and entropy(value) >= _KEY_ENTROPY
    )
