"""``Budget``: caps on calls, tokens and money, checked before a call is made."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from decimal import Decimal

from marketsim.core.units import format_decimal
from marketsim.llm.errors import BudgetError
from marketsim.llm.record import Spent
from marketsim.llm.response import Usage

Amount = int | Decimal

PER = Decimal(1_000_000)
"""Tokens that a price is for."""


@dataclass(frozen=True)
class Prices:
    """Money per million tokens."""

    prompt: Decimal = Decimal(0)
    completion: Decimal = Decimal(0)
    """Reasoning tokens included."""

    def cost(self, prompt_tokens: int, completion_tokens: int) -> Decimal:
        """Return the price of a call."""
        return (self.prompt * prompt_tokens + self.completion * completion_tokens) / PER


@dataclass(frozen=True)
class Caps:
    """Most that may be spent; None: no cap."""

    calls: int | None = None
    tokens: int | None = None
    money: Decimal | None = None


@dataclass
class Reservation:
    """What a call in flight may cost."""

    tokens: int
    money: Decimal


class Budget:
    """What is spent and what is in flight. Used from one event loop.

    A call has to wait where what is spent, what is in flight and the call itself might be more than a cap, and is
    refused where nothing is in flight any more. Tokens and money of a call are estimated from the length of its prompt
    and ``max_tokens`` until the endpoint has counted them.

    Parameters
    ----------
    caps : Caps
        Most that may be spent.
    spent : Spent
        What was spent before.
    """

    def __init__(self, caps: Caps | None = None, spent: Spent | None = None) -> None:
        self.caps, self.spent = caps or Caps(), spent or Spent()
        self._in_flight: list[Reservation] = []
        self._released = asyncio.Event()

    async def reserve(self, prompt_tokens: int, completion_tokens: int, prices: Prices) -> Reservation:
        """Make room for a call.

        Raises
        ------
        BudgetError
            A cap is reached.
        """
        call = Reservation(prompt_tokens + completion_tokens, prices.cost(prompt_tokens, completion_tokens))
        while (error := self._refusal(call)) is not None:
            if not self._in_flight:
                raise error
            self._released.clear()
            await self._released.wait()
        self._in_flight.append(call)
        return call

    def release(self, call: Reservation) -> None:
        """Give back the room of a call that ended."""
        self._in_flight.remove(call)
        self._released.set()

    def charge(self, usage: Usage, prices: Prices) -> Spent:
        """Count an answer and return all that is spent."""
        money = Decimal(self.spent.money) + prices.cost(usage.prompt_tokens, usage.completion_tokens)
        self.spent = Spent(
            self.spent.calls + 1,
            self.spent.prompt_tokens + usage.prompt_tokens,
            self.spent.completion_tokens + usage.completion_tokens,
            format_decimal(money.normalize()) if money else "0",
        )
        return self.spent

    def _refusal(self, call: Reservation) -> BudgetError | None:
        flight = self._in_flight
        tokens = self.spent.prompt_tokens + self.spent.completion_tokens
        money = sum((each.money for each in flight), Decimal(0))
        kinds: tuple[tuple[str, Amount | None, Amount, Amount, Amount], ...] = (
            ("calls", self.caps.calls, self.spent.calls, len(flight), 1),
            ("tokens", self.caps.tokens, tokens, sum(each.tokens for each in flight), call.tokens),
            ("money", self.caps.money, Decimal(self.spent.money), money, call.money),
        )
        for what, cap, spent, in_flight, needed in kinds:
            if cap is not None and spent + in_flight + needed > cap:
                text = f"the cap of {cap} is reached: {spent} spent, and the next call needs up to {needed}"
                return BudgetError(f"llm.budget.{what}", f"llm.budget.{what}: {text}")
        return None
