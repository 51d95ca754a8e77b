"""``ChatClient``: questions to one endpoint, with retry, rate limits, budget, record and replay.

    with ChatClient("respondents") as client:
        response = client.ask(ChatRequest("echo", [{"role": "user", "content": "hello"}]))
        print(response.completions[0].text)

``complete`` is a coroutine; ``ask`` and ``ask_all`` are for code without an event loop and run it in a thread. A client
belongs to the first loop that uses it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from marketsim.core.loop_thread import LoopThread
from marketsim.llm.budget import Budget, Caps, Prices
from marketsim.llm.errors import AuthenticationError, CapabilityError, DecisionError
from marketsim.llm.pace import Pace
from marketsim.llm.record import RecordStore
from marketsim.llm.replay import miss
from marketsim.llm.request import (
    CHAT_PARAMETERS,
    RESPONDENTS,
    RESPONSES_PARAMETERS,
    ChatRequest,
    Draw,
    Origin,
    key_of,
)
from marketsim.llm.respondents.server import RespondentServer
from marketsim.llm.response import Raw, Response, read_response, read_usage
from marketsim.llm.transport import Patience, TimedOut, Transport

Mode = Literal["record", "replay", "cache"]

USUAL_COMPLETION_TOKENS = 256
"""Tokens of an answer for which budgets and rate limits make room where ``max_tokens`` says nothing."""


@dataclass(frozen=True)
class Access:
    """How an endpoint is used.

    Parameters
    ----------
    endpoint : str
        Address of the API, or ``"respondents"`` for the embedded loopback server.
    key_env : str
        Environment variable that holds the key; empty: none is needed.
    patience : Patience
        Retries and time-outs.
    prices : Prices
        Money per million tokens.
    """

    endpoint: str = RESPONDENTS
    key_env: str = ""
    patience: Patience = field(default_factory=Patience)
    prices: Prices = field(default_factory=Prices)

    def key(self) -> str:
        """Return the key.

        Raises
        ------
        AuthenticationError
            The variable is not set.
        """
        if not self.key_env:
            return ""
        key = os.environ.get(self.key_env, "")
        if not key:
            raise AuthenticationError(
                f"llm.key_env: expected the key of {self.endpoint} in the environment variable {self.key_env}, "
                "which is not set"
            )
        return key


@dataclass
class Shared:
    """What all clients of a run share.

    Parameters
    ----------
    store : RecordStore, optional
        Where answers are kept and looked for.
    mode : {"record", "replay", "cache"}
        ``replay`` asks nobody. The other two look in the store first and ask for the rest: they differ in which store
        it is, a fresh one of this run or one that is shared.
    concurrency : int
        Most calls in flight.
    caps : Caps
        Most that may be spent, what ``run`` has spent before included.
    requests_per_minute, tokens_per_minute : int, optional
        Rate limits.
    run : str
        Name under which the store keeps what is spent.
    folder : Path, optional
        Where respondents of one's own are looked for.
    """

    store: RecordStore | None = None
    mode: Mode = "record"
    concurrency: int = 16
    caps: Caps = field(default_factory=Caps)
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    run: str = ""
    folder: Path | None = None

    def __post_init__(self) -> None:
        """Set up what is counted."""
        if self.mode == "replay" and self.store is None:
            raise ValueError("replay needs a record store")
        spent = self.store.spent(self.run) if self.store is not None and self.mode != "replay" else None
        self.budget = Budget(self.caps, spent)
        self.slots = asyncio.Semaphore(self.concurrency)
        self.requests, self.tokens = Pace(self.requests_per_minute), Pace(self.tokens_per_minute)
        self.asked = 0
        """Calls answered by an endpoint."""
        self.recorded = 0
        """Calls answered from the store."""


class ChatClient:
    """Asks one endpoint.

    Parameters
    ----------
    access : Access or str
        The endpoint, or its address.
    shared : Shared, optional
        Store, budget and limits; by default nothing is recorded and nothing limited.

    Examples
    --------
    >>> with ChatClient("respondents") as client:
    ...     client.ask(ChatRequest("echo", [{"role": "user", "content": "hello"}])).completions[0].text
    'hello'
    """

    def __init__(self, access: Access | str = RESPONDENTS, shared: Shared | None = None) -> None:
        self.access = Access(access) if isinstance(access, str) else access
        self.shared = shared or Shared()
        self._server: RespondentServer | None = None
        self._transport: Transport | None = None
        self._thread: LoopThread | None = None
        self._closed = False

    # ---- Asking ----------------------------------------------------------------------------------------------

    async def complete(self, request: ChatRequest, draw: Draw | int = 0, origin: Origin | None = None) -> Response:
        """Return the answer to a request, from the record or from the endpoint.

        Parameters
        ----------
        request : ChatRequest
            What is asked.
        draw : Draw or int
            Which answer to it is meant.
        origin : Origin, optional
            Who asks.

        Raises
        ------
        CapabilityError
            The API has no such parameter, or the model refuses it.
        ReplayMissError
            Replay, and the record has no answer.
        BudgetError
            A cap is reached.
        DecisionError
            Another error of ``llm.errors``.
        """
        _require_parameters(request)
        draw = Draw(draw) if isinstance(draw, int) else draw
        text = request.text(self.access.endpoint)
        key = key_of(text)
        store = self.shared.store
        if store is not None:
            raw = store.get(key, draw)
            if raw is not None:
                self.shared.recorded += 1
                return read_response(request.api, raw, key, *draw, "recorded")
            if self.shared.mode == "replay":
                raise miss(store, key, draw, text, origin or Origin())
        raw = await self._ask(request, key, draw, text, origin or Origin())
        return read_response(request.api, raw, key, *draw, "asked")

    async def _ask(self, request: ChatRequest, key: str, draw: Draw, text: str, origin: Origin) -> Raw:
        shared = self.shared
        prompt = request.prompt_characters // 4 + 1
        completion = int(request.parameters.get("max_tokens", USUAL_COMPLETION_TOKENS)) * int(
            request.parameters.get("n", 1)
        )
        async with shared.slots:
            room = await shared.budget.reserve(prompt, completion, self.access.prices)
            try:
                await shared.requests.take(1)
                await shared.tokens.take(prompt + completion)
                address = key_of(request.text(""))  # the same wherever the endpoint happens to stand
                raw = await self._send(request, f"{address}-{draw.number}-{draw.attempt}")
                usage = read_usage(raw.body)
                spent = shared.budget.charge(usage, self.access.prices)
            finally:
                shared.budget.release(room)
            shared.tokens.correct(usage.prompt_tokens + usage.completion_tokens - prompt - completion)
            shared.asked += 1
            if shared.store is not None:  # before the slot is free, so that at most `concurrency` calls can be lost
                shared.store.put(key, draw, text, raw, origin, shared.run, spent)
        return raw

    async def _send(self, request: ChatRequest, address: str) -> Raw:
        try:
            return await self._open().send(request, address)
        except TimedOut as late:  # an answer like any other: it is recorded, and a resumed run meets it again
            return Raw({}, self.access.patience.timeout_s * late.tries, late.tries, "")

    def _open(self) -> Transport:
        if self._closed:
            raise DecisionError("this client is closed")
        if self._transport is None:
            base_url = self.access.endpoint
            if base_url == RESPONDENTS:
                self._server = RespondentServer(folder=self.shared.folder).start()
                base_url = self._server.base_url
            access = self.access
            self._transport = Transport(base_url, access.key(), access.patience, self.shared.concurrency)
        return self._transport

    # ---- Without an event loop -------------------------------------------------------------------------------

    def ask(self, request: ChatRequest, draw: Draw | int = 0) -> Response:
        """Return the answer to one request; arguments and errors as for ``complete``."""
        return self.ask_all([(request, draw)])[0]

    def ask_all(self, requests: Iterable[tuple[ChatRequest, Draw | int]]) -> list[Response]:
        """Return the answers to many requests, in their order; at most ``concurrency`` are in flight."""

        async def gather(calls: Sequence[tuple[ChatRequest, Draw | int]]) -> list[Response]:
            tasks = [asyncio.ensure_future(self.complete(request, draw)) for request, draw in calls]
            try:
                return list(await asyncio.gather(*tasks))
            except BaseException:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                raise

        if self._thread is None:
            self._thread = LoopThread("marketsim client")
        return self._thread.start(gather(list(requests))).result()

    # ---- Life ------------------------------------------------------------------------------------------------

    async def aclose(self) -> None:
        """Close connections and the embedded server, from the client's own loop."""
        self._closed = True
        if self._transport is not None:
            await self._transport.close()
            self._transport = None
        if self._server is not None:
            self._server.stop()
            self._server = None

    def close(self) -> None:
        """Close everything that ``ask`` and ``ask_all`` opened."""
        if self._thread is not None:
            self._thread.start(self.aclose()).result()
            self._thread.close()
            self._thread = None

    def __enter__(self) -> Self:
        """Return the client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()


def _require_parameters(request: ChatRequest) -> None:
    """Refuse a parameter that the API does not have: none is dropped silently."""
    known = CHAT_PARAMETERS if request.api == "chat" else RESPONSES_PARAMETERS
    for name in request.parameters:
        if name not in known:
            where = "chat completions" if request.api == "chat" else "the responses API"
            raise CapabilityError(name, f"{where} has no parameter {name}; use llm.api or another regime")
