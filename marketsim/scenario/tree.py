"""The tables of a scenario file as a tree that remembers where each key came from.

``tomllib`` gives plain dicts and lists; a scenario is put together from several files and ``--set`` options, and a
fault must point at the line that caused it. So a file becomes a ``Table`` of nodes, each with its ``Source``, and every
table in an array is addressed by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marketsim.core.errors import Fault
from marketsim.scenario.locate import KeyPath
from marketsim.scenario.wording import dotted, quoted

NAME_KEYS = ("name", "kind", "symbol")
"""What names a table in an array: the first of these keys that it has."""


@dataclass(frozen=True)
class Source:
    """Where a key came from."""

    file: str
    """As the user would write it, or ``--set``."""
    line: int
    """From 1; 0 where there is no file."""
    folder: Path
    """What a relative path in the value is relative to."""

    def __str__(self) -> str:
        """Return ``scenarios/x.toml:14`` or ``--set``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    def fault(self, path: str, found: str, expected: str) -> Fault:
        """Return a fault that stands here."""
        return Fault(self.file, self.line, path, found, expected)


@dataclass
class Leaf:
    """A value that is no table: a number, a string, an array of such."""

    value: Any
    source: Source
    elements: Mapping[KeyPath, int] = field(default_factory=dict)
    """Lines of what stands inside an array, by its path from the leaf."""

    def at(self, path: KeyPath) -> Source:
        """Return the source of an element, or of the nearest thing around it."""
        while path and path not in self.elements:
            path = path[:-1]
        if not path:
            return self.source
        return Source(self.source.file, self.elements[path], self.source.folder)


@dataclass
class Table:
    """A table: ``[exchange]`` or ``{ a = 1 }``."""

    keys: dict[str, Node]
    source: Source

    def child(self, part: str | int) -> Node | None:
        """Return what a key holds; None where there is no such key."""
        return self.keys.get(part) if isinstance(part, str) else None


@dataclass
class Tables:
    """An array of tables, by name in the order of the file: ``[[exchange.populations]]``."""

    tables: dict[str, Table]
    source: Source

    def child(self, part: str | int) -> Table | None:
        """Return the table of a name or at a position; None where there is none."""
        name = self.name_at(part) if isinstance(part, int) else part
        return self.tables.get(name)

    def name_at(self, position: int) -> str:
        """Return the name of the table at a position of the array."""
        return list(self.tables)[position]


Node = Leaf | Table | Tables


# ---- From a file --------------------------------------------------------------------------------------------


class TreeBuilder:
    """Turns the data of one file into a tree.

    Parameters
    ----------
    file : str
        The file's name for messages, or ``--set``.
    folder : Path
        What relative paths are relative to.
    lines : mapping of KeyPath to int
        The line of every key, from ``locate``; empty where there is no file.
    """

    def __init__(self, file: str, folder: Path, lines: Mapping[KeyPath, int]) -> None:
        self._file, self._folder, self._lines = file, folder, lines
        self.faults: list[Fault] = []

    def source(self, path: KeyPath) -> Source:
        """Return the line of a key, or of the nearest table around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return Source(self._file, self._lines.get(path, 0), self._folder)

    def build(self, value: Any, path: KeyPath = (), shown: tuple[str, ...] = ()) -> Node:
        """Return the node of a value of ``tomllib``; ``shown`` is its path by names."""
        if isinstance(value, dict):
            keys = {key: self.build(child, (*path, key), (*shown, key)) for key, child in value.items()}
            return Table(keys, self.source(path))
        if is_array_of_tables(value):
            return Tables(self._named(value, path, shown), self.source(path))
        inside = {key[len(path) :]: line for key, line in self._lines.items() if key[: len(path)] == path != key}
        return Leaf(value, self.source(path), inside)

    def _named(self, tables: Sequence[dict[str, Any]], path: KeyPath, shown: tuple[str, ...]) -> dict[str, Table]:
        named: dict[str, Table] = {}
        for position, table in enumerate(tables):
            name, key = table_name(table, position)
            if name in named:
                first = named[name].source
                expected = f"a name of its own (the first stands at {first})"
                source = self.source((*path, position, key))
                self.faults.append(source.fault(dotted((*shown, name, key)), f"a second {quoted(name)}", expected))
                name = f"{name}#{position + 1}"  # it stays, so that its other faults are found too
            node = self.build(table, (*path, position), (*shown, name))
            if isinstance(node, Table):
                named[name] = node
        return named


def is_array_of_tables(value: Any) -> bool:
    """Say whether a value is an array of tables with names; an array of nameless tables is a plain value."""
    return (
        isinstance(value, list)
        and all(isinstance(table, dict) for table in value)
        and any(isinstance(table.get(key), str) for table in value for key in NAME_KEYS)
    )


def table_name(table: Mapping[str, Any], position: int) -> tuple[str, str]:
    """Return the name of a table in an array and the key that gives it: ``name``, else ``kind`` or ``symbol``."""
    for key in NAME_KEYS:
        if isinstance(table.get(key), str) and table[key]:
            return table[key], key
    return f"#{position + 1}", NAME_KEYS[0]


# ---- Back to plain data -------------------------------------------------------------------------------------


def plain(node: Node) -> Any:
    """Return the dicts, lists and values that a tree stands for."""
    if isinstance(node, Table):
        return {key: plain(child) for key, child in node.keys.items()}
    if isinstance(node, Tables):
        return [plain(table) for table in node.tables.values()]
    return node.value


def leaves(node: Node, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Source]]:
    """Yield the path, by names, and the source of every key that holds a value."""
    if isinstance(node, Leaf):
        yield path, node.source
        return
    children = node.keys if isinstance(node, Table) else node.tables
    for key, child in children.items():
        yield from leaves(child, (*path, key))


def trace(node: Node, location: KeyPath) -> tuple[tuple[str, ...], Source, KeyPath]:
    """Follow a location in the plain data as far as the tree goes.

    Returns
    -------
    path : tuple of str
        The same way by names; a number for an element of a plain array.
    source : Source
        Of the last thing found.
    rest : KeyPath
        What the tree does not hold.
    """
    path: tuple[str, ...] = ()
    for position, part in enumerate(location):
        if isinstance(node, Leaf):
            inside = location[position:]
            known = tuple(part for length, part in enumerate(inside) if inside[: length + 1] in node.elements)
            shown = tuple(part if isinstance(part, str) else f"#{part + 1}" for part in known)
            return path + shown, node.at(known), inside[len(known) :]
        found = node.child(part)
        if found is None:
            return path, node.source, location[position:]
        path = (*path, node.name_at(part) if isinstance(node, Tables) and isinstance(part, int) else str(part))
        node = found
    return path, node.source, ()
