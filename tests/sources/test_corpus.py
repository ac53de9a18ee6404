"""The corpus of a collection as a source."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from bowerbird.core.errors import SourceError
from bowerbird.core.records import Checkpoint, Item
from bowerbird.core.settings import Settings
from bowerbird.sources import open_source
from bowerbird.sources.corpus import CollectionSource, document_of, location_of
from bowerbird.testing.source_contract import SourceContract

CORPUS = [
    {"_id": "a/b c#1.zip", "title": "", "text": "alone"},
    {"_id": 7, "title": "Seven.pdf", "text": "é", "metadata": {"year": 1990}},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "with space"
    place.mkdir()
    with gzip.open(place / "corpus.jsonl.gz", "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in CORPUS)
    return place


class TestCollectionSource(SourceContract):
    @pytest.fixture
    def source(self, folder):
        return CollectionSource(location_of(folder), Settings({}))


def test_hits_name_their_documents(folder):
    found = list(CollectionSource(location_of(folder), Settings({})).pull(Checkpoint()))
    items = [item for item in found if isinstance(item, Item)]
    assert found[-1] == Checkpoint(complete=True)
    assert [item.key for item in items] == ["a/b c#1.zip", "7"]
    assert [document_of(item.uri) for item in items] == ["a/b c#1.zip", "7"]
    assert [item.content for item in items] == [b"alone", "Seven.pdf\n\né".encode()]
    assert all(item.name.endswith(".txt") for item in items)  # a title is no file name: `Seven.pdf` is not a PDF


def test_a_document_can_be_read_again(folder):
    source = open_source("collection", location_of(folder), Settings({}))
    assert source.read(Item(key="7", name="x", uri="", version="")) == "Seven.pdf\n\né".encode()
    with pytest.raises(SourceError, match="no document"):
        source.read(Item(key="99", name="x", uri="", version=""))


def test_a_folder_without_a_corpus_is_an_error(tmp_path):
    source = CollectionSource(location_of(tmp_path), Settings({}))
    with pytest.raises(SourceError, match="There is no corpus"):
        list(source.pull(Checkpoint()))
