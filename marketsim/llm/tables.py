"""The table that a run with language models writes."""

from __future__ import annotations

from typing import Final

from marketsim.core.tables import Column, Table

CALLS: Final = Table(
    "llm/calls",
    "What was asked and answered: one row per answer, in the order in which decisions took effect.",
    (
        Column("time_ns", "int64", "ns", "simulated time at which the decision took effect"),
        Column("asked_ns", "int64", "ns", "simulated time at which it was asked"),
        Column("agent", "string", "", "name of the agent"),
        Column("kind", "string", "", "kind of the agent's scenario table"),
        Column("arm", "string", "", "name of the agent's scenario table"),
        Column("step", "int64", "", "number of the agent's decision, from 0"),
        Column("question", "string", "", "which question of the decision"),
        Column("regime", "string", "", "sampling regime"),
        Column("draw", "int64", "", "draw index, part of the request key"),
        Column("attempt", "int32", "", "0, or the number of the re-ask after an answer that could not be used"),
        Column("k", "int32", "", "number of the answer among those to this call, from 0"),
        Column("picked", "bool", "", "whether the decision is this answer"),
        Column("outcome", "string", "", "ok, invalid, refusal, timeout or truncated"),
        Column("answer", "string", "", "the answer as parsed, JSON; empty unless the outcome is ok"),
        Column("text", "string", "", "the answer as it came"),
        Column("shown", "string", "", "labels and options in the order shown, JSON"),
        Column("finish_reason", "string", "", "why the model stopped"),
        Column("model", "string", "", "model that was asked"),
        Column("parameters", "string", "", "sampling parameters that were sent, JSON"),
        Column("prompt", "string", "", "name, version and hash of the prompt"),
        Column("key", "string", "", "request key, SHA-256", digest=False),
        Column("provenance", "string", "", "respondent, recorded or live", digest=False),
        Column("returned_model", "string", "", "model as the endpoint returned it", digest=False),
        Column("fingerprint", "string", "", "the endpoint's fingerprint of the model", digest=False),
        Column("date", "string", "", "when it was asked, UTC", digest=False),
        Column("prompt_tokens", "int64", "tokens", "tokens of the prompt, of the whole call", digest=False),
        Column("completion_tokens", "int64", "tokens", "tokens of all answers of the call", digest=False),
        Column("reasoning_tokens", "int64", "tokens", "those of them spent on reasoning", digest=False),
        Column("latency_s", "float64", "s", "wall-clock time of the call, retries included", digest=False),
        Column("tries", "int32", "", "how often it was sent", digest=False),
    ),
)

TABLES: Final = {CALLS.name: CALLS}
"""Every table of this package by name."""
