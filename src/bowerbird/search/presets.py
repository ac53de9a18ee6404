"""The read walk: text -> Query -> (words | meaning) -> fuse -> named -> snippets. Each pipeline is one line.

What the words of a formula do is written in `stages`; who runs it, page by page, in `searcher`.
"""

from __future__ import annotations

from bowerbird.search import formula
from bowerbird.search.learned import mix, ranked
from bowerbird.search.pipeline import Stage
from bowerbird.search.stages import fuse, items, meaning, named, prefix, recent, snippets, words

PRESETS: dict[str, Stage] = {
    "hybrid": (words % 200 | meaning % 200) >> fuse >> named >> snippets,
    "ranked": (words % 200 | meaning % 200) >> ranked >> named >> snippets,
    "mixed": (words % 200 | meaning % 200) >> mix >> named >> snippets,
    "words": words % 200 >> items >> named >> snippets,
    "meaning": meaning % 200 >> items >> named >> snippets,
    "typing": (prefix % 100 | meaning % 100) >> fuse >> named >> snippets,
    "recent": recent % 400 >> snippets,
}
"""Name -> pipeline. `hybrid` is the default, `typing` completes the last word, `recent` answers filters alone."""


def pipeline_named(text: str) -> Stage:
    """Return a preset by its name, else the pipeline that the formula writes; raises UsageError where it is neither."""
    return PRESETS[text] if text in PRESETS else formula.parse(text)
