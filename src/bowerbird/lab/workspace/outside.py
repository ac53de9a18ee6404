"""What other programs on this machine make: spoken memos (espeak-ng) and a repository with a history (git)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from bowerbird.core.errors import StoreError
from bowerbird.core.settings import child_environment
from bowerbird.lab.workspace.markup import plain
from bowerbird.lab.workspace.story import Piece

SPEAKER, VERSIONER = "espeak-ng", "git"


def spoken(piece: Piece) -> bytes | None:
    """Speak a piece as WAV (mono, 22.05 kHz); None where espeak-ng is not installed: a beep would be no memo."""
    program = shutil.which(SPEAKER)
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "memo.wav"
        voice = piece.fields.get("voice", "en-gb")
        _run([program, "-v", voice, "-s", "160", "-w", str(file), "--stdin"], plain(piece.body).encode())
        return file.read_bytes()


def repository(folder: Path, pieces: Sequence[Piece]) -> bool:
    """Give the files of a folder their history: pieces of one moment and message are one commit.

    The files themselves must be there already. Returns False where git is not installed.
    """
    program = shutil.which(VERSIONER)
    if program is None:
        return False
    root = folder.as_posix() + "/"
    stream = [b"reset refs/heads/main\n"]
    for (when, message), group in groupby(pieces, lambda piece: (piece.when, piece.fields["commit"])):
        changes = list(group)
        author = changes[0].people[0]
        who = f"{author.name} <{author.address}> {int(when.timestamp())} +0000"
        stream.append(f"commit refs/heads/main\nauthor {who}\ncommitter {who}\n".encode() + _data(message.encode()))
        for piece in changes:
            inside = piece.path.removeprefix(piece.fields["repo"] + "/")
            stream.append(f"M 100644 inline {inside}\n".encode() + _data(piece.body.encode()))
    if (folder / ".git").exists():
        shutil.rmtree(folder / ".git")
    at = [program, "-C", root]
    _run([*at, "-c", "init.defaultBranch=main", "init", "--quiet", "--template="])
    _run([*at, "symbolic-ref", "HEAD", "refs/heads/main"])
    _run([*at, "fast-import", "--quiet", "--force"], b"".join(stream))
    _run([*at, "read-tree", "HEAD"])
    return True


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


def _run(command: list[str], stdin: bytes = b"") -> None:
    """Run a program by its absolute path, without a shell; raises StoreError with what it complained about."""
    # Within a git hook, GIT_DIR names the user's own repository: no variable of git's may pass.
    environment = {name: value for name, value in child_environment().items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    # The program comes from shutil.which and every argument from this module, so there is nothing foreign to run.
    done = subprocess.run(command, input=stdin, capture_output=True, env=environment, check=False)  # noqa: S603
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip()
        raise StoreError(f"{Path(command[0]).name} failed while it made the demo workspace: {complaint}.")
