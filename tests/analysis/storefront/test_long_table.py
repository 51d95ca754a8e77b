from marketsim.analysis.choice import read_answers
from marketsim.analysis.storefront import ShopFacts, bought_only, choice_table
from tests.analysis.storefront.tables import FACTS, choices, impressions, listings


def long_table():
    return choice_table(impressions().to_pandas(), choices().to_pandas(), listings().to_pandas())


def test_offers_are_rows_in_units_that_a_reader_expects():
    table = long_table()
    second = table.iloc[1]
    assert (second["product"], second["alternative"], second["price"], second["rating"]) == (
        "lamp-b",
        "lamp-b",
        20.0,
        4.1,
    )
    assert (second["row"], second["col"], second["slot"], second["discounted"]) == (1, 2, 2, 1)
    assert table["chosen"].tolist() == [1, 0, 1, 0, 0, 0, 0, 0]


def test_pages_that_were_left_go_and_invalid_answers_stay():
    kept = bought_only(long_table())
    assert sorted(set(kept["choice_set"])) == [0, 1, 3]
    assert kept.index.tolist() == list(range(len(kept)))
    answers = read_answers(kept)
    assert (answers.n_sets, answers.n_invalid, answers.valid.n_sets) == (3, 1, 2)


def test_copies_of_one_product_are_told_apart_by_their_slots():
    shown = impressions().to_pandas()
    shown["product"] = 0
    table = choice_table(shown)
    assert table["alternative"].tolist() == [1, 2] * 4
    assert (table["run_outcome"] == -1).all()


def test_planted_places_are_taken_against_the_last():
    names = "ln_price price ln_reviews rating sponsored overall_pick best_seller limited_time discounted scarcity"
    values = dict.fromkeys(names.split(), 0.0)
    planted = {**values, "rating": 2.0, "row": [1.0, 0.5, 0.25], "column": [0.0, 0.75], "slot": []}
    facts = ShopFacts("USD", 3, 2, 1, "aces", ("a",), planted=planted)
    found = facts.planted_terms()
    assert (found["row[1]"], found["row[2]"], found["col"], found["rating"]) == (0.75, 0.25, -0.75, 2.0)
    by_slot = facts.planted_terms(by_slot=True)
    assert by_slot["slot[1]"] == 1.0 - (0.25 + 0.75)
    assert "row[1]" not in by_slot
    assert FACTS.planted_terms() == {}
