"""What a drawing follows."""

from __future__ import annotations

from typing import NamedTuple

from marketsim.storefront.drawings.colours import Shades


class Look(NamedTuple):
    """What is known of a product that can be seen."""

    colour: Shades
    kind: str
    """``type`` of the catalogue, such as ``hand`` of a coffee grinder; empty where it says none."""
    material: str
    digits: bytes
    """32 numbers from 0 to 255 that the title decides, for everything else."""

    def pick(self, place: int, low: float, high: float) -> float:
        """Return a number from ``low`` to ``high`` that the title decides."""
        return low + (high - low) * self.digits[place] / 255

    def one_of(self, place: int, n: int) -> int:
        """Return a number from 0 to n - 1 that the title decides."""
        return self.digits[place] % n
