"""Text encoders: the protocol, and the one that runs an ONNX graph."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bowerbird.understanding.manifest import Model

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]

PIECE = 50_000
"""Characters tokenized at once; the tokenizer holds some 600 bytes a token while it works."""


class Encoder(Protocol):
    """Turns text into unit vectors, and knows the tokens that it reads.

    Every method may be called from several threads. The vector of a text depends on nothing but the text.
    """

    @property
    def id(self) -> str:
        """Names model, weights and variant; it changes whenever a vector would."""

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode texts that will be found: float32 [len(texts), dimensions], each row of length 1."""

    def query(self, text: str) -> Vectors:
        """Encode a text to find others by: float32 [dimensions], of length 1; defined for the empty text too."""

    def count(self, text: str) -> int:
        """Count the tokens of a text, without special ones and however long it is."""

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) character offsets of these tokens, ascending."""


class OnnxEncoder:
    """Runs a graph of `graph.py` on the processor, one text at a time and one thread a call.

    Without a batch there is no padding, so a vector does not depend on its neighbours, and several threads with one
    text each are faster than one call with several. ONNX Runtime and the tokenizer release the GIL while they work.
    The empty text has the vector of its special tokens alone.
    """

    def __init__(self, model: Model, id: str, session: Any, tokenizer: Tokenizer) -> None:
        self.model = model
        self.id = id
        self.dimensions = model.dimensions
        self.session = session
        self.tokenizer = tokenizer

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Encode passages: float32 [len(texts), dimensions], each row of length 1."""
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self._encode(self.model.passage_prefix + text)
        return vectors

    def query(self, text: str) -> Vectors:
        """Encode a query: float32 [dimensions], of length 1."""
        return self._encode(self.model.query_prefix + text)

    def count(self, text: str) -> int:
        """Count the tokens of a text, without special ones and however long it is."""
        return sum(len(self.tokenizer.encode(piece, add_special_tokens=False)) for _, piece in pieces(text))

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) character offsets of these tokens, ascending."""
        found: list[tuple[int, int]] = []
        for begin, piece in pieces(text):
            offsets = self.tokenizer.encode(piece, add_special_tokens=False).offsets
            found.extend((begin + start, begin + end) for start, end in offsets)
        return found

    def _encode(self, text: str) -> Vectors:
        ids = self.tokenizer.encode(text).ids
        if len(ids) > self.model.max_tokens:
            # Cut here and not by the tokenizer, so that one tokenizer serves `count` as well; the last token is [SEP].
            ids = [*ids[: self.model.max_tokens - 1], ids[-1]]
        vector: Vectors = self.session.run(["vector"], {"ids": np.array([ids], np.int64)})[0][0]
        return vector


def pieces(text: str, limit: int = PIECE) -> Iterator[tuple[int, str]]:
    """Cut a long text into (offset, piece), at white space where there is any, because no token spans that.

    >>> list(pieces("one two three", 9))
    [(0, 'one two'), (7, ' three')]
    """
    begin = 0
    while len(text) - begin > limit:
        end = max(text.rfind(space, begin + 1, begin + limit) for space in (" ", "\n"))
        end = end if end > begin else begin + limit
        yield begin, text[begin:end]
        begin = end
    yield begin, text[begin:]


def load(model: Model, id: str, graph: Path, tokenizer: Path) -> OnnxEncoder:
    """Start an encoder from its graph and its `tokenizer.json`, both verified before.

    The graph is given by its path, because ONNX Runtime would keep bytes for good beside what it makes of them.
    """
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Arena and memory pattern keep the buffers of the longest text for good, and were measured to gain nothing.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
    words = Tokenizer.from_file(str(tokenizer))
    words.no_padding()
    words.no_truncation()
    return OnnxEncoder(model, id, session, words)
