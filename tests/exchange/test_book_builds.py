"""The book as it is built otherwise: without the JIT, and with a check of every index."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.exchange.book_streams import log_digest

PROGRAM = """
from marketsim.core.jit import BOUNDS_CHECKED, JIT_DISABLED
from tests.exchange.book_streams import log_digest

print(BOUNDS_CHECKED, JIT_DISABLED, *log_digest(range({seeds}), {n}))
"""
OUT_OF_RANGE = """
import numpy as np
from marketsim.exchange.kernel.batch import run_batch
from marketsim.exchange.kernel.layout import FREE_SLOT
from marketsim.exchange.storage import BookStorage

storage = BookStorage(orders=4)
storage.book.header[FREE_SLOT] = len(storage.book.orders)  # one too far
try:
    run_batch(storage.handle, np.array([[0], [0], [1], [100], [1], [0], [0]]), 0, 1)
except IndexError as error:
    print("IndexError:", error)
"""


def elsewhere(program, **environment):
    """What a program prints in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_the_interpreter_gives_the_whole_log_of_the_compiler():
    digest, rows = log_digest(range(4), 300)
    assert rows > 1_500
    assert elsewhere(PROGRAM.format(seeds=4, n=300), NUMBA_DISABLE_JIT="1") == [f"False True {digest} {rows}"]


@pytest.mark.slow
def test_fuzzed_messages_touch_nothing_out_of_range(tmp_path):
    """The cache is the test's own, so that no unchecked machine code can have been left in it."""
    checked = {"NUMBA_BOUNDSCHECK": "1", "NUMBA_DISABLE_JIT": "0", "NUMBA_CACHE_DIR": str(tmp_path)}
    digest, rows = log_digest(range(40), 1_000)
    lines = elsewhere(PROGRAM.format(seeds=40, n=1_000) + OUT_OF_RANGE, **checked)
    assert lines == [f"True False {digest} {rows}", "IndexError: index is out of bounds"]
