"""The events to come, a binary heap in the order of (time, sequence).

An entry is four words: time, sequence, what happens, to whom. The root of an empty heap has the time NEVER, so that a
look at it needs no test. An agent's next wake replaces the root: half the work of taking it out and pushing.
"""

import numpy as np

from marketsim.core.jit import inlined
from marketsim.core.venue import NEVER

H_TIME, H_SEQUENCE, H_EVENT, H_WHO = range(4)
HEAP_WORDS = 4

WAKE, MESSAGE, SAMPLE = range(3)  # H_EVENT

ONE, TWO = np.uint64(1), np.uint64(2)


@inlined
def is_before(time, sequence, other_time, other_sequence):
    """Whether the first of two events comes first."""
    return (time < other_time) | ((time == other_time) & (sequence < other_sequence))


@inlined
def put(heap, place, time, sequence, event, who):
    """Write an entry."""
    heap[place, H_TIME] = time
    heap[place, H_SEQUENCE] = sequence
    heap[place, H_EVENT] = event
    heap[place, H_WHO] = who


@inlined
def move(heap, source, target):
    """Copy an entry."""
    for word in range(HEAP_WORDS):
        heap[target, word] = heap[source, word]


@inlined
def push(heap, n, time, sequence, event, who):
    """Add an entry to a heap of ``n``, which has room for it; return the new number of entries."""
    place = np.uint64(n)
    while place > 0:
        parent = (place - ONE) >> ONE
        if not is_before(time, sequence, heap[parent, H_TIME], heap[parent, H_SEQUENCE]):
            break
        move(heap, parent, place)
        place = parent
    put(heap, place, time, sequence, event, who)
    return n + 1


@inlined
def replace_root(heap, n, time, sequence, event, who):
    """Put an entry in place of the earliest of ``n``."""
    place, child, end = np.uint64(0), ONE, np.uint64(n)
    while child < end:
        right = child + ONE
        if right < end and is_before(
            heap[right, H_TIME], heap[right, H_SEQUENCE], heap[child, H_TIME], heap[child, H_SEQUENCE]
        ):
            child = right
        if is_before(time, sequence, heap[child, H_TIME], heap[child, H_SEQUENCE]):
            break
        move(heap, child, place)
        place, child = child, (child << ONE) + ONE
    put(heap, place, time, sequence, event, who)


@inlined
def remove_root(heap, n):
    """Take the earliest of ``n`` entries out; return the new number of entries."""
    last = np.uint64(n - 1)
    if n == 1:
        put(heap, last, NEVER, 0, 0, 0)
    else:
        replace_root(heap, n - 1, heap[last, H_TIME], heap[last, H_SEQUENCE], heap[last, H_EVENT], heap[last, H_WHO])
        put(heap, last, NEVER, 0, 0, 0)
    return n - 1
