"""Tables of choices from files, with faults located by line: analysis takes tables, never files."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from marketsim.core.errors import Fault, InputError

if TYPE_CHECKING:
    import pandas as pd

_RAGGED: Final = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
MOST: Final = 20
"""Faulty rows that are listed, of a file that may have as many as it has rows."""

_A_TABLE: Final = "a CSV or Parquet file with a row an alternative"


def read_table(path: Path) -> pd.DataFrame:
    """Read a table of choices: CSV (or tab-separated, by its suffix), Parquet, a result file of ACES
    (``analysis.storefront.aces``), or a run directory with a shop.

    Raises
    ------
    InputError
        The file is missing, no run directory, empty, not of its format, or a row has too many cells.
    RunDirectoryError
        The run has no shop, or did not record what was shown.
    """
    if path.joinpath("manifest.json").is_file():
        from marketsim.api import open_run

        return open_run(path).choice_table()
    if path.is_dir():
        raise InputError(path, 0, "a directory", _A_TABLE)
    if not path.exists():
        raise InputError(path, 0, "no such file", _A_TABLE)
    if path.suffix.lower() in (".parquet", ".pq"):
        return _from_elsewhere(path, _read_parquet(path))
    return _from_elsewhere(path, _read_text(path, "\t" if path.suffix.lower() in (".tsv", ".tab") else ","))


def _from_elsewhere(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Return a table as it is, or the choices of a result file of ACES, known by its columns."""
    from marketsim.analysis.storefront.aces import AcesDataError, from_aces, is_aces

    if not is_aces(table):
        return table
    try:
        return from_aces(table)
    except AcesDataError as error:
        faults = [Fault(str(path), line_of(path, one.row), "", one.found, one.expected) for one in error.faults[:MOST]]
        more = len(error.faults) - len(faults)
        first, *others = faults
        others += [Fault(str(path), 0, "", "", f"{more:,} more rows are at fault")] if more else []
        raise InputError(path, first.line, first.found, first.expected, others) from None


def bought(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the choice sets of a run that were not left without buying, and what to say of those that were.

    A table from elsewhere stays as it is.
    """
    from marketsim.analysis.storefront.long_table import OUTCOME, bought_only

    if OUTCOME not in table.columns:
        return table, ""
    kept = bought_only(table)
    n, n_kept = table["choice_set"].nunique(), kept["choice_set"].nunique()
    note = f"left without buying or still open, and left out: {n - n_kept:,} of {n:,} choice sets" if n_kept < n else ""
    return kept, note


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Turn the row of a fault in a table into the line of the file that the table came from."""
    from marketsim.analysis.choice import ChoiceDataError

    try:
        yield
    except ChoiceDataError as error:
        raise InputError(
            path, 0 if error.row is None else line_of(path, error.row), error.found, error.expected
        ) from None


def _read_parquet(path: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table: pd.DataFrame = pq.read_table(path).to_pandas()
        return table
    except pa.ArrowInvalid as error:
        raise InputError(path, 0, f"what is no Parquet file ({error})", _A_TABLE) from None


def _read_text(path: Path, separator: str) -> pd.DataFrame:
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            return pd.read_csv(
                path,
                sep=separator,
                encoding="utf-8-sig",
                index_col=False,
                keep_default_na=False,
                na_values=[""],
                low_memory=False,
            )
    except pd.errors.EmptyDataError:
        raise InputError(path, 0, "an empty file", _A_TABLE) from None
    except pd.errors.ParserWarning:
        raise InputError(path, 2, "more cells than the header has", "a cell for each column") from None
    except pd.errors.ParserError as error:
        ragged = _RAGGED.search(str(error))
        if ragged is None:
            raise InputError(path, 0, f"what is no CSV file ({error})", _A_TABLE) from None
        raise InputError(path, int(ragged[2]), f"{ragged[3]} cells", f"{ragged[1]}, as in the header") from None
    except UnicodeDecodeError:
        raise InputError(path, 0, "bytes that are not UTF-8", "UTF-8 text") from None


def line_of(path: Path, row: int) -> int:
    """Return the line where a row begins: its number in Parquet; in text, quoted line breaks and blank lines count."""
    if path.suffix.lower() in (".parquet", ".pq"):
        return row + 1
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter="\t" if path.suffix.lower() in (".tsv", ".tab") else ",")
        records, first = -1, 1
        for record in reader:
            records += bool(record)
            if records == row + 1:
                return first
            first = reader.line_num + 1
    return 0
