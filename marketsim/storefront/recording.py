"""Tables made of what the kernel wrote: batches that own their memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from marketsim.core.tables import Table
from marketsim.storefront import tables
from marketsim.storefront.catalog import Catalog

_DTYPES = {"int8": np.int8, "int16": np.int16, "int32": np.int32, "int64": np.int64, "float64": np.float64}


def batch_of(table: Table, columns: Sequence[Any]) -> pa.RecordBatch:
    """Return columns, copied to the types that a table declares, as a batch."""
    arrays = [
        pa.array(values, pa.string())
        if column.type == "string"
        else pa.array(np.array(values, dtype=_DTYPES[column.type], copy=True))
        for column, values in zip(table.columns, columns, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=table.schema)


def listings_batch(catalog: Catalog, categories: Sequence[str]) -> pa.RecordBatch:
    """Return the catalogue as a batch; products of categories that are not sold have category -1."""
    number = {name: place for place, name in enumerate(categories)}
    columns = (
        np.arange(len(catalog)),
        list(catalog.product_id),
        [number.get(name, -1) for name in catalog.category],
        list(catalog.title),
        catalog.price_minor,
        catalog.cost_minor,
        catalog.rating_tenths,
        catalog.reviews,
        catalog.quality,
    )
    return batch_of(tables.LISTINGS, columns)
