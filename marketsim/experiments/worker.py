"""The process that runs cells: ``python -m marketsim.experiments.worker``.

It reads one JSON object a line from standard input, ``{"call": "module:function", "task": {...}}``, and writes the
function's result as one line. What the function prints goes to standard error. It ends when its input ends, so that no
worker outlives the sweep that started it. SIGINT is the run's own: it writes a checkpoint and returns as interrupted.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import queue
import sys
import threading
from typing import IO, Any


def main() -> None:
    """Serve calls until the input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what users' agents print must not be taken for an answer
    calls: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin, calls), daemon=True).start()
    _import_engines()
    try:
        _answer(answers, {"ready": True})
        while True:
            message = json.loads(calls.get())
            module, _, name = message["call"].partition(":")
            _answer(answers, getattr(importlib.import_module(module), name)(message["task"]))
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(130)  # between two calls there is nothing to put in order


def _import_engines() -> None:
    """Load what every cell needs, before the first one is timed."""
    for module in ("marketsim.simulation.build", "marketsim.experiments.cell", "marketsim.report.reading"):
        importlib.import_module(module)


def _listen(source: IO[str], calls: queue.SimpleQueue[str]) -> None:
    """Hand over each line; leave when whoever gave them is gone, even in the middle of a cell."""
    for line in source:
        calls.put(line)
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(0)


def _answer(answers: IO[str], value: Any) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


if __name__ == "__main__":
    main()
