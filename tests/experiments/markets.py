"""Small markets and sweeps over them, written into a folder of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from marketsim.experiments import Study, load_sweep, open_study
from marketsim.experiments.directory import Outcome
from marketsim.experiments.loader import Sweep
from marketsim.experiments.sweep import begin_sweep

MARKET = """\
name = "small"
seed = 5
duration = "4s"

[[exchange.instruments]]
symbol = "ACME"
tick_size = "0.01"
open_price = "100.00"

[[exchange.populations]]
kind = "zero_intelligence"
count = 60
"""

AGENT = '''\
"""An agent that does what its configuration says, at one second."""

import os
import signal
import time

from marketsim.agents import Agent
from marketsim.agents.config import AgentConfig


class Prankster(Agent):
    class Config(AgentConfig):
        prank: str = "none"
        once: str = ""

    def on_start(self):
        self.wake_at(1_000_000_000)

    def on_wake(self, payload=None):
        if self.config.once:
            try:
                os.close(os.open(self.config.once, os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return
        if self.config.prank == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.config.prank == "exit":
            os._exit(7)
        if self.config.prank == "fail":
            raise RuntimeError("a prank")
        if self.config.prank == "sleep":
            time.sleep(60)
        if self.config.prank == "eat":
            self.eaten = os.urandom(500_000_000)
            time.sleep(60)
'''

PRANKSTER = """
[[agents]]
kind = "prankster:Prankster"
name = "joker"
"""


def write_market(folder: Path, more: str = "") -> Path:
    """Write the market; return its file."""
    file = folder / "small.toml"
    file.write_text(MARKET + more)
    return file


def write_sweep(folder: Path, text: str, *, pranks: bool = False) -> Path:
    """Write the market and a sweep over it; return the sweep's file."""
    write_market(folder, PRANKSTER if pranks else "")
    if pranks:
        folder.joinpath("prankster.py").write_text(AGENT)
    file = folder / "study.toml"
    file.write_text(f'scenario = "small.toml"\n{text}')
    return file


GRID = """\
replicates = 2
measures = ["trades", "spread_mean_ticks", "volume_lots"]

[[factors]]
name = "traders"
path = "exchange.populations.zero_intelligence.count"
values = [40, 60]

[[arms]]
name = "fine"

[[arms]]
name = "coarse"
set = { "exchange.instruments.ACME.tick_size" = "0.05" }
"""
"""Two values, two arms, two replicates: eight cells."""


def planted(folder: Path, text: str, value: Callable[[Sweep, int], float], failed: tuple[int, ...] = ()) -> Study:
    """A sweep whose measure ``y`` is ``value(sweep, cell)`` and of which nothing has run."""
    sweep = load_sweep(write_sweep(folder, text))
    directory = begin_sweep(sweep, folder / "out")
    directory.claim()
    for cell in range(sweep.n_cells):
        if cell in failed:
            directory.write(Outcome(cell, "failed", error="planted"))
        else:
            measures = {"y": float(value(sweep, cell))}
            directory.write(Outcome(cell, "complete", f"{cell:064x}", measures=measures, provenance=["rule"]))
    directory.release()
    return open_study(directory.path)
