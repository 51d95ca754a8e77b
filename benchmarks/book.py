"""How fast the order book is: batches against a C++ twin, single messages against bourse.

    python benchmarks/book.py [--quick]

The stream: 49 % passive adds, 41 % cancels, 10 % marketable orders. The twin (``twin/book.cpp``, g++ -O3, compiled
here) has the features of the stream: dense ids, plain adds and cancels, the full event log in the same ten columns.
Both logs must have one hash. Rounds are interleaved, so that what slows the machine slows both; medians of ratios.
"""

from __future__ import annotations

import argparse
import ctypes
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

from marketsim.core import rng
from marketsim.core.jit import kernel
from marketsim.exchange import OrderBook, Side
from marketsim.exchange.codes import ADD, CANCEL, N_LOG_COLUMNS, N_MESSAGE_FIELDS, STOP_REBASE
from marketsim.exchange.kernel.batch import run_plain_batch
from marketsim.exchange.kernel.index import find
from marketsim.exchange.kernel.layout import C_ROWS, WINDOW, book_at
from marketsim.exchange.kernel.matching import apply
from marketsim.exchange.storage import BookStorage, EventLog

MIDDLE = 100_000
REACH = 276  # ticks from the middle that orders are spread over
TWIN = Path(__file__).with_name("twin") / "book.cpp"


@kernel
def fill_stream(handle, draws, messages, resting):
    """Write the stream; a book plays along, so that cancels name orders that rest. ``draws``: float64[messages, 4]."""
    book = book_at(handle)
    n = messages.shape[1]
    live, n_live, number, middle = np.zeros(n + 1, np.int64), 0, 1, MIDDLE
    for i in range(n):
        what, side, place, size = draws[i]
        if i >= resting and i % 4096 == 0:
            middle += np.int64(3 * place) - 1
        if i < resting or what < 0.59:
            sign = 1 if side < 0.5 else -1
            passive = i < resting or what < 0.49
            offset = 1 + np.int64(place * REACH)
            messages[0, i], messages[1, i], messages[2, i] = ADD, number, sign
            messages[3, i] = middle - sign * offset if passive else middle + sign * offset
            messages[4, i] = 1 + np.int64(size * 9)
            if passive:
                live[n_live] = number
                n_live += 1
            number += 1
        else:
            while True:  # some have been filled
                k = np.int64(place * n_live)
                order_id = live[k]
                n_live -= 1
                live[k] = live[n_live]
                if find(book, order_id) != 0:
                    break
            messages[0, i], messages[1, i] = CANCEL, order_id
        book.cursor[C_ROWS] = 0
        apply(book, 0, messages[0, i], messages[1, i], messages[2, i], messages[3, i], messages[4, i], 0, 0)


@kernel
def log_hash(log, rows):
    """FNV-1a over the 64-bit words of the log, row by row."""
    digest = np.uint64(0xCBF29CE484222325)
    for row in range(rows):
        for column in range(N_LOG_COLUMNS):
            digest = (digest ^ np.uint64(log[column, row])) * np.uint64(0x100000001B3)
    return digest


def storage_for(n: int) -> BookStorage:
    storage = BookStorage(EventLog(3 * n), orders=n, numbers=n + 2)
    storage.relieve(STOP_REBASE, MIDDLE)
    storage.log.columns[:] = 0  # so that the pages are there, as they are after the first of many batches
    return storage


def stream(resting: int, n: int) -> np.ndarray:
    messages = np.zeros((N_MESSAGE_FIELDS, resting + n), np.int64)
    draws = rng.generator(rng.stream_key(1, 0, "benchmarks", "book", "stream"), 0, 0).random((resting + n, 4))
    storage = storage_for(resting + n)  # a handle holds no reference
    fill_stream(storage.handle, draws, messages, resting)
    return messages


def ours(messages: np.ndarray, resting: int) -> tuple[float, tuple[int, int]]:
    n = messages.shape[1]
    storage = storage_for(n)
    if run_plain_batch(storage.handle, messages, 0, resting) < resting:
        raise RuntimeError("the book was too small")
    begun = time.perf_counter()
    done = run_plain_batch(storage.handle, messages, resting, n)
    seconds = time.perf_counter() - begun
    if done < n:
        raise RuntimeError("the book was too small")
    rows = storage.log.n_rows
    return seconds / (n - resting) * 1e9, (int(log_hash(storage.log.columns, rows)) & (1 << 64) - 1, rows)


def compile_twin(folder: str) -> ctypes.CDLL:
    library = Path(folder) / "book.so"
    options = ["-O3", "-march=native", "-std=c++17", "-shared", "-fPIC"]
    subprocess.run(["g++", *options, str(TWIN), "-o", str(library)], check=True)
    twin, word, pointer = ctypes.CDLL(str(library)), ctypes.c_int64, ctypes.c_void_p
    twin.book_new.argtypes, twin.book_new.restype = [word] * 4, pointer
    twin.book_run.argtypes, twin.book_run.restype = [pointer, pointer, word, word, word], None
    for name, result in (("book_rows", word), ("book_hash", ctypes.c_uint64), ("book_free", None)):
        getattr(twin, name).argtypes, getattr(twin, name).restype = [pointer], result
    return twin


def theirs(twin: ctypes.CDLL, messages: np.ndarray, resting: int) -> tuple[float, tuple[int, int]]:
    n = messages.shape[1]
    book = twin.book_new(n, n + 1, 3 * n, MIDDLE - WINDOW // 2)
    twin.book_run(book, messages.ctypes.data, n, 0, resting)
    begun = time.perf_counter()
    twin.book_run(book, messages.ctypes.data, n, resting, n)
    seconds = time.perf_counter() - begun
    found = twin.book_hash(book), twin.book_rows(book)
    twin.book_free(book)
    return seconds / (n - resting) * 1e9, found


def batches(sizes: list[int], n: int, rounds: int) -> None:
    if shutil.which("g++") is None:
        print("batch: skipped, for there is no g++ to compile the twin with")
        return
    with tempfile.TemporaryDirectory() as folder:
        twin = compile_twin(folder)
        print(f"batch, {n:,} messages, {rounds} interleaved rounds")
        print(f"{'resting':>10} {'twin':>9} {'marketsim':>11} {'speed, twin = 1':>17}")
        for resting in sizes:
            messages, pairs = stream(resting, n), []
            for _ in range(rounds):
                (mine, log), (other, twin_log) = ours(messages, resting), theirs(twin, messages, resting)
                if log != twin_log:
                    raise RuntimeError(f"the logs differ: {log} and {twin_log}")
                pairs.append((mine, other, other / mine))
            mine, other, ratio = (statistics.median(column) for column in zip(*pairs, strict=True))
            low, high = min(pair[2] for pair in pairs), max(pair[2] for pair in pairs)
            print(f"{resting:>10,} {other:>6.1f} ns {mine:>8.1f} ns {ratio:>8.2f} ({low:.2f} to {high:.2f})")


def single(n: int, rounds: int) -> None:
    """One call a message: a limit order that rests, returning its id. ``bourse`` sets the time, or it loses orders.

    The side is looked up once: ``Side.BUY`` costs 70 ns in Python 3.11, ``bourse`` takes True.
    """
    try:
        from bourse.core import OrderBook as BourseBook
    except ImportError:
        print("scalar: skipped, for the package bourse is not here; pip install 'marketsim[bench]'")
        return
    draws = rng.generator(rng.stream_key(1, 0, "benchmarks", "book", "scalar"), 0, 0)
    prices = (MIDDLE + draws.integers(-REACH, 0, n)).tolist()
    times, buy = [], Side.BUY
    OrderBook().submit(buy, MIDDLE, 5)  # compiles
    for _ in range(rounds):
        book, bourse = OrderBook(capacity=n), BourseBook(0, 1)
        begun = time.perf_counter()
        for price in prices:
            book.submit(buy, price, 5)
        mine = time.perf_counter() - begun
        begun = time.perf_counter()
        for i, price in enumerate(prices):
            bourse.set_time(i)
            bourse.place_order(True, 5, 1, price=price)
        times.append((mine / n * 1e9, (time.perf_counter() - begun) / n * 1e9))
    mine, other = (statistics.median(column) for column in zip(*times, strict=True))
    ratio = statistics.median(b / a for a, b in times)
    print(f"scalar submit, {n:,} calls: bourse {other:.0f} ns, marketsim {mine:.0f} ns, speed {ratio:.2f} (bourse = 1)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer messages and rounds")
    quick = parser.parse_args().quick
    batches([11_000] if quick else [11_000, 123_000, 1_000_000], 200_000 if quick else 1_000_000, 3 if quick else 7)
    single(20_000, 7 if quick else 31)


if __name__ == "__main__":
    main()
