"""``Storefront``: a shop with its shoppers on one line of simulated time.

It is a venue (``core.venue``): the time line drives it by ``peek``, ``advance`` and ``submit``, and takes notices and
tables from it. It needs neither Mesa nor a scenario.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from marketsim.core.durations import format_duration
from marketsim.core.errors import PastError, SimulationError
from marketsim.core.jit import errstate
from marketsim.core.venue import EVENTS_PER_CALL, Notice, Stop
from marketsim.storefront import assembly, checks, pending, tables
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.commands import ShopCommand
from marketsim.storefront.config import StorefrontConfig
from marketsim.storefront.desk import SALES, BuyerEntry, Desk
from marketsim.storefront.kernel import engine as kernel
from marketsim.storefront.kernel import memory
from marketsim.storefront.kernel.views import Shop
from marketsim.storefront.pending import OpenPage
from marketsim.storefront.ranking import Shelf
from marketsim.storefront.shoppers import numbers_of_shoppers, planted_choice

if TYPE_CHECKING:
    import pyarrow as pa

    from marketsim.storefront.page import Page

LOG_ROWS = 1 << 16

_PLANNED = (memory.W_NEXT, memory.W_SEQUENCE, memory.W_ARRIVALS)


class Storefront:
    """A shop with the shoppers who visit it.

    Parameters
    ----------
    config : StorefrontConfig
        Catalogue, page, ranking, regime, shoppers.
    seed, replicate : int
        Address every random draw.
    duration_ns : int
        Length of the run in ns, over which trials are spread.
    start_ns : int
        Time of day at which it begins, in ns since midnight; daily profiles follow it.
    catalog : Catalog, optional
        Instead of the one that the configuration names.
    tables : collection of str, optional
        Names of the tables to make, such as ``"storefront/choices"``; default: all. What is not made costs nothing.
    log_rows : int
        Impressions that fit the log; where it is full, ``advance`` asks for ``tables`` to be taken.
    budget : int
        Events after which ``advance`` returns.

    Raises
    ------
    ScenarioError
        Configuration and catalogue disagree.

    Examples
    --------
    >>> shop = Storefront(StorefrontConfig(shoppers=[{"name": "all"}]), seed=1, duration_ns=10**9)  # doctest: +SKIP
    >>> shop.advance(10**9, inclusive=False)  # doctest: +SKIP
    <Stop.HORIZON: 0>
    """

    name = "storefront"

    def __init__(
        self,
        config: StorefrontConfig,
        *,
        seed: int,
        replicate: int = 0,
        duration_ns: int,
        start_ns: int = 0,
        catalog: Catalog | None = None,
        tables: Collection[str] | None = None,
        log_rows: int = LOG_ROWS,
        budget: int = EVENTS_PER_CALL,
    ) -> None:
        self.config, self._budget = config, budget
        self._seed, self._replicate, self._duration, self._start = seed, replicate, duration_ns, start_ns
        self._wanted = _table_names(tables)
        self.catalog = checks.load_catalog(config) if catalog is None else catalog
        self._layout = assembly.lay_out(config, self.catalog)
        self._shop: Shop = assembly.build_shop(
            config,
            self._layout,
            seed=seed,
            replicate=replicate,
            duration_ns=duration_ns,
            start_ns=start_ns,
            log_rows=log_rows,
        )
        self._header = self._shop.header
        self._header[memory.H_RECORD_IMPRESSIONS] = "storefront/impressions" in self._wanted
        self._header[memory.H_RECORD_CHOICES] = "storefront/choices" in self._wanted
        self._table = assembly.address_table(self._shop)
        self._first_shopper = numbers_of_shoppers(config.shoppers)
        self._desk = Desk(self._shop, self._table, self._first_shopper[-1])
        self._notices: list[Notice] = []
        self._has_started = False

    # ---- The venue ------------------------------------------------------------------------------------------

    def peek(self) -> int:
        """Return the time of the next event in ns, or ``NEVER``."""
        return min(int(self._header[memory.H_NEXT]), self._desk.next_at)

    def advance(self, until: int, inclusive: bool) -> Stop:
        """Carry out events before ``until`` (and at it, where ``inclusive``) until there is a reason to stop."""
        self._has_started = True
        limit, desk = until + 1 if inclusive else until, self._desk
        while True:
            is_due = desk.next_at < limit
            code = self._call_kernel(desk.next_at, desk.next_sequence) if is_due else self._call_kernel(limit, 0)
            if code == kernel.NOTICE:
                self._notices.append(desk.sale())
            if code != kernel.HORIZON or not is_due:
                return Stop(code)
            if not desk.has_room():
                return Stop.LOG_FULL
            self._notices += desk.carry_out()
            if self._notices:
                return Stop.NOTICE

    def notices(self) -> Sequence[Notice]:
        """Return what Python agents must hear since the last call, in order."""
        notices, self._notices = self._notices, []
        return notices

    def listen(self, channel: str) -> None:
        """Publish each sale on ``"storefront.sales"`` from now on.

        Raises
        ------
        ValueError
            There is no such channel.
        """
        if channel != SALES:
            raise ValueError(f'expected the channel {SALES}; found "{channel}"')
        self._header[memory.H_HEARS] = 1

    def submit(self, command: ShopCommand, at: int) -> None:
        """Take a command that takes effect at ``at``, in ns, behind what already stands at that instant.

        Raises
        ------
        PastError
            ``at`` is over.
        ValueError
            There is no such account or category.
        """
        now = self.now
        if at < now:
            raise PastError(
                f"a command of buyer {command.agent} for {format_duration(at)}, "
                f"but the storefront is at {format_duration(now)} already"
            )
        self._desk.take(command, at, len(self.categories))

    def fault(self) -> str:
        """Return the reason for ``Stop.STUCK``, which a shop never gives."""
        return "the storefront is not stuck"

    # ---- Tables ---------------------------------------------------------------------------------------------

    def tables(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield the rows recorded since the last call; the batches own their memory."""
        batches = list(self._batches())  # at once: the log is free then, however far the caller reads
        self._header[[memory.H_IMPRESSIONS, memory.H_CHOICES]] = 0
        yield from batches

    def finish(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Yield what is written once, at the end of a run: pages without an answer, listings and agents."""
        from marketsim.storefront import recording

        for number in self._desk.open_pages:
            if not self._desk.has_room():
                yield from self.tables()
            self._desk.close(number)
        yield from self.tables()
        if tables.LISTINGS.name in self._wanted:
            yield tables.LISTINGS.name, recording.listings_batch(self.catalog, self.categories)
        if tables.AGENTS.name in self._wanted:
            yield tables.AGENTS.name, recording.batch_of(tables.AGENTS, list(zip(*self._agents(), strict=True)))

    def _batches(self) -> Iterator[tuple[str, pa.RecordBatch]]:
        from marketsim.storefront import recording

        shop, header = self._shop, self._header
        n = header[memory.H_IMPRESSIONS]
        if n:
            columns = (*shop.impressions[:, :n], *shop.impression_floats[:, :n])
            yield tables.IMPRESSIONS.name, recording.batch_of(tables.IMPRESSIONS, columns)
        n = header[memory.H_CHOICES]
        if n:
            columns = (*shop.choices[:, :n], *shop.choice_floats[:, :n])
            yield tables.CHOICES.name, recording.batch_of(tables.CHOICES, columns)

    def _agents(self) -> Iterator[tuple[int, int, str, str, str]]:
        for first, table in zip(self._first_shopper, self.config.shoppers, strict=False):
            yield first, table.count, table.name, "rule", "rule"
        for number, entry in enumerate(self._desk.buyers):
            yield self._desk.first_account + number, 1, *entry

    # ---- What agents see --------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        """Time of the last event in ns."""
        return int(self._header[memory.H_NOW])

    @property
    def duration_ns(self) -> int:
        """Length of the run in ns."""
        return self._duration

    @property
    def events(self) -> int:
        """Arrivals and answers so far."""
        return int(self._header[memory.H_EVENTS])

    @property
    def choice_sets(self) -> int:
        """Pages shown so far."""
        return int(self._header[memory.H_CHOICE_SETS])

    @property
    def categories(self) -> list[str]:
        """The categories that are sold, by number."""
        return self._layout.categories

    @property
    def queries(self) -> list[str]:
        """The searches that shoppers make, by number."""
        return self._layout.queries

    def facts(self) -> dict[str, Any]:
        """Return what a reader of the tables needs to know, for a manifest."""
        page, catalog = self.config.page, self.catalog
        return {
            "currency": self.config.currency,
            "rows": page.rows,
            "columns": page.columns,
            "pages": page.pages,
            "regime": self.config.randomise.regime,
            "categories": self.categories,
            "queries": self.queries,
            "shoppers": [table.name for table in self.config.shoppers],
            "products": len(catalog),
            "filled": dict(catalog.filled),
            "has_needs": self.config.has_needs,
            "planted": planted_choice(self.config.shoppers),
        }

    def shelf(self, number: int) -> Shelf:
        """Return the products that a category or a search brings up; searches are numbered on from the categories."""
        return self._layout.shelves[number]

    def add_agent(self, name: str, kind: str, provenance: str) -> int:
        """Return the account number of a new agent in Python; accounts follow the numbers of the shoppers.

        Raises
        ------
        SimulationError
            The shop has started.
        """
        if self._has_started:
            raise SimulationError(f"agent {name}: accounts must be opened before the storefront starts")
        return self._desk.add(BuyerEntry(name, kind, provenance))

    def page_shown(self, choice_set: int) -> Page:
        """Return a page that an agent in Python was shown and has not answered.

        Raises
        ------
        ValueError
            There is none of that number.
        """
        from marketsim.storefront.shown import page_of

        return page_of(self, self._desk.page(choice_set), self._seed, self._replicate)

    def page(self, choice_set: int) -> Page:
        """Return any page of a run without agents in Python, drawn anew from configuration and seed.

        Raises
        ------
        ValueError
            The run shows fewer pages.
        """
        from marketsim.storefront.shown import page_of

        return page_of(self, self._replayed(choice_set), self._seed, self._replicate)

    def _replayed(self, choice_set: int) -> OpenPage:
        other = Storefront(
            self.config,
            seed=self._seed,
            replicate=self._replicate,
            duration_ns=self._duration,
            start_ns=self._start,
            catalog=self.catalog,
            tables=(),
            budget=1,
        )
        while other.choice_sets <= choice_set >= 0:
            other._budget = max(1, choice_set - other.choice_sets)
            if other.advance(self._duration, inclusive=False) == Stop.HORIZON:
                break
        if not 0 <= choice_set < other.choice_sets:
            raise ValueError(f"expected the number of a page, from 0 to {other.choice_sets - 1}; found {choice_set}")
        return pending.take(other._shop)

    # ---- State ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Return everything that decides what happens next. Rows and notices not yet taken are not part of it."""
        shop = self._shop
        return {
            "clock": self._header[list(memory.STATE_WORDS)].copy(),
            "planned": shop.populations[:, list(_PLANNED)].copy(),
            "sales": shop.sales.copy(),
            "sold_at": shop.sold_at.copy(),
            "spent": shop.spent.copy(),
            **self._desk.state(),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go back to a state that ``state`` gave to a shop of the same configuration and agents.

        Raises
        ------
        ValueError
            The state is that of another shop.
        """
        shop, places = self._shop, list(memory.STATE_WORDS)
        expected = {
            "clock": (len(places),),
            "planned": (len(shop.populations), len(_PLANNED)),
            "sales": shop.sales.shape,
            "sold_at": shop.sold_at.shape,
            "spent": shop.spent.shape,
        }
        for name, shape in expected.items():
            if name not in state or state[name].shape != shape:
                raise ValueError(f"the state does not fit this storefront: {name} is missing or of another shape")
        self._desk.restore(state)
        self._header[places] = state["clock"]
        self._header[[memory.H_IMPRESSIONS, memory.H_CHOICES]] = 0
        shop.populations[:, list(_PLANNED)] = state["planned"]
        shop.sales[...], shop.sold_at[...], shop.spent[...] = state["sales"], state["sold_at"], state["spent"]
        shop.marks[...] = 0  # of pages that this state knows nothing about
        self._notices, self._has_started = [], True

    # ---- Inside -------------------------------------------------------------------------------------------------

    def _call_kernel(self, limit: int, sequence: int) -> int:
        with errstate():
            return int(kernel.advance(self._table, limit, sequence, self._budget))


def _table_names(names: Collection[str] | None) -> frozenset[str]:
    if names is None:
        return frozenset(tables.TABLES)
    unknown = sorted(set(names) - set(tables.TABLES))
    if unknown:
        raise ValueError(f"expected tables out of {', '.join(tables.TABLES)}; found {', '.join(unknown)}")
    return frozenset(names)
