"""``--set path=value``: single keys of a scenario from the command line, addressed by name."""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marketsim.core.errors import Fault, ScenarioError
from marketsim.core.registry import nearest_names
from marketsim.scenario.merge import merge
from marketsim.scenario.tree import Node, Source, Table, Tables, TreeBuilder
from marketsim.scenario.wording import among, dotted, quoted, show_value

SET_OPTION = "--set"
"""The file of a key that came from the command line."""

Overrides = Sequence[str] | Mapping[str, Any]
"""``["exchange.populations.value.count=50"]`` or ``{"exchange.populations.value.count": 50}``."""



def apply_overrides(root: Table, overrides: Overrides, folder: Path) -> list[Fault]:
    """Put ``--set`` options into a tree, in place, in their order; return their faults.

    A path that names nothing in the tree may still name a key with a default: that is for the schema to say.
    """
    faults: list[Fault] = []
    source = Source(SET_OPTION, 0, folder)
    pairs = overrides.items() if isinstance(overrides, Mapping) else map(split_override, overrides)
    for path, value in pairs:
        try:
            parts = split_path(path)
        except ValueError as error:
            faults.append(source.fault("", quoted(path), str(error).removeprefix("expected ")))
            continue
        missing = _missing_table(root, parts)
        if missing is not None:
            faults.append(source.fault(path, *missing))
            continue
        builder = TreeBuilder(SET_OPTION, folder, {})
        overlay = _overlay(root, parts, builder.build(value, (), tuple(parts)), source)
        faults += builder.faults + merge(root, overlay)
    return faults


def split_override(text: str) -> tuple[str, Any]:
    """Return the path and the value of ``path=value``; the value is read as TOML and, where that fails, as text.

    Raises
    ------
    ScenarioError
        There is no ``=``.
    """
    path, equals, value = text.partition("=")
    if not equals:
        example = 'path=value such as "exchange.populations.value.count=50"'
        raise ScenarioError([Fault(SET_OPTION, 0, "", quoted(text), example)])
    path, value = path.strip(), value.strip()
    try:
        data = tomllib.loads(f"value = {value}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return path, value
    # TOML reads 09:30:00 as a time; every time of a scenario is a text.
    is_text = list(data) != ["value"] or isinstance(data["value"], datetime.date | datetime.time)
    return path, value if is_text else data["value"]


def split_path(text: str) -> list[str]:
    """Return the parts of a path; a part with a dot stands in quotes: ``exchange.populations."a.b:C".count``.

    Raises
    ------
    ValueError
        A part is empty; the text begins with ``expected``.
    """
    quotes = re.compile(r'\s*(?:"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^."\']+)\s*')
    parts, position, text = [], 0, text.strip()
    while True:
        match = quotes.match(text, position)
        if match is None:
            break
        part = match[0].strip()
        parts.append(part[1:-1] if part[0] in "\"'" else part)
        position = match.end()
        if position == len(text):
            return parts
        if text[position] != ".":
            break
        position += 1
    raise ValueError("expected a path of keys such as exchange.populations.value.count")


def _missing_table(root: Table, parts: Sequence[str]) -> tuple[str, str] | None:
    """Return what was found and expected where a part names no table of an array."""
    node: Node | None = root
    for position, part in enumerate(parts):
        if isinstance(node, Tables) and part not in node.tables:
            known = {dotted((*parts[:position], name, *parts[position + 1 :])): name for name in node.tables}
            likely = nearest_names(part, node.tables)
            nearest = [path for path, name in known.items() if name in likely] if likely else []
            hint = f"; did you mean {nearest[0]}?" if nearest else ""
            return quoted(part), f"the name of a table{among(node.tables)}{hint}"
        node = node.child(part) if isinstance(node, Table | Tables) else None
    return None


def _overlay(root: Table, parts: Sequence[str], value: Node, source: Source) -> Table:
    """Return a tree that holds one value at a path, with arrays of tables where ``root`` has them."""
    kinds: list[bool] = []
    node: Node | None = root
    for part in parts:
        kinds.append(isinstance(node, Tables))
        node = node.child(part) if isinstance(node, Table | Tables) else None
    for part, in_array in zip(reversed(parts), reversed(kinds), strict=True):
        if in_array and isinstance(value, Table):
            value = Tables({part: value}, source)
        else:
            value = Table({part: value}, source)
    return value if isinstance(value, Table) else Table({}, source)
