"""What ``marketsim audit power`` prints: answers needed, calls, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from marketsim.analysis.bias.power import Design, Power


@dataclass(frozen=True)
class Prices:
    """Price of a million tokens, in and out, and tokens of a call and of an answer."""

    input_price: float | None
    output_price: float | None
    input_tokens: int
    output_tokens: int

    def cost(self, n_calls: int, n_answers: int) -> float | None:
        """Return the cost of calls and answers; None without prices."""
        if self.input_price is None or self.output_price is None:
            return None
        return (
            n_calls * self.input_tokens * self.input_price + n_answers * self.output_tokens * self.output_price
        ) / 1e6


def compute(test: str, design: Design) -> Power:
    """Return the answers needed; a fault of the user's becomes a message."""
    from marketsim.analysis.bias.power import POWERS, answers_needed
    from marketsim.analysis.choice.errors import nearest_name

    if test not in POWERS:
        hint = nearest_name(test, POWERS)
        raise typer.BadParameter(f"found {test}, expected one of {', '.join(POWERS)}{hint}", param_hint="--test")
    try:
        return answers_needed(test, design)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--effect") from None


def record(test: str, design: Design, found: Power, prices: Prices) -> dict[str, Any]:
    """Return what --json prints."""
    from marketsim.analysis.bias.power import POWERS

    n_calls = -(-found.n // design.per_call)
    return {
        "test": test,
        "effect": design.effect,
        "effect_is": POWERS[test].effect,
        "answers": found.n,
        "calls": n_calls,
        "power": found.power,
        "alpha": design.alpha,
        "method": found.method,
        "cost": prices.cost(n_calls, found.n),
    }


def text(data: dict[str, Any]) -> str:
    """Return the record as sentences."""
    lines = [
        f"{data['test']}, effect {data['effect']:g} ({data['effect_is']})",
        f"{data['answers']:,} answers in {data['calls']:,} calls give a power of {data['power']:.2f} at level "
        f"{data['alpha']:g} ({data['method']})",
    ]
    if data["cost"] is not None:
        lines.append(f"cost: {data['cost']:,.4f}")
    return "\n".join(lines)
