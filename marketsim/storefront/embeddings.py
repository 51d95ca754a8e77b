"""Vectors of products and of searches, by which a search finds what means the same in other words.

They come from a file of one's own, made by any model, or from any object that turns texts into vectors; marketsim ships
no such model.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from marketsim.core.errors import Fault, InputError
from marketsim.storefront.catalog import Catalog

FloatArray = NDArray[np.float64]


class Embedder(Protocol):
    """What turns texts into vectors."""

    def embed(self, texts: Sequence[str]) -> Any:
        """Return one vector per text: an array [len(texts), d] with the same d at every call."""


class Embeddings:
    """The vectors of a catalogue's products, and a way to those of searches.

    Parameters
    ----------
    products : array, shape (n, d)
        One vector per product, in the order of the catalogue; none is zero.
    embedder : Embedder
        Gives the vector of a search.

    Raises
    ------
    ValueError
        A vector is zero or has a number that is not finite.
    """

    def __init__(self, products: Any, embedder: Embedder) -> None:
        self._products, self._embedder = _units(products), embedder

    def similarity(self, query: str) -> FloatArray:
        """Return the cosine of a search's vector with that of every product, float64[n].

        Raises
        ------
        ValueError
            The vector of the search is zero, not finite, or of another length.
        KeyError
            A file has no vector for this search.
        """
        vector = _units(self._embedder.embed([query]))
        if vector.shape != (1, self._products.shape[1]):
            raise ValueError(f"expected a vector of {self._products.shape[1]} numbers; found shape {vector.shape}")
        return np.asarray(self._products @ vector[0], np.float64)

    @classmethod
    def of_catalog(cls, catalog: Catalog, embedder: Embedder) -> Embeddings:
        """Embed titles, categories and descriptions of a catalogue, and searches later, by one model."""
        texts = [
            f"{title}. {category}. {description}".strip()
            for title, category, description in zip(catalog.title, catalog.category, catalog.description, strict=True)
        ]
        return cls(embedder.embed(texts), embedder)

    @classmethod
    def load(cls, path: str | Path, catalog: Catalog, queries: Sequence[str]) -> Embeddings:
        """Read vectors from a file.

        Parameters
        ----------
        path : path
            Parquet or CSV: a column ``key``, which holds ids of products and texts of searches, and one column for each
            number of the vectors, all of the same length.
        catalog : Catalog
            Each of its products must be there.
        queries : sequence of str
            Each of these too.

        Raises
        ------
        InputError
            The file cannot be read, or rows of it are missing or faulty; all of them are listed.
        """
        file = Path(path)
        vectors = _read(file)
        wanted = [("product", name) for name in catalog.product_id] + [("search", text) for text in queries]
        missing = [
            Fault(str(file), 0, "", f"no key {text}", f"a vector for this {what}")
            for what, text in wanted
            if text not in vectors
        ]
        if missing:
            raise InputError(file, 0, missing[0].found, missing[0].expected, missing[1:])
        return cls(np.stack([vectors[name] for name in catalog.product_id]), _FromFile(vectors))


class _FromFile:
    """The vectors of a file, as an ``Embedder`` of the texts that are in it."""

    def __init__(self, vectors: dict[str, FloatArray]) -> None:
        self._vectors = vectors

    def embed(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([self._vectors[text] for text in texts])


def _units(vectors: Any) -> FloatArray:
    """Return vectors of length 1."""
    values = np.asarray(vectors, np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", values, values)) if values.ndim == 2 else np.zeros(1)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise ValueError(f"expected finite vectors that are not zero, an array [n, d]; found shape {values.shape}")
    return np.asarray(values / lengths[:, None], np.float64)


def _read(file: Path) -> dict[str, FloatArray]:
    import pandas as pd

    expected = "vectors as CSV or Parquet, with a column key and one for each number"
    try:
        is_parquet = file.suffix.lower() in (".parquet", ".pq")
        table = pd.read_parquet(file) if is_parquet else pd.read_csv(file, dtype={"key": str}, keep_default_na=False)
    except (OSError, ValueError) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else " ".join(str(error).split())
        raise InputError(file, 0, found, expected) from None
    if "key" not in table.columns or len(table.columns) < 2:
        raise InputError(file, 1, f"columns {', '.join(map(str, table.columns))}", expected)
    first_row, key = 1 if is_parquet else 2, table["key"].astype(str)
    numbers = table.drop(columns="key").apply(pd.to_numeric, errors="coerce").to_numpy(np.float64)
    faults = [
        Fault(
            str(file), first_row + int(row), "", f"a vector of {key.iloc[row]}", "finite numbers that are not all zero"
        )
        for row in np.flatnonzero(~np.isfinite(numbers).all(axis=1) | ~numbers.any(axis=1))
    ]
    faults += [
        Fault(str(file), first_row + int(row), "", f"key {key.iloc[row]} again", "each key once")
        for row in np.flatnonzero(key.duplicated())
    ]
    if faults:
        faults.sort(key=lambda fault: fault.line)
        raise InputError(file, faults[0].line, faults[0].found, faults[0].expected, faults[1:])
    return dict(zip(key, numbers, strict=True))
