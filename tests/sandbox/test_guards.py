from collections.abc import Callable
from pathlib import Path

import pytest

from bowerbird.sandbox import Sandbox, seccomp

Make = Callable[..., Sandbox]
HERE = Path(__file__).parent


class WithoutSeccomp(Sandbox):
    skip = ("seccomp",)


class WithoutNamespace(Sandbox):
    skip = ("namespace",)


class OnlyLimits(Sandbox):
    skip = ("seccomp", "landlock", "namespace")


def test_the_guard_is_what_was_measured(sandbox: Sandbox) -> None:
    guard = sandbox.guard
    assert guard.network in ("namespace", "seccomp", "none")
    assert guard.rlimits["FSIZE"] == 0
    assert guard.rlimits["CORE"] == 0
    assert guard.rlimits["AS"] > 256 << 20
    assert guard.seccomp == guard.processes
    if seccomp.supported():
        assert guard.seccomp


def test_what_is_left_out_is_reported_as_missing(sandboxes: Make) -> None:
    bare = sandboxes(OnlyLimits).guard
    assert (bare.network, bare.landlock, bare.seccomp, bare.processes) == ("none", 0, False, False)
    if seccomp.supported():
        assert sandboxes(WithoutNamespace).guard.network == "seccomp"


@pytest.mark.parametrize("what", ["read", "list"])
def test_files_outside_the_interpreter_cannot_be_read(sandbox: Sandbox, what: str) -> None:
    allowed = sandbox.guard.landlock == 0
    assert sandbox.call("boxed:attempt", b"", what=what) == (b"done" if allowed else b"PermissionError")


@pytest.mark.parametrize("what", ["write", "write-module", "remove"])
def test_nothing_can_be_written_or_removed(sandbox: Sandbox, what: str) -> None:
    if sandbox.guard.landlock == 0:
        pytest.skip("this kernel has no Landlock")
    assert sandbox.call("boxed:attempt", b"", what=what) == b"PermissionError"
    assert (HERE / "boxed.py").is_file()


def test_without_landlock_no_file_takes_a_byte(sandboxes: Make, tmp_path: Path) -> None:
    sandbox = sandboxes(OnlyLimits)
    assert sandbox.call("boxed:write_to", b"content", path=str(tmp_path / "file")) == b"OSError"
    assert (tmp_path / "file").read_bytes() == b""


@pytest.mark.parametrize("what", ["socket", "connect", "fork", "execute", "signal"])
def test_no_sockets_no_processes_no_signals(sandbox: Sandbox, what: str) -> None:
    if not sandbox.guard.seccomp:
        pytest.skip("this kernel or machine has no seccomp filter")
    assert sandbox.call("boxed:attempt", b"", what=what) == b"PermissionError"


def test_the_empty_network_holds_alone(sandboxes: Make) -> None:
    sandbox = sandboxes(WithoutSeccomp)
    if sandbox.guard.network != "namespace":
        pytest.skip("no network namespace can be made here")
    assert sandbox.call("boxed:attempt", b"", what="socket") == b"done"
    assert sandbox.call("boxed:attempt", b"", what="connect") in (b"OSError", b"PermissionError")


def test_the_parsers_secrets_stay_out(monkeypatch: pytest.MonkeyPatch, sandboxes: Make) -> None:
    monkeypatch.setenv("BOWERBIRD_TOKEN", "hush")
    assert b"hush" not in sandboxes().call("boxed:environment", b"")
