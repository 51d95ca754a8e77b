"""``Exchange``: order books, accounts and in-kernel populations on one line of simulated time.

It is a venue (``core.venue``): the time line drives it by ``peek``, ``advance`` and ``submit``, and takes notices and
tables from it. It needs neither Mesa nor a scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.core.durations import format_duration
from marketsim.core.errors import PastError, SimulationError
from marketsim.core.jit import JIT_DISABLED, errstate
from marketsim.core.venue import EVENTS_PER_CALL, Notice, Stop
from marketsim.exchange import assembly, checkpoint, tables
from marketsim.exchange.assembly import Members
from marketsim.exchange.codes import STOP_LOG_FULL, OrderStatus
from marketsim.exchange.commands import Account, Depth, Level, OrderCommand, Quote
from marketsim.exchange.config import ExchangeConfig
from marketsim.exchange.kernel import memory
from marketsim.exchange.kernel.engine import GROW, HORIZON, LACKING, NOTICE, advance, submit
from marketsim.exchange.kernel.layout import C_MESSAGE, C_ROWS
from marketsim.exchange.kernel.memory import Engine
from marketsim.exchange.kernel.queries import depth_of, status_of
from marketsim.exchange.reports import Audience, LogRow, notices_of
from marketsim.exchange.rules import ASK, ASK_SIZE, BID, BID_SIZE, LAST, MAX_MESSAGES, OUT_PRICE
from marketsim.exchange.storage import BookStorage, EventLog, aligned_zeros

if TYPE_CHECKING:
    import pyarrow as pa

STOPS = tuple(Stop)
LOG_ROWS = 1 << 18


class AgentEntry(NamedTuple):
    """Who stands behind an account."""

    name: str
    kind: str
    provenance: str


class Exchange:
    """Order books with the agents that trade on them.

    Parameters
    ----------
    config : ExchangeConfig
        Instruments, populations, samples.
    seed, replicate : int
        Address every random draw.
    duration_ns : int
        Length of the run in ns; populations may look at it, the exchange itself never ends.
    tables : collection of str, optional
        Names of the tables to make, such as ``"exchange/trades"``; default: all of them. What is not made costs
        nothing.
    log_rows : int
        Rows of the event log; where it is full, ``advance`` asks for ``tables`` to be taken.
    folder_of : callable, optional
        Kind to the folder where the module of a user's own population is looked for (``Scenario.folder_of``).
    budget : int
        Events after which ``advance`` returns.

    Raises
    ------
    PopulationError
        A population breaks its contract.

    Examples
    --------
    >>> config = ExchangeConfig(instruments=[InstrumentConfig(symbol="ACME", open_price="100.00")])
    >>> exchange = Exchange(config, seed=1, duration_ns=10**9)
    >>> trader = exchange.add_agent("trader", "example", "rule")
    >>> exchange.submit(limit_order(trader, 0, own_id(trader, 1), Side.BUY, 9_999, 10), at=5)
    >>> exchange.advance(10**9, inclusive=False)
    <Stop.NOTICE: 1>
    >>> exchange.quote("ACME").bid_price_ticks
    9999
    """

    name = "exchange"

    def __init__(
        self,
        config: ExchangeConfig,
        *,
        seed: int,
        replicate: int = 0,
        duration_ns: int,
        tables: Collection[str] | None = None,
        log_rows: int = LOG_ROWS,
        folder_of: Callable[[str], Path | None] = lambda kind: None,
        budget: int = EVENTS_PER_CALL,
    ) -> None:
        self.config, self._budget = config, budget
        self._wanted = _table_names(tables)
        self.populations: Sequence[Members] = assembly.populate(config, seed, replicate, duration_ns, folder_of)
        self._log = EventLog(log_rows)
        n_agents = sum(members.config.count for members in self.populations)
        self._books = [BookStorage(self._log, owners=n_agents + 1) for _ in config.instruments]
        self._engine: Engine = assembly.build_engine(
            config,
            self.populations,
            self._books,
            self._log,
            seed=seed,
            replicate=replicate,
            duration_ns=duration_ns,
        )
        self._header: NDArray[np.int64] = self._engine.header
        self._header[memory.E_RECORD_QUOTES] = "exchange/quotes" in self._wanted
        self._functions = assembly.rule_addresses(self.populations)
        self._symbols = [instrument.symbol for instrument in config.instruments]
        self._agents = [entry for members in self.populations for entry in _entries(members)]
        self._notices: list[Notice] = []
        self._audience = Audience(n_agents, self._symbols, frozenset(), frozenset())
        self._has_started = False
        self._reached = 0  # the instant up to which everything has happened
        self._refresh()

    # ---- The venue ------------------------------------------------------------------------------------------

    def peek(self) -> int:
        """Return the time of the next event in ns, or ``NEVER``."""
        return self._header.item(memory.E_NEXT)

    def advance(self, until: int, inclusive: bool) -> Stop:
        """Carry out events before ``until`` (and at it, where ``inclusive``) until there is a reason to stop."""
        self._has_started = True
        limit = until + 1 if inclusive else until
        while True:
            code = self._call_kernel(limit)
            if self._header.item(memory.E_HEARD):
                self._collect_notices(is_last=code == NOTICE)
            if code == GROW:
                self._grow_flights()
            elif code != LACKING:
                if code == HORIZON:
                    self._reached = max(self._reached, until)
                return STOPS[code]
            elif not self._relieve():
                return Stop.LOG_FULL

    def notices(self) -> Sequence[Notice]:
        """Return what Python agents must hear since the last call, in order."""
        notices, self._notices = self._notices, []
        return notices

    def listen(self, channel: str) -> None:
        """Publish ``"SYMBOL.quotes"`` or ``"SYMBOL.trades"`` from now on.

        Raises
        ------
        ValueError
            There is no such channel.
        """
        symbol, _, what = channel.rpartition(".")
        if symbol not in self._symbols or what not in ("quotes", "trades"):
            channels = ", ".join(f"{name}.quotes, {name}.trades" for name in self._symbols)
            raise ValueError(f'expected a channel such as {channels}; found "{channel}"')
        word = memory.I_HEARS_QUOTES if what == "quotes" else memory.I_HEARS_TRADES
        self._engine.facts[self._symbols.index(symbol), word] = 1
        self._set_audience()

    def submit(self, command: OrderCommand, at: int) -> None:
        """Take a message that arrives at ``at``, in ns, behind what already stands at that instant.

        Raises
        ------
        PastError
            ``at`` is over.
        ValueError
            There is no such account or instrument.
        """
        now = self._header.item(memory.E_NOW)
        if at < now:
            raise PastError(
                f"a message of agent {command.agent} for {format_duration(at)}, "
                f"but the exchange is at {format_duration(now)} already"
            )
        agent, number, kind, order_id, side, price, size, flags = command
        if not 0 <= agent <= len(self._agents):
            raise ValueError(f"expected an account from 0 to {len(self._agents)}; found {agent}")
        if not 0 <= number < len(self._books):
            raise ValueError(f"expected an instrument from 0 to {len(self._books) - 1}; found {number}")
        if self._header.item(memory.E_FLIGHTS) == len(self._engine.flights):
            self._grow_flights()
        message = (at, kind, order_id, side, price, size, flags, agent, number)
        submit(self._table, *message)

    def fault(self) -> str:
        """Return the reason for ``Stop.STUCK`` in words that name the population."""
        header = self._header
        entry, now = self._agents[header[memory.E_SENDER] - 1], format_duration(int(header[memory.E_NOW]))
        if header[memory.E_SENT] > MAX_MESSAGES:
            sent = int(header[memory.E_SENT])
            return (
                f"population {entry.kind}, agent {entry.name}, at {now}: "
                f"its rule sent {sent} messages in one wake, expected at most {MAX_MESSAGES}"
            )
        return (
            f"population {entry.kind}, agent {entry.name}, at {now}: "
            f"its rule asked to wake at {int(header[memory.E_FAULT_WAKE])} ns, expected a time later than now"
        )

    # ---- Tables ---------------------------------------------------------------------------------------------

    def tables(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the rows recorded since the last call; the batches own their memory."""
        batches = list(self._batches())  # at once: the log is free then, however far the caller reads
        self._empty_log()
        yield from batches

    def finish(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield what is written once, at the end of a run: agents, and accounts as of the instant that was reached."""
        from marketsim.exchange.recording import batch_of

        agents = list(range(1, len(self._agents) + 1))
        if tables.AGENTS.name in self._wanted and agents:
            yield tables.AGENTS.name, batch_of(tables.AGENTS, (agents, *zip(*self._agents, strict=True)))
        if tables.ACCOUNTS.name in self._wanted:
            n_books, n_accounts = len(self._books), len(self._agents) + 1
            account, number = np.divmod(np.arange(n_books * n_accounts), n_books)
            position, cash = self._engine.accounts[number * n_accounts + account].T
            times = np.full(len(account), max(self._reached, self.now))
            yield tables.ACCOUNTS.name, batch_of(tables.ACCOUNTS, (times, account, number, position, cash))

    def _batches(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        from marketsim.exchange import recording

        engine, header = self._engine, self._header
        log, first = self._log.rows(), int(header[memory.E_FIRST_MESSAGE])
        yield from recording.log_batches(log, engine.stamps, first, self._wanted)
        n = header[memory.E_QUOTES]
        if n and tables.QUOTES.name in self._wanted:
            yield tables.QUOTES.name, recording.quotes_batch(engine.quotes[:, :n], engine.stamps, first)
        n = header[memory.E_DEPTHS]
        if n and tables.DEPTH.name in self._wanted:
            yield tables.DEPTH.name, recording.depth_batch(engine.depths[:, :n])
        n = header[memory.E_VALUES]
        if n and tables.FUNDAMENTALS.name in self._wanted:
            places, samples = engine.value_places[:, :n], engine.value_samples[:n]
            yield tables.FUNDAMENTALS.name, recording.fundamentals_batch(places, samples)

    def _empty_log(self) -> None:
        header, cursor = self._header, self._log.cursor
        cursor[C_ROWS] = 0
        header[memory.E_FIRST_MESSAGE] = cursor[C_MESSAGE]
        header[[memory.E_QUOTES, memory.E_DEPTHS, memory.E_VALUES, memory.E_HEARD_ROW]] = 0

    # ---- What Python agents see at the present instant ------------------------------------------------------

    @property
    def now(self) -> int:
        """Time of the last event in ns."""
        return self._header.item(memory.E_NOW)

    @property
    def events(self) -> int:
        """Number of messages so far."""
        return int(self._log.cursor.item(C_MESSAGE))

    @property
    def n_in_kernel(self) -> int:
        """Number of agents inside the kernel; their accounts are 1 to this."""
        return self._audience.in_kernel

    def add_agent(self, name: str, kind: str, provenance: str) -> int:
        """Return the account number of a new Python agent.

        Raises
        ------
        SimulationError
            The exchange has started.
        """
        if self._has_started:
            raise SimulationError(f"agent {name}: accounts must be opened before the exchange starts")
        self._agents.append(AgentEntry(name, kind, provenance))
        account, n_books = len(self._agents), len(self._books)
        accounts = np.zeros((n_books * (account + 1), memory.ACCOUNT_WORDS), np.int64)
        self._header[memory.E_ACCOUNTS] = account + 1
        self._engine = self._engine._replace(accounts=accounts)
        for book in self._books:
            book.reserve_owners(account + 1)
        self._refresh()
        return account

    def instrument_number(self, symbol: str) -> int:
        """Return the number of an instrument; of the first where ``symbol`` is empty.

        Raises
        ------
        ValueError
            There is no such instrument.
        """
        if symbol and symbol not in self._symbols:
            raise ValueError(f'expected one of {", ".join(self._symbols)}; found "{symbol}"')
        return self._symbols.index(symbol) if symbol else 0

    def quote(self, symbol: str = "") -> Quote:
        """Return the touch of an instrument and the price of its last trade."""
        market = self._engine.market[self.instrument_number(symbol)].tolist()
        return Quote(market[BID], market[BID_SIZE], market[ASK], market[ASK_SIZE], market[LAST])

    def depth(self, symbol: str = "", n: int = 10) -> Depth:
        """Return the ``n`` best levels of both sides of an instrument."""
        book = self._books[self.instrument_number(symbol)]
        return Depth(*(self._levels(book, side, n) for side in range(2)))

    def _levels(self, book: BookStorage, side: int, n: int) -> tuple[Level, ...]:
        rows = np.zeros((n, 3), np.int64)
        count = depth_of(book.handle, side, rows)
        return tuple(Level(*row) for row in rows[:count].tolist())

    def account(self, agent: int) -> Account:
        """Return position and cash of an account, per instrument."""
        if not 0 <= agent <= len(self._agents):
            raise ValueError(f"expected an account from 0 to {len(self._agents)}; found {agent}")
        rows = self._engine.accounts[agent :: len(self._agents) + 1]
        position, cash = rows.T.tolist()
        return Account(tuple(position), tuple(cash))

    def order_status(self, symbol: str, order_id: int) -> OrderStatus:
        """Return where an order is in its life."""
        return OrderStatus(status_of(self._books[self.instrument_number(symbol)].handle, order_id))

    # ---- State ----------------------------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that decides what happens next. Rows and notices not yet taken are not part of it."""
        return checkpoint.save(self._engine, self._books, self.populations)

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go back to a state that ``state`` gave to an exchange of the same configuration and agents.

        Raises
        ------
        ValueError
            The state is that of another exchange.
        """
        self._engine = checkpoint.load(self._engine, self._books, self.populations, state)
        self._notices, self._has_started, self._reached = [], True, 0
        self._empty_log()
        self._set_audience()
        self._refresh()

    # ---- Inside ---------------------------------------------------------------------------------------------

    def _call_kernel(self, limit: int) -> int:
        if JIT_DISABLED:
            with errstate():
                return int(advance(self._table, self._functions, limit, self._budget))
        return int(advance(self._table, self._functions, limit, self._budget))

    def _relieve(self) -> bool:
        """Make room for the message at the cursor; False where the caller must take the tables first."""
        engine, header = self._engine, self._header
        stop, sender = int(header[memory.E_SHORTAGE]), int(header[memory.E_SENDER])
        if stop == STOP_LOG_FULL and engine.cursor[C_MESSAGE] > header[memory.E_FIRST_MESSAGE]:
            return False
        price = int(engine.out[header[memory.E_CURSOR], OUT_PRICE])
        self._books[header[memory.E_TARGET]].relieve(stop, price, sender)
        self._refresh()
        return True

    def _grow_flights(self) -> None:
        engine, more = self._engine, len(self._engine.flights)
        flights = aligned_zeros(2 * more, memory.FLIGHT_WORDS)
        flights[:more] = engine.flights
        heap = assembly.heap_of(len(engine.heap) + more)
        heap[: len(engine.heap)] = engine.heap
        self._engine = engine._replace(flights=flights, heap=heap)
        assembly.link_flights(self._engine, more, 2 * more)
        self._refresh()

    def _refresh(self) -> None:
        """Take down anew where the arrays are; what the addresses point to lives as long as this object."""
        self._engine = self._engine._replace(log=self._log.columns, books=assembly.book_handles(self._books))
        self._table = assembly.address_table(self._engine)

    def _set_audience(self) -> None:
        facts = self._engine.facts
        listened = (
            frozenset(np.flatnonzero(facts[:, word]).tolist())
            for word in (memory.I_HEARS_TRADES, memory.I_HEARS_QUOTES)
        )
        self._audience = Audience(self._audience.in_kernel, self._symbols, *listened)

    def _collect_notices(self, is_last: bool) -> None:
        engine, header, cursor = self._engine, self._header, self._log.cursor
        first, end = header.item(memory.E_HEARD_ROW), cursor.item(C_ROWS)
        rows = [LogRow(*row) for row in self._log.columns[:, first:end].T.tolist()]
        if rows:
            base, last = header.item(memory.E_FIRST_MESSAGE), cursor.item(C_MESSAGE)
            numbers = range(rows[0].message, last)
            stamps = engine.stamps[:, rows[0].message - base : last - base].T.tolist()
            times = {number: (time, book) for number, (time, book) in zip(numbers, stamps, strict=True)}
            self._notices.extend(notices_of(rows, self._quotes_since(rows[0].message), times, self._audience))
        header[memory.E_HEARD_ROW] = end
        if is_last:
            header[memory.E_HEARD] = 0

    def _quotes_since(self, message: int) -> dict[int, tuple[int, int, int, int]]:
        quotes, row = self._engine.quotes, self._header.item(memory.E_QUOTES)
        found: dict[int, tuple[int, int, int, int]] = {}
        while row > 0 and quotes.item(0, row - 1) >= message:
            row -= 1
            number, _, *touch = quotes[:, row].tolist()
            found[number] = (touch[0], touch[1], touch[2], touch[3])
        return found


def _entries(members: Members) -> Iterator[AgentEntry]:
    label, kind, count = members.config.label, members.config.kind, members.config.count
    for number in range(1, count + 1):
        yield AgentEntry(label if count == 1 else f"{label}-{number}", kind, "rule")


def _table_names(names: Collection[str] | None) -> frozenset[str]:
    if names is None:
        return frozenset(tables.TABLES)
    unknown = sorted(set(names) - set(tables.TABLES))
    if unknown:
        raise ValueError(f"expected tables out of {', '.join(tables.TABLES)}; found {', '.join(unknown)}")
    return frozenset(names)
