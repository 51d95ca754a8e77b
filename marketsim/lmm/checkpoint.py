"""A model on disk: weights as safetensors, and a card in JSON that says what it is and what it can do.

    models/ci/
      model.safetensors   weights under PyTorch's names; shape and bins in its metadata
      card.json           data, seed, command, figures

Reading needs no PyTorch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core.errors import InputError
from marketsim.lmm.events import N_CONDITIONS, N_FEATURES, N_GAPS, N_KINDS, N_PRICES, N_SIZES
from marketsim.lmm.scale import Scale, scale_from
from marketsim.lmm.sizes import Shape, shape_from

WEIGHTS: Final = "model.safetensors"
CARD: Final = "card.json"
FORMAT: Final = "marketsim-lmm-1"

Arrays = dict[str, npt.NDArray[Any]]


class Checkpoint(NamedTuple):
    """A model as it was read."""

    folder: Path
    shape: Shape
    scale: Scale
    arrays: Arrays
    """float32 arrays under PyTorch's names."""
    card: dict[str, Any]


def save_checkpoint(
    folder: Path, arrays: Mapping[str, Any], shape: Shape, scale: Scale, card: Mapping[str, Any], half: bool = False
) -> None:
    """Write a model; ``half`` keeps the weights in 16 bits. Files are replaced whole.

    Parameters
    ----------
    folder : Path
        Made where it is not there.
    arrays : mapping of str to array
        ``state_dict`` of an ``OrderModel``, as NumPy arrays.
    shape, scale : Shape, Scale
        Sizes and bins.
    card : mapping
        What ``card.json`` says.
    half : bool
        float16 on disk; features' means and scales stay float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kept = {
        name: np.ascontiguousarray(array, np.float16 if half and not name.startswith("feature_m") else np.float32)
        for name, array in arrays.items()
    }
    metadata = {"format": FORMAT, "shape": json.dumps(shape._asdict()), "bins": json.dumps(scale.as_dict())}
    write_tensors(folder / WEIGHTS, kept, metadata)
    write_whole(folder / CARD, (json.dumps(card, indent=1) + "\n").encode())


def load_checkpoint(folder: str | Path) -> Checkpoint:
    """Read a model.

    Raises
    ------
    InputError
        It is no model, or its arrays have other sizes than its card says.
    """
    folder = Path(folder)
    path = folder / WEIGHTS
    if not path.is_file():
        raise InputError(folder, 0, f"no {WEIGHTS}", "a model that marketsim lmm train wrote")
    arrays, metadata = read_tensors(path)
    if metadata.get("format") != FORMAT:
        raise InputError(path, 0, f"the format {metadata.get('format')!r}", FORMAT)
    try:
        shape, scale = shape_from(json.loads(metadata["shape"])), scale_from(json.loads(metadata["bins"]))
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(folder, 0, f"no {CARD}", "the card that train writes beside the weights") from None
    except (KeyError, ValueError) as error:
        raise InputError(path, 0, str(error), "a model of marketsim lmm train") from None
    check_sizes(path, arrays, shape)
    return Checkpoint(folder, shape, scale, {name: np.asarray(a, np.float32) for name, a in arrays.items()}, card)


def check_sizes(path: Path, arrays: Arrays, shape: Shape) -> None:
    """Refuse arrays that are not those of a shape.

    Raises
    ------
    InputError
        A name is missing or unknown, or an array has another size.
    """
    expected = array_sizes(shape)
    if set(arrays) != set(expected):
        odd = sorted(set(arrays) ^ set(expected))[0]
        raise InputError(path, 0, f"{odd} {'missing' if odd in expected else 'unknown'}", f"the arrays of {shape}")
    for name, size in expected.items():
        if arrays[name].shape != size:
            raise InputError(path, 0, f"{name} of size {arrays[name].shape}", f"{size}, as {shape} has it")


def array_sizes(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Return the size of every array of a model."""
    width, hidden = shape.width, shape.hidden
    qkv = (shape.n_heads + 2 * shape.n_key_heads) * shape.head_width
    sizes: dict[str, tuple[int, ...]] = {
        "event_embedding.weight": (N_KINDS * N_PRICES, width),
        "size_embedding.weight": (N_SIZES, width),
        "gap_embedding.weight": (N_GAPS, width),
        "feature_embedding.weight": (width, N_FEATURES),
        "feature_embedding.bias": (width,),
        "condition_embedding.weight": (width, N_CONDITIONS),
        "final_norm.weight": (width,),
        "gap_head.weight": (N_GAPS, width),
        "gap_head.bias": (N_GAPS,),
        "feature_mean": (N_FEATURES,),
        "feature_scale": (N_FEATURES,),
    }
    for layer in range(shape.n_layers):
        block = f"blocks.{layer}"
        sizes |= {
            f"{block}.attend_norm.weight": (width,),
            f"{block}.feed_norm.weight": (width,),
            f"{block}.qkv.weight": (qkv, width),
            f"{block}.mix.weight": (width, width),
            f"{block}.gate_up.weight": (2 * shape.feed, width),
            f"{block}.down.weight": (width, shape.feed),
        }
    own = width + N_FEATURES
    for head, inputs, choices, values in (
        ("kind_head", width, 1, N_KINDS),
        ("price_head", own, N_KINDS, N_PRICES),
        ("size_head", own, N_KINDS * N_PRICES, N_SIZES),
    ):
        sizes |= {
            f"{head}.read.weight": (hidden, inputs),
            f"{head}.by_gap.weight": (N_GAPS, hidden),
            f"{head}.by_choice.weight": (choices, hidden),
            f"{head}.write.weight": (values, hidden),
            f"{head}.write.bias": (values,),
        }
    return sizes


# ---- Files ------------------------------------------------------------------------------------------------------


def write_tensors(path: Path, arrays: Mapping[str, Any], metadata: dict[str, str]) -> None:
    """Write a safetensors file; a reader meets the old one or the new one, never half of it."""
    from safetensors.numpy import save

    write_whole(path, save(dict(arrays), metadata))


def read_tensors(path: Path) -> tuple[Arrays, dict[str, str]]:
    """Return the arrays and the metadata of a safetensors file.

    Raises
    ------
    InputError
        It is none, or is cut short.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise InputError(path, 0, f"a damaged or truncated file ({error})", "a safetensors file") from None


def write_whole(path: Path, data: bytes) -> None:
    """Write a file beside its place and move it there."""
    partial = path.with_name(path.name + ".partial")
    partial.write_bytes(data)
    os.replace(partial, path)
