"""Weights of the order model as the kernels take them, from the arrays of a checkpoint."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core import fmath
from marketsim.lmm.sizes import Shape

Matrix = npt.NDArray[np.float32]


class HeadWeights(NamedTuple):
    """One head. Matrices are [input, output], the transpose of PyTorch's, here and below."""

    read: Matrix
    by_gap: Matrix
    by_choice: Matrix
    write: Matrix
    bias: Matrix


class Weights(NamedTuple):
    """All weights; those of layers are stacked."""

    event: Matrix
    size: Matrix
    gap: Matrix
    feature: Matrix
    feature_bias: Matrix
    feature_mean: Matrix
    feature_scale: Matrix
    attend_norm: Matrix
    qkv: Matrix
    mix: Matrix
    feed_norm: Matrix
    gate_up: Matrix
    down: Matrix
    final_norm: Matrix
    gap_write: Matrix
    gap_bias: Matrix
    kind_head: HeadWeights
    price_head: HeadWeights
    size_head: HeadWeights
    frequency: npt.NDArray[np.float64]
    """float64[head width / 2]: radians per event of the rotary positions."""


def weights_from(arrays: dict[str, Any], shape: Shape) -> Weights:
    """Return the weights of a checkpoint's arrays, under the names that PyTorch gives them."""

    def array(name: str) -> Matrix:
        return np.ascontiguousarray(arrays[name], np.float32)

    def matrix(name: str) -> Matrix:
        return np.ascontiguousarray(arrays[f"{name}.weight"].T, np.float32)

    def stack(name: str) -> Matrix:
        return np.stack([matrix(f"blocks.{layer}.{name}") for layer in range(shape.n_layers)])

    def head(name: str) -> HeadWeights:
        inner = matrix(f"{name}.read"), array(f"{name}.by_gap.weight"), array(f"{name}.by_choice.weight")
        return HeadWeights(*inner, matrix(f"{name}.write"), array(f"{name}.write.bias"))

    half = shape.head_width // 2
    return Weights(
        array("event_embedding.weight"),
        array("size_embedding.weight"),
        array("gap_embedding.weight"),
        matrix("feature_embedding"),
        array("feature_embedding.bias"),
        array("feature_mean"),
        array("feature_scale"),
        stack("attend_norm"),
        stack("qkv"),
        stack("mix"),
        stack("feed_norm"),
        stack("gate_up"),
        stack("down"),
        array("final_norm.weight"),
        matrix("gap_head"),
        array("gap_head.bias"),
        head("kind_head"),
        head("price_head"),
        head("size_head"),
        np.array([fmath.exp(-(i / half) * fmath.log(10_000.0)) for i in range(half)]),
    )
