import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from bowerbird.core.errors import (
    ContainerError,
    ExtractionError,
    SandboxCrash,
    SandboxOutput,
    SandboxTimeout,
)
from bowerbird.sandbox import Sandbox

Make = Callable[..., Sandbox]


def test_a_call_returns_what_the_function_returns(sandbox: Sandbox) -> None:
    assert sandbox.call("boxed:echo", b"abc", suffix="!") == b"abc!"
    assert sandbox.call("boxed:echo", b"") == b""
    large = bytes(range(256)) * 4096
    assert sandbox.call("boxed:echo", large) == large


def test_a_worker_serves_several_calls_and_threads_may_start_in_it(sandbox: Sandbox) -> None:
    assert len({sandbox.call("boxed:pid", b"") for _ in range(20)}) == 1
    assert sandbox.call("boxed:threads", b"") == b"joined"


def test_it_starts_by_itself_on_the_first_call(sandboxes: Make) -> None:
    assert sandboxes().call("boxed:echo", b"x") == b"x"


def test_an_endless_loop_is_ended_at_its_limit_and_the_next_call_works(sandboxes: Make) -> None:
    sandbox = sandboxes(seconds=0.5)
    start = time.monotonic()
    with pytest.raises(SandboxTimeout, match=r"longer than 0.5 seconds"):
        sandbox.call("boxed:spin", b"")
    assert time.monotonic() - start < 5.0
    assert sandbox.call("boxed:echo", b"on") == b"on"


@pytest.mark.parametrize("function", ["hog", "slow_hog"])
def test_a_memory_hog_dies_alone(sandbox: Sandbox, function: str) -> None:
    with pytest.raises(SandboxCrash, match="memory"):
        sandbox.call(f"boxed:{function}", b"")
    assert sandbox.call("boxed:echo", b"on") == b"on"


def test_a_worker_that_keeps_memory_is_replaced_before_it_fails(sandbox: Sandbox) -> None:
    assert len({sandbox.call("boxed:grow", b"") for _ in range(12)}) >= 3


def test_too_large_an_answer_is_refused(sandbox: Sandbox) -> None:
    assert len(sandbox.call("boxed:flood", b"", megabytes=4)) == 4 << 20
    with pytest.raises(SandboxOutput, match="4 MiB"):
        sandbox.call("boxed:flood", b"", megabytes=5)


def test_a_crash_names_how_the_process_ended(sandbox: Sandbox) -> None:
    with pytest.raises(SandboxCrash, match="exit code 3"):
        sandbox.call("boxed:quit_now", b"")
    with pytest.raises(SandboxCrash, match="SIGSEGV"):
        sandbox.call("boxed:segfault", b"")
    assert sandbox.call("boxed:echo", b"on") == b"on"


def test_errors_arrive_as_what_they_are(sandbox: Sandbox) -> None:
    with pytest.raises(ContainerError) as refused:
        sandbox.call("boxed:refuse", b"")
    assert (refused.value.cause, refused.value.remedy) == ("The archive is nested too deep.", "Unpack it by hand.")
    with pytest.raises(ExtractionError, match="ValueError: this is not a turnip") as failed:
        sandbox.call("boxed:fail", b"")
    assert type(failed.value) is ExtractionError
    with pytest.raises(ExtractionError, match="SystemExit"):
        sandbox.call("boxed:leave", b"")
    with pytest.raises(ExtractionError, match="not preloaded"):
        sandbox.call("os:getcwd", b"")


def test_workers_run_side_by_side_and_no_more_than_allowed(sandboxes: Make) -> None:
    sandbox = sandboxes(workers=2)
    sandbox.start()
    start = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: sandbox.call("boxed:nap", b"", seconds=0.5), range(4))) == [b"rested"] * 4
    assert 1.0 <= time.monotonic() - start < 1.9


def test_answers_do_not_cross_between_threads(sandbox: Sandbox) -> None:
    def ask(number: int) -> bool:
        return sandbox.call("boxed:echo", str(number).encode()) == str(number).encode()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(1000)))


def test_a_module_that_cannot_be_loaded_is_named() -> None:
    with pytest.raises(SandboxCrash, match="no_such_module cannot be imported"):
        Sandbox(preload=("no_such_module",)).start()


def test_close_ends_calls_in_progress_and_is_final(sandbox: Sandbox) -> None:
    caught: list[BaseException] = []

    def call() -> None:
        try:
            sandbox.call("boxed:spin", b"")
        except SandboxCrash as problem:
            caught.append(problem)

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.2)
    sandbox.close()
    thread.join(5)
    assert [str(problem) for problem in caught] == ["The sandbox was closed during the call."]
    with pytest.raises(SandboxCrash, match="closed"):
        sandbox.call("boxed:echo", b"")
