"""``probe``: what an endpoint can really do, found by asking it nine times.

Whether a parameter is accepted says little: endpoints ignore what they do not know. So each is judged by its effect:
``works``, ``ignored`` (accepted without effect), ``refused`` (an error) or ``absent`` (the API has no such parameter).
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from marketsim.llm.answers import find_json
from marketsim.llm.client import Access, ChatClient
from marketsim.llm.errors import BadRequestError, CapabilityError, EndpointError
from marketsim.llm.request import RESPONSES_PARAMETERS, Api, ChatRequest, Json
from marketsim.llm.response import Response

Verdict = Literal["works", "ignored", "refused", "absent"]

CAPABILITIES = ("temperature", "json_schema", "n", "seed", "logprobs", "images", "reasoning_effort", "tools")

REGIME_NEEDS: Mapping[str, tuple[str, ...]] = {"n_choices": ("n",), "logprob": ("logprobs",)}
"""Regimes that need more than an answer."""

_RANDOM = "Name one random whole number between 1 and 1000000000. Answer with the number alone."


@dataclass(frozen=True)
class Finding:
    """One capability."""

    verdict: Verdict
    detail: str = ""


@dataclass
class Card:
    """What a model at an endpoint can do."""

    endpoint: str
    model: str
    api: Api
    returned_model: str = ""
    date: str = ""
    calls: int = 0
    capabilities: dict[str, Finding] = field(default_factory=dict)

    def missing(self, regime: str) -> list[str]:
        """Return which capabilities a regime lacks here."""
        needed = REGIME_NEEDS.get(regime, ())
        return [name for name in needed if name in self.capabilities and self.capabilities[name].verdict != "works"]

    def to_json(self) -> Json:
        """Return the card as JSON can hold it."""
        found = {name: {"verdict": each.verdict, "detail": each.detail} for name, each in self.capabilities.items()}
        head = {name: getattr(self, name) for name in ("endpoint", "model", "api", "returned_model", "date", "calls")}
        return {**head, "capabilities": found}

    def to_text(self) -> str:
        """Return the card as lines for a reader."""
        lines = [f"{self.model} at {self.endpoint} ({self.api}), {self.calls} calls, {self.date}"]
        if self.returned_model and self.returned_model != self.model:
            lines.append(f"the endpoint calls it {self.returned_model}")
        for name, each in self.capabilities.items():
            lines.append(f"  {name:<17} {each.verdict:<8} {each.detail}".rstrip())
        barred = [f"{regime} (needs {', '.join(needs)})" for regime in REGIME_NEEDS if (needs := self.missing(regime))]
        lines.append(f"regimes that cannot be used: {', '.join(barred) or 'none'}")
        return "\n".join(lines)


class _Prober:
    def __init__(self, client: ChatClient, card: Card) -> None:
        self.client, self.card = client, card

    def ask(self, text: str | list[Json], schema: Json | None = None, **parameters: Any) -> Response:
        messages = [{"role": "user", "content": text}]
        self.card.calls += 1
        request = ChatRequest(self.card.model, messages, parameters, schema, api=self.card.api)
        response = self.client.ask(request, self.card.calls)
        self.card.returned_model = response.model or self.card.returned_model
        return response

    def judge(self, name: str, test: Callable[[], Finding]) -> None:
        parameter = {"json_schema": "", "images": ""}.get(name, name)
        if self.card.api == "responses" and parameter and parameter not in RESPONSES_PARAMETERS:
            self.card.capabilities[name] = Finding("absent", "the responses API has no such parameter")
            return
        try:
            self.card.capabilities[name] = test()
        except (CapabilityError, BadRequestError) as error:
            text = str(error).partition(": ")[2]
            self.card.capabilities[name] = Finding("refused", text[:160])
        except EndpointError as error:  # some servers answer 500 to what they do not know
            if not error.status or not self.card.returned_model:
                raise
            self.card.capabilities[name] = Finding("refused", str(error).partition(": ")[2][:160])

    # ---- One test each -----------------------------------------------------------------------------------------

    def temperature(self) -> Finding:
        response = self.ask("Say hello.", temperature=0.7, max_tokens=16)
        return (
            Finding("works", "0.7 is accepted") if not response.timed_out else Finding("refused", "no answer in time")
        )

    def json_schema(self) -> Finding:
        schema: Json = {
            "type": "object",
            "properties": {"colour": {"type": "string", "enum": ["ultramarine", "vermilion"]}},
            "required": ["colour"],
            "additionalProperties": False,
        }
        text = _text(self.ask("Which is your favourite colour? Answer in one sentence of plain English.", schema))
        document = find_json(text)
        is_valid = isinstance(document, dict) and document.get("colour") in ("ultramarine", "vermilion")
        return Finding("works") if is_valid else Finding("ignored", f"answered {text[:40]!r}")

    def n(self) -> Finding:
        found = len(self.ask(_RANDOM, n=2, max_tokens=16).completions)
        return Finding("works") if found == 2 else Finding("ignored", f"asked for 2 answers, got {found}")

    def seed(self) -> Finding:
        first, second = (_text(self.ask(_RANDOM, seed=20_000, max_tokens=16)) for _ in range(2))
        return Finding("works") if first == second else Finding("ignored", "two answers to one seed differ")

    def logprobs(self) -> Finding:
        least = 16 if self.card.api == "responses" else 1
        response = self.ask("Answer with one letter, A or B.", logprobs=True, top_logprobs=5, max_tokens=least)
        tokens = response.completions[0].first_token if response.completions else {}
        return Finding("works", f"{len(tokens)} alternatives") if tokens else Finding("ignored", "none came back")

    def images(self) -> Finding:
        parts: list[Json] = [
            {"type": "text", "text": "Which colour is this picture? Answer with one word."},
            {"type": "image_url", "image_url": {"url": red_square()}},
        ]
        text = _text(self.ask(parts, max_tokens=16))
        return Finding("works") if "red" in text.lower() else Finding("ignored", f"a red square is {text[:40]!r}")

    def reasoning_effort(self) -> Finding:
        usage = self.ask("What is 17 times 23?", reasoning_effort="low").usage
        if usage.reasoning_tokens:
            return Finding("works", f"{usage.reasoning_tokens} reasoning tokens")
        return Finding("ignored", "accepted, but no reasoning tokens are counted")

    def tools(self) -> Finding:
        function: Json = {
            "name": "record_price",
            "description": "Records a price.",
            "parameters": {"type": "object", "properties": {"price": {"type": "number"}}, "required": ["price"]},
        }
        tool: Json = {"type": "function", "function": function}
        if self.card.api == "responses":
            tool = {"type": "function", **function}
        response = self.ask("Record the price 12.", tools=[tool], tool_choice="required", max_tokens=64)
        called = bool(response.completions and response.completions[0].tool_calls)
        return Finding("works") if called else Finding("ignored", "tool_choice = required, but no tool was called")


def probe(access: Access, model: str, api: Api = "chat") -> Card:
    """Return what a model at an endpoint can do, from nine calls at most.

    Parameters
    ----------
    access : Access
        The endpoint.
    model : str
        Name of the model.
    api : {"chat", "responses"}
        Which API to speak.

    Raises
    ------
    DecisionError
        The endpoint cannot be asked at all: it is down, the key is refused, there is no such model.
    """
    card = Card(access.endpoint, model, api, date=datetime.now(UTC).strftime("%Y-%m-%d"))
    with ChatClient(access) as client:
        prober = _Prober(client, card)
        for name in CAPABILITIES:
            prober.judge(name, getattr(prober, name))
    return card


def card_file(endpoint: str, model: str, api: str) -> Path:
    """Return where the card of a model is kept: in the user's cache folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    name = hashlib.sha256(f"{endpoint}\n{model}\n{api}".encode()).hexdigest()[:16]
    return cache / "marketsim" / "llm" / f"{name}.json"


def keep_card(card: Card) -> Path:
    """Write a card where ``kept_card`` finds it."""
    file = card_file(card.endpoint, card.model, card.api)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(card.to_json(), indent=1) + "\n")
    return file


def kept_card(endpoint: str, model: str, api: Api) -> Card | None:
    """Return the card of an earlier probe; None where there is none that can be read."""
    try:
        found = json.loads(card_file(endpoint, model, api).read_text())
        capabilities = {name: Finding(each["verdict"], each["detail"]) for name, each in found["capabilities"].items()}
        return Card(endpoint, model, api, found["returned_model"], found["date"], found["calls"], capabilities)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def red_square(side: int = 32) -> str:
    """Return a red PNG as a ``data:`` URI."""
    rows = b"".join(b"\0" + b"\xff\0\0" * side for _ in range(side))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _text(response: Response) -> str:
    return response.completions[0].text if response.completions else ""
