"""TREC runs: what a system found, as a file that every evaluation tool reads.

A line is query, `Q0`, document, rank, score, tag (https://trec.nist.gov), separated by white space; white space within
an id is written as `_`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from bowerbird.core.errors import UsageError
from bowerbird.lab.collections import Collection, Topic
from bowerbird.lab.judging import Answered, SetResult, score

_LAYOUT = "A line of a TREC run is query, Q0, document, rank, score, tag."


def run_lines(result: SetResult) -> list[str]:
    """Return a result as the lines of a run; the scores fall with the rank, as the order is all they say."""
    tag = "-".join(f"bowerbird {result.pipeline}".split())
    return [
        f"{_word(answer.topic)} Q0 {_word(document)} {rank} {score(rank):.6f} {tag}"
        for answer in result.answers
        for rank, document in enumerate(answer.documents, 1)
    ]


def files_for(path: Path, results: Sequence[SetResult]) -> Iterator[tuple[Path, SetResult]]:
    """Yield each result with the file its run goes to: `path` for one alone, else `path` with set and pipeline in it.

    Ids may stand for something else in another set, and a run knows one ranking a query, hence a file each.
    """
    if len(results) == 1:
        yield path, results[0]
        return
    for result in results:
        yield path.with_name(f"{path.stem}-{slug(result.name)}-{slug(result.pipeline)}{path.suffix}"), result


def slug(text: str) -> str:
    """Return a text as a part of a file's name.

    >>> slug("(words % 200 | meaning) >> fuse")
    'words-200-meaning-fuse'
    """
    return re.sub(r"[^\w.]+", "-", text).strip("-.")[:80] or "run"


def read_run(path: Path, collection: Collection, topics: Sequence[Topic], depth: int) -> list[Answered]:
    """Return what another system found for these topics, best `depth` by score; raises UsageError.

    Equal scores keep the order of the file. Ids of documents that the collection lacks are left out, and a file that
    has none of the topics is not a run of this collection.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise UsageError(f"The run {path} cannot be read: {problem}.", _LAYOUT) from problem
    by_word = {_word(topic.id): topic.id for topic in topics}
    documents = {_word(entry.id): entry.id for entry in collection.documents()}
    found: dict[str, list[tuple[float, str]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        cells = line.split()
        if not cells:
            continue
        try:
            query, document, value = cells[0], cells[2], float(cells[4])
        except (IndexError, ValueError) as problem:
            raise UsageError(f"Line {number} of {path} is not of a TREC run.", _LAYOUT) from problem
        if query in by_word and document in documents:
            found.setdefault(by_word[query], []).append((-value, documents[document]))
    if not found:
        raise UsageError(f"{path} answers no query of {collection.name} with a document of it.", _LAYOUT)
    return [Answered(topic.id, _best(found.get(topic.id, []), depth), 0.0, f"the run {path.name}") for topic in topics]


def _best(found: list[tuple[float, str]], depth: int) -> tuple[str, ...]:
    ranked = sorted(found, key=lambda pair: pair[0])
    return tuple(dict.fromkeys(document for _, document in ranked))[:depth]


def _word(text: str) -> str:
    return "_".join(text.split()) or "_"
