import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.core import digest as digest_module
from marketsim.core.digest import TableDigest, column_bytes, run_digest
from marketsim.core.tables import Column, Table

TABLE = Table(
    "toy/rows",
    "Rows.",
    (
        Column("number", "int64", "", "a number"),
        Column("word", "string", "", "a word"),
        Column("clock", "float64", "s", "wall clock", digest=False),
    ),
)


def by_hand(numbers, words, block_rows):
    """The digest as the module's docstring says it, in other words."""
    value = hashlib.sha256(b'["toy/rows",[["number","int64"],["word","string"]]]').digest()
    for first in range(0, len(numbers), block_rows):
        block = slice(first, first + block_rows)
        value = hashlib.sha256(
            value
            + b"".join(number.to_bytes(8, "little", signed=True) for number in numbers[block])
            + b"".join(len(word.encode()).to_bytes(8, "little") + word.encode() for word in words[block])
        ).digest()
    return value.hex()


def columns(numbers, words):
    return {"number": np.array(numbers, np.int64), "word": list(words), "clock": np.zeros(len(numbers))}


def test_the_digest_is_what_its_description_says():
    numbers, words = list(range(-5, 5)), [f"é{n}" for n in range(10)]
    digest = TableDigest(TABLE)
    for first in (0, 4):
        digest.add_block(columns(numbers[first : first + 4], words[first : first + 4]))
    assert digest.with_rest(columns(numbers[8:], words[8:])) == by_hand(numbers, words, 4)


def test_an_empty_table_has_a_digest_and_another_table_another():
    empty = TableDigest(TABLE).with_rest(columns([], []))
    assert empty == by_hand([], [], 4)
    renamed = Table("toy/other", "Rows.", TABLE.columns)
    assert TableDigest(renamed).with_rest(columns([], [])) != empty


def test_columns_that_do_not_count_change_nothing():
    first, second = columns([1], ["a"]), columns([1], ["a"])
    second["clock"] = np.ones(1)
    assert TableDigest(TABLE).with_rest(first) == TableDigest(TABLE).with_rest(second)


@given(st.lists(st.text(max_size=3), max_size=4), st.lists(st.text(max_size=3), max_size=4))
def test_words_cannot_run_into_each_other(first, second):
    assert (column_bytes(first) == column_bytes(second)) == (first == second)


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "f8", "?"])
def test_bytes_are_little_endian_whatever_the_machine(dtype):
    values = np.array([1, 0, 1], dtype)
    big = values.astype(values.dtype.newbyteorder(">"))
    assert bytes(column_bytes(values)) == bytes(column_bytes(big)) == values.astype(f"<{dtype.strip('<')}").tobytes()


def test_the_digest_of_a_run_is_over_the_sorted_tables():
    expected = hashlib.sha256(b"a/x 11\nb/y 22\n").hexdigest()
    assert run_digest({"b/y": "22", "a/x": "11"}) == expected


def test_blocks_have_65536_rows():
    assert digest_module.BLOCK_ROWS == 65_536
