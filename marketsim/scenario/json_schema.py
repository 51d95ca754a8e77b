"""The JSON Schema of scenario files, with every kind that ships: for editors, and for other programs."""

from __future__ import annotations

import json
from typing import Any

from marketsim.scenario.kinds import KINDED, Kinded
from marketsim.scenario.schema import Scenario

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario as it stands after ``extends``.

    Each element of ``[[exchange.populations]]`` and ``[[agents]]`` is one of the kinds that ship, told apart by
    ``kind``, or a user's own, of which only the shared keys are known.
    """
    schema = {"$schema": DIALECT, **Scenario.model_json_schema()}
    definitions = schema["$defs"]
    for path, kinded in KINDED.items():
        node = schema
        for part in path:
            node = _target(node["properties"][part], definitions)
        array = ".".join(path)
        kinds = sorted(kinded.registry.kinds)
        names = [_add_kind(definitions, f"{array}.{kind}", kinded, kind) for kind in kinds]
        own = f"{array}.module:Class"
        definitions[own] = _own_kind(kinded)
        node["items"] = {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in (*names, own)]}
    schema["properties"]["extends"] = {"type": "string", "description": "A scenario that this one changes, by name."}
    required = {"required": schema.pop("required")}
    return schema | {"if": {"required": ["extends"]}, "else": required}


def _target(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return the table or array that a property holds, None and references looked through."""
    for option in (node, *node.get("anyOf", ())):
        if "$ref" in option:
            found: dict[str, Any] = definitions[option["$ref"].rpartition("/")[2]]
            return found
    return node


def _add_kind(definitions: dict[str, Any], name: str, kinded: Kinded, kind: str) -> str:
    """Add the table of a kind to the definitions; return its name there."""
    schema = kinded.config_of(kind, None).model_json_schema()
    for below, definition in schema.pop("$defs", {}).items():
        if definitions.setdefault(below, definition) != definition:  # two kinds use one name for different tables
            definitions[f"{name}.{below}"] = definition
            text = json.dumps(schema).replace(f'"#/$defs/{below}"', f'"#/$defs/{name}.{below}"')
            schema = json.loads(text)
    description = schema["properties"]["kind"].get("description", "")
    schema["properties"]["kind"] = {"const": kind, "description": description}
    definitions[name] = schema | {"title": kind, "required": _with_kind(schema)}
    return name


def _own_kind(kinded: Kinded) -> dict[str, Any]:
    schema = kinded.base.model_json_schema()
    schema.pop("$defs", None)
    schema["properties"]["kind"] |= {"pattern": ":", "examples": ["my_module:MyClass"]}
    return schema | {"title": "a kind of your own", "additionalProperties": True, "required": _with_kind(schema)}


def _with_kind(schema: dict[str, Any]) -> list[str]:
    return ["kind", *(key for key in schema.get("required", ()) if key != "kind")]
