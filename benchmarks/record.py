"""What recording costs: rows per second with and without it, and memory over the length of a run.

    python benchmarks/record.py [ROUNDS]

Rounds of recorded and unrecorded runs alternate; medians, lowest and highest. Memory is the largest resident set of a
fresh process that records a run of about one and of about thirty million messages.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path

from marketsim.core.run_directory import create_run_directory
from marketsim.exchange import Exchange
from marketsim.exchange.config import ExchangeConfig, InstrumentConfig
from marketsim.exchange.populations import KINDS
from marketsim.exchange.tables import TABLES
from marketsim.simulation import Simulation
from marketsim.simulation.recorder import RunRecorder

SECOND = 1_000_000_000
MESSAGES_PER_SECOND = 2_000_000  # of simulated time


def simulation(end: int, codec: str | None, folder: Path) -> Simulation:
    """A thousand zero-intelligence agents; ``codec``: None to record nothing."""
    kind = "zero_intelligence"
    population = KINDS.resolve(kind).Config(
        kind=kind, count=1000, limit_rate=1000.0, market_rate=250.0, cancel_rate=500.0
    )
    instrument = InstrumentConfig(symbol="ACME", open_price=Decimal("100.00"))
    config = ExchangeConfig(instruments=[instrument], populations=[population])
    venue = Exchange(config, seed=1, duration_ns=end, tables=() if codec is None else None)
    venue.advance(0, False)  # compiles
    recorder = None
    if codec is not None:
        recorder = RunRecorder(create_run_directory(folder / "run", {}, force=True), TABLES.values(), codec)
    return Simulation([venue], end, seed=1, recorder=recorder)


def speed(codec: str | None, folder: Path) -> tuple[float, float]:
    """Millions of messages, and of rows, a second."""
    line = simulation(SECOND, codec, folder)
    begun = time.perf_counter()
    line.run()
    seconds = time.perf_counter() - begun
    rows = sum(line.recorder.run.counts.values()) if isinstance(line.recorder, RunRecorder) else 0
    return line.events / seconds / 1e6, rows / seconds / 1e6


def megabytes(messages: int) -> tuple[int, int]:
    """Messages and largest resident set of a process that records so many."""
    code = f"import record; print(*record.memory({messages}))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    )
    done, peak = map(int, result.stdout.split())
    return done, peak


def memory(messages: int) -> tuple[int, int]:
    """Record a run; return its messages and the largest resident set of this process in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        line = simulation(messages * SECOND // MESSAGES_PER_SECOND, "lz4", Path(folder))
        line.run()
    return line.events, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main(rounds: int = 3) -> None:
    """Measure and print."""
    for messages in (1_000_000, 30_000_000):  # first: a child's figure is never below what its parent holds
        done, peak = megabytes(messages)
        print(f"{done:12,} messages recorded: {peak:,} MB at most")
    codecs = (None, "lz4", "zstd", "none")
    figures: dict[str | None, list[tuple[float, float]]] = {codec: [] for codec in codecs}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(rounds):
            for codec in codecs:
                figures[codec].append(speed(codec, Path(folder)))
    for codec, values in figures.items():
        what = "not recorded" if codec is None else f"recorded, {codec}"
        messages, rows = (statistics.median(column) for column in zip(*values, strict=True))
        lowest, highest = min(value for value, _ in values), max(value for value, _ in values)
        print(f"{what:18} {messages:5.2f} M messages/s ({lowest:.2f} to {highest:.2f})   {rows:5.2f} M rows/s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
