"""``RespondentServer``: a loopback endpoint that speaks OpenAI's APIs on behalf of respondents.

    with RespondentServer() as server:
        client = openai.OpenAI(base_url=server.base_url, api_key="any")

Random draws are addressed by the request's JSON and its ``Idempotency-Key`` header. A client that sends none gets the
first draw for the first request of that content, the second for the second, and so on; ``seed`` overrides both.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from marketsim.core.errors import PluginError
from marketsim.core.loop_thread import LoopThread
from marketsim.core.rng import generator, stream_key
from marketsim.llm.request import Json, canonical
from marketsim.llm.respondents.faults import Fault, FaultPlan
from marketsim.llm.respondents.http import Disconnect, HttpReply, HttpRequest, HttpServer
from marketsim.llm.respondents.registry import RESPONDENTS, respondent_for
from marketsim.llm.respondents.respondent import Asked, Reply, Respondent
from marketsim.llm.respondents.wire import (
    Unsupported,
    chat_body,
    chat_chunks,
    count_tokens,
    error_body,
    read_chat,
    read_responses,
    required_capabilities,
    responses_body,
)

_REMEMBERED: Final = 100_000


class RespondentServer:
    """Serves ``/v1/chat/completions``, ``/v1/responses`` and ``/v1/models`` on 127.0.0.1 from a thread of its own.

    Parameters
    ----------
    port : int
        0 takes a free one.
    seed : int
        Other draws from the same requests.
    faults : FaultPlan, optional
        What goes wrong before an answer.
    delay_s : float or callable
        Seconds that an answer takes; a callable gets the number of the request, from 0.
    api_key : str, optional
        The only key that is accepted; by default any.
    retry_after_s : float
        What ``rate_limit`` faults ask for.
    folder : Path, optional
        Where respondents of one's own, ``"my_module:MyModel"``, are looked for.

    Examples
    --------
    >>> with RespondentServer() as server:  # doctest: +SKIP
    ...     print(server.base_url)
    http://127.0.0.1:40231/v1
    """

    def __init__(
        self,
        port: int = 0,
        *,
        seed: int = 0,
        faults: FaultPlan | None = None,
        delay_s: float | Callable[[int], float] = 0.0,
        api_key: str | None = None,
        retry_after_s: float = 0.01,
        folder: Path | None = None,
    ) -> None:
        self.faults = faults or FaultPlan()
        self.requests: Counter[str] = Counter()
        """Requests so far: ``all``, ``answered``, and one entry for each fault met."""
        self.asked: OrderedDict[str, int] = OrderedDict()
        """How often each address was answered, of the last 100,000: what a client must not pay twice."""
        self._port, self._seed, self._delay_s, self._api_key = port, seed, delay_s, api_key
        self._retry_after_s, self._folder = retry_after_s, folder
        self._seen: OrderedDict[str, int] = OrderedDict()
        self._http = HttpServer(self._handle)
        self._thread: LoopThread | None = None

    # ---- Life ------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Begin to listen."""
        self._thread = LoopThread("marketsim respondents")
        self._port = self._thread.start(self._http.start(self._port)).result()
        return self

    def stop(self) -> None:
        """End all connections and the thread."""
        if self._thread is not None:
            self._thread.start(self._http.stop()).result()
            self._thread.close()
            self._thread = None

    def __enter__(self) -> Self:
        """Begin to listen."""
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End."""
        self.stop()

    @property
    def port(self) -> int:
        """Port on 127.0.0.1."""
        return self._port

    @property
    def base_url(self) -> str:
        """Address for a client."""
        return f"http://127.0.0.1:{self._port}/v1"

    # ---- Requests --------------------------------------------------------------------------------------------

    async def _handle(self, request: HttpRequest) -> HttpReply:
        if self._api_key is not None and request.headers.get("authorization") != f"Bearer {self._api_key}":
            return _error(401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided")
        path = request.path.removeprefix("/v1")
        if path == "/models" and request.method == "GET":
            return HttpReply(200, json.dumps(_models()).encode())
        if request.method != "POST" or path not in ("/chat/completions", "/responses"):
            return _error(404, "invalid_request_error", "unknown_url", f"Unknown request URL: {request.path}")
        try:
            body = json.loads(request.body)
            if not isinstance(body, dict):
                raise ValueError("expected an object")
            asked = read_chat(body) if path == "/chat/completions" else read_responses(body)
            respondent = self._respondent(asked)
        except Unsupported as error:
            return _error(400, "invalid_request_error", error.code, str(error), error.parameter)
        except ValueError as error:
            return _error(400, "invalid_request_error", "invalid_json", f"The body is no JSON object: {error}")
        except LookupError as error:
            return _error(404, "invalid_request_error", "model_not_found", str(error.args[0]), "model")
        return await self._answer(asked, respondent, self._address(request, body), path == "/responses")

    def _respondent(self, asked: Asked) -> Respondent:
        try:
            respondent = respondent_for(asked.model, self._folder)
        except (ValueError, PluginError) as error:
            raise LookupError(f"The model `{asked.model}` does not exist: {error}") from None
        for parameter, capability in required_capabilities(asked):
            if capability not in respondent.capabilities:
                text = f"Unsupported parameter: '{parameter}' is not supported with model {asked.model} ({capability})"
                raise Unsupported(parameter, text, "unsupported_parameter")
        return respondent

    def _address(self, request: HttpRequest, body: Json) -> str:
        content = {name: value for name, value in body.items() if name not in ("stream", "stream_options", "user")}
        text = hashlib.sha256(canonical(content).encode()).hexdigest()
        if body.get("seed") is not None:
            return text
        draw = request.headers.get("idempotency-key", "")
        if not draw:
            number = self._seen.pop(text, 0)
            _remember(self._seen, text, number + 1)
            draw = str(number)
        return hashlib.sha256(f"{text}\n{draw}".encode()).hexdigest()

    async def _answer(self, asked: Asked, respondent: Respondent, address: str, is_responses: bool) -> HttpReply:
        number = self.requests["all"]
        self.requests["all"] += 1
        fault = self.faults.next(address)
        if fault is not None:
            self.requests[fault] += 1
            refused = await self._refuse(fault)
            if refused is not None:
                return refused
        delay = self._delay_s(number) if callable(self._delay_s) else self._delay_s
        if delay:
            await asyncio.sleep(delay)
        try:
            replies = [
                _cut(_spoilt(self._one(respondent, asked, address, choice), fault), asked.max_tokens)
                for choice in range(asked.n)
            ]
        except Exception as error:  # a respondent of somebody's own, and whatever it raises
            return _error(500, "server_error", "respondent_failed", f"{asked.model}: {type(error).__name__}: {error}")
        self.requests["answered"] += 1
        _remember(self.asked, address, self.asked.pop(address, 0) + 1)
        identity = address[:24]
        if is_responses:
            return HttpReply(200, json.dumps(responses_body(asked, replies, identity)).encode())
        body = chat_body(asked, replies, identity)
        if asked.body.get("stream"):
            return HttpReply(200, headers={"content-type": "text/event-stream"}, chunks=_events(body))
        return HttpReply(200, json.dumps(body).encode())

    def _one(self, respondent: Respondent, asked: Asked, address: str, choice: int) -> Reply:
        draws = generator(stream_key(self._seed, 0, "llm", asked.model, address), choice, 0)
        return respondent.answer(asked if choice == 0 else replace(asked, choice=choice), draws)

    async def _refuse(self, fault: Fault) -> HttpReply | None:
        """Return what a fault answers in place of the model; None where it spoils the model's answer."""
        if fault == "rate_limit":
            reply = _error(429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached")
            return replace(reply, headers={"retry-after": f"{self._retry_after_s:g}"})
        if fault == "quota":
            return _error(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota")
        if fault == "server_error":
            return _error(500, "server_error", "server_error", "The server had an error")
        if fault == "timeout":
            await asyncio.sleep(3600)
        if fault in ("timeout", "disconnect"):
            raise Disconnect
        return None


def _spoilt(reply: Reply, fault: Fault | None) -> Reply:
    if fault == "truncated":
        return replace(reply, text=reply.text[: len(reply.text) // 2], finish_reason="length")
    if fault == "invalid_json":
        return replace(reply, text="I would rather not say it in JSON {", label_probabilities={})
    if fault == "refusal":
        return replace(reply, text="", refusal="I cannot help with that.", label_probabilities={})
    return reply


def _cut(reply: Reply, max_tokens: int) -> Reply:
    """Return a reply of at most that many tokens; a label with log-probabilities is one token, whatever its text."""
    if not max_tokens or count_tokens(reply.text) <= max_tokens or reply.text in reply.label_probabilities:
        return reply
    return replace(reply, text=reply.text[: 4 * max_tokens], finish_reason="length")


async def _events(body: Json) -> AsyncIterator[bytes]:
    for chunk in chat_chunks(body):
        yield b"data: " + json.dumps(chunk).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def _models() -> Json:
    listed: Sequence[Json] = [
        {"id": name, "object": "model", "created": 0, "owned_by": "marketsim"} for name in sorted(RESPONDENTS.kinds)
    ]
    return {"object": "list", "data": listed}


def _error(status: int, kind: str, code: str, text: str, parameter: str | None = None) -> HttpReply:
    return HttpReply(status, error_body(kind, code, text, parameter))


def _remember(counts: OrderedDict[str, int], name: str, value: int) -> None:
    counts[name] = value
    if len(counts) > _REMEMBERED:
        counts.popitem(last=False)
