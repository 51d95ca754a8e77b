import sys
import types

import pytest

from marketsim.core.lazy import lazy_exports


@pytest.fixture
def package(monkeypatch):
    """A package whose one module counts how often a name was asked for."""
    package = types.ModuleType("lazy_package")
    package.__getattr__, package.__dir__, package.__all__ = lazy_exports(
        "lazy_package", {".deep": ["Late", "Later"], "fractions": ["Fraction"]}
    )
    deep = types.ModuleType("lazy_package.deep")
    deep.Late, deep.Later = 1, 2
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "lazy_package", package)
    monkeypatch.setitem(sys.modules, "lazy_package.deep", deep)
    return package


def test_a_name_comes_from_the_module_that_defines_it(package):
    from fractions import Fraction

    assert (package.Late, package.Later, package.Fraction) == (1, 2, Fraction)


def test_an_unknown_name_is_an_attribute_error(package):
    with pytest.raises(AttributeError, match="module 'lazy_package' has no attribute 'Never'"):
        _ = package.Never


def test_dir_and_all_list_the_names(package):
    assert package.__all__ == ["Fraction", "Late", "Later"]
    assert {"Fraction", "Late", "Later", "__path__"} <= set(dir(package))
