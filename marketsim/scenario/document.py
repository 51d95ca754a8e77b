"""One TOML file read into a tree; every way in which that can fail is a fault with file and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import NamedTuple

from marketsim.core.errors import Fault, ScenarioError
from marketsim.scenario.locate import locate
from marketsim.scenario.tree import Source, Table, TreeBuilder


class Document(NamedTuple):
    """A file as it stands."""

    path: Path
    root: Table
    faults: list[Fault]
    """Tables of one name in one array."""


def read_document(path: Path, shown: str, what: str = "a scenario") -> Document:
    """Return the tree of a TOML file.

    Parameters
    ----------
    path : Path
        The file.
    shown : str
        Its name in messages.
    what : str
        What it should hold, for messages.

    Raises
    ------
    ScenarioError
        The file is missing, is no file, cannot be read, is not UTF-8 or is not TOML.
    """
    text = _read_text(path, shown, what)
    folder = path.resolve().parent
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, line = _syntax(str(error), text)
        raise ScenarioError([Fault(shown, line, "", "", f"found no valid TOML: {message}")]) from None
    except RecursionError:
        raise ScenarioError([Fault(shown, 1, "", "", "found arrays or tables nested too deeply to read")]) from None
    builder = TreeBuilder(shown, folder, locate(text))
    root = builder.build(data)
    if not isinstance(root, Table):  # tomllib always gives a table; this tells the type checker
        root = Table({}, Source(shown, 1, folder))
    return Document(path, root, builder.faults)


def _read_text(path: Path, shown: str, what: str) -> str:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise ScenarioError([Fault(shown, 0, "", "no such file", f"{what} in TOML")]) from None
    except IsADirectoryError:
        raise ScenarioError([Fault(shown, 0, "", "a directory", f"{what} in TOML, a file")]) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ScenarioError([Fault(shown, 0, "", "", f"cannot be read: {reason}")]) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{error.object[error.start]:02x}"
        raise ScenarioError([Fault(shown, line, "", found, "text in UTF-8")]) from None


def _syntax(message: str, text: str) -> tuple[str, int]:
    """Return tomllib's message without its place, and the line of the place."""
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    if place is None:
        return message, 1
    words = message[: place.start()]
    if place[1] is None:
        return f"{words} at the end", len(text.splitlines()) or 1
    line, column = int(place[1]), int(place[2])
    rows = text.replace("\r\n", "\n").split("\n")
    row = rows[line - 1].strip() if line <= len(rows) else ""
    return f"{words} in column {column}" + (f": {row[:60]}" if row else ""), line
