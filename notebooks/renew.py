"""Run notebooks whole and write their outputs back: ``python notebooks/renew.py [NAME ...]``.

Do so where a test says that a notebook shows what its code no longer gives.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent
TIMEOUT_S = 300


def names() -> list[str]:
    """Return the names of all notebooks."""
    return sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def read(name: str) -> Any:
    """Return a notebook as it stands."""
    import nbformat

    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def run(name: str) -> Any:
    """Return a notebook with the outputs of a fresh kernel in a folder without earlier runs.

    Raises
    ------
    CellExecutionError
        A cell fails.
    """
    from nbclient import NotebookClient

    notebook = read(name)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / FOLDER.name
        folder.mkdir()
        Path(place, "scenarios").symlink_to(FOLDER.parent / "scenarios")
        resources = {"metadata": {"path": str(folder)}}
        NotebookClient(notebook, timeout=TIMEOUT_S, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # when it ran
        if cell.cell_type == "code":  # warnings of one machine's libraries
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    return notebook


def shown(notebook: Any) -> list[str]:
    """Return the texts that the outputs of a notebook show, pictures left out."""
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
    return [text for output, text in zip(outputs, texts, strict=True) if "image/png" not in output.get("data", {})]


def main() -> None:
    """Renew the notebooks that are named, or all."""
    import nbformat

    for name in sys.argv[1:] or names():
        nbformat.write(run(name), FOLDER / f"{name}.ipynb")


if __name__ == "__main__":
    main()
