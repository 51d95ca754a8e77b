"""What can be wrong with a table of answers."""

from __future__ import annotations

from marketsim.core.errors import MarketSimError


class AnswerDataError(MarketSimError):
    """A table of answers cannot be audited as asked.

    Attributes
    ----------
    row : int or None
        Position in the table, from 0; None where the fault is of the table as a whole. Whoever read the table from a
        file turns it into a line.
    found, expected : str
        What stands there, and what should.
    """

    exit_code = 2

    def __init__(self, row: int | None, found: str, expected: str) -> None:
        self.row, self.found, self.expected = row, found, expected
        place = "" if row is None else f"row {row + 1}: "
        super().__init__(f"{place}found {found}, expected {expected}")
