"""A worker process seen from the outside: calls with limits, and retries that outlive any crash."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import marketsim
from marketsim.core.errors import MarketSimError
from marketsim.experiments.directory import FAILED, INTERRUPTED, Outcome

POLL_S: Final = 0.1
"""How often memory and time are looked at."""
GRACE_S: Final = 20.0
"""How long an interrupted cell may take to write its checkpoint."""

_START: Final = "import sys; sys.path.insert(0, {root!r}); from marketsim.experiments.worker import main; main()"


class WorkerError(MarketSimError):
    """A worker ended, or was ended because of a limit, before its answer was there."""


@dataclass(frozen=True)
class CellLimits:
    """What one attempt may cost, and how many there are.

    Attributes
    ----------
    retries : int
        Further attempts after the first.
    time_s : float or None
        Wall-clock seconds of one attempt.
    memory_bytes : int or None
        Resident memory of its process.
    """

    retries: int = 0
    time_s: float | None = None
    memory_bytes: int | None = None

    def require_support(self) -> None:
        """Refuse a memory limit where the system does not say what a process uses."""
        if self.memory_bytes is not None and not Path("/proc/self/statm").exists():
            raise MarketSimError("limits.memory needs a system with /proc, such as Linux")


class Worker:
    """One worker process.

    Parameters
    ----------
    log : Path, optional
        File that what it prints is added to; by default this process's standard error.
    """

    def __init__(self, log: Path | None = None) -> None:
        root = str(Path(marketsim.__file__).resolve().parent.parent)
        errors: IO[bytes] | None = log.open("ab") if log is not None else None
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START.format(root=root)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,  # the terminal's Ctrl-C is for the sweep, which passes it on
        )
        if errors is not None:
            errors.close()
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()
        self._ready = False

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Wait for its imports.

        Raises
        ------
        WorkerError
            It ended instead.
        """
        if not self._ready:
            self._receive(CellLimits())
            self._ready = True

    def call(self, function: str, task: Mapping[str, Any], limits: CellLimits) -> dict[str, Any]:
        """Return the result of a function, ``"module:function"``, of one JSON object.

        Raises
        ------
        WorkerError
            The process ended, or went over a limit and was ended.
        """
        self.wait_until_ready()
        pipe = self._process.stdin
        try:
            if pipe is not None:
                pipe.write(json.dumps({"call": function, "task": task}) + "\n")
                pipe.flush()
        except OSError:
            pass  # it has ended; the answer says how
        return self._receive(limits)

    def interrupt(self) -> None:
        """Have the cell write a checkpoint and come back; safe from any thread."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _read(self) -> None:
        pipe = self._process.stdout
        try:
            for line in pipe or ():
                self._lines.put(line)
        except ValueError:  # closed under our hands
            pass
        self._lines.put(None)

    def _receive(self, limits: CellLimits) -> dict[str, Any]:
        begun = time.monotonic()
        while True:
            try:
                line = self._lines.get(timeout=POLL_S)
            except queue.Empty:
                self._check(limits, time.monotonic() - begun)
                continue
            if line is None:
                raise WorkerError(self._how_it_ended())
            found: dict[str, Any] = json.loads(line)
            return found

    def _check(self, limits: CellLimits, seconds: float) -> None:
        if limits.time_s is not None and seconds > limits.time_s:
            self._process.kill()
            raise WorkerError(f"took more than {limits.time_s:g} s, the limit of time")
        if limits.memory_bytes is not None and (used := _resident_bytes(self.pid)) > limits.memory_bytes:
            self._process.kill()
            raise WorkerError(f"used {used / 1e6:,.0f} MB, above the limit of {limits.memory_bytes / 1e6:,.0f} MB")

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        if code < 0:
            with contextlib.suppress(ValueError):
                return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended with exit code {code}"


class Slot:
    """A place for one worker at a time: a worker that ends is replaced by a new one.

    Parameters
    ----------
    limits : CellLimits
        Of every cell.
    log : Path, optional
        Where what its workers print goes.
    """

    def __init__(self, limits: CellLimits, log: Path | None = None) -> None:
        self.limits, self._log = limits, log
        self._worker: Worker | None = None
        self._stopped = False

    @property
    def pid(self) -> int | None:
        """Number of the process that is there now."""
        return None if self._worker is None else self._worker.pid

    def start(self) -> Worker:
        """Return the worker, started where there is none."""
        if self._worker is None:
            self._worker = Worker(self._log)
        return self._worker

    def get_ready(self) -> None:
        """Wait until the worker can take a cell; one that ends before is replaced when there is a cell."""
        try:
            self.start().wait_until_ready()
        except WorkerError:
            self.close()

    def run(self, task: Mapping[str, Any], function: str) -> Outcome:
        """Try a cell as often as the limits say; the outcome is that of the last attempt."""
        outcome = Outcome(int(task["cell"]), INTERRUPTED)
        for attempt in range(1, self.limits.retries + 2):
            if self._stopped:
                return Outcome(outcome.cell, INTERRUPTED)
            outcome = self._attempt(task, function, attempt)
            if outcome.status != FAILED or outcome.final:
                break
        return outcome

    def warm(self, task: Mapping[str, Any], function: str) -> None:
        """Make a call whose result and failure matter to nobody."""
        try:
            self.start().call(function, task, CellLimits())
        except WorkerError:
            self.close()

    def stop(self) -> None:
        """Interrupt the cell, and begin no other; safe from any thread."""
        self._stopped = True
        worker = self._worker
        if worker is not None:
            worker.interrupt()

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _attempt(self, task: Mapping[str, Any], function: str, attempt: int) -> Outcome:
        cell = int(task["cell"])
        try:
            found = self.start().call(function, task, self.limits)
        except WorkerError as error:
            self.close()
            status = INTERRUPTED if self._stopped else FAILED
            return Outcome(cell, status, attempts=attempt, error=str(error))
        if self._stopped and found["status"] == FAILED:  # an agent without state has no checkpoint to write
            return Outcome(cell, INTERRUPTED)
        return Outcome(cell, attempts=attempt, **found)


def _resident_bytes(pid: int) -> int:
    """Return the resident memory of a process; 0 where it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
