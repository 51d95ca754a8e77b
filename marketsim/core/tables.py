"""Tables of a run directory as data: columns with types, units and descriptions.

Each package declares its own tables in its ``tables.py``; the writer, the digest, the readers and the reference pages
all follow these declarations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

TYPES: Final = ("int8", "int16", "int32", "int64", "float64", "bool", "string")


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    name : str
        Unit last where the values are integers of a unit: ``price_ticks``.
    type : str
        One of ``TYPES``.
    unit : str
        ``"ns"``, ``"ticks"``, ``"lots"``, ...; ``""`` for what has none.
    description : str
        One sentence without its full stop.
    digest : bool
        Whether the column counts for the table's digest; False for wall clock, provenance, attempts and usage.
    labels : mapping of int to str, optional
        Words for the codes of a coded column.
    """

    name: str
    type: str
    unit: str
    description: str
    digest: bool = True
    labels: Mapping[int, str] | None = None

    def __post_init__(self) -> None:
        """Refuse a type that no digest is defined for."""
        if self.type not in TYPES:
            raise ValueError(f"column {self.name}: found type {self.type}, expected one of {', '.join(TYPES)}")

    def labelled(self) -> str:
        """Return the codes and their words, ``"1 accepted, 2 cancelled"``; empty for a column without codes."""
        return ", ".join(f"{code} {word}" for code, word in (self.labels or {}).items())


@dataclass(frozen=True)
class Table:
    """A table of a run directory.

    Parameters
    ----------
    name : str
        Package and table, ``"exchange/trades"``: also the folder that holds its parts.
    description : str
        One sentence: what a row is.
    columns : tuple of Column
        In the order of the file.
    """

    name: str
    description: str
    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        """Refuse two columns of one name."""
        names = [column.name for column in self.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"table {self.name}: found more than one column {', '.join(twice)}")

    def __getitem__(self, name: str) -> Column:
        """Return a column by name."""
        return next(column for column in self.columns if column.name == name)

    @cached_property
    def digest_columns(self) -> tuple[Column, ...]:
        """The columns that count for the digest, in order."""
        return tuple(column for column in self.columns if column.digest)

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema; units and descriptions are metadata of its fields."""
        import pyarrow as pa

        types = {"bool": pa.bool_(), "float64": pa.float64(), "string": pa.string()}
        fields = [
            pa.field(
                column.name,
                types.get(column.type) or pa.type_for_alias(column.type),
                nullable=False,
                metadata={"unit": column.unit, "description": column.description},
            )
            for column in self.columns
        ]
        return pa.schema(fields, metadata={"table": self.name, "description": self.description})
