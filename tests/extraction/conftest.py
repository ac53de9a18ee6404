import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from bowerbird.extraction import PRELOAD, Extractor
from bowerbird.sandbox import Sandbox


@pytest.fixture(scope="session")
def extractor() -> Iterator[Extractor]:
    """An extractor over a sandbox of two workers, shared by all tests of this folder."""
    with Sandbox(workers=2, seconds=20, preload=PRELOAD) as sandbox:
        yield Extractor(sandbox)


@pytest.fixture(scope="session")
def making() -> ModuleType:
    """The makers of files, making.py beside this file."""
    spec = importlib.util.spec_from_file_location("making", Path(__file__).with_name("making.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
