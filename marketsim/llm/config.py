"""``[llm]``: which model decides, how answers are sampled, recorded and paid for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, SerializerFunctionWrapHandler, field_validator, model_serializer, model_validator

from marketsim.core.config import Section
from marketsim.core.units import MILLISECOND, MINUTE, Duration, Money

Regime = Literal["one_shot", "n_choices", "batch", "sequential", "logprob", "seeded", "relabel", "calibrated"]
Mode = Literal["record", "replay", "cache"]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]

RESPONDENTS = "respondents"


class SamplingConfig(Section):
    """``[llm.sampling]``: how a decision is drawn from a model. A parameter that is not given is not sent."""

    regime: Regime = "one_shot"
    """``one_shot`` independent calls; ``n_choices`` one call with n = k; ``batch`` k answers in one call;
    ``sequential`` with its own earlier answers in view; ``logprob`` drawn from label probabilities; ``seeded`` random
    bits in the prompt; ``relabel`` shuffled options and labels; ``calibrated`` mapped to a target afterwards."""
    temperature: float | None = Field(default=None, ge=0.0, le=2.0)
    """Sampling temperature; in regime logprob it is applied to the probabilities."""
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    """Nucleus of probability that is sampled from."""
    seed: int | None = Field(default=None, ge=0, le=(1 << 31) - 1)
    """Seed that the endpoint gets; the same one for every call, so that equal prompts get equal answers."""
    max_tokens: int | None = Field(default=None, ge=1, le=1_000_000)
    """Most tokens of an answer."""
    reasoning_effort: Effort | None = None
    """Effort of a reasoning model."""
    k: int = Field(default=5, ge=2, le=100)
    """Answers to one state in n_choices and batch; one is picked by the run's own draws."""
    history: int = Field(default=10, ge=1, le=1_000)
    """Earlier answers in view in regime sequential."""
    bits: int = Field(default=32, ge=8, le=4_096)
    """Random bits in the prompt in regime seeded."""
    source: dict[str, float] = Field(default_factory=dict)
    """Regime calibrated: measured share of each option in the model's answers."""
    target: dict[str, float] = Field(default_factory=dict)
    """Regime calibrated: wanted share of each option."""

    @model_validator(mode="after")
    def _fits_its_regime(self) -> Self:
        if self.regime == "logprob" and (self.top_p is not None or self.reasoning_effort is not None):
            raise ValueError("expected neither top_p nor reasoning_effort in regime logprob, which needs plain odds")
        if self.regime == "calibrated":
            for name, shares in (("source", self.source), ("target", self.target)):
                if not shares or min(shares.values()) < 0 or abs(sum(shares.values()) - 1.0) > 1e-6:
                    raise ValueError(f"expected {name} in regime calibrated: shares from 0 that add up to 1")
            missing = sorted(self.target.keys() - self.source.keys())
            if missing:
                raise ValueError(f"expected source to have every option of target; found none for {', '.join(missing)}")
        elif self.source or self.target:
            raise ValueError("expected source and target in regime calibrated only")
        return self


class BudgetConfig(Section):
    """``[llm.budget]``: most that a run may spend; at a cap it stops with a checkpoint and exit code 3."""

    calls: int | None = Field(default=None, ge=1)
    """Calls."""
    tokens: int | None = Field(default=None, ge=1)
    """Tokens of prompts and answers."""
    money: Annotated[Money, Field(gt=0)] | None = None
    """Money, in the currency of ``[llm.prices]``."""


class PricesConfig(Section):
    """``[llm.prices]``: what the model costs."""

    prompt: Annotated[Money, Field(ge=0)] = Decimal(0)
    """Per million tokens of prompts."""
    completion: Annotated[Money, Field(ge=0)] = Decimal(0)
    """Per million tokens of answers, reasoning included."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3,8}$")
    """Of both."""


class LlmConfig(Section):
    """``[llm]``: the model behind every agent that asks one; an ``[[agents]]`` table may override each key."""

    endpoint: str = RESPONDENTS
    """``"respondents"``, the embedded synthetic models, or the address of an OpenAI-compatible API."""
    model: str = Field(default="", max_length=512)
    """Name of the model. Default with respondents: the one for the kind of agent."""
    api: Literal["chat", "responses"] = "chat"
    """Chat completions or the responses API."""
    key_env: str = Field(default="", pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$")
    """Environment variable that holds the key; the key itself never stands in a file."""
    mode: Mode = "record"
    """``record`` asks and records; ``replay`` answers from ``record`` alone; ``cache`` asks what is missing."""
    record: Path | None = None
    """Record store to replay or share. Default: ``llm/record.sqlite`` in the run directory."""
    structured: Literal["schema", "text"] = "schema"
    """``schema`` sends a JSON Schema with each question; ``text`` parses plain answers."""
    invalid: Literal["skip", "hold", "retry"] = "skip"
    """After an answer that cannot be used: ``skip`` the decision, ``hold`` as if that had been chosen, or ``retry``."""
    retry_up_to: int = Field(default=2, ge=1, le=10)
    """Most further questions with ``invalid = "retry"``."""
    concurrency: int = Field(default=16, ge=1, le=4_096)
    """Most calls in flight; it changes no result."""
    requests_per_minute: int | None = Field(default=None, ge=1)
    """Rate limit in requests."""
    tokens_per_minute: int | None = Field(default=None, ge=1)
    """Rate limit in tokens."""
    timeout: Annotated[Duration, Field(ge=MILLISECOND)] = MINUTE
    """Wall-clock time that one try may take."""
    retries: int = Field(default=5, ge=0, le=100)
    """Further tries after a time-out, a rate limit or a server error."""
    extra: dict[str, Any] = Field(default_factory=dict)
    """Parameters of a server's own, such as ``{ top_k = 0, min_p = 0 }``; part of the request key."""
    sampling: SamplingConfig = SamplingConfig()
    """How a decision is drawn."""
    budget: BudgetConfig = BudgetConfig()
    """Caps."""
    prices: PricesConfig = PricesConfig()
    """What the model costs."""

    @field_validator("endpoint")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        if value != RESPONDENTS and not re.fullmatch(r"https?://[^\s/@]+(/[^\s?#]*)?", value):
            raise ValueError(
                'expected "respondents" or an address such as "https://api.example.com/v1", without a key in it'
            )
        return value.rstrip("/")

    def faults(self) -> list[str]:
        """Return what is wrong between keys, each as ``key: expected ...``; asked of a section with its overrides."""
        found = []
        if self.endpoint != RESPONDENTS and not self.model:
            found.append("model: expected the name of a model, since the endpoint is not the embedded one")
        if self.mode == "replay" and self.record is None:
            found.append("record: expected the path of a record store to replay")
        if self.api == "responses" and (self.sampling.regime == "n_choices" or self.sampling.seed is not None):
            found.append('api: expected "chat", as the responses API has neither n nor seed')
        return found


class LlmOverride(LlmConfig):
    """``llm = { ... }`` of an ``[[agents]]`` table: any key of ``[llm]``; what is not given is as there."""

    @model_validator(mode="after")
    def _only_what_may_differ(self) -> Self:
        for name in ("mode", "record", "concurrency", "requests_per_minute", "tokens_per_minute", "budget"):
            if name in self.model_fields_set:
                raise ValueError(f"{name}: expected in [llm], as it is one for the whole run")
        return self

    @model_serializer(mode="wrap")
    def _only_what_was_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Write what was given and no default, so that the resolved scenario overrides the same keys."""
        return _given(self, handler(self))

    def over(self, base: LlmConfig) -> LlmConfig:
        """Return a section with these keys in place of its own; errors are pydantic's."""
        return LlmConfig.model_validate(_merged(base.model_dump(), self.model_dump()))


def _given(model: BaseModel, dumped: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a dump that was given, in tables inside too."""
    result: dict[str, Any] = {}
    for name in type(model).model_fields:
        if name in model.model_fields_set:
            value = getattr(model, name)
            result[name] = _given(value, dumped[name]) if isinstance(value, BaseModel) else dumped[name]
    return result


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for name, value in over.items():
        inside = result.get(name)
        if isinstance(value, Mapping) and isinstance(inside, Mapping) and name != "extra":
            value = _merged(inside, value)
        result[name] = value
    return result
