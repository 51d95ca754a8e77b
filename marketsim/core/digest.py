"""The digest of a table and of a run: equal wherever the recorded rows are equal.

A table is cut into blocks of 65,536 rows, whatever its parts on disk. The digest of a block is the SHA-256 of the
digest before it followed by the block's digest columns, one after the other, each little-endian; the first block
follows the SHA-256 of the table's name and columns. The digest of the last block is the table's. The digest of a run is
the SHA-256 over the sorted lines ``table digest``. Neither depends on parts, row groups or compression.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from marketsim.core.tables import Table

BLOCK_ROWS: Final = 65_536

ColumnData = NDArray[Any] | list[str]
"""Values of one column of a block: an array, or strings."""


def column_bytes(values: ColumnData) -> Any:
    """Return a column as it enters the digest: little-endian numbers; strings as their length in bytes and UTF-8."""
    if isinstance(values, list):
        texts = [value.encode() for value in values]
        return b"".join(len(text).to_bytes(8, "little") + text for text in texts)
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return memoryview(little.view(np.uint8).data)


class TableDigest:
    """Chained digests of the blocks of one table.

    Parameters
    ----------
    table : Table
        Its declaration says which columns count.
    blocks : sequence of str, optional
        Digests of the full blocks so far, to go on from.
    """

    def __init__(self, table: Table, blocks: Sequence[str] = ()) -> None:
        self.table, self.blocks = table, list(blocks)
        names = [[column.name, column.type] for column in table.digest_columns]
        text = json.dumps([table.name, names], separators=(",", ":"))
        self._first = hashlib.sha256(text.encode()).hexdigest()

    @property
    def counts(self) -> bool:
        """Whether the table has any column that counts."""
        return bool(self.table.digest_columns)

    def add_block(self, columns: Mapping[str, ColumnData]) -> None:
        """Take one full block: a value of ``columns`` holds ``BLOCK_ROWS`` rows."""
        self.blocks.append(self._after(columns))

    def with_rest(self, columns: Mapping[str, ColumnData]) -> str:
        """Return the digest of the table whose rows after the full blocks are ``columns``; there may be none."""
        rest = self.table.digest_columns and len(columns[self.table.digest_columns[0].name])
        return self._after(columns) if rest else self._last

    @property
    def _last(self) -> str:
        return self.blocks[-1] if self.blocks else self._first

    def _after(self, columns: Mapping[str, ColumnData]) -> str:
        chain = hashlib.sha256(bytes.fromhex(self._last))
        for column in self.table.digest_columns:
            chain.update(column_bytes(columns[column.name]))
        return chain.hexdigest()


def run_digest(digests: Mapping[str, str]) -> str:
    """Return the digest of a run from those of its tables."""
    lines = "".join(f"{table} {digest}\n" for table, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()
