"""What an audit may be told, and what it assumes where it is not."""

from __future__ import annotations

from dataclasses import dataclass

from marketsim.analysis.bias.results import ALPHA
from marketsim.analysis.bias.share import MARGIN


@dataclass(frozen=True)
class Settings:
    """Levels and seeds of an audit.

    Attributes
    ----------
    alpha : float
        Level of every verdict, after correction for many tests.
    margin : float
        Shares this near to the stated one count as equal to it.
    seed : int
        Of random orders, deals and controls.
    n_permutations : int or None
        Random orders; None for 999, fewer in large groups.
    with_control : bool
        Whether to test a PCG64 series beside each group.
    """

    alpha: float = ALPHA
    margin: float = MARGIN
    seed: int = 1
    n_permutations: int | None = None
    with_control: bool = True
