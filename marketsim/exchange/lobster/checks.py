"""What rows of LOBSTER files must obey beyond being numbers, and the errors of those that do not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from marketsim.core.errors import Fault, InputError
from marketsim.exchange.lobster.layout import (
    EMPTY_PRICE,
    LAST_VISIBLE,
    LobsterBook,
    LobsterMessages,
    LobsterType,
)

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

MAX_FAULTS: Final = 20
"""Faults of one file that an error lists; it counts the others."""


def message_faults(messages: LobsterMessages, lines: IntArray) -> list[Fault]:
    """Return the faults of messages that are numbers but cannot be; ``lines`` are their lines in the file."""
    kind, direction = messages.kind, messages.direction
    visible = kind <= LAST_VISIBLE
    backwards = np.diff(messages.time_ns, prepend=messages.time_ns[:1]) < 0
    rules: list[tuple[BoolArray, IntArray, str]] = [
        ((kind < min(LobsterType)) | (kind > max(LobsterType)), kind, "a type from 1 to 7"),
        (visible & (messages.order_id < 1), messages.order_id, "an order id from 1 on"),
        (messages.size < visible, messages.size, "a positive size"),
        (visible & (messages.price < 1), messages.price, "a positive price in 1/10,000"),
        ((abs(direction) > 1) | (visible & (direction == 0)), direction, "a direction, 1 or -1"),
    ]
    faults = [fault for rule in rules for fault in _faults_of(messages.path, lines, *rule, str)]
    return faults + list(
        _faults_of(messages.path, lines, backwards, messages.time_ns, "a time not before the row above", _seconds)
    )


def book_faults(book: LobsterBook, lines: IntArray) -> list[Fault]:
    """Return the faults of a book whose levels cannot stand as they do; ``lines`` are their lines in the file."""
    faults: list[Fault] = []
    for side, name in ((-1, "ask"), (1, "bid")):
        ranks, sizes, prices = book.ranks(side), book.sizes(side), book.prices(side)
        empty = ranks == EMPTY_PRICE
        for level in range(book.levels):
            where = f"{name} {{}} of level {level + 1}"
            wrong_size = (sizes[:, level] < 0) | ((sizes[:, level] == 0) != empty[:, level])
            expected = f"a positive {where.format('size')}, or 0 where the price is {-side * EMPTY_PRICE}"
            faults += _faults_of(book.path, lines, wrong_size, sizes[:, level], expected, str)
            if level > 0:
                steps = ranks[:, level] - ranks[:, level - 1]
                disorder = (steps < 0) | ((steps == 0) & ~empty[:, level])
                expected = f"the {where.format('price')} {'above' if side < 0 else 'below'} that of level {level}"
                faults += _faults_of(book.path, lines, disorder, prices[:, level], expected, str)
    return faults


def raise_faults(path: Path, faults: list[Fault]) -> None:
    """Raise one error for all faults, in the order of their lines, where there are any.

    Raises
    ------
    InputError
        ``faults`` is not empty.
    """
    if faults:
        first, *others = sorted(faults, key=lambda fault: fault.line)
        more = others[: MAX_FAULTS - 1]
        if len(others) > len(more):
            more.append(Fault(str(path), 0, "", "", f"and {len(others) - len(more):,} more faults"))
        raise InputError(path, first.line, first.found, first.expected, more)


def check_same_rows(messages: LobsterMessages, book: LobsterBook) -> None:
    """Refuse a book file that has not one row for each message.

    Raises
    ------
    InputError
        The two lengths differ.
    """
    if len(book) != len(messages):
        expected = f"{len(messages):,}, one for each row of {messages.path}"
        raise InputError(book.path, 0, f"{len(book):,} rows", expected)


def _faults_of(
    path: Path, lines: IntArray, wrong: BoolArray, values: IntArray, expected: str, text: Callable[[int], str]
) -> Iterator[Fault]:
    for row in np.flatnonzero(wrong).tolist():
        yield Fault(str(path), int(lines[row]), "", f'"{text(int(values[row]))}"', expected)


def _seconds(time_ns: int) -> str:
    return f"{time_ns // 1_000_000_000}.{time_ns % 1_000_000_000:09d}"
