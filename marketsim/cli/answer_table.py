"""Tables of answers from files, read in chunks and kept as codes; faults located by line."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from marketsim.cli.choice_table import line_of
from marketsim.core.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

    from marketsim.analysis.bias.table import AnswerTable, Factor

_A_TABLE: Final = "a CSV or Parquet file with a row an answer"
_BLOCK: Final = 1 << 24
_MISSING: Final = ("", "nan", "NaN", "None", "null", "NULL", "NA")


@dataclass(frozen=True)
class Wanted:
    """Columns of a table of answers, by what they mean.

    Attributes
    ----------
    answers : tuple of str
        Column of the answers; where there are several, a row is a call and they are its answers in order.
    factors : tuple of str
        Groups, stated probabilities and whatever else is read as words.
    call, order : str or None
    valid : tuple of str, str, or None
        Column and the word that valid answers have there.
    invalid : tuple of str
        Words that are no answer.
    """

    answers: tuple[str, ...]
    factors: tuple[str, ...] = ()
    call: str | None = None
    order: str | None = None
    valid: tuple[str, str] | None = None
    invalid: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Every column that is read."""
        more = [name for name in (self.call, self.order, self.valid and self.valid[0]) if name]
        return list(dict.fromkeys([*self.answers, *self.factors, *more]))


def column_names(path: Path) -> list[str]:
    """Return the names of a file's columns.

    Raises
    ------
    InputError
        The file is missing, a directory, empty, or not of its format.
    """
    if path.is_dir():
        raise InputError(path, 0, "a directory", _A_TABLE)
    if not path.exists():
        raise InputError(path, 0, "no such file", _A_TABLE)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if _is_parquet(path):
            return list(pq.read_schema(path).names)
        with _open_text(path, None) as reader:
            return list(reader.schema.names)
    except pa.ArrowInvalid as error:
        found = "an empty file" if path.stat().st_size == 0 else f"what cannot be read ({_first_line(error)})"
        raise InputError(path, 0, found, _A_TABLE) from None


def require_columns(path: Path, names: Sequence[str], present: Sequence[str]) -> None:
    """Raise InputError for the first column that the file lacks, with the nearest name."""
    from marketsim.analysis.choice.errors import nearest_name

    for name in names:
        if name not in present:
            hint = nearest_name(name, present)
            raise InputError(path, 1, f"no column {name}", f"one of {', '.join(present)}{hint}")


def read_answers(path: Path, wanted: Wanted) -> AnswerTable:
    """Read a table of answers chunk by chunk.

    Memory holds a few bytes a row: words become codes, calls become 64-bit hashes.

    Raises
    ------
    InputError
        A column is missing, a row has too many cells, or an order is no number and no time.
    """
    import pyarrow as pa

    require_columns(path, wanted.names, column_names(path))
    columns = _Columns(wanted)
    try:
        for batch in _batches(path, wanted.names):
            columns.add(batch)
    except pa.ArrowInvalid as error:
        raise InputError(path, 0, f"what cannot be read ({_first_line(error)})", _A_TABLE) from None
    except _NoOrder as error:
        raise InputError(path, line_of(path, error.row), error.found, "a number or a time to order by") from None
    return columns.table()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def located(path: Path) -> Iterator[None]:
    """Turn the row of a fault in a table of answers into the line of the file that it came from."""
    from marketsim.analysis.bias import AnswerDataError

    try:
        yield
    except AnswerDataError as error:
        line = 0 if error.row is None else line_of(path, error.row)
        raise InputError(path, line, error.found, error.expected) from None


# ---- Chunks -------------------------------------------------------------------------------------------------


class _NoOrder(Exception):
    def __init__(self, row: int, found: str) -> None:
        self.row, self.found = row, found


@dataclass
class _Words:
    """A column of words that grows: codes of each chunk, and the place of each word."""

    places: dict[str, int] = field(default_factory=dict)
    codes: list[Any] = field(default_factory=list)

    def add(self, column: pa.Array, valid: Any = None, missing: Sequence[str] = ("",)) -> None:
        import pyarrow.compute as pc

        coded = pc.dictionary_encode(column)
        words = coded.dictionary.to_pylist()
        place = [
            -1 if word is None or word in missing else self.places.setdefault(word, len(self.places)) for word in words
        ]
        index = coded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
        code = np.array([*place, -1], np.int32)[index]
        self.codes.append(code if valid is None else np.where(valid, code, np.int32(-1)).astype(np.int32))

    def factor(self) -> Factor:
        """Return the whole column."""
        from marketsim.analysis.bias.table import Factor

        return Factor(_joined(self.codes, np.int32), tuple(self.places))


@dataclass
class _Columns:
    """All columns of the table, chunk after chunk."""

    wanted: Wanted
    answer: _Words = field(default_factory=_Words)
    factors: dict[str, _Words] = field(default_factory=dict)
    calls: list[Any] = field(default_factory=list)
    orders: list[Any] = field(default_factory=list)
    n: int = 0

    def add(self, batch: pa.RecordBatch) -> None:
        wanted = self.wanted
        column = {name: _as_words(batch.column(name)) for name in wanted.names}
        valid = None
        if wanted.valid is not None:
            import pyarrow.compute as pc

            matches = pc.equal(column[wanted.valid[0]], wanted.valid[1])
            valid = matches.fill_null(False).to_numpy(zero_copy_only=False)
        for name in wanted.answers:
            self.answer.add(column[name], valid, (*_MISSING, *wanted.invalid))
        for name in wanted.factors:
            self.factors.setdefault(name, _Words()).add(column[name])
        if wanted.call is not None:
            self.calls.append(_hashed(column[wanted.call]))
        if wanted.order is not None:
            self.orders.append(_ordered(column[wanted.order], self.n))
        self.n += batch.num_rows

    def table(self) -> AnswerTable:
        from marketsim.analysis.bias.table import AnswerTable

        factors = {name: self.factors.get(name, _Words()).factor() for name in self.wanted.factors}
        if len(self.wanted.answers) > 1:
            return self._wide_table(factors)
        call = None if self.wanted.call is None else _joined(self.calls, np.int64)
        order = None if self.wanted.order is None else _joined(self.orders, np.float64)
        return AnswerTable(self.answer.factor(), factors, call, order)

    def _wide_table(self, factors: dict[str, Factor]) -> AnswerTable:
        """Turn rows of several answers into rows of one: a row of the file is a call."""
        from marketsim.analysis.bias.table import AnswerTable, Factor

        k = len(self.wanted.answers)
        parts = [self.answer.codes[place::k] for place in range(k)]
        code = np.stack([np.concatenate(part) if part else np.zeros(0, np.int32) for part in parts], axis=1).ravel()
        tall = {name: Factor(np.repeat(factor.code, k), factor.levels) for name, factor in factors.items()}
        call, order = np.repeat(np.arange(self.n), k), np.tile(np.arange(k, dtype=np.float64), self.n)
        return AnswerTable(Factor(code, tuple(self.answer.places)), tall, call, order)


def _joined(parts: list[Any], kind: Any) -> Any:
    """Join chunks and let them go."""
    joined = np.concatenate(parts) if parts else np.zeros(0, kind)
    parts.clear()
    return joined


def _as_words(column: pa.Array) -> pa.Array:
    """Return a column as text; whole floats as integers, so that 1.0 of a Parquet file is 1."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_boolean(column.type):
        return pc.if_else(column, "true", "false")
    if pa.types.is_floating(column.type):
        whole = pc.all(pc.equal(pc.floor(column), column)).as_py()
        column = pc.cast(column, pa.int64()) if whole else column
    return pc.cast(column, pa.string())


def _hashed(column: pa.Array) -> Any:
    """Identity of each call: a 64-bit hash of its name, equal in all chunks."""
    from pandas.util import hash_array

    words = column.fill_null("").to_numpy(zero_copy_only=False)
    return hash_array(words.astype(object), categorize=False).view(np.int64)


def _ordered(column: pa.Array, first_row: int) -> Any:
    """Numbers that sort as the column does: float64, times in nanoseconds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for kinds in ((pa.float64(),), (pa.timestamp("ns"), pa.int64(), pa.float64())):
        try:
            values = column
            for kind in kinds:
                values = pc.cast(values, kind, safe=False)
        except pa.ArrowInvalid:
            continue
        if values.null_count:
            row = int(np.flatnonzero(values.is_null().to_numpy(zero_copy_only=False))[0])
            raise _NoOrder(first_row + row, "an empty cell")
        return values.to_numpy(zero_copy_only=False)
    for row, word in enumerate(column.to_pylist()):
        if not _is_number(word):
            raise _NoOrder(first_row + row, word or "an empty cell")
    raise _NoOrder(first_row, "numbers and times in one column")


def _is_number(word: str | None) -> bool:
    try:
        float(word or "")
    except ValueError:
        return False
    return True


def _batches(path: Path, names: list[str]) -> Iterator[pa.RecordBatch]:
    import pyarrow.parquet as pq

    if _is_parquet(path):
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(1 << 18, columns=names)
        return
    with _open_text(path, names) as reader:
        yield from reader


def _open_text(path: Path, names: list[str] | None) -> Any:
    """Open a CSV or tab-separated file as a stream of batches of text; quoted cells may hold line breaks."""
    import pyarrow as pa
    from pyarrow import csv

    separator = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
    convert = csv.ConvertOptions(
        include_columns=names, column_types=dict.fromkeys(names or [], pa.string()), strings_can_be_null=False
    )
    parse = csv.ParseOptions(delimiter=separator, newlines_in_values=True)
    return csv.open_csv(path, csv.ReadOptions(block_size=_BLOCK), parse, convert)


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
