"""A folder to write scenarios into, and what loading them says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from marketsim.core.errors import ScenarioError
from marketsim.scenario import load_scenario

BASE = """\
name = "base"
seed = 1
start = "09:30:00"
duration = "30min"

[[exchange.instruments]]
symbol = "ACME"
tick_size = "0.01"
lot_size = 1
open_price = "100.00"
currency = "USD"

[exchange.instruments.fundamental]
volatility = 0.01

[[exchange.populations]]
kind = "zero_intelligence"
count = 50
limit_rate = 0.5
order_latency = "1ms"

[exchange.depth]
interval = "1s"
levels = 10

[[agents]]
kind = "twap"
side = "buy"
size_lots = 600
interval = "1min"
slices = 10
"""
"""A scenario without a fault, each key on a line of its own."""


@pytest.fixture
def base() -> str:
    return BASE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, so that messages give short file names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def faults_of(folder: Path) -> Callable[..., list[str]]:
    """Return the function that writes a scenario, loads it and gives the lines of its error."""

    def load(text: str, *overrides: str, name: str = "x.toml") -> list[str]:
        (folder / name).write_text(text, encoding="utf-8")
        with pytest.raises(ScenarioError) as caught:
            load_scenario(name, overrides)
        assert str(caught.value).splitlines() == [str(fault) for fault in caught.value.faults]
        return str(caught.value).splitlines()

    return load
