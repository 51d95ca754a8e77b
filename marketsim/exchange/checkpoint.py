"""The state of an exchange as arrays without its sizes, so that equal futures have equal bytes.

The heap is saved in the order of its events and the messages in flight with it; a sorted array is a heap, and where in
memory a message waited makes no difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from marketsim.exchange.assembly import Members, heap_of
from marketsim.exchange.kernel import memory
from marketsim.exchange.kernel.heap import H_EVENT, H_SEQUENCE, H_TIME, H_WHO, MESSAGE
from marketsim.exchange.kernel.layout import C_MESSAGE
from marketsim.exchange.kernel.memory import Engine
from marketsim.exchange.storage import BookStorage, aligned_zeros

CLOCK = (
    memory.E_SEQUENCE,
    memory.E_NOW,
    memory.E_NEXT,
    memory.E_CURSOR,
    memory.E_SENT,
    memory.E_SENDER,
    memory.E_TARGET,
    memory.E_HEARD,
)
ARRAYS = ("market", "accounts", "facts", "values")


def save(engine: Engine, books: Sequence[BookStorage], populations: Sequence[Members]) -> dict[str, np.ndarray]:
    """Return the state; see ``Exchange.state``."""
    heap = engine.heap[: engine.header[memory.E_PENDING]]
    heap = heap[np.lexsort((heap[:, H_SEQUENCE], heap[:, H_TIME]))]
    in_flight = heap[:, H_EVENT] == MESSAGE
    flights = engine.flights[heap[in_flight, H_WHO]]
    heap[in_flight, H_WHO] = 0
    clock = np.append(engine.header[list(CLOCK)], engine.cursor[C_MESSAGE])
    state = {"clock": clock, "heap": heap, "flights": flights, "out": _undelivered(engine)}
    state["wakes"] = engine.agents[:, memory.A_WAKES].copy()
    state.update({name: getattr(engine, name).copy() for name in ARRAYS})
    for slot, members in enumerate(populations):
        state[f"population.{slot}.i"] = members.state_i.copy()
        state[f"population.{slot}.f"] = members.state_f.copy()
    for number, book in enumerate(books):
        state.update({f"book.{number}.{name}": array for name, array in book.snapshot().items()})
    return state


def load(
    engine: Engine, books: Sequence[BookStorage], populations: Sequence[Members], state: dict[str, np.ndarray]
) -> Engine:
    """Write a state into an exchange; return its arrays, some of which are new.

    Raises
    ------
    ValueError
        The state is that of another exchange.
    """
    for name, array in _counterparts(engine, populations).items():
        if name not in state or state[name].shape != array.shape or state[name].dtype != array.dtype:
            raise ValueError(f"the state does not fit this exchange: {name} is missing or of another shape")
        array[...] = state[name]
    for number, book in enumerate(books):
        prefix = f"book.{number}."
        book.restore({name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)})
    engine.header[list(CLOCK)] = state["clock"][:-1]
    engine.cursor[C_MESSAGE] = state["clock"][-1]
    engine.out[1 : len(state["out"]) + 1] = state["out"]
    if len(state["out"]):
        engine.header[memory.E_CURSOR], engine.header[memory.E_SENT] = 1, len(state["out"])
    return _load_heap(engine, state["heap"], state["flights"])


def _undelivered(engine: Engine) -> np.ndarray:
    header, out = engine.header, np.asarray(engine.out)
    return out[header[memory.E_CURSOR] : header[memory.E_SENT] + 1].copy()


def _counterparts(engine: Engine, populations: Sequence[Members]) -> dict[str, Any]:
    arrays = {name: getattr(engine, name) for name in ARRAYS}
    arrays["wakes"] = engine.agents[:, memory.A_WAKES]
    for slot, members in enumerate(populations):
        arrays[f"population.{slot}.i"], arrays[f"population.{slot}.f"] = members.state_i, members.state_f
    return arrays


def _load_heap(engine: Engine, entries: np.ndarray, messages: np.ndarray) -> Engine:
    header, n, in_flight = engine.header, len(entries), entries[:, H_EVENT] == MESSAGE
    places = len(engine.flights)
    while places <= len(messages):
        places *= 2
    heap = heap_of(len(engine.heap) - len(engine.flights) + places)
    heap[:n] = entries
    heap[np.flatnonzero(in_flight), H_WHO] = np.arange(len(messages))
    flights = aligned_zeros(places, memory.FLIGHT_WORDS)
    flights[: len(messages)] = messages
    free = np.arange(len(messages), places)
    flights[free, memory.F_NEXT_FREE] = free + 1
    header[memory.E_FREE_FLIGHT], header[memory.E_FLIGHTS] = len(messages), len(messages)
    header[memory.E_PENDING] = n
    return engine._replace(heap=heap, flights=flights)
