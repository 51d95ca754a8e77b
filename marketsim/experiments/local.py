"""Workers on this machine: one thread and one process for each, fed from one stream of cells."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from marketsim.experiments.directory import INTERRUPTED, Outcome
from marketsim.experiments.process import CellLimits, Slot

Task = Mapping[str, Any]

RUN_CELL: Final = "marketsim.experiments.cell:run_cell"
WARM: Final = "marketsim.experiments.cell:warm"


class LocalWorkers:
    """A number of worker processes.

    Parameters
    ----------
    n : int
        How many.
    limits : CellLimits
        Of every cell.
    logs : Path, optional
        Folder of what workers print.
    function : str
        What they call with each task, ``"module:function"``.

    Examples
    --------
    >>> with LocalWorkers(2, CellLimits()) as workers:  # doctest: +SKIP
    ...     for outcome in workers.outcomes(tasks):
    ...         print(outcome.cell, outcome.status)
    """

    def __init__(self, n: int, limits: CellLimits, logs: Path | None = None, function: str = RUN_CELL) -> None:
        limits.require_support()
        self._function = function
        files = [logs / f"worker-{number}.log" if logs is not None else None for number in range(n)]
        self._slots = [Slot(limits, file) for file in files]
        self._stopped = threading.Event()

    def __enter__(self) -> LocalWorkers:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """End all workers."""
        self.close()

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that are there now."""
        return [slot.pid for slot in self._slots if slot.pid is not None]

    def start(self, warm: Task | None = None) -> None:
        """Start all processes at once, and let the first one compile before any of them begins: once is enough."""
        for slot in self._slots:
            slot.start()
        if warm is not None:
            self._slots[0].warm(warm, WARM)
        for slot in self._slots:
            slot.get_ready()

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield the outcome of each task as it comes, and take from ``tasks`` no more than there are workers."""
        source = iter(tasks)
        lock = threading.Lock()
        results: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=self._serve, args=(slot, source, lock, results), daemon=True)
            for slot in self._slots
        ]
        for thread in threads:
            thread.start()
        left = len(threads)
        while left:
            result = results.get()
            if result is None:
                left -= 1
            elif isinstance(result, BaseException):
                raise result
            elif result.status != INTERRUPTED:
                yield result

    def stop(self) -> None:
        """Begin no further cell and interrupt those that run; ``outcomes`` then comes to its end."""
        self._stopped.set()
        for slot in self._slots:
            slot.stop()

    def close(self) -> None:
        """End all processes."""
        self._stopped.set()
        for slot in self._slots:
            slot.close()

    def _serve(
        self,
        slot: Slot,
        source: Iterator[Task],
        lock: threading.Lock,
        results: queue.SimpleQueue[Outcome | BaseException | None],
    ) -> None:
        try:
            while not self._stopped.is_set():
                with lock:
                    task = next(source, None)
                if task is None:
                    break
                results.put(slot.run(task, self._function))
        except Exception as error:  # a fault of the sweep itself: it ends the sweep, and is seen
            results.put(error)
        results.put(None)
