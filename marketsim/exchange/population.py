"""What a population of in-kernel agents is: a file with its keys, its start and one rule.

A population is a subclass of ``Population`` with three members::

    class Sleeper(Population):
        class Config(PopulationConfig):        # its own keys of [[exchange.populations]]
            ...

        @classmethod
        def start(cls, config, context):       # state and first wake of each agent, as arrays
            return Start(state_i, state_f, first_wake_ns)

        @staticmethod
        def wake(state_i, state_f, agent, now, market, counters, out):   # the rule, compiled when a run starts
            return now + 1_000_000_000         # time of its next wake, an integer later than now

The rule may call the functions of ``exchange.rules``, ``core.rng``, ``core.fmath`` and plain functions of its own
module, which are compiled with it. Neither this file nor a population's needs Numba to be read.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.core import rng
from marketsim.core.errors import PopulationError
from marketsim.exchange.config import InstrumentConfig, PopulationConfig
from marketsim.exchange.rules import NEVER

WAKE_PARAMETERS = ("state_i", "state_f", "agent", "now", "market", "counters", "out")


class Start(NamedTuple):
    """The agents of a population as they start."""

    state_i: NDArray[np.int64]
    """int64[count, width]: integer state, one row per agent."""
    state_f: NDArray[np.float64]
    """float64[count, width]: real state, one row per agent."""
    first_wake_ns: NDArray[np.int64]
    """int64[count]: when each agent wakes first."""


class StartContext:
    """What a population knows when it starts.

    Parameters
    ----------
    name : str
        Name of the population.
    count : int
        Number of its agents.
    instrument : InstrumentConfig
        What they trade.
    duration_ns : int
        Length of the run.
    seed, replicate : int
        Of the run; they address ``uniforms``.
    """

    def __init__(
        self, name: str, count: int, instrument: InstrumentConfig, duration_ns: int, seed: int, replicate: int
    ) -> None:
        self.name, self.count, self.instrument, self.duration_ns = name, count, instrument, duration_ns
        self._seed, self._replicate = seed, replicate

    @property
    def open_price_ticks(self) -> int:
        """Open price of the instrument."""
        return self.instrument.to_ticks(self.instrument.open_price)

    def ticks(self, amount: Any) -> float:
        """Return an amount of currency in ticks, not rounded."""
        return float(amount) / float(self.instrument.tick_size)

    def uniforms(self, purpose: str) -> NDArray[np.float64]:
        """Return one uniform draw per agent, float64[count], strictly between 0 and 1.

        An agent's draw depends on the seed, the population's name, ``purpose`` and its place alone: agents that are
        added behind it change nothing.
        """
        key = rng.stream_key(self._seed, self._replicate, "exchange", self.name, f"start {purpose}")
        words = rng.generator(key, 0, 0).integers(0, 1 << 52, self.count, dtype=np.int64)
        return np.asarray((words + 0.5) / float(1 << 52), np.float64)


class Population:
    """Base of all populations of in-kernel agents."""

    Config: ClassVar[type[PopulationConfig]] = PopulationConfig
    """Keys of its scenario table."""

    wake: ClassVar[Callable[..., int]]
    """The rule, a static method; see the head of this module."""

    @classmethod
    def start(cls, config: Any, context: StartContext) -> Start:
        """Return the agents as they start.

        Parameters
        ----------
        config : Config
            The scenario table.
        context : StartContext
            What the population knows of the run.
        """
        raise NotImplementedError


def check_population(population: Any) -> None:
    """Check that a class is a population, before anything runs.

    Raises
    ------
    PopulationError
        A member is missing or the rule has another signature; the text names the file, what was found and expected.
    """
    place = _place_of(population)
    if not (isinstance(population, type) and issubclass(population, Population)):
        raise PopulationError(f"{place}: found {population!r}, expected a subclass of marketsim.exchange.Population")
    if not (isinstance(population.Config, type) and issubclass(population.Config, PopulationConfig)):
        raise PopulationError(f"{place}.Config: found {population.Config!r}, expected a subclass of PopulationConfig")
    if getattr(population.start, "__func__", None) is Population.start.__func__:  # type: ignore[attr-defined]
        raise PopulationError(f"{place}.start: found none, expected a class method start(cls, config, context)")
    check_rule(inspect.getattr_static(population, "wake", None), f"{place}.wake")


def check_rule(rule: Any, place: str) -> None:
    """Check that a rule is a plain function of the seven parameters.

    Raises
    ------
    PopulationError
        It is not.
    """
    expected = f"wake({', '.join(WAKE_PARAMETERS)}) -> int"
    if rule is None:
        raise PopulationError(f"{place}: found none, expected a static method {expected}")
    function = rule.__func__ if isinstance(rule, staticmethod) else rule
    if not isinstance(function, FunctionType):
        raise PopulationError(f"{place}: found {function!r}, expected a plain function {expected}")
    parameters = list(inspect.signature(function).parameters.values())
    positional = all(parameter.kind is parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
    if not isinstance(rule, staticmethod) and parameters[:1] and parameters[0].name in ("self", "cls"):
        raise PopulationError(f"{place}: found a method with {parameters[0].name}, expected a static method {expected}")
    if len(parameters) != len(WAKE_PARAMETERS) or not positional:
        raise PopulationError(f"{place}: found {function.__name__}{inspect.signature(function)}, expected {expected}")


def check_start(start: Any, count: int, place: str) -> Start:
    """Return what ``start`` gave as arrays of the right types.

    Raises
    ------
    PopulationError
        It is not three arrays of one row per agent, or a first wake is negative.
    """
    try:
        state_i, state_f, first = start
    except (TypeError, ValueError):
        raise PopulationError(f"{place}.start: found {start!r}, expected (state_i, state_f, first_wake_ns)") from None
    result = Start(
        _as_array(state_i, np.int64, 2, count, f"{place}.start: state_i"),
        _as_array(state_f, np.float64, 2, count, f"{place}.start: state_f"),
        _as_array(first, np.int64, 1, count, f"{place}.start: first_wake_ns"),
    )
    if count and not 0 <= int(result.first_wake_ns.min()) <= int(result.first_wake_ns.max()) <= NEVER:
        raise PopulationError(f"{place}.start: found a first wake below 0 or beyond 2**62 ns, expected one in between")
    return result


def _as_array(value: Any, dtype: type, dimensions: int, count: int, place: str) -> Any:
    array = np.asarray(value)
    shape = "(count,)" if dimensions == 1 else "(count, width)"
    if array.ndim != dimensions or array.shape[0] != count:
        raise PopulationError(f"{place}: found shape {array.shape}, expected {shape} with count = {count}")
    if not np.can_cast(array.dtype, dtype, "safe"):
        raise PopulationError(f"{place}: found dtype {array.dtype}, expected {np.dtype(dtype)}")
    return np.array(array, dtype=dtype, order="C")


def _place_of(population: Any) -> str:
    try:
        file = inspect.getsourcefile(population) or "?"
    except TypeError:
        file = "?"
    return f"{file}: {getattr(population, '__qualname__', population)}"
