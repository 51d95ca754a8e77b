"""``[exchange]``: instruments, the populations that trade them inside the kernel, and what is sampled.

A population's own keys stand in its module, ``exchange/populations/``, as a subclass of ``PopulationConfig``.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, ClassVar, Self

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from marketsim.core.config import Section
from marketsim.core.units import MICROSECOND, MILLISECOND, SECOND, Duration, Price, to_ticks

MAX_AGENTS = (1 << 24) - 1
"""Most accounts of one exchange: owners of orders are numbers of 24 bits."""

MAX_POPULATIONS = 16
"""Most populations of one exchange: the kernel calls their rules through that many slots."""


class FundamentalConfig(Section):
    """``fundamental``: a value that mean-reverts with Gaussian noise and Poisson jumps (Byrd 2019).

    It moves on a fixed grid of times by the exact transition of an Ornstein-Uhlenbeck process, so that its path depends
    on the seed alone, never on who looks at it or when.
    """

    mean: Price | None = None
    """Value it reverts to and starts from, in currency; default: the instrument's open price."""
    reversion_rate: float = Field(default=0.0, ge=0.0, le=1e6)
    """Speed of mean reversion, per second; 0: a random walk."""
    volatility: float = Field(default=0.01, ge=0.0, le=1e9)
    """Standard deviation of the Gaussian noise, in currency per square root of a second."""
    jump_rate: float = Field(default=0.0, ge=0.0, le=1e3)
    """Mean number of jumps per second."""
    jump_mean: float = Field(default=0.0, ge=0.0, le=1e9)
    """Mean size of a jump, in currency; its sign is a fair coin."""
    jump_deviation: float = Field(default=0.0, ge=0.0, le=1e9)
    """Standard deviation of the size of a jump, in currency."""
    step: Annotated[Duration, Field(ge=MICROSECOND)] = 100 * MILLISECOND
    """Time between two steps of the grid, at least 1us; the value stands still in between."""


class InstrumentConfig(Section):
    """``[[exchange.instruments]]``: one instrument, with a book of its own."""

    symbol: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")
    """Its name: letters, digits, ``_`` and ``-``."""
    tick_size: Price = Decimal("0.01")
    """Smallest step of its price, in currency."""
    lot_size: int = Field(default=1, ge=1, le=1_000_000)
    """Units of the instrument in one lot, the smallest size of an order."""
    open_price: Price
    """Price that stands for the last trade until there is one, in currency; a whole number of ticks."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3,8}$")
    """What it is paid in."""
    fundamental: FundamentalConfig | None = None
    """Process of its fundamental value; populations that trade on value need one."""

    @property
    def cash_decimals(self) -> int:
        """Decimal places of a minor unit of cash: the tick's, at least two."""
        exponent = self.tick_size.normalize().as_tuple().exponent
        return max(2, -exponent) if isinstance(exponent, int) else 2

    @property
    def tick_value_minor(self) -> int:
        """Minor units of cash that one lot costs per tick of its price."""
        return int(self.tick_size.scaleb(self.cash_decimals)) * self.lot_size

    def to_ticks(self, price: Decimal) -> int:
        """Return a price in ticks; ``ValueError`` where it is not a whole number of them."""
        return to_ticks(price, self.tick_size)

    @model_validator(mode="after")
    def _prices_are_whole_ticks(self) -> Self:
        try:
            ticks = self.to_ticks(self.open_price)
        except ValueError as error:
            raise ValueError(f"open_price: {error}") from None
        if ticks > 1 << 40:
            raise ValueError("open_price: expected at most 2**40 ticks")
        return self


class LatencyRange(Section):
    """``{ low = "20us", high = "2ms" }``: one latency per agent, drawn once, uniform between the two."""

    low: Duration
    """Shortest latency of an agent."""
    high: Duration
    """Longest latency of an agent."""

    @model_validator(mode="after")
    def _low_comes_first(self) -> Self:
        if self.low > self.high:
            raise ValueError("expected low to be at most high")
        return self


class PopulationConfig(Section):
    """``[[exchange.populations]]``: agents of one kind that live in the kernel. Each kind adds keys of its own."""

    needs_fundamental: ClassVar[bool] = False
    """Whether the kind trades on the fundamental value, so that its instrument must have one."""

    kind: str
    """Which rule they follow: a kind that ships, or ``"my_module:MyPopulation"``."""
    name: str = Field(default="", pattern=r"^[^.\s]{0,64}$")
    """Unique name of the table; it also addresses their random draws. Default: the kind."""
    count: int = Field(ge=1, le=MAX_AGENTS)
    """Number of agents."""
    instrument: str = ""
    """Symbol of what they trade; default: the first instrument."""
    order_latency: Duration | LatencyRange = 0
    """Delay from what an agent sees to the arrival of its orders: a duration, or ``{ low, high }``, drawn per agent."""

    @property
    def label(self) -> str:
        """The name, or the kind where none is given."""
        return self.name or self.kind


class DepthConfig(Section):
    """``[exchange.depth]``: samples of the book and of fundamentals at fixed times."""

    interval: Annotated[Duration, Field(ge=MICROSECOND)] = SECOND
    """Time between two samples, at least 1us; the first is taken at the start."""
    levels: int = Field(default=10, ge=1, le=1_000)
    """Occupied price levels per side in a sample, best first."""


class ExchangeConfig(Section):
    """``[exchange]``: one engine with a book per instrument."""

    instruments: tuple[InstrumentConfig, ...] = Field(min_length=1, max_length=1_000)
    """What is traded; instruments are numbered from 0 in this order."""
    populations: tuple[SerializeAsAny[PopulationConfig], ...] = Field(default=(), max_length=MAX_POPULATIONS)
    """Agents inside the kernel; accounts are numbered from 1 in this order."""
    depth: DepthConfig = DepthConfig()
    """Samples of the book."""

    @field_validator("instruments", "populations", mode="before")
    @classmethod
    def _a_list_is_a_tuple(cls, value: object) -> object:
        return tuple(value) if isinstance(value, list) else value

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        symbols = [instrument.symbol for instrument in self.instruments]
        _refuse_doubles("symbols", symbols)
        _refuse_doubles("names of populations", [population.label for population in self.populations])
        for population in self.populations:
            if population.instrument and population.instrument not in symbols:
                raise ValueError(
                    f"populations.{population.label}.instrument: expected one of {', '.join(symbols)}; "
                    f'found "{population.instrument}"'
                )
            instrument = self.instruments[self.instrument_number(population.instrument)]
            if population.needs_fundamental and instrument.fundamental is None:
                raise ValueError(
                    f"instruments.{instrument.symbol}.fundamental: expected one, "
                    f"as population {population.label} trades on it"
                )
        total = sum(population.count for population in self.populations)
        if total > MAX_AGENTS:
            raise ValueError(f"expected at most {MAX_AGENTS:,} agents in all populations; found {total:,}")
        return self

    def instrument_number(self, symbol: str) -> int:
        """Return the number of an instrument; of the first where ``symbol`` is empty."""
        if not symbol:
            return 0
        return [instrument.symbol for instrument in self.instruments].index(symbol)


def _refuse_doubles(what: str, names: Sequence[str]) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected unique {what}; found more than one {', '.join(twice)}")
