"""Words for faults: values and paths as a user would write them, and what a JSON Schema expects."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from marketsim.core.durations import DURATION_PATTERN, TIME_OF_DAY_PATTERN
from marketsim.core.units import DECIMAL_PATTERN, POSITIVE_PATTERN

JsonSchema = Mapping[str, Any]

_ARTICLES = {
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "string": "a string",
    "array": "an array",
    "object": "a table",
}
_PATTERNS = {
    DURATION_PATTERN: "a duration",
    TIME_OF_DAY_PATTERN: "a time of day",
    DECIMAL_PATTERN: "a decimal",
    POSITIVE_PATTERN: "a positive decimal",
}
_LONGEST = 60
"""Characters of a value that a message repeats."""


# ---- Values and paths ---------------------------------------------------------------------------------------


def quoted(text: str) -> str:
    """Return a text in double quotes, as TOML would write it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


def dotted(path: Sequence[str]) -> str:
    """Return a path as ``--set`` takes it: ``exchange.populations.value.count``; a name with a dot in quotes."""
    return ".".join(quoted(part) if "." in part or not part else part for part in path)


def show_value(value: Any) -> str:
    """Return a value as TOML writes it, shortened where it is long."""
    if isinstance(value, str):
        return quoted(value if len(value) <= _LONGEST else value[: _LONGEST - 3] + "...")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, Sequence):
        text = f"[{', '.join(show_value(item) for item in value)}]"
        return text if len(text) <= _LONGEST else f"an array of {len(value)} values"
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def either(words: Iterable[str], many: str = "one of ") -> str:
    """Return ``a``, ``a or b``, or ``one of a, b, c``."""
    listed = list(words)
    return " or ".join(listed) if len(listed) < 3 else many + ", ".join(listed)


def among(names: Iterable[str]) -> str:
    """Return the names that there are, in brackets."""
    listed = list(names)
    return f" ({', '.join(listed)})" if listed else "; there is none"


# ---- What a schema expects ----------------------------------------------------------------------------------


def expectation(schema: JsonSchema, root: JsonSchema) -> str:
    """Return what a value must be, in words.

    Parameters
    ----------
    schema : mapping
        JSON Schema of the value.
    root : mapping
        The document that its references point into.

    Examples
    --------
    >>> expectation({"type": "integer", "minimum": 1, "maximum": 9}, {})
    'an integer from 1 to 9'
    >>> expectation({"enum": ["buy", "sell"]}, {})
    '"buy" or "sell"'
    """
    schema = resolve(schema, root)
    if "const" in schema or "enum" in schema:
        return either(show_value(value) for value in schema.get("enum", [schema.get("const")]))
    options = [option for option in schema.get("anyOf", schema.get("oneOf", ())) if option.get("type") != "null"]
    known = [_PATTERNS[each["pattern"]] for each in (schema, *options) if each.get("pattern") in _PATTERNS]
    if known and all(option.get("type") in ("string", "number") for option in options):
        return known[0] + _example(schema)  # a decimal may be a string or a number
    if options:
        return either(dict.fromkeys(expectation(option, root) for option in options), many="")
    kind = schema.get("type", "")
    words = _ARTICLES.get(kind, "another value")
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        items = resolve(schema["items"], root)
        inside = f"an array, each element {expectation(items, root)}"
        words = "an array of tables" if items.get("type") == "object" else inside
    return words + _bounds(schema) + _example(schema)


def resolve(schema: JsonSchema, root: JsonSchema) -> JsonSchema:
    """Follow the references of a schema; keys beside a reference win."""
    while True:
        parts = schema.get("allOf", ())
        reference = schema.get("$ref", parts[0].get("$ref") if len(parts) == 1 else None)
        if reference is None:
            return schema
        target = root["$defs"][reference.rpartition("/")[2]]
        schema = {**target, **{key: value for key, value in schema.items() if key not in ("$ref", "allOf")}}


def step(schema: JsonSchema, part: str | int, root: JsonSchema) -> JsonSchema | None:
    """Return the schema of a key or an element; None where the schema has none."""
    schema = resolve(schema, root)
    for option in schema.get("anyOf", schema.get("oneOf", ())):
        found = step(option, part, root)
        if found is not None:
            return found
    if isinstance(part, str):
        extra = schema.get("additionalProperties")
        found = schema.get("properties", {}).get(part, extra)
        return found if isinstance(found, Mapping) else None
    items = schema.get("prefixItems", ())
    found = items[part] if part < len(items) else schema.get("items")
    return found if isinstance(found, Mapping) else None


def properties(schema: JsonSchema, root: JsonSchema) -> list[str]:
    """Return the keys that a table may have, required ones included, in the order of the schema."""
    schema = resolve(schema, root)
    names = list(schema.get("properties", ()))
    for option in schema.get("anyOf", schema.get("oneOf", ())):
        names += [name for name in properties(option, root) if name not in names]
    return names


def is_duration(schema: JsonSchema, root: JsonSchema) -> bool:
    """Say whether a value is a duration."""
    schema = resolve(schema, root)
    return any(each.get("pattern") == DURATION_PATTERN for each in (schema, *schema.get("anyOf", ())))


def _bounds(schema: JsonSchema) -> str:
    low, high, above, below = (
        _number(schema[bound]) if bound in schema else None
        for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    )
    words = []
    if low is not None and high is not None:
        words.append(f"from {low} to {high}")
    else:
        words += [f"of at least {low}"] * (low is not None) + [f"of at most {high}"] * (high is not None)
    words += [f"above {above}"] * (above is not None) + [f"below {below}"] * (below is not None)
    least, most = (schema.get(f"{end}{what}") for end, what in _length_keys(schema))
    if least is not None and most is not None:
        words.append(f"with {least} to {most} {_units(schema)}")
    else:
        words += [f"with at least {least} {_units(schema)}"] * (least is not None)
        words += [f"with at most {most} {_units(schema)}"] * (most is not None)
    if "pattern" in schema and not schema.get("examples"):
        words.append(f"that matches {schema['pattern']}")
    return " " + " and ".join(words) if words else ""


def _number(value: float) -> str:
    """Return a bound as TOML would write it, without a fraction of zero."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def _length_keys(schema: JsonSchema) -> tuple[tuple[str, str], tuple[str, str]]:
    what = "Items" if schema.get("type") == "array" else "Length"
    return ("min", what), ("max", what)


def _units(schema: JsonSchema) -> str:
    return "elements" if schema.get("type") == "array" else "characters"


def _example(schema: JsonSchema) -> str:
    examples = schema.get("examples")
    return f" such as {show_value(examples[0])}" if examples else ""
