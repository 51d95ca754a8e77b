"""``--set path=value``: single keys of a scenario from the command line, addressed by name."""

from __future__ import annotations

import datetime
import difflib
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from marketsim.core.errors import Fault
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
    for option in overrides.items() if isinstance(overrides, Mapping) else overrides:
        try:
            path, value = split_override(option) if isinstance(option, str) else option
            parts = split_path(path)
        except ValueError as error:
            found = option if isinstance(option, str) else option[0]
            faults.append(source.fault("", quoted(found), str(error).removeprefix("expected ")))
            continue
        wrong = _missing_table(root, parts, value)
        if wrong is not None:
            faults.append(source.fault(path, *wrong))
            continue
        builder = TreeBuilder(SET_OPTION, folder, {})
        overlay = _overlay(root, parts, builder.build(value, (), tuple(parts)), source)
        faults += builder.faults + merge(root, overlay)
    return faults


def split_override(text: str) -> tuple[str, Any]:
    """Return the path and the value of ``path=value``; the value is read as TOML and, where that fails, as text.

    Raises
    ------
    ValueError
        There is no ``=``; the text begins with ``expected``.
    """
    path, equals, value = text.partition("=")
    if not equals:
        raise ValueError('expected path=value such as "exchange.populations.value.count=50"')
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


def _missing_table(root: Table, parts: Sequence[str], value: Any) -> tuple[str, str] | None:
    """Return what was found and expected where a path leads to no table of an array."""
    node: Node | None = root
    for position, part in enumerate(parts):
        if isinstance(node, Tables):
            if part not in node.tables:
                likely = difflib.get_close_matches(part, node.tables, n=1)
                nearest = dotted((*parts[:position], *likely, *parts[position + 1 :]))
                hint = f"; did you mean {nearest}?" if likely else ""
                return quoted(part), f"the name of a table{among(node.tables)}{hint}"
            if position == len(parts) - 1 and not isinstance(value, dict):
                return show_value(value), "a table such as { count = 50 }, or the path of one of its keys"
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
            continue
        value = Table({part: value}, source)
    return value if isinstance(value, Table) else Table({}, source)
