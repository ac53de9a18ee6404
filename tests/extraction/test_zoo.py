"""Real files of every kind, many of them broken: each ends as a Document or as an error with a reason."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bowerbird.core.errors import ExtractionError, SandboxCrash, SandboxTimeout
from bowerbird.core.records import Document
from bowerbird.extraction import PRELOAD, Extractor
from bowerbird.extraction.text import clean
from bowerbird.sandbox import Sandbox

ZOO = Path(__file__).parents[2] / "../shared/data/zoo"


@pytest.mark.skipif(not ZOO.is_dir(), reason="the development data is not beside the repository")
def test_every_file_ends_as_a_document_or_an_error() -> None:
    files = sorted(path for path in ZOO.rglob("*") if path.is_file())
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    start = time.monotonic()
    with Sandbox(workers=2, seconds=10, preload=PRELOAD) as sandbox, ThreadPoolExecutor(2) as pool:
        extractor = Extractor(sandbox)

        def outcome(path: Path) -> Document | ExtractionError:
            try:
                return extractor.extract(path.name, path.read_bytes())
            except ExtractionError as refused:
                return refused

        outcomes = list(pool.map(outcome, files))
    assert time.monotonic() - start < 180
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before

    documents = [found for found in outcomes if isinstance(found, Document)]
    refused = [found for found in outcomes if isinstance(found, ExtractionError)]
    assert len(documents) >= 500, Counter(type(found).__name__ for found in outcomes)
    assert all(error.cause for error in refused)
    assert not any(isinstance(error, SandboxCrash | SandboxTimeout) for error in refused)
    for document in documents:
        assert document.title
        assert all(block.text == clean(block.text) for block in document.blocks)
        assert all(block.text or block.kind == "media" for block in document.blocks)
