"""``[[agents]]`` tables of agents that ask a language model. Imports neither Mesa, Numba nor a client."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from marketsim.agents.config import AgentConfig
from marketsim.core.units import MINUTE, SECOND, Duration
from marketsim.exchange.config import LatencyRange
from marketsim.llm.config import LlmConfig, LlmOverride


class LlmAgentConfig(AgentConfig):
    """Keys that every kind with a language model has."""

    respondent: ClassVar[str]
    """Name of the embedded model that stands for the kind."""
    usual_prompt_tokens: ClassVar[int]
    """Tokens of a prompt, and ..."""
    usual_answer_tokens: ClassVar[int]
    """... of an answer, for estimates before anything is asked."""

    venue: ClassVar[str]
    """Section of the scenario that it cannot do without."""

    llm: LlmOverride = LlmOverride()
    """Overrides of ``[llm]`` for this table: ``{ model = "...", sampling = { ... } }``."""
    persona: dict[str, str] = Field(default_factory=dict)
    """Traits, told to the model as they are: ``{ style = "contrarian" }``."""
    prompt: Path | None = None
    """Jinja file in place of the prompt of the kind; ``marketsim prompts show KIND`` prints that one."""
    memory: int = Field(default=5, ge=0, le=1_000)
    """Own earlier decisions that a prompt lists."""
    decision_latency: Duration | LatencyRange = SECOND
    """Simulated time from a question to its effect: a duration, or ``{ low, high }``, drawn per decision."""
    overlap: Literal["drop", "queue"] = "drop"
    """What becomes of a question while another decision of the agent is in flight."""

    def merged(self, base: LlmConfig | None) -> LlmConfig:
        """Return ``[llm]`` with this table's overrides and, with respondents, the kind's own model."""
        config = self.llm.over(base if base is not None else LlmConfig())
        if not config.model and config.endpoint == "respondents":
            config = config.model_copy(update={"model": self.respondent})
        return config

    def decisions(self, duration_ns: int) -> int:
        """Return how many decisions one agent makes at most."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _traits_are_one_line(self) -> Self:
        for trait, value in self.persona.items():
            if "\n" in trait + value or ":" in trait:
                raise ValueError(
                    f"persona.{trait}: expected a trait and a value of one line each, the trait without colon"
                )
        return self


class LlmTraderConfig(LlmAgentConfig):
    """``kind = "llm_trader"``: sees quotes, trades and its own account, and buys, sells or holds."""

    venue: ClassVar[str] = "exchange"
    respondent: ClassVar[str] = "trader"
    usual_prompt_tokens: ClassVar[int] = 500
    usual_answer_tokens: ClassVar[int] = 20

    kind: str = "llm_trader"
    """``"llm_trader"``."""
    period: Annotated[Duration, Field(ge=1)] = 10 * SECOND
    """Time between two decisions; the first comes at a random time within one period."""
    limit_lots: int = Field(default=20, ge=1, le=1 << 30)
    """Largest position, long or short; an order that could go beyond is not sent."""
    max_order_lots: int = Field(default=5, ge=1, le=1 << 30)
    """Most lots of one order."""
    prices: int = Field(default=10, ge=2, le=1_000)
    """Mid prices at its last wakes that a prompt lists."""
    trades: int = Field(default=5, ge=0, le=1_000)
    """Last trades that a prompt lists; 0: it does not listen to trades, which is cheaper."""

    def decisions(self, duration_ns: int) -> int:
        """Return how many decisions one agent makes at most."""
        return -(-duration_ns // self.period)


class LlmBuyerConfig(LlmAgentConfig):
    """``kind = "llm_buyer"``: visits the shop, sees its pages, and buys or leaves."""

    venue: ClassVar[str] = "storefront"
    respondent: ClassVar[str] = "shopper"
    usual_prompt_tokens: ClassVar[int] = 1_000
    usual_answer_tokens: ClassVar[int] = 15

    kind: str = "llm_buyer"
    """``"llm_buyer"``."""
    view: Literal["json", "markdown", "html", "text"] = "json"
    """How it sees pages."""
    period: Annotated[Duration, Field(ge=1)] = MINUTE
    """Time between two visits; the first comes at a random time within one period."""
    visits: int = Field(default=0, ge=0, le=1_000_000)
    """Most visits; 0: until the end."""
    categories: tuple[str, ...] = ()
    """Categories that it visits in turn; default: all."""
    browse: bool = False
    """Whether it may open offers and turn pages before it buys."""
    steps: int = Field(default=5, ge=1, le=100)
    """Most steps of a visit where it may browse."""
    may_leave: bool = True
    """Whether it may leave without buying."""

    def decisions(self, duration_ns: int) -> int:
        """Return how many decisions one agent makes at most."""
        visits = -(-duration_ns // self.period)
        return min(visits, self.visits or visits) * (self.steps if self.browse else 1)
