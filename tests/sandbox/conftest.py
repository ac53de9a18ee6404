from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bowerbird.sandbox import Sandbox

HERE = Path(__file__).parent


@pytest.fixture
def sandboxes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Sandbox]]:
    """Make sandboxes that can call the functions of boxed.py, and close them."""
    monkeypatch.syspath_prepend(HERE)
    made: list[Sandbox] = []

    def make(kind: type[Sandbox] = Sandbox, **options: float) -> Sandbox:
        sandbox = kind(preload=("boxed",), **{"seconds": 10.0, "memory_mb": 256, "output_mb": 4, **options})
        made.append(sandbox)
        return sandbox

    yield make
    for sandbox in made:
        sandbox.close()


@pytest.fixture
def sandbox(sandboxes: Callable[..., Sandbox]) -> Sandbox:
    """A started sandbox with generous time."""
    sandbox = sandboxes()
    sandbox.start()
    return sandbox
