"""The one-step check agrees with a dict of levels, row by row, on right files and on damaged ones."""

import random
from pathlib import Path

import numpy as np
import pytest

from marketsim.exchange.lobster import LobsterBook, LobsterMessages, one_step, one_step_agreement
from tests.exchange.lobster_samples import books_after, invented_messages
from tests.oracles.level_book import follows


def files_of(rows, books):
    messages = LobsterMessages(Path("m.csv"), *np.array(rows, np.int64).T)
    return messages, LobsterBook(Path("b.csv"), np.array(books, np.int64))


def by_dict(rows, books):
    return [
        follows(books[k - 1], (rows[k][1], rows[k][3], rows[k][4], rows[k][5]), books[k]) for k in range(1, len(rows))
    ]


@pytest.mark.parametrize("levels", [1, 2, 5, 20])
@pytest.mark.parametrize("seed", range(3))
def test_every_row_of_a_consistent_pair_agrees(levels, seed):
    rows = invented_messages(500, seed)
    agrees = one_step_agreement(*files_of(rows, books_after(rows, levels)))
    assert agrees.tolist() == [True] * 499


@pytest.mark.parametrize("levels", [1, 3, 5])
@pytest.mark.parametrize("seed", range(8))
def test_damaged_pairs_are_judged_as_the_dict_judges_them(levels, seed):
    chance = random.Random(seed)
    rows = invented_messages(400, seed)
    books = books_after(rows, levels)
    for _ in range(60):
        k, place = chance.randrange(400), chance.choice([3, 4, 5, 1])
        row = list(rows[k])
        other_price = row[4] + chance.choice([-100, 100, 3000])
        row[place] = {3: row[3] + 10, 4: other_price, 5: -row[5], 1: row[1] % 5 + 1}[place]
        rows[k] = tuple(row)
    for _ in range(30):
        row, place = chance.choice(books), chance.randrange(levels) * 4 + chance.choice([1, 3])
        row[place] += row[place] > 0
    agrees = one_step_agreement(*files_of(rows, books)).tolist()
    assert agrees == by_dict(rows, books)
    assert 0 < sum(agrees) < len(agrees)


def test_the_place_where_the_work_is_cut_does_not_matter(monkeypatch):
    rows = invented_messages(100, seed=5)
    books = books_after(rows, 2)
    books[50][1] += 1
    whole = one_step_agreement(*files_of(rows, books))
    monkeypatch.setattr(one_step, "CHUNK_ROWS", 7)
    assert one_step_agreement(*files_of(rows, books)).tolist() == whole.tolist()


def test_one_row_alone_has_nothing_to_follow_from():
    rows = invented_messages(1, seed=1)
    assert len(one_step_agreement(*files_of(rows, books_after(rows, 2)))) == 0
