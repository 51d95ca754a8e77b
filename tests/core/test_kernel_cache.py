import textwrap

import pytest

from marketsim.core import kernel_cache
from marketsim.core.kernel_cache import cache_folder, cache_is_cold, kernel_sources, remove_old_caches


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    """A cache of the test's own, and nothing remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    for name in ("NUMBA_DISABLE_JIT", *kernel_cache.SETTINGS):
        monkeypatch.delenv(name, raising=False)
    cache_folder.cache_clear()
    yield
    cache_folder.cache_clear()


def write(folder, name, text):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))
    return path


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "src" / "marketsim"
    write(
        folder,
        "kernel/batch.py",
        "from marketsim.kernel.levels import (\n    best,\n)\n\n@kernel\ndef run(x):\n    ...\n",
    )
    write(folder, "kernel/levels.py", "from marketsim import codes\n\n@inlined\ndef best(x):\n    ...\n")
    write(folder, "codes.py", "ADD = 0\n")
    write(folder, "rules.py", "from marketsim.core.fmath import log\n")
    write(folder, "core/fmath.py", "def log(x):\n    ...\n")
    write(folder, "bound.py", "from marketsim.rules import order\n\njitable(order)\n")
    write(folder, "populations/value.py", "class Value:\n    @staticmethod\n    def wake(now): ...\n")
    write(folder, "cli.py", "from marketsim.kernel.batch import run\n")
    return folder


def test_kernel_sources_are_files_with_kernels_and_all_that_they_import(package):
    names = {path.relative_to(package).as_posix() for path in kernel_sources(package)}
    assert names == {
        "kernel/batch.py",
        "kernel/levels.py",
        "codes.py",
        "rules.py",
        "core/fmath.py",
        "bound.py",
        "populations/value.py",
    }


def test_the_installed_kernels_are_found():
    names = {path.name for path in kernel_sources()}
    assert {"jit.py", "fmath.py", "rng.py"} <= names
    assert "registry.py" not in names


def folder_name():
    cache_folder.cache_clear()
    return cache_folder().name


def test_the_folder_changes_with_a_helper_and_with_bounds_checks_and_with_nothing_else(package, monkeypatch):
    monkeypatch.setattr(kernel_cache, "PACKAGE", package)
    monkeypatch.setattr(kernel_cache, "kernel_sources", lambda: kernel_sources(package))
    before = folder_name()
    write(package, "cli.py", "from marketsim.kernel.batch import run  # changed\n")
    assert folder_name() == before
    write(package, "codes.py", "ADD = 1\n")
    changed = folder_name()
    assert changed != before
    monkeypatch.setenv("NUMBA_BOUNDSCHECK", "1")
    assert folder_name() not in (before, changed)


def test_a_users_own_folder_wins(monkeypatch, tmp_path):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "mine"))
    cache_folder.cache_clear()
    assert cache_folder() == tmp_path / "mine"


def test_a_cache_is_cold_until_every_kernel_asked_for_is_there():
    assert cache_is_cold()
    write(cache_folder(), "kernel_0a1b/batch.run_batch-12.py311.nbi", "")
    assert not cache_is_cold()
    assert not cache_is_cold("marketsim.exchange.kernel.batch")
    assert cache_is_cold("marketsim.exchange.kernel.batch", "marketsim.exchange.kernel.engine")


def test_without_jit_nothing_is_compiled_so_nothing_is_cold(monkeypatch):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert not cache_is_cold()


def test_old_caches_go_when_a_new_one_begins(tmp_path):
    base = cache_folder().parent
    for number in range(kernel_cache.KEPT_FOLDERS + 3):
        write(base, f"{number:016x}/kernel/x.nbi", "")
    remove_old_caches()
    assert len(list(base.iterdir())) == kernel_cache.KEPT_FOLDERS - 1
    cache_folder().mkdir()
    write(base, f"{99:016x}/x.nbi", "")
    remove_old_caches()
    assert len(list(base.iterdir())) == kernel_cache.KEPT_FOLDERS + 1
