"""How an exchange lies in memory, and how compiled code reaches it and the rules of its populations.

An entry makes views of the arrays from a table of addresses once a call, as for one book (``layout``). Each wake makes
two more, of the state of the agent's population. Rules are called through machine addresses: a tuple of functions as
an argument would cost 600 us a call, for Numba looks up each address through Python.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.unsafe.ndarray import to_fixed_tuple

from marketsim.core.jit import JIT_DISABLED, inlined, pointer
from marketsim.core.rng import N_COUNTERS
from marketsim.exchange.codes import N_LOG_COLUMNS
from marketsim.exchange.config import MAX_POPULATIONS
from marketsim.exchange.kernel.heap import HEAP_WORDS
from marketsim.exchange.kernel.views import columns_at, rows_at, vector_at
from marketsim.exchange.rules import MAX_MESSAGES, N_MARKET, N_OUT_FIELDS

# ---- header ---------------------------------------------------------------------------------------------------
(
    E_PENDING,  # entries of the heap
    E_SEQUENCE,  # of the next entry
    E_NOW,  # time of the last event
    E_NEXT,  # time of the next thing to do: what peek reads
    E_CURSOR,  # row of ``out`` that is delivered next; none is left where it is beyond E_SENT
    E_SENT,  # messages in ``out``
    E_SENDER,  # their owner
    E_TARGET,  # their instrument
    E_HEARD,  # whether Python must hear of something that happened
    E_HEARD_ROW,  # first row of the log that may be heard
    E_FIRST_MESSAGE,  # number of the first message of ``stamps``
    E_QUOTES,  # rows of ``quotes``
    E_DEPTHS,  # rows of ``depths``
    E_VALUES,  # rows of ``value_places`` and ``value_samples``
    E_FREE_FLIGHT,  # first free place of ``flights``
    E_FLIGHTS,  # messages in flight
    E_IN_KERNEL,  # last account of an agent in the kernel
    E_ACCOUNTS,  # accounts, the one of orders without owner included
    E_BOOKS,  # instruments
    E_INTERVAL,  # time between two samples
    E_LEVELS,  # price levels per side of a sample
    E_RECORD_QUOTES,  # whether changes of the touch are recorded
    E_SHORTAGE,  # what the book lacked, a STOP_ code
    E_FAULT_WAKE,  # the wake that a rule asked for, where it was not later than now
) = range(24)
N_HEADER = 32

# ---- agents ---------------------------------------------------------------------------------------------------
A_POPULATION, A_ROW, A_WAKES, A_BOOK, A_LATENCY = range(5)
AGENT_WORDS = 8

# ---- flights: a free place uses only the first word, for the next free one ---------------------------------------
(F_KIND, F_ORDER, F_SIDE, F_PRICE, F_SIZE, F_FLAGS, F_OWNER, F_BOOK) = range(8)
FLIGHT_WORDS = 8
F_NEXT_FREE = 0

# ---- accounts, per instrument -----------------------------------------------------------------------------------
B_POSITION, B_CASH = range(2)
ACCOUNT_WORDS = 2

# ---- facts and values of an instrument ----------------------------------------------------------------------------
I_TICK_VALUE, I_HEARS_QUOTES, I_HEARS_TRADES, I_STEP, I_STEPS_DONE = range(5)
FACT_WORDS = 8
V_VALUE, V_MEAN, V_DECAY, V_DEVIATION, V_NO_JUMP, V_JUMP_RATE, V_JUMP_MEAN, V_JUMP_DEVIATION = range(8)
VALUE_WORDS = 8

# ---- what is recorded beside the event log --------------------------------------------------------------------------
S_TIME, S_BOOK = range(2)
N_STAMP_COLUMNS = 2
N_QUOTE_COLUMNS = 6  # message, instrument, bid, bid size, ask, ask size
N_DEPTH_COLUMNS = 7  # time, instrument, side, level, price, size, orders

STATE_WORDS = 5  # of a population: address and width of state_i, of state_f, number of agents


class Engine(NamedTuple):
    """The arrays of one exchange: NumPy arrays in Python, views without an owner in the kernel."""

    header: Any  # int64[N_HEADER]
    heap: Any  # int64[capacity, HEAP_WORDS]
    flights: Any  # int64[capacity, FLIGHT_WORDS]
    agents: Any  # int64[agents + 1, AGENT_WORDS], by account
    keys: Any  # uint64[MAX_POPULATIONS, 2], streams of the populations
    value_keys: Any  # uint64[instruments, 2], streams of the fundamentals
    counters: Any  # uint64[N_COUNTERS], the address of the draws of this wake
    states: Any  # int64[MAX_POPULATIONS, STATE_WORDS]; without JIT a list of (state_i, state_f)
    market: Any  # int64[instruments, N_MARKET]
    out: Any  # int64[MAX_MESSAGES + 1, N_OUT_FIELDS]
    accounts: Any  # int64[instruments * accounts, ACCOUNT_WORDS]
    facts: Any  # int64[instruments, FACT_WORDS]
    values: Any  # float64[instruments, VALUE_WORDS], in ticks
    books: Any  # int64[instruments] of handles; without JIT a list of them
    log: Any  # int64[N_LOG_COLUMNS, rows], of all books
    cursor: Any  # int64[2], rows used and number of the next message
    stamps: Any  # int64[N_STAMP_COLUMNS, messages]
    quotes: Any  # int64[N_QUOTE_COLUMNS, rows]
    depths: Any  # int64[N_DEPTH_COLUMNS, rows]
    value_places: Any  # int64[N_STAMP_COLUMNS, rows]
    value_samples: Any  # float64[rows], in ticks


WIDE = frozenset(("log", "stamps", "quotes", "depths", "value_places"))
"""Arrays whose length is that of their rows, one array per column."""

INTS = types.int64[::1]
WAKE_ARGUMENTS = (
    types.int64[:, ::1],
    types.float64[:, ::1],
    types.int64,
    types.int64,
    INTS,
    types.uint64[::1],
    types.int64[:, ::1],
)
WAKE_FUNCTION = types.FunctionType(types.int64(*WAKE_ARGUMENTS))


@intrinsic
def _functions_at(typing_context, addresses):
    """Machine addresses, a tuple of int64, as functions that a kernel can call."""

    def generate(context, builder, signature, arguments):
        slots = []
        for slot in range(MAX_POPULATIONS):
            function = cgutils.create_struct_proxy(WAKE_FUNCTION)(context, builder)
            address = builder.extract_value(arguments[0], slot)
            function.jit_addr = builder.inttoptr(address, context.get_value_type(types.voidptr))
            slots.append(function._getvalue())
        return context.make_tuple(builder, signature.return_type, slots)

    wakes = types.UniTuple(WAKE_FUNCTION, MAX_POPULATIONS)
    return wakes(types.UniTuple(types.int64, MAX_POPULATIONS)), generate


@inlined
def wake_functions(addresses):
    """The rules whose machine addresses stand in ``addresses``, int64[MAX_POPULATIONS]; without JIT a list of them."""
    return _functions_at(to_fixed_tuple(addresses, MAX_POPULATIONS))


@inlined
def engine_views(table):
    """Views of the arrays whose addresses and lengths stand in ``table``; without JIT ``table`` is the ``Engine``.

    What rules are given are arrays.
    """
    return Engine(
        vector_at(table[0, 0], N_HEADER, np.int64),
        rows_at(table[1, 0], table[1, 1], HEAP_WORDS, np.int64),
        rows_at(table[2, 0], table[2, 1], FLIGHT_WORDS, np.int64),
        rows_at(table[3, 0], table[3, 1], AGENT_WORDS, np.int64),
        rows_at(table[4, 0], MAX_POPULATIONS, 2, np.uint64),
        rows_at(table[5, 0], table[5, 1], 2, np.uint64),
        carray(pointer(table[6, 0]), N_COUNTERS, np.uint64),
        rows_at(table[7, 0], MAX_POPULATIONS, STATE_WORDS, np.int64),
        carray(pointer(table[8, 0]), (table[8, 1], N_MARKET), np.int64),
        carray(pointer(table[9, 0]), (MAX_MESSAGES + 1, N_OUT_FIELDS), np.int64),
        rows_at(table[10, 0], table[10, 1], ACCOUNT_WORDS, np.int64),
        rows_at(table[11, 0], table[11, 1], FACT_WORDS, np.int64),
        rows_at(table[12, 0], table[12, 1], VALUE_WORDS, np.float64),
        vector_at(table[13, 0], table[13, 1], np.int64),
        columns_at(table[14, 0], table[14, 1], N_LOG_COLUMNS, np.int64),
        vector_at(table[15, 0], 2, np.int64),
        columns_at(table[16, 0], table[16, 1], N_STAMP_COLUMNS, np.int64),
        columns_at(table[17, 0], table[17, 1], N_QUOTE_COLUMNS, np.int64),
        columns_at(table[18, 0], table[18, 1], N_DEPTH_COLUMNS, np.int64),
        columns_at(table[19, 0], table[19, 1], N_STAMP_COLUMNS, np.int64),
        vector_at(table[20, 0], table[20, 1], np.float64),
    )


@inlined
def population_state(engine, population):
    """State of a population: int64[agents, width] and float64[agents, width]."""
    row, states = np.uint64(population), engine.states
    agents = states[row, 4]
    state_i = carray(pointer(states[row, 0]), (agents, states[row, 1]), np.int64)
    state_f = carray(pointer(states[row, 2]), (agents, states[row, 3]), np.float64)
    return state_i, state_f


if JIT_DISABLED:

    def wake_functions(addresses):
        """The rules themselves."""
        return addresses

    def engine_views(table):
        """The engine itself: without JIT it holds its arrays."""
        return table

    def population_state(engine, population):
        """State of a population: int64[agents, width] and float64[agents, width]."""
        return engine.states[population]
