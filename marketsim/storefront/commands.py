"""What agents in Python ask of a shop: a page, and then an offer of it."""

from __future__ import annotations

from typing import Final, NamedTuple

LEAVE: Final = -1
"""Slot of a ``BuyCommand`` that leaves without buying."""


class VisitCommand(NamedTuple):
    """Ask for a page. The shop answers with a notice ``"page"`` whose data hold ``choice_set``."""

    agent: int
    """Account of the buyer."""
    category: int
    """Number of the category, from 0, in the order of ``Storefront.categories``."""


class BuyCommand(NamedTuple):
    """Buy an offer of a page that was asked for, or leave.

    The shop answers with a notice ``"bought"``, ``"left"`` or, where there is no such page or slot, ``"invalid"``. An
    invalid answer is an outcome of its own, never another choice.
    """

    agent: int
    """Account of the buyer."""
    choice_set: int
    """Number of the page."""
    slot: int
    """Slot from 0, or ``LEAVE``."""


ShopCommand = VisitCommand | BuyCommand
