"""A tree becomes a ``Scenario``, or a list of faults that point at what caused them.

Pydantic finds what is wrong; this file says where it stands, what was found and what the schema expects there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from marketsim.core.errors import Fault, InputError, PluginError
from marketsim.core.registry import is_plugin, nearest_names, user_module_file
from marketsim.exchange.tables import TABLES as EXCHANGE_TABLES
from marketsim.llm.tables import TABLES as LLM_TABLES
from marketsim.scenario.kinds import KINDED, Kinded, module_of
from marketsim.scenario.locate import KeyPath
from marketsim.scenario.overrides import SET_OPTION, split_path
from marketsim.scenario.pydantic_errors import LocatedError, located_errors, schema_of
from marketsim.scenario.schema import Scenario
from marketsim.scenario.tree import Source, Table, Tables, leaves, plain, trace
from marketsim.scenario.wording import JsonSchema, dotted, either, properties, quoted, resolve, show_value, step
from marketsim.storefront.tables import TABLES as STOREFRONT_TABLES

TABLES = {**EXCHANGE_TABLES, **STOREFRONT_TABLES, **LLM_TABLES}
"""Every table that an engine writes."""

Model = TypeVar("Model", bound=BaseModel)


class Validation:
    """Validates one tree; ``faults`` collects everything that is wrong with it.

    Parameters
    ----------
    root : Table
        The merged tree.
    default_name : str
        Name of the scenario where it has none.
    faults : list of Fault
        What is wrong with the tree already.
    """

    def __init__(self, root: Table, default_name: str, faults: list[Fault]) -> None:
        self._root, self.faults = root, faults
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
        self._check_catalog(scenario)
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
            known = ", ".join(sorted(kinded.registry.kinds))
            expected = f'a {kinded.registry.what}: {known}, or "module:Class" for one of your own'
            self._add((*location, "kind"), found, expected)
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
        named: list[tuple[KeyPath, Any]] = []
        if isinstance(tables, list):
            named += [(("record", "tables", position), name) for position, name in enumerate(tables)]
        if isinstance(codecs, dict):
            named += [(("record", "table_compression", name), name) for name in codecs]
        for location, name in named:
            if isinstance(name, str) and name not in TABLES:
                self._add(location, quoted(name), f"the name of a table: {either(TABLES)}{nearest_names(name, TABLES)}")

    def _check_catalog(self, scenario: Scenario | None) -> None:
        """Find what the shop and its catalogue disagree on, leaving out keys that have faults of their own."""
        section = self._data.get("storefront")
        if not isinstance(section, dict):
            return
        from marketsim.storefront import checks

        config = scenario.storefront if scenario is not None else checks.sound_part(section)
        if config is None:
            return
        try:
            catalog = checks.load_catalog(config)
            checks.require_vectors(config, catalog)
        except InputError as error:
            self.faults += error.faults
            return
        for path, found, expected in checks.disagreements(config, catalog):
            self._add(("storefront", *path), found, expected)

    # ---- Validation and its errors ----------------------------------------------------------------------------

    def _validate(self, model: type[Model], data: Mapping[str, Any], location: KeyPath) -> Model | None:
        try:
            return model.model_validate(data)
        except ValidationError as error:
            for found in located_errors(error, model):
                self._add_error(found, (*location, *found.location))
            return None

    def _add_error(self, error: LocatedError, location: KeyPath) -> None:
        kind = error.details["type"]
        if kind == "extra_forbidden":
            self._add_unknown_key(location, error)
        elif kind == "value_error" and error.is_of_a_table and isinstance(error.value, BaseModel | Mapping):
            self._add_rule(str(error.details["ctx"]["error"]), location)
        elif kind == "value_error" and error.union is None:
            text = str(error.details["ctx"]["error"])
            says = text.startswith("expected ")
            self._add(location, show_value(error.value) if says else "", text.removeprefix("expected "))
        else:
            self._add(location, "nothing" if kind == "missing" else show_value(error.value), error.expected())

    def _add_unknown_key(self, location: KeyPath, error: LocatedError) -> None:
        names = properties(error.schema, error.root) if error.schema is not None else []
        path, source, _ = trace(self._root, location)
        hint = nearest_names(path[-1], names)
        if source.file == SET_OPTION:  # whose paths a user writes out, so the hint is one too
            likely = [dotted((*path[:-1], name)) for name in names if name in re.findall(r"\w+", hint)]
            known = likely or [dotted(each) for each, origin in leaves(self._root) if origin.file != SET_OPTION]
            hint = nearest_names(dotted(path), known)
        self.faults.append(source.fault(dotted(path), "an unknown key", either(names) + hint))

    def _add_rule(self, text: str, location: KeyPath) -> None:
        """Add what a table's validator says: ``expected ...``, or of one of its keys ``key.below: expected ...``.

        Where there are faults inside the table the rule may only follow from them, so it is left out.
        """
        below = re.match(r"(\S+): expected (.*)", text, re.DOTALL)
        key: KeyPath = (*location, *split_path(below[1])) if below is not None else location
        table = trace(self._root, key[:-1] if below is not None else key)[0]
        if table and any(fault.path.startswith(f"{dotted(table)}.") for fault in self.faults):
            return
        if below is None:
            self._add(location, "", text)
        else:
            value = _value_at(self._root, key)
            found = "nothing" if value is None else show_value(value)
            self._add(key, found, re.sub(r"; found [^;]*$", "", below[2]))

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
            folder = Path.cwd() if source.file == SET_OPTION else source.folder  # as a shell has it
            return Path(os.path.normpath(folder / value))
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


def _value_at(root: Table, location: KeyPath) -> Any:
    value: Any = root
    for part in location:
        value = value.child(part) if isinstance(value, Table | Tables) else None
    return None if value is None else plain(value)


def _relative(file: str) -> str:
    """Return a file as a user in this folder would write it."""
    inside = os.path.isabs(file) and Path(file).is_relative_to(Path.cwd())
    return os.path.relpath(file) if inside else file
