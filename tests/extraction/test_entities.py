"""XML that names files or addresses gets nothing of them (CWE-611)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bowerbird.core.errors import ExtractionError
from bowerbird.extraction import Extractor

ENTITY = "<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM '{uri}'>{more}]><x><title>Bird</title>&e;</x>"


@pytest.mark.parametrize("name", ["data.xml", "page.xhtml", "drawing.svg", "feed.rss", "book.fb2"])
@pytest.mark.parametrize("more", ["", "<!ENTITY % p SYSTEM '{uri}'>%p;"])
def test_entities_bring_in_no_files(extractor: Extractor, tmp_path: Path, name: str, more: str) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the bowerbird's own secret", encoding="utf-8")
    for uri in (secret.as_uri(), "file:///etc/hostname", "http://127.0.0.1:9/x"):
        try:
            found = extractor.extract(name, ENTITY.format(uri=uri, more=more.format(uri=uri)).encode())
        except ExtractionError:
            continue
        assert "own secret" not in found.text
        assert Path("/etc/hostname").read_text(encoding="utf-8").strip() not in found.text.replace("etc/hostname", "")
