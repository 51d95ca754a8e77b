"""A replay says how many rows agree with the recorded book, and why it may be fewer than all."""

import pytest

from marketsim.core.errors import InputError
from marketsim.exchange.lobster import LobsterType
from marketsim.exchange.replay import Agreement, replay_messages
from tests.exchange.lobster_samples import book_text, books_after, invented_messages, message_text
from tests.oracles.level_book import replayed

ROWS = invented_messages(500, seed=11)


def write_pair(folder, rows, books):
    messages, book = folder / "m.csv", folder / "b.csv"
    messages.write_text(message_text(rows))
    book.write_text(book_text(books))
    return messages, book


def within_window(rows, levels):
    """What a recording of some levels holds: messages within them, and the book after each.

    As with real files: who rests further out is unknown, and so is what happens there.
    """
    books, before = books_after(rows, 50), [9_999_999_999, 0, -9_999_999_999, 0] * 50
    kept = []
    for row, book in zip(rows, books, strict=True):
        if before[: 4 * levels] != book[: 4 * levels] or row[1] > 4:
            kept.append((row, book[: 4 * levels]))
        before = book
    return [row for row, _ in kept], [book for _, book in kept]


def test_a_whole_recording_agrees_at_every_level(tmp_path):
    found = replay_messages(*write_pair(tmp_path, ROWS, books_after(ROWS, 5)))
    assert found.rows == 500
    assert found.one_step == Agreement(499, 499)
    assert found.cumulative == (Agreement(499, 499),) * 5
    assert found.explanation() == ""
    assert found.first_disagreement is None


def test_types_are_counted(tmp_path):
    found = replay_messages(*write_pair(tmp_path, ROWS, books_after(ROWS, 5)))
    for kind in LobsterType:
        assert found.types[kind] == sum(row[1] == kind for row in ROWS)


def test_ten_levels_are_compared_where_nobody_names_a_number(tmp_path):
    messages, book = write_pair(tmp_path, ROWS, books_after(ROWS, 12))
    assert len(replay_messages(messages, book).cumulative) == 10
    assert len(replay_messages(messages, book, levels=12).cumulative) == 12
    assert len(replay_messages(messages, book, levels=2).cumulative) == 2


def test_without_a_book_the_messages_are_rebuilt_from_an_empty_one(tmp_path):
    messages, _ = write_pair(tmp_path, ROWS, books_after(ROWS, 5))
    found = replay_messages(messages)
    assert (found.one_step, found.cumulative, found.counts.unknown_ids) == (None, (), 0)
    lots = {}
    for _, kind, order_id, size, _, _ in ROWS:
        if kind < 5:
            lots[order_id] = lots.get(order_id, 0) + (size if kind == 1 else -size)
    assert found.resting == sum(left > 0 for left in lots.values())


def test_a_window_of_levels_agrees_as_often_as_the_dict_says(tmp_path):
    rows, books = within_window(ROWS, levels=3)
    found = replay_messages(*write_pair(tmp_path, rows, books))
    by_dict = replayed([(row[1], row[3], row[4], row[5]) for row in rows[1:]], 3, seed=books[0])
    for level in range(3):
        place = slice(4 * level, 4 * level + 4)
        agree = sum(mine[place] == real[place] for mine, real in zip(by_dict, books[1:], strict=True))
        assert found.cumulative[level] == Agreement(agree, len(rows) - 1)
    assert found.cumulative[0].share < 1
    assert found.explanation().startswith("Below 100 % is expected")


def test_a_seed_with_more_levels_repairs_what_one_level_cannot_know(tmp_path):
    start = 250
    rows, books = ROWS[start:], books_after(ROWS, 50)[start:]
    seed = tmp_path / "seed.csv"
    seed.write_text(book_text(books[:2]))
    pair = write_pair(tmp_path, rows, [book[:4] for book in books])
    assert replay_messages(*pair).cumulative[0].share < 1
    found = replay_messages(*pair, seed_book=seed)
    assert found.cumulative == (Agreement(249, 249),)
    assert found.counts.unknown_ids > 0


def test_a_damaged_book_is_told_from_an_incomplete_one(tmp_path):
    books = books_after(ROWS, 5)
    books[99][1] += 1
    found = replay_messages(*write_pair(tmp_path, ROWS, books))
    assert found.one_step == Agreement(497, 499)  # the row itself and the one below
    assert found.first_disagreement == 100
    assert "Row 100 of the book does not follow" in found.explanation()


def test_one_row_alone_has_nothing_to_agree_with(tmp_path):
    found = replay_messages(*write_pair(tmp_path, ROWS[:1], books_after(ROWS[:1], 1)))
    assert (found.one_step, found.cumulative) == (Agreement(0, 0), (Agreement(0, 0),))


def test_progress_is_told_to_the_end(tmp_path):
    told = []
    replay_messages(*write_pair(tmp_path, ROWS, books_after(ROWS, 1)), progress=lambda *done: told.append(done))
    assert told[-1] == (500, 500)


def test_the_result_fits_into_json_with_the_keys_of_the_contract(tmp_path):
    found = replay_messages(*write_pair(tmp_path, ROWS, books_after(ROWS, 2))).as_dict()
    assert found["rows"] == 500
    assert found["one_step"] == {"agree": 499, "of": 499}
    assert found["cumulative"] == [{"level": 1, "agree": 499, "of": 499}, {"level": 2, "agree": 499, "of": 499}]


def test_more_levels_than_the_book_has_are_refused(tmp_path):
    messages, book = write_pair(tmp_path, ROWS, books_after(ROWS, 2))
    with pytest.raises(InputError, match=r"b\.csv: found 2 levels, expected at least the 5 to compare"):
        replay_messages(messages, book, levels=5)


@pytest.mark.parametrize("levels", [0, 3])
def test_levels_without_a_book_or_below_one_are_refused(tmp_path, levels):
    messages, book = write_pair(tmp_path, ROWS, books_after(ROWS, 2))
    with pytest.raises(ValueError, match="levels must be at least 1"):
        replay_messages(messages, book if levels == 0 else None, levels=levels)


# ---- Real recordings --------------------------------------------------------------------------------------------

AAPL_10, AMZN_5 = "AAPL_2012-06-21_34200000_57600000_{}_10.csv", "AMZN_2012-06-21_34200000_57600000_{}_5.csv"
AAPL_50 = "AAPL_2012-06-21_34200000_34230000_{}_50.csv"
HALF_HOUR = "AAPL_2012-06-21_34200000_36000000_{}"


def real(data_dir, pair, **options):
    folder = data_dir / "lobster"
    return replay_messages(folder / pair.format("message"), folder / pair.format("orderbook"), **options)


@pytest.mark.parametrize(("pair", "rows"), [(AAPL_10, 999), (AMZN_5, 1000), (AAPL_50, 672)])
def test_real_pairs_agree_one_step_in_every_row(data_dir, pair, rows):
    assert real(data_dir, pair).one_step == Agreement(rows - 1, rows - 1)


def test_fifty_real_levels_agree_cumulatively_at_the_first_five(data_dir):
    assert real(data_dir, AAPL_50, levels=5).cumulative == (Agreement(671, 671),) * 5


@pytest.mark.parametrize(("pair", "agree", "of"), [(AAPL_10, 954, 998), (AMZN_5, 662, 999)])
def test_real_windows_of_few_levels_agree_as_far_as_they_can(data_dir, pair, agree, of):
    found = real(data_dir, pair)
    assert found.cumulative[0] == Agreement(agree, of)
    assert found.counts.unknown_ids > 0
    assert "expected" in found.explanation()


def test_a_real_half_hour_is_rebuilt_from_a_seed_of_fifty_levels(data_dir):
    folder = data_dir / "lobster"
    found = replay_messages(
        folder / f"{HALF_HOUR.format('message')}_50.csv",
        folder / f"{HALF_HOUR.format('orderbook')}_1.csv",
        seed_book=folder / AAPL_50.format("orderbook"),
    )
    assert found.rows == 42_203
    assert found.cumulative[0].share >= 0.998
    assert found.types[LobsterType.EXECUTE_HIDDEN] == 1123
