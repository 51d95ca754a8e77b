"""What analysis must know of an instrument to turn ticks, lots and minor units into money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Instrument:
    """Units of one instrument.

    Attributes
    ----------
    symbol : str
        Its name.
    tick_size : Decimal
        One tick in currency.
    lot_size : int
        Shares (or other units) in one lot.
    currency : str
        Code of the currency, such as ``"USD"``.
    cash_decimals : int
        One minor unit is 10 ** -cash_decimals of the currency.
    """

    symbol: str
    tick_size: Decimal = Decimal("0.01")
    lot_size: int = 1
    currency: str = "USD"
    cash_decimals: int = 2

    @classmethod
    def from_manifest(cls, entry: Mapping[str, Any]) -> Instrument:
        """Read one entry of a manifest's ``instruments``; keys that are absent take the defaults above."""
        return cls(
            symbol=str(entry["symbol"]),
            tick_size=Decimal(str(entry.get("tick_size", "0.01"))),
            lot_size=int(entry.get("lot_size", 1)),
            currency=str(entry.get("currency", "USD")),
            cash_decimals=int(entry.get("cash_decimals", 2)),
        )

    @property
    def price_decimals(self) -> int:
        """Decimals that write every price on a tick exactly."""
        exponent = self.tick_size.normalize().as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0

    def price(self, ticks: float) -> float:
        """Price in currency."""
        return ticks * float(self.tick_size)

    def value(self, ticks: float, lots: float) -> float:
        """Worth in currency of ``lots`` at ``ticks``."""
        return ticks * lots * float(self.tick_size) * self.lot_size

    def cash(self, minor: float) -> float:
        """Cash in currency."""
        return minor / 10.0**self.cash_decimals
