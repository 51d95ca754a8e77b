"""Pydantic's errors, each with the place in the data and the schema there.

Pydantic puts the names of union branches into its locations and reports every branch; a reader wants the place alone,
and one fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import ErrorDetails

from marketsim.core.durations import format_duration
from marketsim.scenario.locate import KeyPath
from marketsim.scenario.wording import JsonSchema, expectation, is_duration, quoted, resolve, step

_BOUND_ERRORS = {
    "greater_than_equal": ("ge", "of at least"),
    "greater_than": ("gt", "above"),
    "less_than_equal": ("le", "of at most"),
    "less_than": ("lt", "below"),
}


@cache
def schema_of(model: type[BaseModel]) -> JsonSchema:
    """Return the JSON Schema of a table; an empty one where a user's own types have none."""
    try:
        return model.model_json_schema()
    except PydanticInvalidForJsonSchema:
        return {}


class LocatedError(NamedTuple):
    """One of pydantic's errors."""

    details: ErrorDetails
    location: KeyPath
    """Where it stands in the data."""
    schema: JsonSchema | None
    """Of what stands there; of the table around it where the key is unknown; None where there is none."""
    root: JsonSchema
    """What the schema's references point into."""
    union: KeyPath | None = None
    """Where the union stands in which it arose."""
    branch: str = ""
    """The branch of that union."""

    @property
    def value(self) -> Any:
        """What was found."""
        return self.details["input"]

    @property
    def is_of_a_table(self) -> bool:
        """Say whether it is a rule between the keys of a table."""
        if self.union is not None:
            words = set(
                re.findall(r"\w+", self.branch)
            )  # "function-after[check(), LatencyRange]", a model's name in it
            return not words.isdisjoint(self.root.get("$defs", {}))
        if self.schema is None:
            return False
        schema = resolve(self.schema, self.root)
        options = [resolve(option, self.root) for option in schema.get("anyOf", ())]
        return any(option.get("type") == "object" for option in (schema, *options))

    def expected(self) -> str:
        """Return what the schema expects."""
        if self.schema is None:
            message = self.details["msg"]
            return message[:1].lower() + message[1:]
        key, words = _BOUND_ERRORS.get(self.details["type"], ("", ""))
        text = expectation(self.schema, self.root)
        if not key or resolve(self.schema, self.root).get("type") in ("integer", "number"):
            return text
        bound = self.details["ctx"][key]  # of a duration or a decimal: the schema, a text's, cannot say it
        return f"{text}, {words} {quoted(format_duration(bound)) if is_duration(self.schema, self.root) else bound}"


def located_errors(error: ValidationError, model: type[BaseModel]) -> Iterator[LocatedError]:
    """Yield the errors that say something.

    Left out is what follows from faults further inside: what the other branches of a union say where one branch got
    further into the value, and the length of an array of which some elements were refused.
    """
    errors = [_locate(details, schema_of(model)) for details in error.errors(include_url=False)]
    seen: set[KeyPath] = set()
    for each in sorted(errors, key=lambda error: not (error.branch and error.is_of_a_table and _is_table(error.value))):
        if each.location == each.union or each.details["type"] in ("too_short", "too_long"):
            length = len(each.location)
            deeper = any(other.location[:length] == each.location != other.location for other in errors)
            if deeper or each.location in seen:
                continue
            seen.add(each.location)
        yield each


def _is_table(value: Any) -> bool:
    return isinstance(value, BaseModel | Mapping)


def _locate(details: ErrorDetails, root: JsonSchema) -> LocatedError:
    """Drop the names of union branches from a location: what the schema does not know there."""
    schema: JsonSchema | None = root
    location: list[str | int] = []
    union: KeyPath | None = None
    branch = ""
    parts = details["loc"]
    for position, part in enumerate(parts):
        below = step(schema, part, root) if schema is not None else None
        if below is None and details["type"] == "extra_forbidden" and position == len(parts) - 1:
            location.append(part)  # the schema stays that of the table, which knows the right keys
        elif below is None and schema is not None and schema.get("anyOf"):
            union, branch = (tuple(location), str(part)) if union is None else (union, branch)
        else:
            location.append(part)
            schema = below
    return LocatedError(details, tuple(location), schema, root, union, branch)
