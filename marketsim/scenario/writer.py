"""Plain data as TOML with one key a line, so that a fault in a resolved scenario has a line of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tomli_w

from marketsim.scenario.wording import quoted


def to_toml(data: Mapping[str, Any]) -> str:
    """Return the TOML text of a table; None and empty tables, which stand for a default, are left out.

    Examples
    --------
    >>> print(to_toml({"seed": 1, "agents": [{"kind": "twap"}]}), end="")
    seed = 1
    <BLANKLINE>
    [[agents]]
    kind = "twap"
    """
    return "\n\n".join(_blocks(data, (), "")) + "\n"


def _blocks(table: Mapping[str, Any], path: tuple[str, ...], header: str) -> Iterator[str]:
    """Yield a table's own keys below its header, then the tables inside it."""
    inside = {key: value for key, value in table.items() if isinstance(value, Mapping) or _is_array_of_tables(value)}
    own = {key: value for key, value in table.items() if key not in inside and value is not None}
    block = "\n".join(part for part in (header, tomli_w.dumps(own).rstrip("\n")) if part)
    if own or header.startswith("[["):
        yield block
    for key, value in inside.items():
        below = (*path, key)
        name = ".".join(part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else quoted(part) for part in below)
        if isinstance(value, Mapping):
            yield from _blocks(value, below, f"[{name}]")
        else:
            for element in value:
                yield from _blocks(element, below, f"[[{name}]]")


def _is_array_of_tables(value: Any) -> bool:
    return isinstance(value, Sequence) and len(value) > 0 and all(isinstance(element, Mapping) for element in value)
