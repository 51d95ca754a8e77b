"""What a run's language models would cost, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from marketsim.agents.config import AgentConfig
from marketsim.agents.llm_config import LlmAgentConfig
from marketsim.core.units import format_decimal
from marketsim.llm.config import LlmConfig


def estimate(tables: Sequence[AgentConfig], base: LlmConfig | None, duration_ns: int) -> list[dict[str, Any]]:
    """Return one row for each table of agents with a language model; empty where there is none.

    Parameters
    ----------
    tables : sequence of AgentConfig
        ``[[agents]]``.
    base : LlmConfig, optional
        ``[llm]``.
    duration_ns : int
        Simulated time of the run.

    Returns
    -------
    list of dict
        ``table``, ``endpoint``, ``model``, ``regime``; ``calls`` if every decision is asked once, and ``calls_at_most``
        with re-asks; ``prompt_tokens`` and ``completion_tokens`` from usual lengths of the kind; ``money`` and
        ``currency``.
    """
    return [_row(table, base, duration_ns) for table in tables if isinstance(table, LlmAgentConfig)]


def _row(table: LlmAgentConfig, base: LlmConfig | None, duration_ns: int) -> dict[str, Any]:
    config = table.merged(base)
    sampling = config.sampling
    calls = table.count * table.decisions(duration_ns)
    answers = sampling.k if sampling.regime in ("n_choices", "batch") else 1
    earlier = sampling.history if sampling.regime == "sequential" else 0
    answer = min(table.usual_answer_tokens, sampling.max_tokens or table.usual_answer_tokens)
    prompt_tokens = calls * (table.usual_prompt_tokens * (1 + earlier) + answer * earlier)
    completion_tokens = calls * answer * answers
    money = (config.prices.prompt * prompt_tokens + config.prices.completion * completion_tokens) / Decimal(1_000_000)
    return {
        "table": table.label,
        "endpoint": config.endpoint,
        "model": config.model,
        "regime": sampling.regime,
        "calls": calls,
        "calls_at_most": calls * (1 + (config.retry_up_to if config.invalid == "retry" else 0)),
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "money": format_decimal(money.quantize(Decimal("0.0001"))),
        "currency": config.prices.currency,
    }
