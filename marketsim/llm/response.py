"""What an endpoint said, read from the raw JSON of either API into one form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from marketsim.llm.request import Json

Outcome = Literal["ok", "invalid", "refusal", "timeout", "truncated"]
Source = Literal["asked", "recorded"]

OUTCOMES: tuple[Outcome, ...] = ("ok", "invalid", "refusal", "timeout", "truncated")
"""What may become of a question; ``invalid`` is found when the text is parsed."""


@dataclass(frozen=True)
class Completion:
    """One answer; a request with ``n`` above 1 has several."""

    text: str
    finish_reason: str
    refusal: str = ""
    first_token: Mapping[str, float] = field(default_factory=dict)
    """Log-probabilities of the likeliest first tokens, where they were asked for."""
    tool_calls: Sequence[Json] = ()

    @property
    def outcome(self) -> Outcome:
        """``ok``, ``refusal`` or ``truncated``."""
        if self.refusal or self.finish_reason == "content_filter":
            return "refusal"
        return "truncated" if self.finish_reason == "length" else "ok"


@dataclass(frozen=True)
class Usage:
    """Tokens of a call, as the endpoint counts them."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0
    """Part of the completion's."""


@dataclass(frozen=True)
class Response:
    """The answer to a request, asked or from a record."""

    completions: tuple[Completion, ...]
    """Empty where the outcome is ``timeout``."""
    model: str
    """As the endpoint returned it."""
    fingerprint: str
    usage: Usage
    key: str
    draw: int
    attempt: int
    latency_s: float
    tries: int
    """How often it was sent, transport retries included."""
    source: Source
    date: str
    """When it was asked, UTC."""

    @property
    def timed_out(self) -> bool:
        """Whether no answer came in time."""
        return not self.completions


@dataclass(frozen=True)
class Raw:
    """An answer as a record keeps it."""

    body: Json
    """Of the endpoint; empty where none came in time."""
    latency_s: float
    tries: int
    date: str


def read_response(api: str, raw: Raw, key: str, draw: int, attempt: int, source: Source) -> Response:
    """Return a raw answer in the one form."""
    body = raw.body
    completions = _chat_completions(body) if api == "chat" else _response_completions(body)
    return Response(
        completions=completions if body else (),
        model=str(body.get("model") or ""),
        fingerprint=str(body.get("system_fingerprint") or ""),
        usage=read_usage(body),
        key=key,
        draw=draw,
        attempt=attempt,
        latency_s=raw.latency_s,
        tries=raw.tries,
        source=source,
        date=raw.date,
    )


def read_usage(body: Json) -> Usage:
    """Return the tokens of a call; zeros where the endpoint does not count them."""
    usage = body.get("usage") or {}
    details = usage.get("completion_tokens_details") or usage.get("output_tokens_details") or {}
    return Usage(
        int(usage.get("prompt_tokens") or usage.get("input_tokens") or 0),
        int(usage.get("completion_tokens") or usage.get("output_tokens") or 0),
        int(details.get("reasoning_tokens") or 0),
    )


def _chat_completions(body: Json) -> tuple[Completion, ...]:
    found = []
    for choice in sorted(body.get("choices") or (), key=lambda each: each.get("index") or 0):
        message = choice.get("message") or {}
        tokens = (choice.get("logprobs") or {}).get("content") or []
        found.append(
            Completion(
                text=message.get("content") or "",
                finish_reason=choice.get("finish_reason") or "",
                refusal=message.get("refusal") or "",
                first_token=_first_token(tokens),
                tool_calls=tuple(message.get("tool_calls") or ()),
            )
        )
    return tuple(found)


def _response_completions(body: Json) -> tuple[Completion, ...]:
    texts: list[str] = []
    refusals: list[str] = []
    tokens: list[Json] = []
    calls: list[Json] = []
    for item in body.get("output") or ():
        if item.get("type") == "function_call":
            calls.append(item)
        for part in item.get("content") or () if item.get("type") == "message" else ():
            if part.get("type") == "refusal":
                refusals.append(part.get("refusal") or "")
            else:
                texts.append(part.get("text") or "")
                tokens += part.get("logprobs") or ()
    reason = (body.get("incomplete_details") or {}).get("reason") or "stop"
    finish = "length" if reason == "max_output_tokens" else reason
    return (Completion("".join(texts), finish, "".join(refusals), _first_token(tokens), tuple(calls)),)


def _first_token(tokens: Sequence[Json]) -> dict[str, float]:
    return {each["token"]: float(each["logprob"]) for each in tokens[0].get("top_logprobs") or ()} if tokens else {}
