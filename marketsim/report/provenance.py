"""Where the decisions of a run came from, in a sentence that stands on top of its report."""

from __future__ import annotations

from collections.abc import Sequence

from marketsim.analysis.accounts import Population

RESPONDENT = "respondent"

_WORDS = {
    "rule": "followed written rules",
    RESPONDENT: "were synthetic respondents, not people and not large language models",
    "recorded": "replayed the recorded answers of a language model",
    "live": "asked a language model during the run",
}


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
    parts = [f"{number:,} agents {_WORDS.get(kind, f'are {kind}')}" for kind, number in agents.items()]
    sentence = "; ".join(parts) + "."
    return f"SYNTHETIC: {sentence}" if RESPONDENT in agents else sentence
