"""``Budget``: caps on calls, tokens and money, checked before a call is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from marketsim.core.units import format_decimal
from marketsim.llm.errors import BudgetError
from marketsim.llm.record import Spent
from marketsim.llm.response import Usage

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


@dataclass
class Budget:
    """What is spent and what is in flight. Used from one event loop.

    A call is refused where what is spent, what is in flight and the call itself would be more than a cap: tokens and
    money of a call are estimated from the length of its prompt and ``max_tokens`` until the endpoint has counted them.
    """

    caps: Caps = field(default_factory=Caps)
    spent: Spent = field(default_factory=Spent)
    _in_flight: list[Reservation] = field(default_factory=list)

    def reserve(self, prompt_tokens: int, completion_tokens: int, prices: Prices) -> Reservation:
        """Make room for a call.

        Raises
        ------
        BudgetError
            A cap is reached.
        """
        call = Reservation(prompt_tokens + completion_tokens, prices.cost(prompt_tokens, completion_tokens))
        money = Decimal(self.spent.money)
        tokens = self.spent.prompt_tokens + self.spent.completion_tokens
        _refuse("calls", self.caps.calls, self.spent.calls, len(self._in_flight), 1)
        _refuse("tokens", self.caps.tokens, tokens, sum(each.tokens for each in self._in_flight), call.tokens)
        in_flight = sum((each.money for each in self._in_flight), Decimal(0))
        _refuse("money", self.caps.money, money, in_flight, call.money)
        self._in_flight.append(call)
        return call

    def release(self, call: Reservation) -> None:
        """Give back the room of a call that ended."""
        self._in_flight.remove(call)

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


def _refuse(
    what: str, cap: int | Decimal | None, spent: int | Decimal, in_flight: int | Decimal, call: int | Decimal
) -> None:
    if cap is None or spent + in_flight + call <= cap:
        return
    waiting = f", {in_flight} more in flight" if in_flight else ""
    raise BudgetError(
        f"llm.budget.{what}: the cap of {cap} is reached: {spent} spent{waiting}, and the next call needs {call}"
    )
