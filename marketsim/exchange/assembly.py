"""Builds the memory of an exchange from its scenario section: instruments, populations, first wakes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.core import rng
from marketsim.core.errors import PopulationError
from marketsim.core.jit import JIT_DISABLED
from marketsim.core.venue import NEVER
from marketsim.exchange.compile import address_of, compiled
from marketsim.exchange.config import MAX_POPULATIONS, ExchangeConfig, LatencyRange, PopulationConfig
from marketsim.exchange.fundamentals import fundamental_values
from marketsim.exchange.kernel import memory
from marketsim.exchange.kernel.heap import H_EVENT, H_SEQUENCE, H_TIME, H_WHO, HEAP_WORDS, SAMPLE, WAKE
from marketsim.exchange.kernel.memory import Engine
from marketsim.exchange.population import StartContext, check_population, check_start
from marketsim.exchange.populations import KINDS
from marketsim.exchange.rules import (
    END,
    FUNDAMENTAL,
    FUNDAMENTAL_SCALE,
    LAST,
    MAX_MESSAGES,
    N_MARKET,
    N_OUT_FIELDS,
    OPEN_PRICE,
)
from marketsim.exchange.storage import BookStorage, EventLog, aligned_zeros

FLIGHTS = 2 * (MAX_MESSAGES + 1)
"""Room for messages in flight to begin with."""

SAMPLES = 4096
"""Samples of one book each that fit the memory before they must be taken."""


class Members(NamedTuple):
    """One population as it lives in an exchange."""

    config: PopulationConfig
    cls: Any
    """The subclass of ``Population``."""
    instrument: int
    first_account: int
    """Accounts of its agents run from here."""
    state_i: NDArray[np.int64]
    state_f: NDArray[np.float64]
    first_wake_ns: NDArray[np.int64]
    latency_ns: NDArray[np.int64]
    rule: Any
    """Its compiled rule."""


def populate(
    config: ExchangeConfig, seed: int, replicate: int, duration_ns: int, folder_of: Callable[[str], Path | None]
) -> list[Members]:
    """Start every population.

    Raises
    ------
    PopulationError
        One of them breaks its contract; see ``population`` and ``compile``.
    """
    result: list[Members] = []
    account = 1
    for population in config.populations:
        number = config.instrument_number(population.instrument)
        cls = KINDS.resolve(population.kind, folder_of(population.kind))
        check_population(cls)
        if not isinstance(population, cls.Config):
            raise PopulationError(
                f"population {population.label}: found keys of {type(population).__qualname__}, "
                f"expected an instance of {cls.__qualname__}.Config"
            )
        instrument = config.instruments[number]
        context = StartContext(population.label, population.count, instrument, duration_ns, seed, replicate)
        start = check_start(cls.start(population, context), population.count, f"population {population.label}")
        latency = latencies(population, context.uniforms("order latency"))
        rule = compiled(cls.wake)
        result.append(Members(population, cls, number, account, *start, latency, rule))
        account += population.count
    return result


def latencies(config: PopulationConfig, u: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the order latency of each agent in ns, from one uniform draw per agent."""
    delay = config.order_latency
    if isinstance(delay, LatencyRange):
        return delay.low + np.floor(u * (delay.high - delay.low + 1)).astype(np.int64)
    return np.full(len(u), delay, np.int64)


def build_engine(
    config: ExchangeConfig,
    populations: Sequence[Members],
    books: Sequence[BookStorage],
    log: EventLog,
    *,
    seed: int,
    replicate: int,
    duration_ns: int,
) -> Engine:
    """Return the arrays of an exchange at time 0, nobody having woken yet."""
    n_books, n_agents = len(books), sum(members.config.count for members in populations)
    rows, samples = log.columns.shape[1], max(SAMPLES, n_books)
    engine = Engine(
        header=np.zeros(memory.N_HEADER, np.int64),
        heap=heap_of(n_agents + 1 + FLIGHTS),
        flights=aligned_zeros(FLIGHTS, memory.FLIGHT_WORDS),
        agents=aligned_zeros(n_agents + 1, memory.AGENT_WORDS),
        keys=np.zeros((MAX_POPULATIONS, 2), np.uint64),
        value_keys=np.zeros((n_books, 2), np.uint64),
        counters=np.zeros(rng.N_COUNTERS, np.uint64),
        states=_state_table(populations),
        market=np.zeros((n_books, N_MARKET), np.int64),
        out=np.zeros((MAX_MESSAGES + 1, N_OUT_FIELDS), np.int64),
        accounts=np.zeros((n_books * (n_agents + 1), memory.ACCOUNT_WORDS), np.int64),
        facts=np.zeros((n_books, memory.FACT_WORDS), np.int64),
        values=np.array([fundamental_values(instrument) for instrument in config.instruments]),
        books=book_handles(books),
        log=log.columns,
        cursor=log.cursor,
        stamps=np.zeros((memory.N_STAMP_COLUMNS, rows), np.int64),
        quotes=np.zeros((memory.N_QUOTE_COLUMNS, rows), np.int64),
        depths=np.zeros((memory.N_DEPTH_COLUMNS, samples * 2 * config.depth.levels), np.int64),
        value_places=np.zeros((memory.N_STAMP_COLUMNS, samples), np.int64),
        value_samples=np.zeros(samples),
    )
    _enter_instruments(engine, config, seed, replicate, duration_ns)
    for slot, members in enumerate(populations):
        engine.keys[slot] = rng.stream_key(seed, replicate, "exchange", members.config.label, "wake")
        _enter_agents(engine, slot, members)
    _fill_heap(engine, populations)
    _fill_header(engine, config, n_agents, n_books)
    return engine


def heap_of(capacity: int) -> NDArray[np.int64]:
    """Return an empty heap; the two children of an entry share a cache line."""
    heap = aligned_zeros(capacity + 1, HEAP_WORDS)[1:]
    heap[:] = NEVER
    return heap


def book_handles(books: Sequence[BookStorage]) -> Any:
    """Return what the kernel takes for the books."""
    handles = [book.handle for book in books]
    return handles if JIT_DISABLED else np.array(handles, np.int64)


def rule_addresses(populations: Sequence[Members]) -> Any:
    """Return what the kernel takes for the rules; empty slots repeat the first and are never called."""
    rules = [members.rule for members in populations]
    if JIT_DISABLED:
        return rules
    addresses = [address_of(rule) for rule in rules]
    return np.array(addresses + (addresses or [0])[:1] * (MAX_POPULATIONS - len(addresses)), np.int64)


def address_table(engine: Engine) -> Any:
    """Return what the kernel takes for the engine: addresses and lengths, int64[arrays, 2]; without JIT the engine."""
    if JIT_DISABLED:
        return engine
    lengths = {name: array.shape[1 if name in memory.WIDE else 0] for name, array in engine._asdict().items()}
    return np.array([(array.ctypes.data, lengths[name]) for name, array in engine._asdict().items()], np.int64)


def link_flights(engine: Engine, first: int, end: int) -> None:
    """Make flights ``first`` to ``end - 1`` free, before those that are free already."""
    engine.flights[first : end - 1, memory.F_NEXT_FREE] = np.arange(first + 1, end)
    engine.flights[end - 1, memory.F_NEXT_FREE] = engine.header[memory.E_FREE_FLIGHT]
    engine.header[memory.E_FREE_FLIGHT] = first


def _state_table(populations: Sequence[Members]) -> Any:
    if JIT_DISABLED:
        return [(members.state_i, members.state_f) for members in populations]
    table = np.zeros((MAX_POPULATIONS, memory.STATE_WORDS), np.int64)
    for slot, members in enumerate(populations):
        state_i, state_f = members.state_i, members.state_f
        widths = state_i.shape[1], state_f.shape[1]
        table[slot] = state_i.ctypes.data, widths[0], state_f.ctypes.data, widths[1], len(state_i)
    return table


def _enter_instruments(engine: Engine, config: ExchangeConfig, seed: int, replicate: int, duration_ns: int) -> None:
    for number, instrument in enumerate(config.instruments):
        market, fact = engine.market[number], engine.facts[number]
        market[[LAST, OPEN_PRICE]] = instrument.to_ticks(instrument.open_price)
        market[END] = duration_ns
        fact[memory.I_TICK_VALUE] = instrument.tick_value_minor
        if instrument.fundamental is not None:
            fact[memory.I_STEP] = instrument.fundamental.step
            market[FUNDAMENTAL] = int(engine.values[number, memory.V_VALUE] * FUNDAMENTAL_SCALE + 0.5)
        engine.value_keys[number] = rng.stream_key(seed, replicate, "exchange", instrument.symbol, "fundamental")


def _enter_agents(engine: Engine, slot: int, members: Members) -> None:
    first, count = members.first_account, members.config.count
    rows = engine.agents[first : first + count]
    rows[:, memory.A_POPULATION] = slot
    rows[:, memory.A_ROW] = np.arange(count)
    rows[:, memory.A_BOOK] = members.instrument
    rows[:, memory.A_LATENCY] = members.latency_ns


def _fill_heap(engine: Engine, populations: Sequence[Members]) -> None:
    """Enter the first sample and the first wake of each agent, in the order of accounts."""
    n = len(engine.agents)
    entries = np.zeros((n, HEAP_WORDS), np.int64)
    entries[:, H_SEQUENCE] = np.arange(n)
    entries[0, H_EVENT] = SAMPLE
    entries[1:, H_EVENT] = WAKE
    entries[:, H_WHO] = np.arange(n)
    for members in populations:
        first = members.first_account
        entries[first : first + members.config.count, H_TIME] = members.first_wake_ns
    engine.heap[:n] = entries[np.lexsort((entries[:, H_SEQUENCE], entries[:, H_TIME]))]  # sorted, so a heap
    engine.header[memory.E_PENDING] = engine.header[memory.E_SEQUENCE] = n


def _fill_header(engine: Engine, config: ExchangeConfig, n_agents: int, n_books: int) -> None:
    header = engine.header
    header[memory.E_CURSOR] = 1  # beyond the 0 messages in ``out``
    header[memory.E_NEXT] = engine.heap[0, H_TIME]
    header[memory.E_IN_KERNEL] = n_agents
    header[memory.E_ACCOUNTS] = n_agents + 1
    header[memory.E_BOOKS] = n_books
    header[memory.E_INTERVAL] = config.depth.interval
    header[memory.E_LEVELS] = config.depth.levels
    link_flights(engine, 0, len(engine.flights))
