"""Notebooks run whole, and show what their code gives."""

from __future__ import annotations

import json

import pytest

from notebooks.renew import FOLDER, names, read, run, shown

FAST = ("01_quickstart",)


@pytest.mark.parametrize("name", names())
def test_it_is_committed_with_its_outputs_and_tells_of_nobodys_machine(name):
    text = (FOLDER / f"{name}.ipynb").read_text()
    notebook = read(name)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.cells[0].source.startswith("# ")
    assert any(cell.get("outputs") for cell in notebook.cells)
    assert '"image/png"' in text
    for word in ("/home/", "/root/", "/tmp/", "site-packages", "Traceback"):
        assert word not in text, word
    assert json.loads(text)["nbformat"] == 4


@pytest.mark.parametrize(
    "name", [pytest.param(each, marks=[] if each in FAST else pytest.mark.slow) for each in names()]
)
@pytest.mark.filterwarnings("default")
def test_it_runs_whole_and_gives_what_it_shows(name):
    assert shown(run(name)) == shown(read(name)), f"python notebooks/renew.py {name} writes the outputs again"
