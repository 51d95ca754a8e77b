"""Where compiled kernels are kept between processes.

Numba's own cache does not notice that an imported helper has changed, nor that bounds checks were switched on: the old
machine code runs on. So the folder is named by a hash of all kernel sources, Numba's version and the settings that
change machine code. A ``NUMBA_CACHE_DIR`` of the user's own wins. This file does not import Numba.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PACKAGE: Final = Path(__file__).resolve().parent.parent
SETTINGS: Final = ("NUMBA_BOUNDSCHECK", "NUMBA_OPT", "NUMBA_DEBUGINFO", "NUMBA_LOOP_VECTORIZE", "NUMBA_SLP_VECTORIZE")
"""Settings of Numba that change machine code without Numba's cache knowing."""
KEPT_FOLDERS: Final = 8
"""How many versions of the kernels stay on disk."""

_DEFINES_KERNEL = re.compile(
    r"^\s*(?:@(?:kernel|inlined|spliced|stage|intrinsic|njit)|jitable\(|def wake\()", re.MULTILINE
)
_IMPORTS = re.compile(r"^from (marketsim[\w.]*) import (?:\(([^)]*)\)|(.*))$|^import (marketsim[\w.]*)", re.MULTILINE)


def kernel_sources(package: Path = PACKAGE) -> list[Path]:
    """Return the files that define kernels or rules, and all of the package that these import, however indirectly."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(package.rglob("*.py"))}
    found = {path for path, text in texts.items() if _DEFINES_KERNEL.search(text)}
    waiting = list(found)
    while waiting:
        imported = {path for path in _imported_files(texts[waiting.pop()], package) if path in texts} - found
        found |= imported
        waiting += imported
    return sorted(found)


def _imported_files(text: str, package: Path) -> Iterator[Path]:
    """Yield the files that the import lines of a file may mean."""
    for source, listed, line, plain in _IMPORTS.findall(text):
        module = source or plain
        names = [name.split()[0] for name in (listed or line).split("#")[0].split(",") if name.split()]
        for dotted in (module, *(f"{module}.{name}" for name in names)):
            yield package.parent.joinpath(*dotted.split(".")).with_suffix(".py")


@functools.cache
def cache_folder() -> Path:
    """Return the folder of this version's compiled kernels, which need not exist."""
    own = os.environ.get("NUMBA_CACHE_DIR")
    if own:
        return Path(own)
    digest = hashlib.sha256()
    digest.update(repr((importlib.metadata.version("numba"), [os.environ.get(name, "") for name in SETTINGS])).encode())
    for path in kernel_sources():
        digest.update(f"{path.relative_to(PACKAGE)}\0".encode() + path.read_bytes())
    return _base_folder() / digest.hexdigest()[:16]


def _base_folder() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "marketsim" / "kernels"


def cache_is_cold(*modules: str) -> bool:
    """Say whether kernels must be compiled first, which takes seconds and is worth a word to the user.

    Parameters
    ----------
    *modules : str
        Modules whose kernels will run, ``"marketsim.exchange.kernel.batch"``; none: any kernel at all.
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return False
    names = [module.rpartition(".")[2] for module in modules] or ["*"]
    return not all(any(cache_folder().glob(f"*/{name}.*.nbi")) for name in names)


def remove_old_caches() -> None:
    """Delete the caches of versions of the kernels that have not been used for longest, ``KEPT_FOLDERS`` apart."""
    if os.environ.get("NUMBA_CACHE_DIR") or cache_folder().exists():
        return
    folders = sorted(_base_folder().glob("????????????????"), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[KEPT_FOLDERS - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)  # another process may use it, or delete it too: it only recompiles
