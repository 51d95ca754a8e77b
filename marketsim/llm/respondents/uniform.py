"""``Uniform``: answers anything with something valid, drawn at random. It can do all that an endpoint can do."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from marketsim.llm.request import Json
from marketsim.llm.respondents.reading import labels_in, say
from marketsim.llm.respondents.respondent import Asked, Reply, Respondent

_REASONING_TOKENS = 32


class Uniform(Respondent):
    """Each label as likely as the others; under a schema a valid value; numbers uniform within their bounds.

    A request with tools is answered by a call of the first one, a picture by ``red``, the colour of the one that a
    probe shows; where nothing tells the form it names a number.
    """

    def answer(self, asked: Asked, generator: np.random.Generator) -> Reply:
        """Return something valid."""
        reasoning = _REASONING_TOKENS if asked.reasoning_effort not in ("", "none") else 0
        if asked.tools:
            tool = asked.tools[0].get("function", asked.tools[0])
            arguments = valid_value(tool.get("parameters") or {"type": "object"}, generator)
            return Reply(tool_calls=[(tool["name"], json.dumps(arguments))], reasoning_tokens=reasoning)
        labels = labels_in(asked.last)
        if labels and asked.schema is None:
            return say(asked, dict.fromkeys(labels, 1.0 / len(labels)), generator, lambda _: {})
        if asked.schema is not None:
            return Reply(json.dumps(valid_value(asked.schema, generator)), reasoning_tokens=reasoning)
        if asked.images:
            return Reply("red", reasoning_tokens=reasoning)
        if asked.logprobs:
            letter = "AB"[int(generator.integers(2))]
            return Reply(letter, label_probabilities={"A": 0.5, "B": 0.5}, reasoning_tokens=reasoning)
        return Reply(str(generator.integers(1, 1_000_000_000)), reasoning_tokens=reasoning)


def valid_value(schema: Json, generator: np.random.Generator, root: Json | None = None) -> Any:
    """Return a value that a JSON Schema allows: of its types, enumerations, bounds, required keys and references."""
    root = root if root is not None else schema
    if "$ref" in schema:
        return valid_value(root["$defs"][schema["$ref"].rpartition("/")[2]], generator, root)
    if "anyOf" in schema:
        options = schema["anyOf"]
        return valid_value(options[int(generator.integers(len(options)))], generator, root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][int(generator.integers(len(schema["enum"])))]
    kind = schema.get("type")
    if kind == "object":
        return {name: valid_value(each, generator, root) for name, each in schema.get("properties", {}).items()}
    if kind == "array":
        count = int(generator.integers(schema.get("minItems", 1), schema.get("maxItems", 3), endpoint=True))
        return [valid_value(schema["items"], generator, root) for _ in range(count)]
    if kind in ("integer", "number"):
        return _number(schema, generator, whole=kind == "integer")
    return {"boolean": bool(generator.integers(2)), "null": None}.get(str(kind), "text")


def _number(schema: Json, generator: np.random.Generator, *, whole: bool) -> int | float:
    bounds: dict[str, float] = {name: value for name, value in schema.items() if name.lower().endswith("imum")}
    low = bounds.get("minimum", bounds.get("exclusiveMinimum", 0.0))
    high = bounds.get("maximum", bounds.get("exclusiveMaximum", low + 100.0))
    if not whole:
        return float(low + (high - low) * (0.5 + generator.random()) / 2)
    first, last = int(low) + ("exclusiveMinimum" in bounds), int(high) - ("exclusiveMaximum" in bounds)
    return int(generator.integers(first, last, endpoint=True))
