"""The encoder's slow, obvious version: BERT in numpy with the fp32 weights, which judges the int8 graph.

Devlin et al., 2019; mean pooling and normalization as in Sentence-BERT (Reimers and Gurevych, 2019).
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def reference_vectors(folder: Path, texts: Sequence[str], tokens: int) -> Any:
    """Return unit vectors [len(texts), dimensions] from `model.safetensors`, texts cut at `tokens`."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    weights = load_file(folder / "model.safetensors")
    config = json.loads((folder / "config.json").read_bytes())
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(tokens)
    return np.stack([_vector(weights, config, tokenizer.encode(text).ids) for text in texts])


def _vector(weights: dict[str, Any], config: dict[str, Any], ids: Sequence[int]) -> Any:
    table = "embeddings.{}_embeddings.weight"
    states = weights[table.format("word")][list(ids)]
    states = states + weights[table.format("position")][: len(ids)] + weights[table.format("token_type")][0]
    states = _normal(weights, config, "embeddings.LayerNorm", states)
    for number in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{number}"
        mixed = _linear(weights, f"{layer}.attention.output.dense", _attention(weights, config, layer, states))
        states = _normal(weights, config, f"{layer}.attention.output.LayerNorm", states + mixed)
        inner = _gelu(_linear(weights, f"{layer}.intermediate.dense", states))
        outer = _linear(weights, f"{layer}.output.dense", inner)
        states = _normal(weights, config, f"{layer}.output.LayerNorm", states + outer)
    mean = states.mean(axis=0)
    return mean / np.linalg.norm(mean)


def _attention(weights: dict[str, Any], config: dict[str, Any], layer: str, states: Any) -> Any:
    heads = config["num_attention_heads"]
    parts = [_linear(weights, f"{layer}.attention.self.{name}", states) for name in ("query", "key", "value")]
    query, key, value = (part.reshape(len(states), heads, -1).transpose(1, 0, 2) for part in parts)
    scores = query @ key.transpose(0, 2, 1) / math.sqrt(query.shape[-1])
    scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares = scores / scores.sum(axis=-1, keepdims=True)
    return (shares @ value).transpose(1, 0, 2).reshape(len(states), -1)


def _linear(weights: dict[str, Any], name: str, states: Any) -> Any:
    return states @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def _normal(weights: dict[str, Any], config: dict[str, Any], name: str, states: Any) -> Any:
    centred = states - states.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + config["layer_norm_eps"])
    return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def _gelu(states: Any) -> Any:
    return states * 0.5 * (1 + _erf(states / math.sqrt(2)))


def _erf(values: Any) -> Any:
    """Approximate the error function to 1.5e-7 (Abramowitz and Stegun, 7.1.26)."""
    size = np.abs(values)
    step = 1 / (1 + 0.3275911 * size)
    series = 0.0
    for factor in (1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592):
        series = (series + factor) * step
    return np.sign(values) * (1 - series * np.exp(-(size**2)))
