"""What is asked of an endpoint, and the key that stands for it.

A key is the SHA-256 of the canonical JSON of everything that may change the answer. The draw index tells apart repeated
draws of one request, so that 500 draws stay 500 records; the attempt index tells apart re-asks after an answer that
could not be used. Neither concurrency nor transport retries are part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

Json = dict[str, Any]
Api = Literal["chat", "responses"]

RESPONDENTS = "respondents"
"""What stands for the embedded server's address in keys: its port changes from run to run."""

CHAT_PARAMETERS = frozenset(
    {
        "temperature",
        "top_p",
        "n",
        "seed",
        "logprobs",
        "top_logprobs",
        "max_tokens",
        "reasoning_effort",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "tools",
        "tool_choice",
    }
)
RESPONSES_PARAMETERS = frozenset(
    {"temperature", "top_p", "logprobs", "top_logprobs", "max_tokens", "reasoning_effort", "tools", "tool_choice"}
)


class Draw(NamedTuple):
    """Which answer to a request is meant."""

    number: int = 0
    """From ``draw_index``, or any number that tells draws apart."""
    attempt: int = 0
    """0 for the first time it is asked, then 1, 2, ... where the answers before could not be used."""


class Origin(NamedTuple):
    """Who asks: kept beside the answer for people to read, no part of the key."""

    agent: str = ""
    step: int = 0
    question: str = ""


@dataclass(frozen=True)
class ChatRequest:
    """One request.

    Parameters
    ----------
    model : str
        Name of the model, as the endpoint knows it.
    messages : sequence of dict
        ``{"role": ..., "content": ...}`` as chat completions have them; content is a text or a list of parts, with
        pictures as ``{"type": "image_url", "image_url": {"url": "data:image/png;base64,..."}}``.
    parameters : mapping
        Sampling parameters by the names of chat completions (``CHAT_PARAMETERS``).
    schema : dict, optional
        JSON Schema of the answer.
    api : {"chat", "responses"}
        Which API is spoken.
    extra : mapping
        Parameters of a server's own, sent as they are.
    """

    model: str
    messages: Sequence[Json]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    schema: Json | None = None
    schema_name: str = "answer"
    api: Api = "chat"
    extra: Mapping[str, Any] = field(default_factory=dict)

    def identity(self, endpoint: str) -> Json:
        """Return everything that may change the answer, as JSON."""
        return {
            "base_url": endpoint,
            "endpoint": self.api,
            "model": self.model,
            "messages": list(self.messages),
            "parameters": dict(self.parameters),
            "schema": self.schema,
            "extra": dict(self.extra),
        }

    def text(self, endpoint: str) -> str:
        """Return the identity as canonical JSON."""
        return canonical(self.identity(endpoint))

    @cached_property
    def prompt_characters(self) -> int:
        """Characters of text in the messages, from which tokens are estimated before the endpoint counts them."""
        return sum(_characters(message.get("content")) for message in self.messages)


def canonical(value: Any) -> str:
    """Return JSON in one form: sorted keys, no spaces, ASCII."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def key_of(text: str) -> str:
    """Return the request key of a canonical text: SHA-256, 64 hex digits."""
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def draw_index(seed: int, agent: str, step: int, question: str, k: int = 0) -> int:
    """Return the number of a draw, from 0 to 2**63 - 1, by who asks what and when, never by scheduling.

    Parameters
    ----------
    seed : int
        Of the run; a replicate is told apart by hashing it in: ``seed * 2**31 + replicate``.
    agent : str
        Name of the agent, or of the arm.
    step : int
        Number of its decision.
    question : str
        Which of the questions of one decision.
    k : int
        Which draw of one question.
    """
    text = json.dumps([seed, agent, step, question, k], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def _characters(content: Any) -> int:
    if isinstance(content, str):
        return len(content)
    return sum(len(part.get("text", "")) for part in content or ())
