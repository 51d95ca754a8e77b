import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.core import rng
from marketsim.core.jit import JIT_DISABLED, inlined

words = st.integers(0, 2**64 - 1)


@inlined
def _blocks(counters, first, out):
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = rng.philox_block(counters, first + i)


@inlined
def _uniforms(counters, first, out):
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = rng.uniforms(counters, first + i)


def address(key_a, key_b, number, entity):
    return np.array([key_a, key_b, number, entity], np.uint64)


def numpy_words(key, counter, n):
    """Words of NumPy's Philox from one counter on, written as one number of 256 bits."""
    start = sum(word << (64 * place) for place, word in enumerate(counter))
    return np.random.Philox(counter=(start - 1) % 2**256, key=np.array(key, np.uint64)).random_raw(n).tolist()


@given(words, words, words, words, st.integers(0, 2**63 - 1))
def test_a_block_equals_numpys_word_for_word(key_a, key_b, number, entity, block):
    found = rng.philox_block(address(key_a, key_b, number, entity), block)
    assert [int(word) for word in found] == numpy_words((key_a, key_b), (block, number, entity, 0), 4)


@given(words, words, words, words, st.integers(0, 2**40))
def test_compiled_blocks_equal_numpys_word_for_word(key_a, key_b, number, entity, block):
    out = np.empty((3, 4), np.uint64)
    _blocks(address(key_a, key_b, number, entity), block, out)
    assert out.ravel().tolist() == numpy_words((key_a, key_b), (block, number, entity, 0), 12)


@given(words, words, words, words)
def test_a_generator_gives_the_words_of_the_blocks(key_a, key_b, number, entity):
    key = np.array([key_a, key_b], np.uint64)
    raw = rng.generator(key, number, entity).bit_generator.random_raw(20).tolist()
    counters = rng.counters(key, number, entity)
    blocks = [int(word) for block in range(5) for word in rng.philox_block(counters, block)]
    assert raw == blocks


def test_the_first_rows_of_a_generator_need_a_borrow_and_get_it():
    key = rng.stream_key(1, 0, "exchange", "value", "wake")
    for number, entity in [(0, 0), (0, 5), (7, 0), (2**64 - 1, 2**64 - 1)]:
        raw = rng.generator(key, number, entity).bit_generator.random_raw(4).tolist()
        assert raw == numpy_words(key.tolist(), (0, number, entity, 0), 4)


def test_a_generator_that_draws_more_stays_in_its_own_row():
    key = rng.stream_key(1, 0, "agents", "twap", "decision")
    long = set(rng.generator(key, 3, 8).bit_generator.random_raw(4_000).tolist())
    for number, entity in [(2, 8), (4, 8), (3, 7), (3, 9)]:
        assert not long & set(rng.generator(key, number, entity).bit_generator.random_raw(4_000).tolist())


@pytest.mark.parametrize(("number", "entity"), [(-1, 0), (0, -1), (2**64, 0), (0, 2**64)])
def test_an_address_out_of_range_is_refused(number, entity):
    with pytest.raises(ValueError, match="number and entity must be from 0"):
        rng.generator(rng.stream_key(1, 0, "a", "b", "c"), number, entity)


@pytest.mark.skipif(JIT_DISABLED, reason="compares with compiled code")
@given(words, words, words, words)
def test_compiled_and_interpreted_uniforms_have_equal_bits(key_a, key_b, number, entity):
    counters = address(key_a, key_b, number, entity)
    out = np.empty((2, 4))
    _uniforms(counters, 0, out)
    assert out.tolist() == [list(rng.uniforms(counters, block)) for block in range(2)]


def test_uniforms_stay_strictly_between_0_and_1():
    assert 0.0 < rng.uniform(np.uint64(0)) < 1e-15
    assert 1.0 - 1e-15 < rng.uniform(np.uint64(2**64 - 1)) < 1.0


def test_uniforms_have_the_moments_of_a_uniform_variable():
    out = np.empty((500 if JIT_DISABLED else 50_000, 4))
    _uniforms(rng.counters(rng.stream_key(5, 0, "exchange", "noise", "wake"), 1, 2), 0, out)
    n = out.size
    assert abs(out.mean() - 0.5) < 4 * np.sqrt(1 / 12 / n)
    assert abs(np.mean((out - 0.5) ** 2) - 1 / 12) < 4 * np.sqrt(1 / 180 / n)
    assert np.abs(np.corrcoef(out.T) - np.eye(4)).max() < 4.5 / np.sqrt(len(out))


# ---- Keys ---------------------------------------------------------------------------------------------------


def test_a_key_is_the_hash_of_the_five_names_written_as_json():
    digest = hashlib.sha256(b'[7,2,"exchange","value","wake"]').digest()
    key = rng.stream_key(7, 2, "exchange", "value", "wake")
    assert key.dtype == np.uint64
    assert [int(word) for word in key] == [int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:16], "little")]


def test_every_part_of_a_key_counts_and_no_two_spellings_meet():
    parts = [
        (1, 0, "a", "b", "c"),
        (0, 1, "a", "b", "c"),
        (10, 0, "a", "b", "c"),
        (1, 0, "ab", "", "c"),
        (1, 0, "", "ab", "c"),
        (1, 0, "a", "bc", ""),
        (1, 0, 'a","b', "", "c"),
        (1, 0, "a", "b", "ç"),
        (1, 0, "a", "b", "\\u00e7"),
        (-1, 0, "a", "b", "c"),
        (2**70, 0, "a", "b", "c"),
    ]
    keys = {rng.stream_key(*each).tobytes() for each in parts}
    assert len(keys) == len(parts)


@given(words, words)
def test_plain_products_and_sums_wrap_as_exact_integers_do(a, b):
    x, y = np.uint64(a), np.uint64(b)
    assert int(rng.high_product(x, y)) == (a * b) >> 64
    assert int(rng.low_product(x, y)) == (a * b) % 2**64
    assert int(rng.wrapped_sum(x, y)) == (a + b) % 2**64
