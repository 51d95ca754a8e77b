"""Where the decisions of a run came from, in a sentence that stands on top of its report."""

from __future__ import annotations

from collections.abc import Sequence

from marketsim.analysis.accounts import Population
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


def is_synthetic(populations: Sequence[Population]) -> bool:
    """Whether synthetic respondents decided anything, so that every figure must say so."""
    return any(population.provenance == RESPONDENT for population in populations)


def provenance_sentence(populations: Sequence[Population]) -> str:
    """Say how many agents decided in which way.

    Examples
    --------
    >>> provenance_sentence([])
    'Where decisions came from was not recorded.'
    """
    agents: dict[str, int] = {}
    for population in populations:
        agents[population.provenance] = agents.get(population.provenance, 0) + len(population.agents)
    if not agents:
        return "Where decisions came from was not recorded."
    if set(agents) == {"rule"}:
        return "Rule-driven: every decision in this run followed written rules; no language model took part."
    sentence = "; ".join(_part(kind, number) for kind, number in agents.items()) + "."
    return f"SYNTHETIC: {sentence}" if RESPONDENT in agents else sentence


def _part(provenance: str, number: int) -> str:
    one, several = _WORDS.get(provenance, (f"is {provenance}", f"are {provenance}"))
    return f"{count(number, 'agent')} {one if number == 1 else several}"
