import sys

import pytest

from marketsim.core.errors import PluginError
from marketsim.core.registry import Registry, is_plugin, load_user_module, nearest_names, user_module_file


@pytest.fixture
def registry():
    return Registry({"fraction": "fractions:Fraction", "decimal": "decimal:Decimal"}, what="number")


@pytest.fixture(autouse=True)
def forget_modules():
    """A test's modules do not outlive it."""
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(folder, name, text):
    (folder / name).write_text(text)
    return folder


def test_a_known_kind_is_imported_when_asked_for(registry):
    from fractions import Fraction

    assert registry.resolve("fraction") is Fraction


def test_an_unknown_kind_lists_the_kinds_and_the_nearest(registry):
    with pytest.raises(ValueError, match="^expected a number: decimal, fraction, or .*; did you mean fraction"):
        registry.resolve("fractoin")
    with pytest.raises(ValueError, match='"module:Class" for one of your own$'):
        registry.resolve("quaternion")


def test_a_users_class_is_found_beside_the_scenario(registry, tmp_path):
    folder = write(tmp_path, "my_numbers.py", "class Mine:\n    pass\n")
    assert registry.resolve("my_numbers:Mine", folder).__name__ == "Mine"
    assert registry.resolve("my_numbers:Mine", folder) is registry.resolve("my_numbers:Mine", folder)
    assert user_module_file("my_numbers", folder) == (tmp_path / "my_numbers.py").resolve()


def test_a_users_module_may_be_a_package_and_import_its_neighbours(registry, tmp_path):
    write(tmp_path, "neighbour.py", "class Base:\n    pass\n")
    write(tmp_path, "user.py", "from neighbour import Base\n\nclass Mine(Base):\n    pass\n")
    (tmp_path / "deep").mkdir()
    write(tmp_path / "deep", "__init__.py", "class Deep:\n    pass\n")
    assert registry.resolve("user:Mine", tmp_path).__base__.__name__ == "Base"
    assert registry.resolve("deep:Deep", tmp_path).__name__ == "Deep"
    assert str(tmp_path) not in sys.path


def test_modules_of_one_name_in_two_folders_stay_apart(registry, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write(tmp_path / name, "traders.py", f"class Mine:\n    home = {name!r}\n")
    homes = [registry.resolve("traders:Mine", tmp_path / name).home for name in ("one", "two", "one", "two")]
    assert homes == ["one", "two", "one", "two"]


def test_a_module_that_is_not_beside_the_scenario_may_be_installed(registry, tmp_path):
    from collections import OrderedDict

    assert registry.resolve("collections:OrderedDict", tmp_path) is OrderedDict
    assert user_module_file("collections", tmp_path) is None


def test_a_missing_module_says_where_it_was_looked_for(registry, tmp_path):
    with pytest.raises(PluginError, match=f"found no module no_such_one in {tmp_path} or among the installed ones"):
        registry.resolve("no_such_one:Mine", tmp_path)


def test_a_missing_class_gives_the_nearest_name_and_the_file(registry, tmp_path):
    folder = write(tmp_path, "misnamed.py", "class Trader:\n    pass\n\nnumber = 3\n")
    with pytest.raises(
        PluginError, match=r"misnamed\.py: misnamed:Tradr: found no class Tradr in it; did you mean Trader\?"
    ):
        registry.resolve("misnamed:Tradr", folder)
    with pytest.raises(PluginError, match="found no class number"):
        registry.resolve("misnamed:number", folder)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("x = 1\ny = x +\n", 2, "SyntaxError"),
        ("import math\n\nz = undefined\n", 3, "NameError"),
        ("\nimport no_such_library\n", 2, "ModuleNotFoundError"),
        ("def f():\n    return 1 / 0\n\nf()\n", 2, "ZeroDivisionError"),
    ],
)
def test_a_fault_in_a_users_module_has_its_file_and_line(registry, tmp_path, text, line, message):
    folder = write(tmp_path, "faulty.py", text)
    with pytest.raises(PluginError, match=message) as caught:
        registry.resolve("faulty:Mine", folder)
    assert (caught.value.file, caught.value.line) == (str((tmp_path / "faulty.py").resolve()), line)
    assert "faulty" not in sys.modules


def test_a_name_that_no_module_can_have_is_refused(tmp_path):
    with pytest.raises(PluginError, match="expected"):
        load_user_module("../evil", tmp_path)


def test_kinds_with_a_colon_are_users_own():
    assert is_plugin("my:Mine")
    assert not is_plugin("noise")


def test_nearest_names_are_only_likely_ones():
    assert nearest_names("makr", ["maker", "taker"]) == "; did you mean maker or taker?"
    assert nearest_names("zzz", ["maker", "taker"]) == ""
