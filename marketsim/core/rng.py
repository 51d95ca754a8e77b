"""Every random number of marketsim: Philox 4x64-10 with addressed draws.

A draw has an address and is never consumed in sequence: adding an agent, a column or a draw shifts nobody else's. The
key says whose stream it is (seed, replicate, package, name of the table, purpose), the counter says which block of four
words of which wake or decision of which entity: NumPy's counter ``[block, number, entity, 0]``.

Kernels take ``counters``, uint64[4]: the two words of the key, number, entity. Python code takes a
``numpy.random.Generator`` at the same address, which gives the same words.

References
----------
Salmon, Moraes, Dror & Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC '11: Philox, its constants.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

KEY_A, KEY_B, NUMBER, ENTITY = range(4)
"""Places in ``counters``."""

N_COUNTERS: Final = 4

_HALF: Final = np.uint64(32)
_TWELVE: Final = np.uint64(12)
_LOW: Final = np.uint64(0xFFFFFFFF)
_ROUND_A: Final = np.uint64(0xD2E7470EE14C6C93)
_ROUND_B: Final = np.uint64(0xCA5A826395121157)
_WEYL_A: Final = np.uint64(0x9E3779B97F4A7C15)
_WEYL_B: Final = np.uint64(0xBB67AE8584CAA73B)
_PER_TWO_52: Final = 1.0 / 4503599627370496.0


# ---- Addresses ----------------------------------------------------------------------------------------------


def stream_key(seed: int, replicate: int, package: str, name: str, purpose: str) -> NDArray[np.uint64]:
    """Return the key of one stream of draws.

    Parameters
    ----------
    seed, replicate : int
        Seed of the run, number of the repetition within a sweep.
    package, name, purpose : str
        Who draws, such as ``"exchange"``, the name of the scenario table, and what for, such as ``"wake"``.

    Returns
    -------
    uint64 array, shape (2,)
        The first 16 bytes, little-endian, of the SHA-256 of the five written as a JSON list.
    """
    text = json.dumps([int(seed), int(replicate), str(package), str(name), str(purpose)], separators=(",", ":"))
    return np.frombuffer(hashlib.sha256(text.encode("ascii")).digest()[:16], "<u8").astype(np.uint64)


def counters(key: NDArray[np.uint64], number: int, entity: int) -> NDArray[np.uint64]:
    """Return an address as kernels take it: uint64[4] of key, wake or decision number, entity."""
    return np.array([key[0], key[1], number, entity], np.uint64)


def generator(key: NDArray[np.uint64], number: int, entity: int) -> np.random.Generator:
    """Return a NumPy generator whose words are those of ``philox_block`` for blocks 0, 1, 2, ...

    Parameters
    ----------
    key : uint64 array, shape (2,)
        From ``stream_key``.
    number, entity : int
        Wake or decision number, and the entity's index in its table; 0 to 2**64 - 1.

    Raises
    ------
    ValueError
        ``number`` or ``entity`` is negative or too large.
    """
    if not (0 <= number < 1 << 64 and 0 <= entity < 1 << 64):
        raise ValueError(f"number and entity must be from 0 to 2**64 - 1; found {number} and {entity}")
    first = (int(entity) << 128) | (int(number) << 64)
    before = (first - 1) % (1 << 256)  # NumPy adds one before its first block; the borrow comes back as a carry
    words = [(before >> shift) & 0xFFFFFFFFFFFFFFFF for shift in (0, 64, 128, 192)]
    philox: Any = np.random.Philox(counter=np.array(words, np.uint64), key=key)
    return np.random.Generator(philox)


def pcg64(key: NDArray[np.uint64]) -> np.random.Generator:
    """Return a generator of another family, O'Neill's PCG64: the negative control of tests of randomness.

    A control drawn from Philox would share its generator with the null that it is tested against. For nothing else:
    its draws are consumed in sequence.

    Parameters
    ----------
    key : uint64 array, shape (2,)
        From ``stream_key``; the seed of the generator.
    """
    return np.random.Generator(np.random.PCG64([int(word) for word in key]))


# ---- Draws, in kernels and in Python ------------------------------------------------------------------------


def high_product(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return the high 64 bits of the 128-bit product. Compiled code has one instruction for it."""
    low = (a & _LOW) * (b & _LOW)
    left = (a >> _HALF) * (b & _LOW) + (low >> _HALF)
    right = (a & _LOW) * (b >> _HALF) + (left & _LOW)
    return (a >> _HALF) * (b >> _HALF) + (left >> _HALF) + (right >> _HALF)


def low_product(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return the low 64 bits of the product; from halves, since NumPy warns where a plain product wraps."""
    low = (a & _LOW) * (b & _LOW)
    left = (a >> _HALF) * (b & _LOW) + (low >> _HALF)
    right = (a & _LOW) * (b >> _HALF) + (left & _LOW)
    return (right << _HALF) | (low & _LOW)


def wrapped_sum(a: np.uint64, b: np.uint64) -> np.uint64:
    """Return the sum modulo 2**64; from halves, for the same reason."""
    low = (a & _LOW) + (b & _LOW)
    high = (a >> _HALF) + (b >> _HALF) + (low >> _HALF)
    return (high << _HALF) | (low & _LOW)


def philox_block(counters: NDArray[np.uint64], block: int) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """Return the four random words of a block: NumPy's Philox of this key at counter [block, number, entity, 0].

    Parameters
    ----------
    counters : uint64 array, shape (4,)
        Key, wake or decision number, entity.
    block : int
        From 0.
    """
    a, b, c, d = np.uint64(block), counters[NUMBER], counters[ENTITY], np.uint64(0)
    key_a, key_b = counters[KEY_A], counters[KEY_B]
    for _ in range(10):
        a, b, c, d = (
            high_product(_ROUND_B, c) ^ b ^ key_a,
            low_product(_ROUND_B, c),
            high_product(_ROUND_A, a) ^ d ^ key_b,
            low_product(_ROUND_A, a),
        )
        key_a, key_b = wrapped_sum(key_a, _WEYL_A), wrapped_sum(key_b, _WEYL_B)
    return a, b, c, d


def uniform(word: np.uint64) -> float:
    """Return a number strictly between 0 and 1 from the upper 52 bits of a word; with 53 the last would be 1."""
    return (float(word >> _TWELVE) + 0.5) * _PER_TWO_52


def uniforms(counters: NDArray[np.uint64], block: int) -> tuple[float, float, float, float]:
    """Return four numbers strictly between 0 and 1 from one block; arguments as for ``philox_block``.

    Use all four where you can: a block costs the same whether one of its words is used or all.
    """
    a, b, c, d = philox_block(counters, block)
    return uniform(a), uniform(b), uniform(c), uniform(d)


KERNEL_FUNCTIONS: Final = (high_product, low_product, wrapped_sum, philox_block, uniform, uniforms)
"""What ``core.jit`` makes callable from kernels."""
