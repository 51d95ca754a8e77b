"""One scenario out of several files: ``extends`` and ``remove``.

The file that extends wins, key by key. Tables in arrays are matched by name, and ``remove = true`` deletes the table
that it stands in.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from marketsim.core.errors import Fault, ScenarioError
from marketsim.core.registry import nearest_names
from marketsim.scenario.document import Document, read_document
from marketsim.scenario.tree import NAME_KEYS, Leaf, Node, Table, Tables, leaves
from marketsim.scenario.wording import among, dotted, quoted, show_value

# ---- extends ------------------------------------------------------------------------------------------------


def read_layers(path: Path) -> list[Document]:
    """Return a scenario file and those it extends, the last base first.

    Raises
    ------
    ScenarioError
        One of them cannot be read, or they extend each other in a circle.
    """
    shown = str(path)
    documents = [read_document(path, shown)]
    chain = {_identity(path): shown}
    while True:
        document = documents[-1]
        node = document.root.keys.pop("extends", None)
        if node is None:
            return documents[::-1]
        base = _base_of(node)
        file = document.path.parent / base
        shown = os.path.normpath(file)
        if _identity(file) in chain:
            names = list(chain.values())
            circle = [*names[list(chain).index(_identity(file)) :], shown]
            expected = f"no circle: {' extends '.join(circle)}"
            raise ScenarioError([node.source.fault("extends", quoted(base), expected)])
        if not file.is_file():
            found = "a directory" if file.is_dir() else "no such file"
            raise ScenarioError([node.source.fault("extends", quoted(base), f"a scenario in TOML; {shown} is {found}")])
        chain[_identity(file)] = shown
        documents.append(read_document(file, shown))


def _base_of(node: Node) -> str:
    if isinstance(node, Leaf) and isinstance(node.value, str) and node.value and "\0" not in node.value:
        return node.value
    found = show_value(node.value) if isinstance(node, Leaf) else "a table"
    raise ScenarioError([node.source.fault("extends", found, 'the path of a scenario such as "base.toml"')])


def _identity(path: Path) -> Path:
    return path.resolve()


# ---- Merging ------------------------------------------------------------------------------------------------


def merge(base: Table, over: Table, path: tuple[str, ...] = ()) -> list[Fault]:
    """Put the keys of ``over`` into ``base``, in place; return what is wrong with its ``remove`` keys."""
    faults: list[Fault] = []
    for key, node in over.keys.items():
        faults += _merge_child(base.keys, key, node, (*path, key))
    return faults


def _merge_child(siblings: dict[str, Any], key: str, node: Node, path: tuple[str, ...]) -> list[Fault]:
    """Merge one node into the table or array that it belongs to."""
    if isinstance(node, Table) and "remove" in node.keys:
        return _remove(siblings, key, node, path)
    existing = siblings.get(key)
    if isinstance(node, Table):
        if not isinstance(existing, Table):
            siblings[key] = existing = Table({}, node.source)
        return merge(existing, node, path)
    if isinstance(node, Tables):
        if not isinstance(existing, Tables):
            siblings[key] = existing = Tables({}, node.source)
        tables = existing.tables
        return [
            fault for name, table in node.tables.items() for fault in _merge_child(tables, name, table, (*path, name))
        ]
    siblings[key] = node
    return []


def _remove(siblings: dict[str, Any], key: str, node: Table, path: tuple[str, ...]) -> list[Fault]:
    """Delete a table, where ``remove = true`` asks for it and says nothing else."""
    remove = node.keys["remove"]
    if not isinstance(remove, Leaf) or remove.value is not True:
        found = show_value(remove.value) if isinstance(remove, Leaf) else "a table"
        return [remove.source.fault(dotted((*path, "remove")), found, "true")]
    others = [name for name in node.keys if name not in (*NAME_KEYS, "remove")]
    if others:
        source = next(iter(leaves(node.keys[others[0]])))[1]
        expected = "only the table's name beside it"
        return [source.fault(dotted((*path, others[0])), "a key beside remove = true", expected)]
    if key not in siblings:
        hint = nearest_names(key, siblings)
        expected = f"the name of a table to remove{among(siblings)}{hint}"
        return [remove.source.fault(dotted(path), quoted(key), expected)]
    del siblings[key]
    return []
