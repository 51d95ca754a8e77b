"""The formats of chat completions and of the responses API: from a request's JSON, and to an answer's."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from typing import Any

from marketsim.llm.request import Json
from marketsim.llm.respondents.respondent import Asked, Reply

CHAT_KEYS = frozenset(
    {
        "model",
        "messages",
        "temperature",
        "top_p",
        "n",
        "seed",
        "logprobs",
        "top_logprobs",
        "max_tokens",
        "max_completion_tokens",
        "reasoning_effort",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "response_format",
        "tools",
        "tool_choice",
        "stream",
        "stream_options",
        "user",
    }
)
RESPONSES_KEYS = frozenset(
    {
        "model",
        "input",
        "instructions",
        "temperature",
        "top_p",
        "top_logprobs",
        "include",
        "max_output_tokens",
        "reasoning",
        "text",
        "tools",
        "tool_choice",
        "store",
        "stream",
        "user",
    }
)

NEEDS = {"n": "n", "seed": "seed", "logprobs": "logprobs", "top_logprobs": "logprobs", "temperature": "temperature"}
NEEDS |= {"top_p": "top_p", "reasoning_effort": "reasoning_effort", "reasoning": "reasoning_effort", "tools": "tools"}


class Unsupported(ValueError):
    """A request that the model cannot serve: status 400."""

    def __init__(self, parameter: str, text: str, code: str = "invalid_value") -> None:
        self.parameter, self.code = parameter, code
        super().__init__(text)


def read_chat(body: Json) -> Asked:
    """Return what a chat-completions request asks.

    Raises
    ------
    Unsupported
        A key is unknown or of the wrong type.
    """
    _refuse_unknown(body, CHAT_KEYS)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Unsupported("messages", "expected a list of messages")
    form = body.get("response_format") or {}
    schema = (form.get("json_schema") or {}).get("schema") if form.get("type") == "json_schema" else None
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or 0
    return _asked(body, messages, schema, limit, bool(body.get("logprobs")), str(body.get("reasoning_effort") or ""))


def read_responses(body: Json) -> Asked:
    """Return what a request to the responses API asks; errors as for ``read_chat``."""
    _refuse_unknown(body, RESPONSES_KEYS)
    given = body.get("input")
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else list(given or ())
    if not messages:
        raise Unsupported("input", "expected a text or a list of messages")
    if body.get("instructions"):
        messages.insert(0, {"role": "system", "content": body["instructions"]})
    form = (body.get("text") or {}).get("format") or {}
    schema = form.get("schema") if form.get("type") == "json_schema" else None
    logprobs = "message.output_text.logprobs" in (body.get("include") or ())
    effort = (body.get("reasoning") or {}).get("effort") or ""
    return _asked(body, messages, schema, body.get("max_output_tokens") or 0, logprobs, str(effort))


def _asked(body: Json, messages: list[Json], schema: Json | None, limit: int, logprobs: bool, effort: str) -> Asked:
    plain, images = [], 0
    for message in messages:
        text, pictures = _plain(message.get("content"))
        plain.append({"role": str(message.get("role", "")), "content": text})
        images += pictures
    n = body.get("n") or 1
    if not isinstance(n, int) or not 1 <= n <= 128:
        raise Unsupported("n", "expected n from 1 to 128")
    temperature = _number(body, "temperature", 1.0, 2.0)
    top_p = _number(body, "top_p", 1.0, 1.0)
    tools = body.get("tools") or ()
    return Asked(
        str(body["model"]), plain, schema, temperature, top_p, int(limit), n, 0, logprobs, images, tools, effort, body
    )


def _plain(content: Any) -> tuple[str, int]:
    if isinstance(content, str):
        return content, 0
    texts = [
        part.get("text", "") for part in content or () if part.get("type") in ("text", "input_text", "output_text")
    ]
    return "".join(texts), sum(part.get("type") in ("image_url", "input_image") for part in content or ())


def _number(body: Json, name: str, default: float, most: float) -> float:
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise Unsupported(name, f"expected {name} from 0 to {most:g}; found {value!r}")
    return float(value)


def _refuse_unknown(body: Json, known: frozenset[str]) -> None:
    for name in body:
        if name not in known:
            raise Unsupported(name, f"Unrecognized request argument supplied: {name}", "unsupported_parameter")
    if not isinstance(body.get("model"), str):
        raise Unsupported("model", "expected the name of a model")


def required_capabilities(asked: Asked) -> Iterator[tuple[str, str]]:
    """Yield each parameter of a request with the capability that it needs."""
    for name, capability in NEEDS.items():
        if asked.body.get(name) not in (None, False, [], ()) and not (name == "n" and asked.n == 1):
            yield name, capability
    if asked.logprobs:
        yield "include", "logprobs"
    if asked.schema is not None:
        yield "response_format", "json_schema"
    if asked.images:
        yield "messages", "images"


# ---- Answers --------------------------------------------------------------------------------------------------


def count_tokens(text: str) -> int:
    """Return a count of tokens: four characters each, as a rule of thumb has it."""
    return (len(text) + 3) // 4


def chat_body(asked: Asked, replies: Sequence[Reply], identity: str) -> Json:
    """Return the JSON of a chat completion."""
    choices = [
        {
            "index": index,
            "message": _chat_message(reply, f"{identity}-{index}"),
            "finish_reason": "tool_calls" if reply.tool_calls else reply.finish_reason,
            "logprobs": {"content": [_token(reply)], "refusal": None} if asked.logprobs else None,
        }
        for index, reply in enumerate(replies)
    ]
    prompt, completion, reasoning = _usage(asked, replies)
    return {
        "id": f"chatcmpl-{identity}",
        "object": "chat.completion",
        "created": 0,
        "model": asked.model,
        "system_fingerprint": "respondents-1",
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        },
    }


def _chat_message(reply: Reply, identity: str) -> Json:
    message: Json = {"role": "assistant", "content": None if reply.refusal else reply.text}
    message["refusal"] = reply.refusal or None
    if reply.tool_calls:
        message["tool_calls"] = [
            {"id": f"call-{identity}-{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
            for number, (name, arguments) in enumerate(reply.tool_calls)
        ]
    return message


def _token(reply: Reply) -> Json:
    ranked = sorted(reply.label_probabilities.items(), key=lambda each: -each[1])
    tokens: list[Json] = [{"token": label, "logprob": math.log(p), "bytes": None} for label, p in ranked if p > 0.0]
    said = next((token for token in tokens if token["token"] == reply.text), None)
    return {**(said or {"token": reply.text, "logprob": -100.0, "bytes": None}), "top_logprobs": tokens[:20]}


def chat_chunks(body: Json) -> Iterator[Json]:
    """Yield the pieces of a streamed chat completion."""
    common = {key: body[key] for key in ("id", "created", "model", "system_fingerprint")}
    common["object"] = "chat.completion.chunk"
    for choice in body["choices"]:
        text = choice["message"]["content"] or ""
        pieces = [text[at : at + 16] for at in range(0, len(text), 16)] or [""]
        for number, piece in enumerate(pieces):
            delta = {"content": piece} | ({"role": "assistant"} if number == 0 else {})
            yield {**common, "choices": [{"index": choice["index"], "delta": delta, "finish_reason": None}]}
        end = {"index": choice["index"], "delta": {}, "finish_reason": choice["finish_reason"]}
        yield {**common, "choices": [end]}
    yield {**common, "choices": [], "usage": body["usage"]}


def responses_body(asked: Asked, replies: Sequence[Reply], identity: str) -> Json:
    """Return the JSON of an answer of the responses API."""
    reply = replies[0]
    part: Json = {"type": "output_text", "text": reply.text, "annotations": []}
    if asked.logprobs:
        part["logprobs"] = [_token(reply)]
    if reply.refusal:
        part = {"type": "refusal", "refusal": reply.refusal}
    output: list[Json] = [
        {"type": "message", "id": f"msg-{identity}", "role": "assistant", "status": "completed", "content": [part]}
    ]
    if reply.tool_calls:
        output = [
            {
                "type": "function_call",
                "id": f"fc-{identity}",
                "call_id": f"call-{identity}",
                "name": name,
                "arguments": text,
            }
            for name, text in reply.tool_calls
        ]
    cut = reply.finish_reason == "length"
    prompt, completion, reasoning = _usage(asked, replies)
    return {
        "id": f"resp-{identity}",
        "object": "response",
        "created_at": 0,
        "status": "incomplete" if cut else "completed",
        "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
        "model": asked.model,
        "output": output,
        "usage": {
            "input_tokens": prompt,
            "output_tokens": completion,
            "total_tokens": prompt + completion,
            "output_tokens_details": {"reasoning_tokens": reasoning},
        },
    }


def _usage(asked: Asked, replies: Sequence[Reply]) -> tuple[int, int, int]:
    reasoning = sum(reply.reasoning_tokens for reply in replies)
    prompt = sum(count_tokens(message["content"]) + 3 for message in asked.messages)
    return prompt, reasoning + sum(count_tokens(reply.text or reply.refusal) for reply in replies), reasoning


def error_body(kind: str, code: str, text: str, parameter: str | None = None) -> bytes:
    """Return the JSON of an error."""
    return json.dumps({"error": {"message": text, "type": kind, "param": parameter, "code": code}}).encode()
