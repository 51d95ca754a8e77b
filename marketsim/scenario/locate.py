"""Lines of every key of a TOML text, so that a fault can be shown where it stands.

``tomllib`` gives the values and forgets where they stood; ``tree-sitter-toml`` gives the positions. A key is
addressed as ``tomllib`` nests it: names for tables, numbers for the elements of arrays.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import tree_sitter
import tree_sitter_toml

KeyPath = tuple[str | int, ...]
"""Where a value stands in the data that ``tomllib`` returns: ``("exchange", "populations", 0, "count")``."""

_KEYS = ("bare_key", "quoted_key", "dotted_key")


def locate(text: str) -> dict[KeyPath, int]:
    """Return the line, from 1, of each key, table and array element of a valid TOML text.

    A table stands at its header, or where a key first mentions it. The document itself, ``()``, is line 1.

    Examples
    --------
    >>> locate("[fees]\\nmaker = 0.1\\nslots = [\\n  1,\\n]\\n")[("fees", "slots", 0)]
    4
    """
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_toml.language()))
    root = parser.parse(text.encode()).root_node
    lines: dict[KeyPath, int] = {(): 1}
    elements: dict[KeyPath, int] = {}
    for node in root.named_children:
        if node.type == "pair":
            _locate_pair(node, (), lines)
        elif node.type in ("table", "table_array_element"):
            _locate_table(node, lines, elements)
    return lines


def _locate_table(node: tree_sitter.Node, lines: dict[KeyPath, int], elements: dict[KeyPath, int]) -> None:
    """Add a ``[table]`` or one element of a ``[[table]]``; ``elements`` counts those seen of each array."""
    header, *body = [child for child in node.named_children if child.type != "comment"]
    path: KeyPath = ()
    keys = list(_key_parts(header))
    for position, key in enumerate(keys):
        path = (*path, key)
        lines.setdefault(path, _line(header))
        if node.type == "table_array_element" and position == len(keys) - 1:
            elements[path] = elements.get(path, 0) + 1
        if path in elements:
            path = (*path, elements[path] - 1)
    lines[path] = _line(header)
    for child in body:
        if child.type == "pair":
            _locate_pair(child, path, lines)


def _locate_pair(node: tree_sitter.Node, table: KeyPath, lines: dict[KeyPath, int]) -> None:
    key, value = [child for child in node.named_children if child.type != "comment"][:2]
    path = table
    for part in _key_parts(key):
        path = (*path, part)
        lines.setdefault(path, _line(key))
    _locate_value(value, path, lines)


def _locate_value(node: tree_sitter.Node, path: KeyPath, lines: dict[KeyPath, int]) -> None:
    if node.type == "inline_table":
        for child in node.named_children:
            if child.type == "pair":
                _locate_pair(child, path, lines)
    elif node.type == "array":
        for index, child in enumerate(child for child in node.named_children if child.type != "comment"):
            lines[(*path, index)] = _line(child)
            _locate_value(child, (*path, index), lines)


def _key_parts(node: tree_sitter.Node) -> Iterator[str]:
    """Yield the names in a key such as ``exchange."my table".count``, quotes and escapes resolved."""
    if node.type == "dotted_key":
        for child in node.named_children:
            if child.type in _KEYS:
                yield from _key_parts(child)
    else:
        yield next(iter(tomllib.loads(f"{(node.text or b'').decode()} = 0")))


def _line(node: tree_sitter.Node) -> int:
    return node.start_point[0] + 1
