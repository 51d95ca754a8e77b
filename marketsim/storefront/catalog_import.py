"""Reads a catalogue from CSV or Parquet, names every faulty row, and says by which rule missing cells were filled."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from marketsim.core.errors import Fault, InputError
from marketsim.storefront.catalog import Catalog
from marketsim.storefront.catalog_cells import Rows, address_name, count, money, tenths
from marketsim.storefront.catalog_images import embedded

REQUIRED: Final = ("product_id", "category", "title", "price")
OPTIONAL: Final = ("description", "rating", "reviews", "quality", "cost", "image")
FILLED: Final = {
    "description": "empty",
    "rating": "the mean of the category's rated products to a tenth, 4.0 stars where none is rated",
    "reviews": "0",
    "quality": "0",
    "cost": "60 % of the price",
    "image": "drawn from category, title and attributes",
}
"""How a column that is not there, or a cell that is empty, is filled."""

ABXLAB: Final = {"product_id": "product_url", "title": "product_name"}
"""Columns of the listings of the ABxLab study's shop that go by other names. An id is the last part of the address."""

DEFAULT_RATING: Final = 40
EXPECTED: Final = "a catalogue as CSV in UTF-8 or Parquet"


def read_catalog(path: Path, columns: Mapping[str, str] | None = None) -> Catalog:
    """Return the products of a file.

    Parameters
    ----------
    path : Path
        CSV in UTF-8 with a head, or Parquet. Columns ``product_id``, ``category``, ``title`` and ``price`` (currency)
        must be there; ``description``, ``rating`` (stars from 1 to 5, or percent of five stars with a percent sign),
        ``reviews``, ``quality``, ``cost`` (currency) and ``image`` (a file beside the catalogue, or SVG text) may be;
        all others are attributes, such as ``brand``.
    columns : mapping of str to str, optional
        Name here to name in the file, where they differ. The head of ABxLab's listings is known: ``ABXLAB``.

    Raises
    ------
    InputError
        The file is missing or unreadable, a column is missing, or rows are faulty; all of them are listed. Rows
        count from 1, of a CSV file with its head.
    """
    cells, first_row = _read_cells(path)
    cells = _renamed(path, cells, columns)
    rows = Rows(path, cells, first_row, FILLED)
    category = rows.texts("category", "the name of a category")
    price = rows.numbers("price", money, "a price above 0 with at most two decimals", lambda value: value > 0)
    rating = rows.numbers("rating", tenths, "stars from 1 to 5", lambda value: 10 <= value <= 50, None, optional=True)
    cost = "a cost of at least 0 with at most two decimals"
    catalog = Catalog(
        product_id=rows.texts("product_id", "a text", unique=True),
        category=category,
        title=rows.texts("title", "a title"),
        description=rows.texts("description"),
        price_minor=np.array(price, np.int64),
        cost_minor=np.array(
            rows.numbers("cost", money, cost, lambda value: value >= 0, [round(0.6 * value) for value in price]),
            np.int64,
        ),
        rating_tenths=np.array(_filled_ratings(category, rating), np.int64),
        reviews=np.array(
            rows.numbers("reviews", count, "a whole number of at least 0", lambda value: 0 <= value < 1 << 40, 0),
            np.int64,
        ),
        quality=np.array(
            rows.numbers("quality", float, "a number from -1000 to 1000", lambda value: -1000 <= value <= 1000, 0.0),
            np.float64,
        ),
        attributes=rows.attributes({*REQUIRED, *OPTIONAL}),
        image=rows.converted("image", lambda text: embedded(text, path.parent)),
        filled=rows.filled(),
    )
    rows.raise_faults()
    return catalog


def _filled_ratings(category: tuple[str, ...], rating: list[Any]) -> list[int]:
    known: dict[str, list[int]] = {}
    for name, value in zip(category, rating, strict=True):
        if value is not None:
            known.setdefault(name, []).append(value)
    means = {name: (2 * sum(values) + len(values)) // (2 * len(values)) for name, values in known.items()}
    pairs = zip(category, rating, strict=True)
    return [means.get(name, DEFAULT_RATING) if value is None else value for name, value in pairs]


def _renamed(path: Path, cells: dict[str, list[str]], columns: Mapping[str, str] | None) -> dict[str, list[str]]:
    """Return the columns by the names that they have here; all that are missing are named at once."""
    is_listing = columns is None and {"product_name", "product_url"} <= set(cells)
    names = ABXLAB if is_listing else dict(columns or {})
    found = f"columns {', '.join(cells)}"
    missing = [Fault(str(path), 1, "", found, f"a column {name}") for name in names.values() if name not in cells]
    here = {there: name for name, there in names.items()}
    renamed = {here.get(name, name): values for name, values in cells.items()}
    for name in REQUIRED:
        if name not in renamed and name not in names:
            missing.append(Fault(str(path), 1, "", found, f"a column {name}"))
    if missing:
        raise InputError(path, 1, missing[0].found, missing[0].expected, missing[1:])
    if is_listing:
        renamed["product_id"] = [address_name(text) for text in renamed["product_id"]]
    return renamed


def _read_cells(path: Path) -> tuple[dict[str, list[str]], int]:
    """Return the columns as text, and the number of the first row of data."""
    import pyarrow as pa
    import pyarrow.parquet

    is_parquet = path.suffix.lower() in (".parquet", ".pq")
    try:
        table = pyarrow.parquet.read_table(path) if is_parquet else _read_csv(path)
    except (OSError, pa.ArrowException) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else " ".join(str(error).split())
        raise InputError(path, 0, "an empty file" if "Empty CSV" in found else found, EXPECTED) from None
    names = [name.strip() for name in table.column_names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(path, 1, f"more than one column {twice[0]}", "each column once")
    if not table.num_rows:
        raise InputError(path, 1, "no products", "one row per product")
    return {name: _texts(table.column(place)) for place, name in enumerate(names)}, 1 if is_parquet else 2


def _read_csv(path: Path) -> Any:
    import pyarrow as pa
    import pyarrow.csv

    content = path.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise InputError(path, content[: error.start].count(b"\n") + 1, "bytes that are not UTF-8", EXPECTED) from None
    ragged: list[Fault] = []

    def note(row: Any) -> str:
        expected = f"{row.expected_columns}, as in the head"
        ragged.append(Fault(str(path), row.number or 0, "", f"{row.actual_columns} cells", expected))
        return "skip"

    parse = pyarrow.csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note)
    read = pyarrow.csv.ReadOptions(use_threads=False)  # with threads, rows have no numbers
    names = pyarrow.csv.open_csv(path, read, parse).schema.names
    ragged.clear()
    convert = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    table = pyarrow.csv.read_csv(path, read, parse, convert)
    if ragged:
        raise InputError(path, ragged[0].line, ragged[0].found, ragged[0].expected, ragged[1:])
    return table


def _texts(column: Any) -> list[str]:
    """Return the cells of a column as text: a missing one empty, a single-precision number as it was written."""
    import pyarrow as pa

    values = column.to_pylist()
    if pa.types.is_float32(column.type):
        values = [None if value is None else np.float32(value) for value in values]
    return ["" if value is None or value != value else str(value).strip() for value in values]
