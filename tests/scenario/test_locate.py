"""Every key of a TOML text is found on the line where it is written."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from marketsim.scenario.locate import KeyPath, locate

TEXT = """\
# a comment
name = "x"  # another
"a b".c = 1
site."google.com" = true

[exchange]
x.y = { a = 1, b = { c = 2 } }

[[exchange.populations]]
kind = "value"
slots = [
  1,  # the first
  { q = 2 },
]
[exchange.populations.sub]
z = 1.5

[[exchange.populations]]
kind = "noise"
"k\\u00e9" = '''
two
lines'''
[exchange.populations.sub]
z = 2
[[exchange.populations.events]]
at = 1
[[exchange.populations.events]]
at = 2
"""


def test_each_way_of_writing_a_key_is_located():
    lines = locate(TEXT)
    populations = ("exchange", "populations")
    assert lines[()] == 1
    assert lines[("name",)] == 2
    assert lines[("a b", "c")] == 3
    assert lines[("site", "google.com")] == 4
    assert lines[("exchange",)] == 6
    assert lines[("exchange", "x", "y", "b", "c")] == 7
    assert lines[(*populations, 0)] == 9
    assert lines[(*populations, 0, "kind")] == 10
    assert lines[(*populations, 0, "slots", 0)] == 12
    assert lines[(*populations, 0, "slots", 1, "q")] == 13
    assert lines[(*populations, 0, "sub", "z")] == 16
    assert lines[(*populations, 1)] == 18
    assert lines[(*populations, 1, "ké")] == 20
    assert lines[(*populations, 1, "sub", "z")] == 24
    assert lines[(*populations, 1, "events", 0, "at")] == 26
    assert lines[(*populations, 1, "events", 1, "at")] == 28


def _paths(value: object, path: KeyPath = ()) -> list[KeyPath]:
    if isinstance(value, dict):
        return [path] + [found for key, child in value.items() for found in _paths(child, (*path, key))]
    if isinstance(value, list):
        return [path] + [found for index, child in enumerate(value) for found in _paths(child, (*path, index))]
    return [path]


def test_the_paths_are_those_of_tomllib():
    assert set(locate(TEXT)) == set(_paths(tomllib.loads(TEXT)))


def test_windows_line_ends_do_not_move_a_line():
    assert locate(TEXT.replace("\n", "\r\n")) == locate(TEXT)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=8))
def test_blank_lines_and_comments_are_counted(gaps):
    text = "".join("\n" * gap + f"# note\nkey{number} = {number}\n" for number, gap in enumerate(gaps))
    expected = [line for line, row in enumerate(text.split("\n"), start=1) if row.startswith("key")]
    lines = locate(text)
    assert [lines[(f"key{number}",)] for number in range(len(gaps))] == expected
