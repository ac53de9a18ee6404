"""Which parser made a document: ours and xberg's version, so that a new one of either parses anew."""

from __future__ import annotations

from importlib.metadata import version

REVISION = 2
"""Raise it whenever the same bytes would give a different Document."""

PARSER_VERSION: str = f"bowerbird-{REVISION}+xberg-{version('xberg')}"
