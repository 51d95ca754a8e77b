"""LOBSTER files come in exactly, go out again, and say where they are wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.core.errors import InputError
from marketsim.exchange.lobster import (
    LobsterMessages,
    check_same_rows,
    read_book,
    read_messages,
    write_book,
    write_messages,
)
from marketsim.exchange.lobster.columns import parse_book, parse_messages
from marketsim.exchange.lobster.text import MESSAGE_FIELDS, book_fields, nanoseconds, parse_rows, split_rows
from tests.exchange.lobster_samples import book_text, books_after, invented_messages, message_text

ROWS = invented_messages(300, seed=1)
BOOKS = books_after(ROWS, levels=3)


@pytest.fixture
def files(tmp_path):
    messages, book = tmp_path / "X_message_3.csv", tmp_path / "X_orderbook_3.csv"
    messages.write_text(message_text(ROWS))
    book.write_text(book_text(BOOKS))
    return messages, book


def rows_of(messages: LobsterMessages):
    return list(zip(*(column.tolist() for column in messages.columns().values()), strict=True))


def faults_of(path, read=read_messages):
    with pytest.raises(InputError) as caught:
        read(path)
    return [str(fault).replace(str(path), path.name) for fault in caught.value.faults]


def edited(path, changes):
    """Write other text in some lines (from 1) of a file; None deletes one."""
    lines = path.read_text().splitlines()
    for line, text in changes.items():
        lines[line - 1] = text
    path.write_text("\n".join(line for line in lines if line is not None) + "\n")
    return path


def test_messages_are_read_exactly(files):
    assert rows_of(read_messages(files[0])) == ROWS


def test_a_book_is_read_exactly(files):
    book = read_book(files[1])
    assert book.levels == 3
    assert book.values.tolist() == BOOKS
    assert book.prices(-1)[:, 0].tolist() == [row[0] for row in BOOKS]
    assert book.sizes(1)[:, 2].tolist() == [row[11] for row in BOOKS]


def test_the_first_rows_of_a_book_can_be_read_alone(files):
    assert read_book(files[1], rows=2).values.tolist() == BOOKS[:2]


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_what_was_written_is_read_back(files, tmp_path, suffix):
    messages, book = read_messages(files[0]), read_book(files[1])
    write_messages(messages, tmp_path / f"m.{suffix}")
    write_book(book, tmp_path / f"b.{suffix}")
    assert rows_of(read_messages(tmp_path / f"m.{suffix}")) == ROWS
    assert np.array_equal(read_book(tmp_path / f"b.{suffix}").values, book.values)


def test_times_are_written_with_nine_decimals(files, tmp_path):
    write_messages(read_messages(files[0]), tmp_path / "m.csv")
    first = (tmp_path / "m.csv").read_text().splitlines()[0].split(",")[0]
    whole, _, decimals = first.partition(".")
    assert int(whole) * 10**9 + int(decimals) == ROWS[0][0]
    assert len(decimals) == 9


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("34200", 34_200_000_000_000),
        ("34200.1", 34_200_100_000_000),
        ("34200.004241176", 34_200_004_241_176),
        ("34200.189607670123", 34_200_189_607_670),  # decimals below a nanosecond are rounded
        ("34200.1896076705", 34_200_189_607_671),
        ("57599.9999999999", 57_600_000_000_000),
        ("0.000000001", 1),
    ],
)
def test_seconds_become_nanoseconds_without_floating_point(text, time_ns):
    assert nanoseconds(text) == time_ns
    fast = parse_messages(f"{text},1,1,1,1,1\n".encode())
    assert fast is not None
    assert fast[0, 0] == time_ns


@given(st.integers(0, 86_400), st.text("0123456789", min_size=1, max_size=12))
def test_both_ways_of_reading_agree_on_every_time(whole, decimals):
    data = f"{whole}.{decimals},1,7,3,1000,-1\n".encode()
    fast = parse_messages(data)
    slow, _, faults = parse_rows("m.csv", split_rows(data), MESSAGE_FIELDS, "6 columns")
    assert not faults
    assert fast.tolist() == slow.tolist()


def test_more_decimals_than_the_fast_way_takes_are_read_the_slow_way(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("34200.12345678949999999,1,1,1,1,1\n")
    assert parse_messages(path.read_bytes()) is None
    assert read_messages(path).time_ns.tolist() == [34_200_123_456_789]


def test_both_ways_of_reading_agree_on_whole_files(files):
    message_data, book_data = files[0].read_bytes(), files[1].read_bytes()
    slow, lines, _ = parse_rows("m.csv", split_rows(message_data), MESSAGE_FIELDS, "6 columns")
    assert np.array_equal(parse_messages(message_data), slow)
    assert lines.tolist() == list(range(1, len(ROWS) + 1))
    assert np.array_equal(parse_book(book_data), parse_rows("b.csv", split_rows(book_data), book_fields(3), "")[0])


@pytest.mark.parametrize("end", ["\r\n", "\n\n\n", ""])
def test_line_ends_of_any_system_and_blank_lines_at_the_end_do_not_matter(tmp_path, end):
    path = tmp_path / "m.csv"
    between = "\r\n" if end == "\r\n" else "\n"
    path.write_bytes(f"34200.5,1,7,18,5853300,1{between}34201,3,7,18,5853300,1{end}".encode())
    assert read_messages(path).kind.tolist() == [1, 3]


def test_spaces_and_a_byte_order_mark_do_not_matter(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes("\ufeff34200.5, 1, 7,18 ,5853300,1\n".encode())
    assert rows_of(read_messages(path)) == [(34_200_500_000_000, 1, 7, 18, 5853300, 1)]


def test_half_cents_and_halts_are_accepted(tmp_path):
    path = tmp_path / "m.csv"
    path.write_text("34200.5,5,0,100,5853350,-1\n34201,7,0,0,-1,-1\n34202,6,9,500,5853300,1\n")
    assert read_messages(path).price.tolist() == [5853350, -1, 5853300]


# ---- Bad input ------------------------------------------------------------------------------------------------


def test_a_missing_file_says_so(tmp_path):
    assert faults_of(tmp_path / "no.csv") == ["no.csv: found no such file, expected a LOBSTER message file"]
    assert faults_of(tmp_path / "no.csv", read_book) == ["no.csv: found no such file, expected a LOBSTER book file"]


def test_a_folder_says_so(tmp_path):
    assert faults_of(tmp_path) == [f"{tmp_path.name}: found a folder, expected a LOBSTER message file"]


@pytest.mark.parametrize("data", [b"", b"\n", b" \r\n"])
def test_an_empty_file_says_so(tmp_path, data):
    path = tmp_path / "m.csv"
    path.write_bytes(data)
    assert faults_of(path) == ["m.csv: found an empty file, expected a LOBSTER message file"]


def test_a_garbled_number_is_named_by_file_and_row(files):
    row = list(map(str, ROWS[16]))
    assert faults_of(edited(files[0], {17: f"34300,1,{row[2]},abc,{row[4]},{row[5]}"})) == [
        'X_message_3.csv:17: found "abc", expected an integer size'
    ]


@pytest.mark.parametrize("cell", ["", "1.0", "0x12", "1e5", "--5", "nan", "NA", "1_000", "١", "9" * 19, '"5"'])
def test_nothing_but_plain_integers_passes_for_a_size(files, cell):
    assert faults_of(edited(files[0], {300: f"99999,1,9,{cell},5,1"})) == [
        f'X_message_3.csv:300: found "{cell}", expected an integer size'
    ]


@pytest.mark.parametrize("cell", ["", "-1.0", "3.42e4", "09:30:00", "34200.", ".5", "nan"])
def test_nothing_but_plain_seconds_passes_for_a_time(files, cell):
    assert faults_of(edited(files[0], {1: f"{cell},1,9,3,5,1"})) == [
        f'X_message_3.csv:1: found "{cell}", expected seconds after midnight such as 34200.004241176'
    ]


def test_a_truncated_row_is_named(files):
    assert faults_of(edited(files[0], {300: "34300.5,1,9"})) == [
        "X_message_3.csv:300: found 3 columns, expected 6 columns: time, type, order id, size, price, direction"
    ]


def test_a_blank_row_between_others_is_named(files):
    assert faults_of(edited(files[0], {5: ""}))[0].startswith("X_message_3.csv:5: found an empty row, expected 6 col")


def test_all_faults_come_at_once_in_the_order_of_the_rows(files):
    found = faults_of(
        edited(files[0], {2: "34200.7,1,x,1,1,1", 3: "34200.8,9,1,1,1,1", 4: "34201", 5: "34202,1,1,0,1,2"})
    )
    assert [line.split(", expected")[0] for line in found if int(line.split(":")[1]) < 6] == [
        'X_message_3.csv:2: found "x"',
        'X_message_3.csv:3: found "9"',
        "X_message_3.csv:4: found 1 column",
        'X_message_3.csv:5: found "0"',
        'X_message_3.csv:5: found "2"',
    ]


def test_more_faults_than_a_reader_wants_are_counted(files):
    found = faults_of(edited(files[0], dict.fromkeys(range(1, 101), "x")))
    assert len(found) == 21
    assert found[-1] == "X_message_3.csv: and 80 more faults"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("99999,8,1,1,1,1", 'found "8", expected a type from 1 to 7'),
        ("99999,0,1,1,1,1", 'found "0", expected a type from 1 to 7'),
        ("99999,1,0,1,1,1", 'found "0", expected an order id from 1 on'),
        ("99999,1,1,0,1,1", 'found "0", expected a positive size'),
        ("99999,5,1,-4,1,1", 'found "-4", expected a positive size'),
        ("99999,3,1,1,-7,1", 'found "-7", expected a positive price in 1/10,000'),
        ("99999,4,1,1,1,0", 'found "0", expected a direction, 1 or -1'),
        ("1,1,1,1,1,1", 'found "1.000000000", expected a time not before the row above'),
    ],
)
def test_numbers_that_cannot_be_are_named(files, row, found):
    assert faults_of(edited(files[0], {300: row})) == [f"X_message_3.csv:300: {found}"]


def test_a_book_with_a_truncated_row_is_named_even_when_it_is_the_first(files):
    row = ",".join(map(str, BOOKS[0][:10]))
    expected = ["X_orderbook_3.csv:1: found 10 columns, expected 12 columns as in most rows"]
    assert faults_of(edited(files[1], {1: row}), read_book) == expected


def test_a_garbled_number_in_a_book_says_which_level(files):
    cells = list(map(str, BOOKS[9]))
    cells[7] = "12O"
    assert faults_of(edited(files[1], {10: ",".join(cells)}), read_book) == [
        'X_orderbook_3.csv:10: found "12O", expected an integer bid size of level 2'
    ]


def test_a_message_file_in_place_of_a_book_is_named(files):
    assert faults_of(files[0], read_book) == [
        "X_message_3.csv:1: found 6 columns, expected four a level: ask price, ask size, bid price, bid size"
    ]


def test_levels_out_of_order_are_named(files):
    cells = BOOKS[99].copy()
    cells[4] //= 10  # a digit was lost
    assert faults_of(edited(files[1], {100: ",".join(map(str, cells))}), read_book) == [
        f'X_orderbook_3.csv:100: found "{cells[4]}", expected the ask price of level 2 above that of level 1'
    ]


def test_a_size_at_an_empty_level_is_named(files):
    cells = BOOKS[0].copy()
    cells[11] = 5
    assert faults_of(edited(files[1], {1: ",".join(map(str, cells))}), read_book) == [
        'X_orderbook_3.csv:1: found "5", expected a positive bid size of level 3, or 0 where the price is -9999999999'
    ]


def test_files_of_different_length_are_refused(files):
    edited(files[1], {300: None})
    with pytest.raises(InputError, match=r"_3\.csv: found 299 rows, expected 300, one for each row of .*X_mess"):
        check_same_rows(read_messages(files[0]), read_book(files[1]))


def test_a_parquet_file_without_the_columns_says_which(tmp_path, files):
    book = read_book(files[1])
    path = tmp_path / "b.parquet"
    write_book(book, path)
    assert "expected also time_ns, kind, order_id, size, price, direction" in faults_of(path)[0]
    path.write_bytes(b"not parquet")
    assert faults_of(path)[0].endswith("expected a Parquet file of LOBSTER columns")
