"""Faults on demand: what a real endpoint does wrong, each in its own form."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Literal, get_args

Fault = Literal[
    "rate_limit",
    "server_error",
    "timeout",
    "disconnect",
    "truncated",
    "invalid_json",
    "refusal",
    "quota",
]
"""``rate_limit``: 429 with Retry-After; ``server_error``: 500; ``timeout``: no answer ever; ``disconnect``: the
connection ends without a word; ``truncated``: half the text, finish reason length; ``invalid_json``: text without
JSON; ``refusal``: the refusal field; ``quota``: 429 ``insufficient_quota``."""

FAULTS: tuple[Fault, ...] = get_args(Fault)

_REMEMBERED = 100_000


class FaultPlan:
    """Which faults the tries of each request meet, in order; afterwards it is answered.

    Parameters
    ----------
    faults : sequence of Fault
        What the first, second, ... try of every request meets.
    always : bool
        Begin again after the last fault, so that no request is ever answered.
    """

    def __init__(self, faults: Sequence[Fault] = (), *, always: bool = False) -> None:
        unknown = [fault for fault in faults if fault not in FAULTS]
        if unknown:
            raise ValueError(f"expected faults among {', '.join(FAULTS)}; found {', '.join(unknown)}")
        self.faults, self.always = tuple(faults), always
        self._tries: OrderedDict[str, int] = OrderedDict()

    def next(self, address: str) -> Fault | None:
        """Return what the next try of a request meets; None: it is answered."""
        if not self.faults:
            return None
        tried = self._tries.pop(address, 0)
        self._tries[address] = tried + 1
        if len(self._tries) > _REMEMBERED:
            self._tries.popitem(last=False)
        if self.always:
            return self.faults[tried % len(self.faults)]
        return self.faults[tried] if tried < len(self.faults) else None
