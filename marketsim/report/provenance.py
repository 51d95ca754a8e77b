"""Where the decisions of a run came from, in a sentence that stands on top of its report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from marketsim.report.view import ReportInput
from marketsim.report.words import count

RESPONDENT = "respondent"

_WORDS = {
    "rule": ("followed written rules", "followed written rules"),
    RESPONDENT: (
        "was a synthetic respondent, not a person and not a large language model",
        "were synthetic respondents, not people and not large language models",
    ),
    "recorded": ("replayed the recorded answers of a language model",) * 2,
    "live": ("asked a language model during the run",) * 2,
}
"""What one agent, and several, of each provenance did."""


class Deciders(NamedTuple):
    """Agents of one scenario table, and where their decisions came from."""

    provenance: str
    number: int


def deciders(run: ReportInput) -> list[Deciders]:
    """Return who decided anything in a run. Agents in Python have an account with each engine, and count once."""
    found = [Deciders(population.provenance, len(population.agents)) for population in run.exchange.populations]
    has_exchange = bool(found)
    for one in run.storefront.shoppers if run.storefront is not None else ():
        if one.kind == "rule" or not has_exchange:
            found.append(Deciders(one.provenance, one.count))
    return found


def is_synthetic(who: Sequence[Deciders]) -> bool:
    """Whether synthetic respondents decided anything, so that every figure must say so."""
    return any(one.provenance == RESPONDENT for one in who)


def provenance_sentence(who: Sequence[Deciders]) -> str:
    """Say how many agents decided in which way.

    Examples
    --------
    >>> provenance_sentence([])
    'Where decisions came from was not recorded.'
    """
    agents: dict[str, int] = {}
    for one in who:
        agents[one.provenance] = agents.get(one.provenance, 0) + one.number
    if not agents:
        return "Where decisions came from was not recorded."
    if set(agents) == {"rule"}:
        return "Rule-driven: every decision in this run followed written rules; no language model took part."
    sentence = "; ".join(_part(kind, number) for kind, number in agents.items()) + "."
    return f"SYNTHETIC: {sentence}" if RESPONDENT in agents else sentence


def _part(provenance: str, number: int) -> str:
    one, several = _WORDS.get(provenance, (f"is {provenance}", f"are {provenance}"))
    return f"{count(number, 'agent')} {one if number == 1 else several}"
