"""One request over the wire, and the only retry layer: which errors are worth another try, and after how long.

Retried: time-outs, broken connections, 408, 409, 429 for a rate limit, 5xx; with exponential back-off and jitter, and
never before what ``Retry-After`` asks. Never retried: an exhausted quota, a refused key, a request that is wrong.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from marketsim.core.rng import stream_key
from marketsim.llm.errors import (
    AuthenticationError,
    BadRequestError,
    CapabilityError,
    DecisionError,
    EndpointError,
    QuotaError,
    UnknownModelError,
)
from marketsim.llm.request import ChatRequest, Json
from marketsim.llm.response import Raw

if TYPE_CHECKING:
    import openai

LONGEST_WAIT_S = 60.0
QUOTA_CODES = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


@dataclass(frozen=True)
class Patience:
    """How often and how long to try.

    Parameters
    ----------
    retries : int
        Tries after the first.
    timeout_s : float
        Seconds that one try may take.
    backoff_s : float
        Longest wait before the second try; it doubles with each further one.
    """

    retries: int = 5
    timeout_s: float = 60.0
    backoff_s: float = 0.5


class TimedOut(Exception):
    """No try was answered in time: an outcome, not an error."""

    def __init__(self, tries: int) -> None:
        self.tries = tries
        super().__init__(f"no answer in {tries} tries")


class Transport:
    """Sends requests to one endpoint. Belongs to one event loop.

    Parameters
    ----------
    base_url : str
        Address of the API, ``"https://api.example.com/v1"``.
    key : str
        Sent as a bearer token; never part of a message or a record.
    patience : Patience
        How often and how long to try.
    connections : int
        Most connections at once.
    """

    def __init__(self, base_url: str, key: str, patience: Patience, connections: int) -> None:
        import httpx2
        import openai

        self.base_url, self._key, self._patience = base_url, key, patience
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        is_local = httpx2.URL(base_url).host in ("127.0.0.1", "localhost", "::1")
        self._client: openai.AsyncOpenAI = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=key or "none",
            max_retries=0,
            timeout=patience.timeout_s,
            http_client=openai.DefaultAsyncHttpxClient(limits=limits, trust_env=not is_local),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()

    async def send(self, request: ChatRequest, address: str) -> Raw:
        """Return the raw answer.

        Parameters
        ----------
        request : ChatRequest
            What is asked.
        address : str
            Sent as ``Idempotency-Key``: the same for every try of one draw, and another for another draw.

        Raises
        ------
        TimedOut
            The last of all tries ended by the clock.
        DecisionError
            One of ``llm.errors``: it cannot be answered.
        """
        begun = time.monotonic()
        for number in range(self._patience.retries + 1):
            try:
                body = await self._try(request, address)
            except Exception as error:
                verdict = self._judge(error, request)
                if not verdict.retry:
                    raise verdict.error from None
                if number == self._patience.retries:
                    if verdict.is_timeout:
                        raise TimedOut(number + 1) from None
                    raise verdict.error from None
                await asyncio.sleep(self._wait(number, verdict.after_s, address))
            else:
                date = datetime.now(UTC).isoformat(timespec="seconds").removesuffix("+00:00")
                return Raw(body, time.monotonic() - begun, number + 1, date)
        raise AssertionError("unreachable")

    async def _try(self, request: ChatRequest, address: str) -> Json:
        headers = {"Idempotency-Key": address}
        create: Callable[..., Awaitable[Any]]
        if request.api == "chat":
            create, body = self._client.chat.completions.with_raw_response.create, chat_arguments(request)
        else:
            create, body = self._client.responses.with_raw_response.create, responses_arguments(request)
        async with asyncio.timeout(self._patience.timeout_s):  # the library's own counts from byte to byte
            raw = await create(**body, extra_headers=headers, extra_body=dict(request.extra) or None)
        answer = json.loads(raw.http_response.content)
        if not isinstance(answer, dict):
            raise ValueError("the answer is no JSON object")
        return answer

    def _wait(self, number: int, after_s: float, address: str) -> float:
        """Return the seconds before the next try: exponential with full jitter, addressed and so the same in a test."""
        word = int(stream_key(0, number, "llm", address, "back-off")[0])
        longest = min(self._patience.backoff_s * float(2**number), LONGEST_WAIT_S)
        return after_s + longest * (0.5 + 0.5 * word / 2**64)

    # ---- What went wrong -------------------------------------------------------------------------------------

    def _judge(self, error: Exception, request: ChatRequest) -> Verdict:
        import openai

        if isinstance(error, openai.APITimeoutError | TimeoutError):
            text = f"{self.base_url}: no answer within {self._patience.timeout_s:g} s"
            return Verdict(EndpointError(text), retry=True, is_timeout=True)
        if isinstance(error, openai.APIStatusError):
            return self._judge_status(error, request)
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__ or error
            return Verdict(EndpointError(f"{self.base_url}: cannot be reached: {self._clean(str(cause))}"), retry=True)
        if isinstance(error, ValueError):  # a body that is no JSON: a proxy's page, or a cut connection
            return Verdict(EndpointError(f"{self.base_url}: the answer is no JSON object"), retry=True)
        raise error

    def _judge_status(self, error: openai.APIStatusError, request: ChatRequest) -> Verdict:
        status, code = error.status_code, str(error.code or "")
        text = f"{self.base_url}: {status} {self._clean(_message(error))}"
        if code in QUOTA_CODES or error.type in QUOTA_CODES:
            return Verdict(QuotaError(f"{text}; the quota is exhausted, so it was not tried again"))
        if status in (401, 403):
            return Verdict(AuthenticationError(f"{text}; check the variable that llm.key_env names"))
        if status in (408, 409, 429) or status >= 500:
            return Verdict(EndpointError(text, status), retry=True, after_s=retry_after_s(error.response.headers))
        if status == 404 and (code == "model_not_found" or "model" in text.lower()):
            return Verdict(UnknownModelError(f"{text}; llm.model is {request.model!r}"))
        if code in ("unsupported_parameter", "unsupported_value") or "not supported" in text.lower():
            parameter = str(error.param or "")
            what = f"model {request.model} does not support {parameter or 'it'}"
            return Verdict(CapabilityError(parameter, f"{text}; {what}"))
        return Verdict(BadRequestError(text))

    def _clean(self, text: str) -> str:
        """Return a text of the endpoint without the key, which some endpoints repeat."""
        text = text.replace(self._key, "***") if self._key else text
        return " ".join(text.split())[:500]


@dataclass(frozen=True)
class Verdict:
    """What an error means."""

    error: DecisionError
    retry: bool = False
    is_timeout: bool = False
    after_s: float = 0.0


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    message = body.get("message") if isinstance(body, dict) else None
    return str(message or error.message)


def retry_after_s(headers: Any) -> float:
    """Return what ``Retry-After`` asks in seconds, from a number or a date; 0 where it asks nothing."""
    milliseconds, text = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds:
            return max(0.0, float(milliseconds) / 1000.0)
        return max(0.0, float(text)) if text else 0.0
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return 0.0


def chat_arguments(request: ChatRequest) -> Json:
    """Return the arguments of a chat completion."""
    arguments: Json = {"model": request.model, "messages": list(request.messages), **request.parameters}
    if request.schema is not None:
        schema = {"name": request.schema_name, "schema": request.schema, "strict": True}
        arguments["response_format"] = {"type": "json_schema", "json_schema": schema}
    return arguments


def responses_arguments(request: ChatRequest) -> Json:
    """Return the arguments of a request to the responses API."""
    parameters = dict(request.parameters)
    arguments: Json = {"model": request.model, "input": [_responses_message(each) for each in request.messages]}
    if "max_tokens" in parameters:
        arguments["max_output_tokens"] = parameters.pop("max_tokens")
    if "reasoning_effort" in parameters:
        arguments["reasoning"] = {"effort": parameters.pop("reasoning_effort")}
    if parameters.pop("logprobs", False):
        arguments["include"] = ["message.output_text.logprobs"]
    if request.schema is not None:
        schema = {"type": "json_schema", "name": request.schema_name, "schema": request.schema, "strict": True}
        arguments["text"] = {"format": schema}
    return {**arguments, **parameters, "store": False}


def _responses_message(message: Json) -> Json:
    content = message["content"]
    if isinstance(content, str):
        return {"role": message["role"], "content": content}
    kind = "output_text" if message["role"] == "assistant" else "input_text"
    parts = [
        {"type": "input_image", "image_url": part["image_url"]["url"]}
        if part["type"] == "image_url"
        else {"type": kind, "text": part["text"]}
        for part in content
    ]
    return {"role": message["role"], "content": parts}
