"""A tree becomes a ``Scenario``, or a list of faults that point at what caused them.

Pydantic finds what is wrong; this file says where it stands, what was found and what the schema expects there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic_core import ErrorDetails

from marketsim.core.errors import Fault, PluginError
from marketsim.core.registry import is_plugin, nearest_names, user_module_file
from marketsim.core.units import format_duration
from marketsim.exchange.tables import TABLES
from marketsim.scenario.kinds import KINDED, Kinded, module_of
from marketsim.scenario.locate import KeyPath
from marketsim.scenario.overrides import SET_OPTION, split_path
from marketsim.scenario.schema import Scenario
from marketsim.scenario.tree import Source, Table, Tables, leaves, plain, trace
from marketsim.scenario.wording import (
    JsonSchema,
    dotted,
    either,
    expectation,
    is_duration,
    properties,
    quoted,
    resolve,
    show_value,
    step,
)

Model = TypeVar("Model", bound=BaseModel)

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


class _Located(NamedTuple):
    """One of pydantic's errors, without the names of union branches in its location."""

    details: ErrorDetails
    location: KeyPath
    schema: JsonSchema | None
    union: KeyPath | None
    """Where the union stands in which it arose."""


class Validation:
    """Validates one tree; ``faults`` collects everything that is wrong with it.

    Parameters
    ----------
    root : Table
        The merged tree.
    default_name : str
        Name of the scenario where it has none.
    """

    def __init__(self, root: Table, default_name: str) -> None:
        self._root, self.faults = root, list[Fault]()
        self._data: dict[str, Any] = plain(root)
        self._data.setdefault("name", default_name)

    def scenario(self) -> Scenario | None:
        """Return the scenario; None where there are faults."""
        self._data = self._with_absolute_paths(self._data, schema_of(Scenario), (), schema_of(Scenario))
        for path, kinded in KINDED.items():
            self._validate_kinds(path, kinded)
        self._check_instruments()
        self._check_tables()
        scenario = self._validate(Scenario, self._data, ())
        if scenario is not None:
            sources = {dotted(path): str(source) for path, source in leaves(self._root)}
            scenario.__pydantic_private__["_sources"] = sources  # type: ignore[index]
        return scenario if not self.faults else None

    # ---- Tables with kinds ------------------------------------------------------------------------------------

    def _validate_kinds(self, path: tuple[str, ...], kinded: Kinded) -> None:
        """Replace the tables of an array by instances of their kinds' classes; leave out those with faults."""
        parent: Any = self._data
        for part in path[:-1]:
            parent = parent.get(part) if isinstance(parent, dict) else None
        tables = parent.get(path[-1]) if isinstance(parent, dict) else None
        if not isinstance(tables, list):
            return
        found = []
        for position, table in enumerate(tables):
            location: KeyPath = (*path, position)
            if not isinstance(table, dict):
                self._add(location, show_value(table), "a table")
                continue
            config = self._config_class(kinded, location, table)
            if config is not None:
                schema = schema_of(config)
                table = self._with_absolute_paths(table, schema, location, schema)
                found.append(self._validate(config, _with_name(table), location))
        parent[path[-1]] = tuple(instance for instance in found if instance is not None)

    def _config_class(self, kinded: Kinded, location: KeyPath, table: dict[str, Any]) -> type[BaseModel] | None:
        kind = table.get("kind")
        if not isinstance(kind, str):
            found = "nothing" if kind is None else show_value(kind)
            self._add((*location, "kind"), found, f"a {kinded.registry.what}: {either(kinded.registry.kinds)}")
            return None
        try:
            return kinded.config_of(kind, self._folder_of(kind, location))
        except ValueError as error:
            self._add((*location, "kind"), quoted(kind), str(error).removeprefix("expected "))
        except PluginError as error:
            self._add_plugin_fault(error, (*location, "kind"))
        return None

    def _folder_of(self, kind: str, location: KeyPath) -> Path | None:
        """Return the folder of a user's module, and note it; None for a kind that ships or an installed module."""
        if not is_plugin(kind):
            return None
        module = module_of(kind)
        plugins = self._data.setdefault("plugins", {})
        own = trace(self._root, (*location, "kind"))[1].folder
        if not isinstance(plugins, dict):
            return own
        known = plugins.get(module)
        if isinstance(known, Path):
            return known
        if user_module_file(module, own) is not None:
            plugins[module] = own
        return own

    def _add_plugin_fault(self, error: PluginError, location: KeyPath) -> None:
        path, source, _ = trace(self._root, location)
        file = _relative(error.file)
        if error.line:
            message = f"{error.message} (the kind of {dotted(path[:-1])}, {source})"
            self.faults.append(Fault(file, error.line, "", "", message))
        else:
            place = f"{file}: " if os.sep in error.file else ""
            self.faults.append(source.fault(dotted(path), "", f"{place}{error.message}"))

    # ---- Rules between sections -------------------------------------------------------------------------------

    def _check_instruments(self) -> None:
        """Find every table that names an instrument which there is not."""
        exchange = self._root.keys.get("exchange")
        instruments = exchange.child("instruments") if isinstance(exchange, Table) else None
        if not isinstance(instruments, Tables):
            return
        symbols = list(instruments.tables)
        for path in KINDED:
            array: Any = self._root
            for part in path:
                array = array.child(part) if isinstance(array, Table) else None
            for name, table in array.tables.items() if isinstance(array, Tables) else ():
                node = table.keys.get("instrument")
                value = plain(node) if node is not None else ""
                if isinstance(value, str) and value and value not in symbols:
                    expected = f"the symbol of an instrument: {either(symbols)}{nearest_names(value, symbols)}"
                    self._add((*path, name, "instrument"), quoted(value), expected)

    def _check_tables(self) -> None:
        """Find every name of a table to record that no engine writes."""
        record = self._data.get("record")
        if not isinstance(record, dict):
            return
        tables, codecs = record.get("tables"), record.get("table_compression")
        names: list[KeyPath] = [("record", "table_compression", name) for name in codecs or ()]
        named = [(location, location[-1]) for location in names if isinstance(codecs, dict)]
        if isinstance(tables, list):
            named += [(("record", "tables", position), name) for position, name in enumerate(tables)]
        for location, name in named:
            if isinstance(name, str) and name not in TABLES:
                self._add(location, quoted(name), f"the name of a table: {either(TABLES)}{nearest_names(name, TABLES)}")

    # ---- Validation and its errors ----------------------------------------------------------------------------

    def _validate(self, model: type[Model], data: Mapping[str, Any], location: KeyPath) -> Model | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for found in _to_the_point([_locate_error(each, schema_of(model)) for each in error.errors()]):
                self._add_error(found, location, schema_of(model))
            return None

    def _add_error(self, error: _Located, base: KeyPath, root: JsonSchema) -> None:
        location, value = (*base, *error.location), error.details["input"]
        kind, schema = error.details["type"], error.schema
        if kind == "extra_forbidden":
            self._add_unknown_key(location, schema, root)
        elif kind == "value_error" and error.union is None:
            is_table = schema is not None and resolve(schema, root).get("type") == "object"
            self._add_value_error(str(error.details["ctx"]["error"]), location, value, is_table)
        elif schema is None:
            self._add(location, show_value(value), _lower(error.details["msg"]))
        else:
            found = "nothing" if kind == "missing" else show_value(value)
            self._add(location, found, expectation(schema, root) + _bound(error, root))

    def _add_unknown_key(self, location: KeyPath, parent: JsonSchema | None, root: JsonSchema) -> None:
        names = properties(parent, root) if parent is not None else []
        path, source, _ = trace(self._root, location)
        hint = nearest_names(path[-1], names)
        if source.file == SET_OPTION:  # whose paths a user writes out, so the hint is one too
            likely = [dotted((*path[:-1], name)) for name in names if name in re.findall(r"\w+", hint)]
            known = likely or [dotted(each) for each, origin in leaves(self._root) if origin.file != SET_OPTION]
            hint = nearest_names(dotted(path), known)
        self.faults.append(source.fault(dotted(path), "an unknown key", either(names) + hint))

    def _add_value_error(self, text: str, location: KeyPath, value: Any, is_table: bool) -> None:
        """Add what a validator says: ``expected ...``, or of a table ``key.below: expected ...``."""
        below = re.match(r"(\S+): (expected .*)", text, re.DOTALL) if is_table else None
        if below is not None:
            location, text = (*location, *split_path(below[1])), below[2]
            value, is_table = _value_at(self._root, location), False
        if is_table or not text.startswith("expected "):
            self._add(location, "", text)
        else:
            expected = re.sub(r"; found [^;]*$", "", text.removeprefix("expected "))
            self._add(location, "nothing" if value is None else show_value(value), expected)

    def _add(self, location: KeyPath, found: str, expected: str) -> None:
        path, source, rest = trace(self._root, location)
        shown = (*path, *(part if isinstance(part, str) else f"#{part + 1}" for part in rest))
        self.faults.append(source.fault(dotted(shown), found, expected))

    # ---- Paths --------------------------------------------------------------------------------------------

    def _with_absolute_paths(self, value: Any, schema: JsonSchema, location: KeyPath, root: JsonSchema) -> Any:
        """Return a value with its relative paths made absolute, each from the folder of the file it stands in."""
        if isinstance(value, dict):
            children = ((key, child, step(schema, key, root)) for key, child in value.items())
            return {
                key: child if below is None else self._with_absolute_paths(child, below, (*location, key), root)
                for key, child, below in children
            }
        if isinstance(value, list):
            below = [step(schema, index, root) for index in range(len(value))]
            return [
                child if each is None else self._with_absolute_paths(child, each, (*location, index), root)
                for index, (child, each) in enumerate(zip(value, below, strict=True))
            ]
        if isinstance(value, str) and value and "\0" not in value and _wants_path(value, schema, root):
            source: Source = trace(self._root, location)[1]
            return Path(os.path.normpath(source.folder / value))
        return value


def _wants_path(value: str, schema: JsonSchema, root: JsonSchema) -> bool:
    """Say whether a string is a path: the schema says so, and it is none of the words that may stand there instead."""
    options = [resolve(option, root) for option in (schema, *schema.get("anyOf", ()))]
    words = [word for option in options for word in option.get("enum", [option.get("const")])]
    return value not in words and any(str(option.get("format", "")).endswith("path") for option in options)


def _with_name(table: dict[str, Any]) -> dict[str, Any]:
    """Write out the default name of a table, its kind, unless that cannot be a name."""
    kind = table["kind"]
    if table.get("name") or "." in kind or len(kind) > 64 or re.search(r"\s", kind):
        return table
    return {**table, "name": kind}


def _locate_error(details: ErrorDetails, root: JsonSchema) -> _Located:
    """Drop the names of union branches from an error's location: what the schema does not know there."""
    schema: JsonSchema | None = root
    location: list[str | int] = []
    union: KeyPath | None = None
    parts = details["loc"]
    for position, part in enumerate(parts):
        below = step(schema, part, root) if schema is not None else None
        if below is None and details["type"] == "extra_forbidden" and position == len(parts) - 1:
            location.append(part)  # the schema stays that of the table, which knows the right keys
        elif below is None and schema is not None and schema.get("anyOf"):
            union = tuple(location) if union is None else union
        else:
            location.append(part)
            schema = below
    return _Located(details, tuple(location), schema, union)


def _to_the_point(errors: list[_Located]) -> Iterator[_Located]:
    """Leave out what follows from faults further inside.

    These are what the other branches of a union say, where one branch got further into the value, and the length of an
    array of which some elements were refused.
    """
    seen: set[KeyPath] = set()
    for error in errors:
        if error.location == error.union or error.details["type"] in ("too_short", "too_long"):
            length = len(error.location)
            deeper = any(other.location[:length] == error.location != other.location for other in errors)
            if deeper or error.location in seen:
                continue
            seen.add(error.location)
        yield error


def _bound(error: _Located, root: JsonSchema) -> str:
    """Return a bound that the schema cannot say: that of a duration or of a decimal."""
    key, words = _BOUND_ERRORS.get(error.details["type"], ("", ""))
    if not key or error.schema is None or resolve(error.schema, root).get("type") in ("integer", "number"):
        return ""
    bound = error.details["ctx"][key]
    return f", {words} {quoted(format_duration(bound)) if is_duration(error.schema, root) else bound}"


def _value_at(root: Table, location: KeyPath) -> Any:
    value: Any = root
    for part in location:
        value = value.child(part) if isinstance(value, Table | Tables) else None
    return None if value is None else plain(value)


def _relative(file: str) -> str:
    """Return a file as a user in this folder would write it."""
    inside = os.path.isabs(file) and Path(file).is_relative_to(Path.cwd())
    return os.path.relpath(file) if inside else file


def _lower(message: str) -> str:
    return message[:1].lower() + message[1:]
