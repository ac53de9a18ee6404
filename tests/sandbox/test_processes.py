"""No process survives its limit, `close`, or the death of whoever started it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from bowerbird.core.errors import ExtractionError, SandboxCrash, SandboxTimeout
from bowerbird.core.settings import child_environment
from bowerbird.sandbox import Sandbox

Make = Callable[..., Sandbox]
HERE = Path(__file__).parent

PARENT = """
import sys, threading, time
sys.path.insert(0, sys.argv[1])
from bowerbird.sandbox import Sandbox
sandbox = Sandbox(preload=("boxed",), seconds=60)
print(sandbox.call("boxed:pid", b"").decode(), flush=True)
threading.Thread(target=sandbox.call, args=("boxed:spin", b"")).start()
time.sleep(60)
"""


class WithoutSeccomp(Sandbox):
    skip = ("seccomp",)


Below = Callable[[], list[psutil.Process]]


@pytest.fixture
def below() -> Below:
    """Lists the processes that this test has started, directly or not."""
    before = psutil.Process().children(recursive=True)
    return lambda: [process for process in psutil.Process().children(recursive=True) if process not in before]


def gone(test: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until the test says so."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if test():
            return True
        time.sleep(0.02)
    return False


def test_close_leaves_nothing(below: Below, sandbox: Sandbox) -> None:
    for _ in range(3):
        sandbox.call("boxed:echo", b"")
        with pytest.raises(SandboxCrash):
            sandbox.call("boxed:quit_now", b"")
    assert below()
    sandbox.close()
    assert below() == []


def test_ended_workers_are_not_left_as_zombies(below: Below, sandbox: Sandbox) -> None:
    for _ in range(5):
        with pytest.raises(SandboxCrash):
            sandbox.call("boxed:quit_now", b"")
    sandbox.call("boxed:echo", b"")
    assert len(below()) == 2  # the server and one worker
    assert all(process.status() != psutil.STATUS_ZOMBIE for process in below())


@pytest.mark.parametrize("kind", [Sandbox, WithoutSeccomp])
def test_what_a_worker_starts_does_not_outlive_it(below: Below, sandboxes: Make, kind: type[Sandbox]) -> None:
    sandbox = sandboxes(kind, seconds=1.0)
    with pytest.raises((SandboxTimeout, ExtractionError)):
        sandbox.call("boxed:bomb", b"")
    sandbox.call("boxed:echo", b"")
    assert len(below()) == 2


def test_a_child_that_left_the_session_ends_with_its_worker(sandboxes: Make) -> None:
    sandbox = sandboxes(WithoutSeccomp, seconds=0.5)
    stray = int(sandbox.call("boxed:strew", b""))
    with pytest.raises(SandboxTimeout):
        sandbox.call("boxed:spin", b"")
    assert not psutil.pid_exists(stray)


def test_a_dead_server_is_replaced_without_a_word(below: Below, sandbox: Sandbox) -> None:
    sandbox.call("boxed:echo", b"")
    server = next(process for process in below() if process.ppid() == os.getpid())
    server.kill()
    assert gone(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in below()))
    assert sandbox.call("boxed:echo", b"again") == b"again"
    assert len(below()) == 2


def test_a_dead_idle_worker_is_replaced_without_a_word(sandbox: Sandbox) -> None:
    worker = int(sandbox.call("boxed:pid", b""))
    os.kill(worker, signal.SIGKILL)
    time.sleep(0.05)
    assert sandbox.call("boxed:echo", b"again") == b"again"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_outlives_whoever_started_it(number: signal.Signals) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(HERE)],
        stdout=subprocess.PIPE,
        env=child_environment(PYTHONPATH=os.pathsep.join(os.path.abspath(entry) for entry in sys.path if entry)),
    )
    assert parent.stdout is not None
    with parent.stdout:
        parent.stdout.readline()
        time.sleep(0.2)
        family = psutil.Process(parent.pid).children(recursive=True)
        assert len(family) >= 2
        parent.send_signal(number)
        parent.wait()
    assert gone(lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in family))
