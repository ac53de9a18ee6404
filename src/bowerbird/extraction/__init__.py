"""Bytes -> Document: every parser runs inside the sandbox, here is only what asks it.

Extractor (extractor.py) --sandbox--> parse.py: formats.py decides, then one of
  prose.py restructured.py code.py tables.py    text, Markdown, reStructuredText, source code, CSV, JSON (our own)
  calendar.py media.py                          events and contacts; images, sound, film
  native.py                                     everything else, by xberg (its trees become blocks in nodes.py)
and draft.py makes a Document of what they found. pages.py renders pages as images.
"""

from bowerbird.extraction.extractor import PRELOAD, Extractor
from bowerbird.extraction.version import PARSER_VERSION

__all__ = ["PARSER_VERSION", "PRELOAD", "Extractor"]
