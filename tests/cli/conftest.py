"""The command line as a user meets it: a process of its own, or the same program inside this one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from marketsim.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = ROOT / "scenarios" / "quickstart.toml"


@pytest.fixture
def marketsim(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command in this process, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def marketsim_process(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start a command in a process of its own, in an empty working directory."""

    def start(*words: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "marketsim.cli.main", *map(str, words)]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=tmp_path, stdout=pipe, stderr=pipe, text=True, env={**os.environ})

    return start


@pytest.fixture
def quickstart(tmp_path: Path) -> Callable[..., Path]:
    """The quickstart with some lines replaced: ``quickstart(('tick_size = "0.01"', 'tick_size = "-1"'))``."""

    def write(*changes: tuple[str, str]) -> Path:
        text = QUICKSTART.read_text()
        for line, other in changes:
            assert text.count(line) == 1, line
            text = text.replace(line, other)
        file = tmp_path / "changed.toml"
        file.write_text(text)
        return file

    return write
