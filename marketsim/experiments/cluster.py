"""Workers of a Dask cluster: the same cells in the same worker processes, on many machines.

Each thread of a Dask worker keeps one process of its own (``process.Slot``), so that limits, retries and crashes mean
the same as on one machine. The sweep directory, the scenario and its modules lie in a folder that all machines see
under the same path.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import socket
import threading
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from marketsim.core.errors import MarketSimError
from marketsim.experiments.directory import FAILED, INTERRUPTED, Outcome
from marketsim.experiments.local import RUN_CELL, WARM, Task
from marketsim.experiments.process import CellLimits, Slot

CONNECT_S: Final = 10
IN_FLIGHT: Final = 3
"""Cells handed over ahead, for each thread of the cluster."""

_here = threading.local()


class ClusterError(MarketSimError):
    """The cluster cannot be reached, or was lost."""


class UnreachableError(ClusterError):
    """No scheduler answers at the address."""

    exit_code = 2


def run_on_cluster(task: dict[str, Any], limits: CellLimits, function: str) -> Outcome:
    """Run one cell in the process of this thread; executed by a Dask worker."""
    slot = getattr(_here, "slot", None)
    if slot is None:
        slot = _here.slot = Slot(limits)
    slot.limits = limits
    outcome: Outcome = slot.run(task, function)
    return outcome


def require_scheduler(address: str) -> None:
    """Refuse an address at which nobody listens.

    Raises
    ------
    UnreachableError
        It is no address, or nobody answers there.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if host is None or port is None:
        raise UnreachableError(
            f"found {address}, expected the address of a Dask scheduler such as tcp://127.0.0.1:8786"
        )
    try:
        socket.create_connection((host, port), CONNECT_S).close()
    except OSError as error:
        raise UnreachableError(f"{address}: found no Dask scheduler: {error.strerror or error}") from None


class ClusterWorkers:
    """The workers of a Dask scheduler.

    Parameters
    ----------
    address : str
        Of the scheduler, ``tcp://127.0.0.1:8786``.
    limits : CellLimits
        Of every cell.
    function : str
        What they call with each task, ``"module:function"``.

    Raises
    ------
    UnreachableError
        Nobody answers there.
    MarketSimError
        The extra ``cluster`` is not installed.
    """

    def __init__(self, address: str, limits: CellLimits, function: str = RUN_CELL) -> None:
        require_scheduler(address)
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # it logs the traceback of what we raise
        try:
            self._client: Any = _distributed().Client(address, timeout=CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            raise UnreachableError(f"{address}: found no Dask scheduler: {error}") from None
        self._address, self._limits, self._function = address, limits, function
        self._stopped = threading.Event()

    def __enter__(self) -> ClusterWorkers:
        """Return itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Leave the cluster, which goes on."""
        self.close()

    def start(self, warm: Task | None = None) -> None:
        """Let one worker compile, so that those who share its cache need not."""
        self._require_workers()
        if warm is not None:
            task = {**warm, "cell": 0}
            self._client.submit(run_on_cluster, task, CellLimits(), WARM, pure=False).result()

    def outcomes(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Yield the outcome of each task as it comes; a few per thread are handed over ahead.

        Raises
        ------
        ClusterError
            The cluster was lost.
        """
        source = iter(tasks)
        ahead = IN_FLIGHT * self._require_workers()
        running: dict[Any, int] = {}
        arriving = _distributed().as_completed(self._submit(source, ahead, running), loop=self._client.loop)
        for future in arriving:
            cell = running.pop(future)
            outcome = self._outcome(future, cell)
            if outcome.status != INTERRUPTED:
                yield outcome
            for more in self._submit(source, 1, running):
                arriving.add(more)

    def stop(self) -> None:
        """Hand over no further cell; those under way are left to end."""
        self._stopped.set()

    def close(self) -> None:
        """Leave the cluster."""
        with contextlib.suppress(OSError, TimeoutError):
            self._client.close()

    def _submit(self, source: Iterator[Task], n: int, running: dict[Any, int]) -> list[Any]:
        if self._stopped.is_set():
            return []
        futures = []
        for task in islice(source, n):
            future = self._client.submit(run_on_cluster, dict(task), self._limits, self._function, pure=False)
            running[future] = int(task["cell"])
            futures.append(future)
        return futures

    def _outcome(self, future: Any, cell: int) -> Outcome:
        if future.status == "finished":
            outcome: Outcome = future.result()
            return outcome
        if future.status == "error":  # a Dask worker that died with it, more than once
            return Outcome(cell, FAILED, error=f"{type(future.exception()).__name__}: {future.exception()}")
        raise ClusterError(f"{self._address}: the cluster was lost")

    def _require_workers(self) -> int:
        """Return the number of threads of the cluster."""
        try:
            self._client.wait_for_workers(1, timeout=CONNECT_S)
            threads: Mapping[str, int] = self._client.nthreads()
        except (OSError, TimeoutError) as error:
            raise ClusterError(f"{self._address}: found no workers there: {error}") from None
        return max(1, sum(threads.values()))


def _distributed() -> Any:
    """Return the library, whose functions have no types.

    Raises
    ------
    MarketSimError
        It is not installed.
    """
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError:
        raise MarketSimError("--cluster needs dask.distributed: pip install 'marketsim[cluster]'") from None
