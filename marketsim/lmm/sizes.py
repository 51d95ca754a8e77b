"""Sizes of the order model, by name."""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class Shape(NamedTuple):
    """Sizes of a model. The Numba kernels want multiples of 8."""

    width: int
    n_layers: int
    window: int
    """Events a layer looks back, the present one included."""
    n_heads: int
    n_key_heads: int
    feed: int
    """Inner width of a block's feed-forward part."""
    hidden: int
    """Inner width of the heads."""

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.n_heads

    @property
    def reach(self) -> int:
        """Events that can change the state after the last of them."""
        return self.n_layers * (self.window - 1) + 1


SIZES: Final = {
    "ci": Shape(64, 3, 64, 4, 2, 176, 96),
    "small": Shape(192, 4, 256, 6, 2, 512, 192),
    "base": Shape(384, 6, 512, 6, 2, 1024, 256),
    "large": Shape(768, 14, 1024, 12, 4, 2048, 384),
}
"""From 0.25 million parameters to 100 million."""


def shape_from(values: dict[str, Any]) -> Shape:
    """Return the shape that a model's card holds.

    Raises
    ------
    ValueError
        An entry is missing or no positive integer, or widths do not fit together.
    """
    try:
        shape = Shape(**{name: int(values[name]) for name in Shape._fields})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"shape: found {error}, expected {', '.join(Shape._fields)}") from None
    if min(shape) < 1 or shape.width % shape.n_heads or shape.n_heads % shape.n_key_heads or shape.head_width % 2:
        raise ValueError(f"shape: found {shape}, expected heads that divide the width, and key heads that divide them")
    return shape
