"""``marketsim replay`` as a user meets it: the tables, the JSON of the contract, files that cannot be used."""

from __future__ import annotations

import json
import re

import pytest

from tests.exchange.lobster_samples import book_text, books_after, invented_messages, message_text

ROWS = invented_messages(120, seed=3)


@pytest.fixture
def pair(tmp_path):
    """A small recording of two levels: message file and book file."""
    messages, book = tmp_path / "m.csv", tmp_path / "b.csv"
    messages.write_text(message_text(ROWS))
    book.write_text(book_text(books_after(ROWS, 2)))
    return messages, book


def change_line(path, number, change):
    lines = path.read_text().splitlines(keepends=True)
    lines[number - 1] = change(lines[number - 1])
    path.write_text("".join(lines))


def swap_levels(line):
    words = line.strip().split(",")
    return ",".join(words[4:] + words[:4]) + "\n"


def cells(text, label):
    """The cells of the table's row that starts with a label."""
    [line] = [line for line in text.splitlines() if line.startswith(f"│ {label} ")]
    return [cell.strip() for cell in line.strip("│").split("│")][1:]


# ---- What it prints -------------------------------------------------------------------------------------------------


def test_the_tables_count_types_and_rows_that_agree(marketsim, pair):
    result = marketsim("replay", pair[0], "--book", pair[1])
    assert result.exit_code == 0
    text = result.stdout
    assert text.splitlines()[0] == "m.csv"
    for label, kind in (("1 add", 1), ("3 delete", 3), ("4 execute", 4), ("5 execute hidden", 5)):
        assert cells(text, label) == [str(sum(row[1] == kind for row in ROWS))]
    assert cells(text, "all") == ["120"]
    for label in ("one step, all levels", "cumulative, level 1", "cumulative, level 2"):
        assert cells(text, label) == ["119", "119", "100.00"]
    assert "cumulative, level 3" not in text
    assert re.search(r"^ +\d+\.\d\d  seconds, [\d,]+ messages/s$", text, re.MULTILINE)
    assert "Below 100 %" not in text


def test_without_a_book_there_is_nothing_to_agree_with(marketsim, pair):
    result = marketsim("replay", pair[0])
    assert result.exit_code == 0
    assert "agree" not in result.stdout
    assert cells(result.stdout, "all") == ["120"]


def test_a_row_that_does_not_follow_is_named_and_100_percent_is_never_rounded_to(marketsim, pair):
    change_line(pair[1], 40, lambda line: re.sub(r",(\d+),", lambda found: f",{int(found[1]) + 1},", line, count=1))
    result = marketsim("replay", *pair[:1], "--book", pair[1])
    assert result.exit_code == 0
    assert cells(result.stdout, "one step, all levels") == ["117", "119", "98.31"]
    assert cells(result.stdout, "cumulative, level 1") == ["118", "119", "99.15"]
    assert "Row 40 of the book does not follow from the row above" in result.stdout


def test_a_book_cut_off_inside_its_last_number_fails_one_step(marketsim, pair):
    n = max(n for n, book in enumerate(books_after(ROWS, 2), 1) if book[-1] >= 10)
    pair[0].write_text(message_text(ROWS[:n]))
    pair[1].write_text(book_text(books_after(ROWS[:n], 2)).rstrip()[:-1])
    result = marketsim("replay", pair[0], "--book", pair[1], "--json")
    assert json.loads(result.stdout)["first_disagreement"] == n > 50


def test_a_seed_with_more_levels_takes_the_place_of_the_books_first_row(marketsim, pair, tmp_path):
    start, books = 60, books_after(ROWS, 20)
    tail, seed = tmp_path / "tail.csv", tmp_path / "seed.csv"
    tail.write_text(message_text(ROWS[start:]))
    pair[1].write_text(book_text([book[:4] for book in books[start:]]))
    seed.write_text(book_text(books[start:][:1]))
    agree = []
    for words in ((), ("--seed-book", seed)):
        found = json.loads(marketsim("replay", tail, "--book", pair[1], *words, "--json").stdout)
        assert found["one_step"] == {"agree": 59, "of": 59}
        agree.append(found["cumulative"][0]["agree"])
    assert agree[0] < agree[1] == 59


def test_json_is_one_object_with_the_keys_of_the_contract(marketsim, pair):
    result = marketsim("replay", pair[0], "--book", pair[1], "--levels", "1", "--json")
    found = json.loads(result.stdout)
    assert found["rows"] == 120
    assert found["one_step"] == {"agree": 119, "of": 119}
    assert found["cumulative"] == [{"level": 1, "agree": 119, "of": 119}]
    assert found["first_disagreement"] is None
    assert sum(found["types"].values()) == 120
    assert {"unknown_ids", "nowhere", "gone", "refused", "resting", "seconds"} <= set(found)
    alone = json.loads(marketsim("replay", pair[0], "--json").stdout)
    assert (alone["one_step"], alone["cumulative"]) == (None, [])


def test_a_process_of_its_own_shows_no_progress_and_no_warning(marketsim_process, pair):
    process = marketsim_process("replay", pair[0], "--book", pair[1], "--json")
    out, err = process.communicate()
    assert process.returncode == 0
    assert json.loads(out)["rows"] == 120
    assert err.replace("compiling the kernels; this happens once and takes up to a minute\n", "") == ""


# ---- Files that cannot be used -------------------------------------------------------------------------------------

MESSAGE = "expected 6 columns: time, type, order id, size, price, direction"
FAULTS = {
    "truncated": (lambda m, b: m.write_text(m.read_text()[:-12]), "m.csv:120: found [45] columns, " + MESSAGE),
    "garbled": (
        lambda m, b: change_line(m, 7, lambda line: "%&/()\n"),
        "m.csv:7: found 1 column, " + MESSAGE,
    ),
    "no number": (
        lambda m, b: change_line(m, 9, lambda line: "x" + line),
        r'm.csv:9: found "x34200[.\d]*", expected seconds after midnight such as 34200.004241176',
    ),
    "a type that is none": (
        lambda m, b: change_line(m, 5, lambda line: re.sub(r",\d,", ",9,", line, count=1)),
        'm.csv:5: found "9", expected a type from 1 to 7',
    ),
    "truncated book": (
        lambda m, b: b.write_text(b.read_text().rstrip().rsplit(",", 2)[0]),
        "b.csv:120: found 6 columns, expected 8 columns as in most rows",
    ),
    "levels out of order": (
        lambda m, b: change_line(b, 90, swap_levels),
        r'b.csv:90: found "\d+", expected the ask price of level 2 above that of level 1',
    ),
    "fewer rows": (
        lambda m, b: b.write_text("".join(b.read_text().splitlines(keepends=True)[:-1])),
        "b.csv: found 119 rows, expected 120, one for each row of .*m.csv",
    ),
    "a folder": (lambda m, b: (m.unlink(), m.mkdir()), "m.csv: found a folder, expected a LOBSTER message file"),
    "a folder as book": (lambda m, b: (b.unlink(), b.mkdir()), "b.csv: found a folder, expected a LOBSTER book file"),
    "no file": (lambda m, b: m.unlink(), "m.csv: found no such file, expected a LOBSTER message file"),
    "no book": (lambda m, b: b.unlink(), "b.csv: found no such file, expected a LOBSTER book file"),
    "nothing in it": (lambda m, b: m.write_text(""), "m.csv: found an empty file, expected a LOBSTER message file"),
    "bytes": (lambda m, b: m.write_bytes(bytes(range(128, 256))), "m.csv:1: found 1 column, " + MESSAGE),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("words", [(), ("--json",)], ids=["table", "json"])
def test_a_faulty_file_is_named_with_its_row(marketsim, pair, fault, words):
    spoil, message = FAULTS[fault]
    spoil(*pair)
    result = marketsim("replay", pair[0], "--book", pair[1], *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert re.search(message, result.stderr), result.stderr
    assert "Traceback" not in result.stderr


def test_a_seed_book_that_cannot_be_used_is_named(marketsim, pair, tmp_path):
    result = marketsim("replay", pair[0], "--seed-book", tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "none.csv: found no such file, expected a LOBSTER book file" in result.stderr


def test_levels_need_a_book_and_as_many_in_it(marketsim, pair):
    result = marketsim("replay", pair[0], "--levels", "2")
    assert (result.exit_code, "it needs --book FILE" in result.stderr) == (2, True)
    result = marketsim("replay", pair[0], "--book", pair[1], "--levels", "3")
    assert result.exit_code == 2
    assert "b.csv: found 2 levels, expected at least the 3 to compare" in result.stderr
    assert marketsim("replay", pair[0], "--book", pair[1], "--levels", "0").exit_code == 2


# ---- A real recording ------------------------------------------------------------------------------------------------


def test_the_page_about_replays_shows_what_the_command_prints(marketsim, data_dir):
    """The example of docs/replay.md, the lines about speed apart."""
    from tests.cli.conftest import ROOT

    page = (ROOT / "docs" / "replay.md").read_text()
    names = [f"AAPL_2012-06-21_34200000_57600000_{what}_10.csv" for what in ("message", "orderbook")]
    folder = data_dir / "lobster"
    result = marketsim("replay", folder / names[0], "--book", folder / names[1], "--levels", "3")
    printed = result.stdout[: result.stdout.index(" seconds, ")].splitlines()[:-1]
    shown = page.split("```\n")[3].splitlines()
    assert [line.rstrip() for line in shown] == [line.rstrip() for line in printed]


def test_a_real_half_hour_follows_from_fifty_levels(marketsim, data_dir):
    folder, day = data_dir / "lobster", "AAPL_2012-06-21_34200000_"
    words = ["--book", folder / f"{day}36000000_orderbook_1.csv"]
    words += ["--seed-book", folder / f"{day}34230000_orderbook_50.csv", "--json"]
    found = json.loads(marketsim("replay", folder / f"{day}36000000_message_50.csv", *words).stdout)
    assert found["one_step"] == {"agree": 42_202, "of": 42_202}
    assert found["cumulative"] == [{"level": 1, "agree": 42_202, "of": 42_202}]
