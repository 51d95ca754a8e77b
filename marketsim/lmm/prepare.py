"""Makes prepared data: from teachers, and from recorded order flow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from marketsim.lmm.conditions import condition_vector
from marketsim.lmm.scale import exact_scale
from marketsim.lmm.shards import SPLITS, Session, write_shards
from marketsim.lmm.teacher import Teacher, teacher_scale


def prepare_teachers(
    folder: Path,
    teachers: Sequence[str],
    n_events: int,
    seed: int = 1,
    books: int = 20,
    volatilities: Sequence[float] = (1.0,),
) -> Path:
    """Write data of teachers, with the chance of every event; eight books of ten are for training, one for each test.

    Parameters
    ----------
    folder : Path
        Where to write.
    teachers : sequence of str
        Some of ``teacher.TEACHERS``.
    n_events : int
        Events in all.
    seed : int
        Of every draw.
    books : int
        Books of each teacher and volatility, at least 10.
    volatilities : sequence of float
        Volatility targets, shared out evenly.

    Returns
    -------
    Path
        The manifest.

    Raises
    ------
    ValueError
        No such teacher, or too few books or events.
    """
    cells = [(name, volatility) for name in teachers for volatility in volatilities]
    length = n_events // (books * max(len(cells), 1))
    if not cells or books < 10 or length < 1000:
        raise ValueError(
            "expected at least one teacher, 10 books of each and 1,000 events a book; "
            f"found {len(cells)}, {books}, {length}"
        )
    scale = teacher_scale(*cells[0])
    if len(cells) > 1:
        sample = [
            Teacher(name, 10, scale, seed + 1_000_003, v).next(20_000).record[..., 0].ravel() for name, v in cells
        ]
        scale = exact_scale(np.concatenate(sample))
    sessions = []
    for number, (name, volatility) in enumerate(cells):
        teacher = Teacher(name, books, scale, seed + 7919 * number, volatility)
        depth, quote = teacher.depth.copy(), teacher.quote.copy()
        flow = teacher.next(length)
        for book in range(books):
            split = SPLITS[0] if book < 0.8 * books else SPLITS[1 + book % 2]
            condition = condition_vector(name, volatility)
            sessions.append(
                Session(split, flow.record[book], depth[book], quote[book], condition, flow.log_chance[book])
            )
    source = {
        "kind": "teacher",
        "teachers": [{"name": name, "volatility": volatility} for name, volatility in cells],
        "seed": seed,
        "books": books,
    }
    return write_shards(folder, sessions, scale, source)
