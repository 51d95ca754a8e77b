"""What can be wrong with choice data, or with the model asked for.

MarketSimError
├── ChoiceDataError           2   a row of the table: where, what was found, what was expected
├── SpecificationError        2   the formula, or a column that it names
│   ├── CollinearityError     2   columns that the choices cannot tell apart
│   └── SeparationError       2   columns that decide every choice, so that their effect is infinite
└── ConvergenceError          1   Newton's method found no maximum
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from marketsim.core.errors import MarketSimError


class ChoiceDataError(MarketSimError):
    """A row of a table of choices cannot be used.

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


class SpecificationError(MarketSimError):
    """The formula cannot be read, or names what is not there."""

    exit_code = 2


class CollinearityError(SpecificationError):
    """Some columns cannot be told apart; ``columns`` names them, one tuple for each dependency."""

    def __init__(self, columns: Iterable[Sequence[str]], reasons: Iterable[str]) -> None:
        self.columns = tuple(tuple(names) for names in columns)
        super().__init__("; ".join(reasons))


class SeparationError(SpecificationError):
    """Some columns decide choices without exception, so that no finite estimate exists; ``columns`` names them."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        what = columns[0] if len(columns) == 1 else "a combination of " + ", ".join(columns)
        super().__init__(
            f"{what} separates the choices: whenever it differs between the alternatives of a choice set, it points to "
            "the chosen one, so that its effect has no finite estimate; leave it out, or gather more data"
        )


class ConvergenceError(MarketSimError):
    """Newton's method found no maximum of the likelihood, and no separation explains it."""


def nearest_name(name: str, names: Iterable[str]) -> str:
    """Return ``"; did you mean price?"`` where some name is near, an empty string otherwise."""
    near = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {near[0]}?" if near else ""
