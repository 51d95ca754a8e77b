"""Reads a catalogue from CSV or Parquet, names every faulty row, and says by which rule missing columns were filled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

import numpy as np

from marketsim.core.errors import Fault, InputError
from marketsim.storefront.catalog import Catalog

REQUIRED: Final = ("product_id", "category", "title", "price")
OPTIONAL: Final = ("description", "rating", "reviews", "quality", "cost", "image")
FILLED: Final = {
    "description": "empty",
    "rating": "4.0 stars",
    "reviews": "0",
    "quality": "0",
    "cost": "60 % of the price",
    "image": "none",
}
"""How a column that is not there, or a cell that is empty, is filled."""

MAX_PRICE: Final = Decimal(10) ** 9


def read_catalog(path: Path) -> Catalog:
    """Return the products of a file.

    Parameters
    ----------
    path : Path
        CSV with a head, or Parquet. Columns ``product_id``, ``category``, ``title`` and ``price`` (currency) must be
        there; ``description``, ``rating`` (stars, 1 to 5), ``reviews``, ``quality``, ``cost`` (currency) and ``image``
        may be; all others are attributes, such as ``brand``.

    Raises
    ------
    InputError
        The file is missing or unreadable, a column is missing, or rows are faulty; all of them are listed. Rows
        count from 1, of a CSV file with its head.
    """
    columns, first_row = _read_columns(path)
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise InputError(path, 1, f"columns {', '.join(columns)}", f"a column {missing[0]}")
    rows = _Rows(path, columns, first_row)
    price = rows.numbers("price", _money, "a price above 0 with at most two decimals", lambda value: value > 0)
    default_cost = [round(0.6 * value) for value in price]
    catalog = Catalog(
        product_id=rows.texts("product_id", "a text", unique=True),
        category=rows.texts("category", "the name of a category"),
        title=rows.texts("title", "a title"),
        description=rows.texts("description"),
        price_minor=np.array(price, np.int64),
        cost_minor=np.array(
            rows.numbers(
                "cost", _money, "a cost of at least 0 with at most two decimals", lambda value: value >= 0, default_cost
            ),
            np.int64,
        ),
        rating_tenths=np.array(
            rows.numbers("rating", _tenths, "stars from 1 to 5", lambda value: 10 <= value <= 50, 40), np.int64
        ),
        reviews=np.array(
            rows.numbers("reviews", _count, "a whole number of at least 0", lambda value: 0 <= value < 1 << 40, 0),
            np.int64,
        ),
        quality=np.array(
            rows.numbers("quality", float, "a number from -1000 to 1000", lambda value: -1000 <= value <= 1000, 0.0),
            np.float64,
        ),
        attributes=rows.attributes(),
        image=rows.texts("image"),
        filled=rows.filled,
    )
    rows.raise_faults()
    return catalog


def _read_columns(path: Path) -> tuple[dict[str, list[str]], int]:
    """Return the columns as text, and the number of the first row of data."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    try:
        if is_parquet:
            table = pyarrow.parquet.read_table(path)
        else:
            names = pyarrow.csv.open_csv(path).schema.names
            options = pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            )
            parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
            table = pyarrow.csv.read_csv(path, convert_options=options, parse_options=parse)
    except (OSError, pa.ArrowException) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else " ".join(str(error).split())
        raise InputError(path, 0, found, "a catalogue as CSV or Parquet") from None
    columns = {
        name: ["" if value is None else str(value).strip() for value in table.column(name).to_pylist()]
        for name in table.column_names
    }
    if not table.num_rows:
        raise InputError(path, 1, "no products", "one row per product")
    return columns, 1 if is_parquet else 2


class _Rows:
    """The rows of a file, and what is wrong with them."""

    def __init__(self, path: Path, columns: dict[str, list[str]], first_row: int) -> None:
        self._path, self._columns, self._first = path, columns, first_row
        self._n = len(columns["product_id"])
        self._faults: list[Fault] = []
        self.filled: dict[str, str] = {}

    def texts(self, name: str, expected: str = "", *, unique: bool = False) -> tuple[str, ...]:
        """Return a column of texts; where ``expected`` is given none may be empty."""
        values = self._columns.get(name)
        if values is None or (not expected and "" in values):
            self.filled[name] = FILLED[name]
        values = values or [""] * self._n
        seen: dict[str, int] = {}
        for row, value in enumerate(values):
            if expected and not value:
                self._add(row, name, "nothing", expected)
            elif unique and value in seen:
                self._add(row, name, f'"{value}"', f"an id of its own; row {self._first + seen[value]} has this one")
            seen.setdefault(value, row)
        return tuple(values)

    def numbers(
        self,
        name: str,
        read: Callable[[str], Any],
        expected: str,
        is_good: Callable[[Any], bool],
        default: Any = None,
    ) -> list[Any]:
        """Return a column of numbers, each cell read and checked; ``default``: one value, or one per row."""
        values, result = self._columns.get(name, [""] * self._n), []
        for row, text in enumerate(values):
            value = default[row] if isinstance(default, list) else default
            if text or default is None:
                try:
                    value = read(text)
                    good = bool(is_good(value))
                except (ValueError, InvalidOperation, OverflowError):
                    good = False
                if not good:
                    self._add(row, name, f'"{text}"' if text else "nothing", expected)
                    value = 1
            else:
                self.filled[name] = FILLED[name]
            result.append(value)
        return result

    def attributes(self) -> tuple[dict[str, str], ...]:
        """Return all other columns, row by row, without empty cells."""
        names = [name for name in self._columns if name not in REQUIRED and name not in OPTIONAL]
        return tuple(
            {name: self._columns[name][row] for name in names if self._columns[name][row]} for row in range(self._n)
        )

    def raise_faults(self) -> None:
        """Raise all faults that were found, in the order of rows."""
        faults: Sequence[Fault] = sorted(self._faults, key=lambda fault: fault.line)
        if faults:
            first, *more = faults
            raise InputError(self._path, first.line, first.found, first.expected, more)

    def _add(self, row: int, name: str, found: str, expected: str) -> None:
        self._faults.append(Fault(str(self._path), self._first + row, "", f"{name} {found}", expected))


def _money(text: str) -> int:
    value = Decimal(text.removeprefix("$"))
    if not value.is_finite() or abs(value) > MAX_PRICE or value * 100 != int(value * 100):
        raise ValueError(text)
    return int(value * 100)


def _tenths(text: str) -> int:
    return int((Decimal(text) * 10).to_integral_value(rounding="ROUND_HALF_UP"))


def _count(text: str) -> int:
    value = Decimal(text)
    if value != int(value):
        raise ValueError(text)
    return int(value)
