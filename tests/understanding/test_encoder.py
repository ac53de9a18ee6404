"""Encoders keep the contract; the int8 graph says what a slow, obvious BERT in numpy says."""

from __future__ import annotations

import argparse
import collections
import json
import logging
import pydoc
import subprocess
from collections.abc import Mapping
from math import erf, sqrt

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import load_file

from bowerbird.testing.encoder import HashEncoder
from bowerbird.testing.encoder_contract import EncoderContract
from bowerbird.understanding.encoder import Encoder, OnnxEncoder, pieces
from bowerbird.understanding.models import ModelStore

Weights = Mapping[str, NDArray[np.float32]]


class TestHashEncoder(EncoderContract):
    @pytest.fixture
    def encoder(self) -> Encoder:
        return HashEncoder()


class TestMiniLM(EncoderContract):
    @pytest.fixture
    def encoder(self, minilm: Encoder) -> Encoder:
        return minilm


def normalized(x: NDArray[np.float32], weights: Weights, name: str) -> NDArray[np.float32]:
    spread = np.sqrt(x.var(axis=-1, keepdims=True) + 1e-12)
    return (x - x.mean(axis=-1, keepdims=True)) / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def linear(x: NDArray[np.float32], weights: Weights, name: str) -> NDArray[np.float32]:
    return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def attention(x: NDArray[np.float32], weights: Weights, name: str, heads: int) -> NDArray[np.float32]:
    query, key, value = (linear(x, weights, f"{name}.{part}") for part in ("query", "key", "value"))
    out = np.empty_like(x)
    for columns in np.split(np.arange(x.shape[1]), heads):
        scores = query[:, columns] @ key[:, columns].T / sqrt(len(columns))
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        out[:, columns] = shares / shares.sum(axis=1, keepdims=True) @ value[:, columns]
    return out


def reference(ids: list[int], weights: Weights, layers: int, heads: int) -> NDArray[np.float32]:
    """BERT and mean pooling as the papers write them, in fp32."""
    x = weights["embeddings.word_embeddings.weight"][ids]
    x = x + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = x + weights["embeddings.token_type_embeddings.weight"][0]
    x = normalized(x, weights, "embeddings.LayerNorm")
    for number in range(layers):
        name = f"encoder.layer.{number}"
        mixed = linear(
            attention(x, weights, f"{name}.attention.self", heads), weights, f"{name}.attention.output.dense"
        )
        x = normalized(x + mixed, weights, f"{name}.attention.output.LayerNorm")
        wide = linear(x, weights, f"{name}.intermediate.dense")
        wide = wide * 0.5 * (1 + np.vectorize(erf)(wide / sqrt(2)))
        x = normalized(x + linear(wide, weights, f"{name}.output.dense"), weights, f"{name}.output.LayerNorm")
    vector = x.mean(axis=0)
    return vector / np.linalg.norm(vector)


def paragraphs() -> list[str]:
    """Real English at hand everywhere: the documentation of the standard library."""
    things = (argparse, collections, json, logging, pydoc, subprocess, dict, str.format, sorted, subprocess.run)
    texts = [pydoc.plain(pydoc.render_doc(thing))[:1_000] for thing in things]
    return [*texts, "What does a bowerbird collect?", "budget 2024", "x"]


def test_int8_vectors_are_near_the_reference(model_store: ModelStore, minilm: Encoder) -> None:
    assert isinstance(minilm, OnnxEncoder)
    weights = load_file(model_store.directory / "minilm" / "model.safetensors")
    texts = paragraphs()
    cosines = []
    for text, vector in zip(texts, minilm.passages(texts), strict=True):
        ids = minilm.tokenizer.encode(text).ids
        cosines.append(float(vector @ reference([*ids[:-1][:255], ids[-1]], weights, 6, 12)))
    assert np.mean(cosines) >= 0.99
    assert min(cosines) >= 0.97


def test_a_long_text_is_cut_as_the_tokenizer_would_cut_it(minilm: Encoder) -> None:
    assert isinstance(minilm, OnnxEncoder)
    words = "seven bowerbirds collected eleven blue feathers " * 80
    start = " ".join(words.split()[:300])
    assert minilm.count(start) > 256
    np.testing.assert_array_equal(minilm.passages([words])[0], minilm.passages([start])[0])


def test_meaning_is_found_without_a_common_word(minilm: Encoder) -> None:
    passages = minilm.passages(
        ["Employees may take twenty-five days of paid leave a year.", "The pump must be oiled before it is started."]
    )
    assert np.argmax(passages @ minilm.query("how much vacation do I get")) == 0
    assert np.argmax(passages @ minilm.query("lubricate machine")) == 1


def test_spans_point_into_the_original_text(minilm: Encoder) -> None:
    text = "Añb 😀 naïve ÉTÉ 中文"
    assert [text[start:end] for start, end in minilm.spans(text)] == ["Añ", "b", "😀", "naïve", "ÉT", "É", "中", "文"]


def test_pieces_join_to_the_text_and_stay_below_the_limit() -> None:
    for text in ("", "a" * 100, "one two  three\nfour " * 20, "ab " + "c" * 50 + " d"):
        cut = list(pieces(text, 16))
        assert "".join(piece for _, piece in cut) == text
        assert all(text.startswith(piece, begin) and len(piece) <= 16 for begin, piece in cut)
