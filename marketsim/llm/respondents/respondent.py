"""``Respondent``: the base of every synthetic model.

A respondent is a function of the request and of random draws that are addressed by the request's key, never by the
order of arrival; so the same request gets the same answer at any concurrency, on any day. It keeps no state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict

from marketsim.llm.request import Json

CAPABILITIES = frozenset(
    {"temperature", "top_p", "n", "seed", "logprobs", "json_schema", "images", "reasoning_effort", "tools", "stream"}
)
"""What a model may be able to do; what it is not is refused by the server with ``unsupported_parameter``."""


@dataclass(frozen=True)
class Asked:
    """A request as a respondent sees it: the same for both APIs."""

    model: str
    messages: Sequence[Json]
    """``{"role", "content"}`` with plain text as content."""
    schema: Json | None
    """JSON Schema that the answer must have."""
    temperature: float
    top_p: float
    max_tokens: int
    """0: no limit."""
    n: int
    choice: int
    """Which of the ``n`` answers this one is, from 0."""
    logprobs: bool
    images: int
    """Pictures in the messages."""
    tools: Sequence[Json]
    reasoning_effort: str
    body: Json
    """The whole request."""

    @property
    def last(self) -> str:
        """Text of the last message of the user."""
        return next((m["content"] for m in reversed(self.messages) if m["role"] == "user"), "")

    @property
    def system(self) -> str:
        """Text of the system or developer message; empty where there is none."""
        return next((m["content"] for m in self.messages if m["role"] in ("system", "developer")), "")

    @property
    def own_answers(self) -> list[str]:
        """What the model said before, in order, as the request shows it."""
        return [m["content"] for m in self.messages if m["role"] == "assistant"]


@dataclass(frozen=True)
class Reply:
    """An answer."""

    text: str = ""
    label_probabilities: Mapping[str, float] = field(default_factory=dict)
    """Probability of each first token, where the model gives log-probabilities."""
    refusal: str = ""
    finish_reason: str = "stop"
    reasoning_tokens: int = 0
    tool_calls: Sequence[tuple[str, str]] = ()
    """Name of the function and its arguments as JSON."""


class RespondentConfig(BaseModel):
    """Options of a respondent, given in the name of the model: ``"bernoulli?p=0.43"``."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Respondent(ABC):
    """A synthetic model.

    Parameters
    ----------
    config : RespondentConfig
        An instance of the class's ``Config``.

    Examples
    --------
    >>> class Coin(Respondent):
    ...     class Config(RespondentConfig):
    ...         p: float = 0.5
    ...
    ...     def answer(self, asked, generator):
    ...         return Reply("1" if generator.random() < self.config.p else "0")
    """

    Config: ClassVar[type[RespondentConfig]] = RespondentConfig
    capabilities: ClassVar[frozenset[str]] = CAPABILITIES

    def __init__(self, config: Any) -> None:
        self.config = config

    @abstractmethod
    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Return the answer to one choice of a request.

        Parameters
        ----------
        asked : Asked
            The request.
        generator : numpy.random.Generator
            Addressed by the request's key and the number of the choice.
        """
