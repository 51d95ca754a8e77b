"""Rate limits: so many requests and tokens a minute, as a bucket that refills evenly."""

from __future__ import annotations

import asyncio


class Pace:
    """A bucket of a minute's allowance; who finds it empty waits, in the order of asking.

    Parameters
    ----------
    per_minute : int, optional
        None: no limit.
    """

    def __init__(self, per_minute: int | None) -> None:
        self._per_minute = per_minute
        self._level = float(per_minute or 0)
        self._seen: float | None = None
        self._turn = asyncio.Lock()

    async def take(self, amount: float) -> None:
        """Wait until the bucket holds an amount, or is full, and take it: so a call above the allowance waits once."""
        if self._per_minute is None:
            return
        loop = asyncio.get_running_loop()
        rate = self._per_minute / 60.0
        async with self._turn:
            wanted = min(amount, float(self._per_minute))
            while True:
                now = loop.time()
                elapsed = now - (self._seen if self._seen is not None else now)
                self._level = min(self._level + elapsed * rate, float(self._per_minute))
                self._seen = now
                if self._level >= wanted:
                    break
                await asyncio.sleep((wanted - self._level) / rate)
            self._level -= amount

    def correct(self, amount: float) -> None:
        """Take more, or give back where negative, once the endpoint has counted."""
        if self._per_minute is not None:
            self._level = min(self._level - amount, float(self._per_minute))
