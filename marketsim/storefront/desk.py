"""``Desk``: serves agents in Python, whose pages wait for their answers while the shop goes on."""

from __future__ import annotations

import heapq
from typing import Any, NamedTuple

import numpy as np

from marketsim.core.jit import errstate
from marketsim.core.venue import EVERYONE, NEVER, Notice
from marketsim.storefront import pending
from marketsim.storefront.commands import LEAVE, ShopCommand, VisitCommand
from marketsim.storefront.kernel import engine as kernel
from marketsim.storefront.kernel import memory
from marketsim.storefront.kernel.views import Shop
from marketsim.storefront.pending import OpenPage

SALES = "storefront.sales"
"""Channel on which each sale is published."""

VISIT, BUY = range(2)


class BuyerEntry(NamedTuple):
    """An agent in Python who shops."""

    name: str
    kind: str
    provenance: str


class Waiting(NamedTuple):
    """A command that takes effect later."""

    at: int
    sequence: int
    kind: int
    agent: int
    number: int
    """Category of a visit, choice set of a purchase."""
    slot: int


class Desk:
    """The buyers of a shop: their commands on the way, their open pages, and what they are told.

    Parameters
    ----------
    shop : Shop
        The arrays of the shop, whose last population the buyers are.
    table : int64 array, or Shop
        What kernels take for it.
    first_account : int
        Account of the first buyer.
    """

    def __init__(self, shop: Shop, table: Any, first_account: int) -> None:
        self._shop, self._table, self._header = shop, table, shop.header
        self.first_account = first_account
        self.buyers: list[BuyerEntry] = []
        self._visits: list[int] = []
        self._waiting: list[Waiting] = []
        self._open: dict[int, OpenPage] = {}

    def add(self, buyer: BuyerEntry) -> int:
        """Return the account of a new buyer."""
        self.buyers.append(buyer)
        self._visits.append(0)
        return self.first_account + len(self.buyers) - 1

    def page(self, choice_set: int) -> OpenPage:
        """Return a page that waits for its answer; ValueError where there is none of that number."""
        if choice_set not in self._open:
            raise ValueError(f"expected the number of an open page; found {choice_set}")
        return self._open[choice_set]

    # ---- Commands ---------------------------------------------------------------------------------------------

    @property
    def next_at(self) -> int:
        """Time at which the next command takes effect, or ``NEVER``."""
        return self._waiting[0].at if self._waiting else NEVER

    @property
    def next_sequence(self) -> int:
        """Its place among the events of that instant."""
        return self._waiting[0].sequence

    def take(self, command: ShopCommand, at: int, n_categories: int) -> None:
        """Let a command wait for its time.

        Raises
        ------
        ValueError
            There is no such account or category.
        """
        agent, end = command.agent, self.first_account + len(self.buyers)
        if not self.first_account <= agent < end:
            raise ValueError(f"expected an account from {self.first_account} to {end - 1}; found {agent}")
        kind, number, slot = BUY, 0, LEAVE
        if isinstance(command, VisitCommand):
            kind, number = VISIT, command.category
            if not 0 <= number < n_categories:
                raise ValueError(f"expected a category from 0 to {n_categories - 1}; found {number}")
        else:
            number, slot = command.choice_set, command.slot
        sequence = int(self._header[memory.H_SEQUENCE])
        self._header[memory.H_SEQUENCE] += 1
        heapq.heappush(self._waiting, Waiting(at, sequence, kind, agent, number, slot))

    def carry_out(self) -> list[Notice]:
        """Carry out the next command, which is due, and return what is to be heard of it. The log must have room."""
        command = heapq.heappop(self._waiting)
        return self._show(command) if command.kind == VISIT else self._buy(command)

    def close(self, number: int) -> None:
        """Write down an open page as one without an answer."""
        self._answer(self._open.pop(number), LEAVE, memory.OPEN, int(self._header[memory.H_NOW]))

    @property
    def open_pages(self) -> list[int]:
        """Choice sets of the pages that wait for their answers."""
        return sorted(self._open)

    def has_room(self) -> bool:
        """Say whether the logs have room for one more page."""
        header, shop = self._header, self._shop
        has_rows = header[memory.H_IMPRESSIONS] + header[memory.H_SLOTS] <= shop.impressions.shape[1]
        return bool(has_rows and header[memory.H_CHOICES] < shop.choices.shape[1])

    def sale(self) -> Notice:
        """Return the notice of the sale that the kernel has just made."""
        return self._sale(int(self._header[memory.H_NOW]), self._shop.offers[self._header[memory.H_CHOSEN]])

    def _show(self, command: Waiting) -> list[Notice]:
        at, sequence, _, agent, category, _ = command
        guests, header, buyer = self._shop.populations[-1], self._header, agent - self.first_account
        guests[memory.W_NEXT], guests[memory.W_SEQUENCE] = at, sequence
        guests[memory.W_ARRIVALS] = (agent << 32) + self._visits[buyer]
        header[memory.H_SHELF], header[memory.H_SHOPPER] = category, agent
        with errstate():
            kernel.advance(self._table, at, sequence + 1, 1)
        guests[[memory.W_SEQUENCE, memory.W_ARRIVALS]] = NEVER, 0
        self._visits[buyer] += 1
        page = pending.take(self._shop)
        number = int(header[memory.H_CHOICE_SET])
        self._open[number] = page
        return [Notice(at, agent, "page", "", {"choice_set": number, "category": category, "offers": page.shown})]

    def _buy(self, command: Waiting) -> list[Notice]:
        at, _, _, agent, number, slot = command
        page = self._open.get(number)
        data = {"choice_set": number, "slot": slot}
        self._header[memory.H_NOW] = at
        if page is None or page.shopper != agent:
            return [Notice(at, agent, "invalid", "", data)]
        del self._open[number]
        outcome = memory.LEFT if slot == LEAVE else memory.BOUGHT if 0 <= slot < page.shown else memory.INVALID
        chosen = slot if outcome == memory.BOUGHT else LEAVE
        self._answer(page, chosen, outcome, at)
        if chosen >= 0:
            data["price_minor"] = int(page.offers[chosen, memory.O_PRICE])
        told = [Notice(at, agent, memory.OUTCOMES[outcome], "", data)]
        return [*told, self._sale(at, page.offers[chosen])] if chosen >= 0 and self._header[memory.H_HEARS] else told

    def _answer(self, page: OpenPage, chosen: int, outcome: int, now: int) -> None:
        pending.put_back(self._shop, page)
        with errstate():
            kernel.answer(self._table, len(self._shop.populations) - 1, page.shown_at, now, chosen, outcome)

    def _sale(self, at: int, offer: np.ndarray) -> Notice:
        data = {
            "choice_set": int(self._header[memory.H_CHOICE_SET]),
            "shopper": int(self._header[memory.H_SHOPPER]),
            "product": int(offer[memory.O_PRODUCT]),
            "price_minor": int(offer[memory.O_PRICE]),
        }
        return Notice(at, EVERYONE, "sale", SALES, data)

    # ---- State ------------------------------------------------------------------------------------------------

    def state(self) -> dict[str, np.ndarray]:
        """Return what decides what happens next to buyers."""
        return {
            "visits": np.array(self._visits, np.int64),
            "waiting": np.array(sorted(self._waiting), np.int64).reshape(-1, len(Waiting._fields)),
            **pending.save(self._open),
        }

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """Go back to a state; ValueError where it is that of other buyers."""
        if "visits" not in state or len(state["visits"]) != len(self.buyers):
            raise ValueError("the state does not fit this storefront: visits is missing or of another shape")
        self._visits = state["visits"].tolist()
        self._waiting = [Waiting(*row) for row in state["waiting"].tolist()]  # sorted, so a heap
        self._open = pending.load(state)
