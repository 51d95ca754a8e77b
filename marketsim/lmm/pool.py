"""Books in lock step, played on by a trained model on the Numba backend; no PyTorch.

After an event only the time to the next one is drawn, and waits; kind, price and size are drawn when it is due, on the
book as it is then. Draws are addressed by seed, book and event, so a book alone draws what it draws in a pool, and a
longer rollout begins with the shorter.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from marketsim.core import rng
from marketsim.core.jit import errstate
from marketsim.lmm.checkpoint import Checkpoint
from marketsim.lmm.events import N_FEATURES, N_GAPS, N_KINDS, N_PRICES, N_SIZES
from marketsim.lmm.kernel import network
from marketsim.lmm.sizes import Shape
from marketsim.lmm.weights import weights_from

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


class State(NamedTuple):
    """A pool of books and what the model remembers of them."""

    depth: IntArray  # int64[book, side, ring]
    quote: IntArray  # int64[book, N_QUOTES]
    book_id: IntArray  # int64[book]; with the key and the event's number, the address of every draw
    counters: npt.NDArray[np.uint64]  # uint64[book, N_COUNTERS]
    n_drawn: IntArray  # int64[1]; events of the model so far
    redraws: IntArray  # int64[1]; times that were drawn anew since its last event
    position: IntArray  # int64[1]; events in the context so far
    record: IntArray  # int64[book, field]; the last event
    token: IntArray  # int64[book, field]; the same as tokens
    feature: FloatArray  # float32[book, N_FEATURES]; the book after it
    condition: FloatArray  # float32[book, width]; the embedded conditions
    next_gap: IntArray  # int64[book]; token of the time to the next event
    next_ns: IntArray  # int64[book]; the time itself
    hidden: FloatArray  # float32[book, width]; the decoder's state after the last event
    keys: FloatArray  # float32[layer, book, key head, head width, window]: a ring, by columns
    values: FloatArray  # float32[layer, book, key head, window, head width]


class Work(NamedTuple):
    """Room for what a step computes, so that no kernel allocates."""

    x: FloatArray  # float32[book, width]
    normed: FloatArray  # float32[book, width]
    qkv: FloatArray  # float32[book, heads + 2 key heads, head width]
    attended: FloatArray  # float32[book, heads, head width]
    score: FloatArray  # float32[heads per key head, window]
    gate_up: FloatArray  # float32[book, 2 * feed]
    gated: FloatArray  # float32[book, feed]
    scaled: FloatArray  # float32[book, N_FEATURES]
    own: FloatArray  # float32[book, width + N_FEATURES]
    inner: FloatArray  # float32[book, hidden]
    choice: IntArray  # int64[book]
    gap_logits: FloatArray  # float32[book, value], as the three below
    kind_logits: FloatArray
    price_logits: FloatArray
    size_logits: FloatArray
    rotary: FloatArray  # float32[2, head width / 2]


class Pool:
    """Books played on by a model.

    Parameters
    ----------
    model : Checkpoint
        From ``load_checkpoint``.
    depth, quote : int64 arrays, shapes (books, 2, ring) and (books, N_QUOTES)
        The books to begin with; they are copied.
    condition : float array, shape (books, N_CONDITIONS)
        Conditions of each book.
    seed : int
        Of every draw.
    book_id : int64 array, shape (books,), optional
        Whose draws each book makes; default: its place.

    Notes
    -----
    ``watch`` must show it at least one event before ``advance``.
    """

    def __init__(
        self, model: Checkpoint, depth: Any, quote: Any, condition: Any, seed: int, book_id: Any = None
    ) -> None:
        self.model, self.n_books = model, len(quote)
        self._weights = weights_from(model.arrays, model.shape)
        key = rng.stream_key(seed, 0, "lmm", "pool", "events")
        rows = self._rows()
        self.state = _state(model.shape, rows, self.n_books, depth, quote, key, book_id)
        embedding = np.asarray(model.arrays["condition_embedding.weight"], np.float32)
        for book, row in enumerate(np.asarray(condition, np.float32)):
            self.state.condition[book] = _embedded(embedding, row)
        self.work = _work(model.shape, rows)

    def _rows(self) -> int:
        """Rows of every array: as many as books, in any order and number."""
        return self.n_books

    def watch(self, record: IntArray) -> None:
        """Show given events, int64[book, event, field]: they happen in the books and enter the context.

        The time that was drawn for the next event is dropped and drawn anew from the state after them.
        """
        record = _padded(record, len(self.state.quote))
        for event in range(record.shape[1]):
            self.state.record[:] = record[:, event]
            with errstate():
                network.name(self.state, self.model.scale)
                network.carry_out(self.state, self.model.scale)
                self._decode()
        self.state.redraws[0] += 1
        self._foresee()

    def advance(self, n_events: int) -> IntArray:
        """Play every book on; return what happened, int64[book, event, field]."""
        record = np.empty((len(self.state.quote), n_events, 4), np.int64)
        with errstate():
            self._roll(record)
        return record[: self.n_books]

    # ---- What the backend does ----------------------------------------------------------------------------------

    def _decode(self) -> None:
        network.decode(self._weights, self.state, self.work)

    def _foresee(self) -> None:
        with errstate():
            network.foresee(self._weights, self.state, self.work, self.model.scale)

    def _roll(self, record: IntArray) -> None:
        network.roll(self._weights, self.state, self.work, self.model.scale, record)


def _embedded(embedding: FloatArray, condition: FloatArray) -> FloatArray:
    """Return the embedding of one book's conditions, summed in one fixed order."""
    out = np.zeros(len(embedding), np.float32)
    for column, value in enumerate(condition):
        out = out + embedding[:, column] * np.float32(value)
    return out


def _state(shape: Shape, rows: int, n_books: int, depth: Any, quote: Any, key: Any, book_id: Any) -> State:
    def zeros(*size: int) -> FloatArray:
        return np.zeros(size, np.float32)

    counters = np.zeros((rows, rng.N_COUNTERS), np.uint64)
    counters[:, :2] = key
    ids = np.arange(n_books) if book_id is None else np.asarray(book_id, np.int64)
    return State(
        _padded(depth, rows),
        _padded(quote, rows),
        _padded(ids, rows),
        counters,
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
        np.zeros((rows, 4), np.int64),
        np.zeros((rows, 4), np.int64),
        zeros(rows, N_FEATURES),
        zeros(rows, shape.width),
        np.zeros(rows, np.int64),
        np.zeros(rows, np.int64),
        zeros(rows, shape.width),
        zeros(shape.n_layers, rows, shape.n_key_heads, shape.head_width, shape.window),
        zeros(shape.n_layers, rows, shape.n_key_heads, shape.window, shape.head_width),
    )


def _padded(array: Any, rows: int) -> IntArray:
    """Return a copy with as many rows, the last one repeated."""
    array = np.asarray(array, np.int64)
    return np.concatenate([array, np.repeat(array[-1:], rows - len(array), axis=0)])


def _work(shape: Shape, rows: int) -> Work:
    def zeros(*size: int) -> FloatArray:
        return np.zeros(size, np.float32)

    return Work(
        zeros(rows, shape.width),
        zeros(rows, shape.width),
        zeros(rows, shape.n_heads + 2 * shape.n_key_heads, shape.head_width),
        zeros(rows, shape.n_heads, shape.head_width),
        zeros(shape.n_heads // shape.n_key_heads, shape.window),
        zeros(rows, 2 * shape.feed),
        zeros(rows, shape.feed),
        zeros(rows, N_FEATURES),
        zeros(rows, shape.width + N_FEATURES),
        zeros(rows, shape.hidden),
        np.zeros(rows, np.int64),
        zeros(rows, N_GAPS),
        zeros(rows, N_KINDS),
        zeros(rows, N_PRICES),
        zeros(rows, N_SIZES),
        zeros(2, shape.head_width // 2),
    )
