import numpy as np
import pytest

from marketsim.analysis.choice import wilson_interval
from marketsim.analysis.storefront import storefront_row, summarise_storefront
from marketsim.analysis.storefront.meter import STEP, price_bin
from tests.analysis.storefront.tables import FACTS, all_tables


@pytest.fixture(scope="module")
def summary():
    return summarise_storefront(all_tables(), FACTS)


def test_outcomes_revenue_and_tags_are_counted(summary):
    assert (summary.n_sets, summary.n_bought, summary.n_left, summary.n_invalid, summary.n_open) == (4, 2, 1, 1, 0)
    assert (summary.revenue, summary.price_mean) == (32.0, 16.0)
    assert (summary.sponsored_bought.successes, summary.sponsored_bought.trials) == (1, 2)
    assert (summary.sponsored_shown.successes, summary.sponsored_shown.trials) == (2, 8)
    assert summary.by_slot.tolist() == [[4, 4], [4, 3], [2, 0]]
    assert summary.end_ns == 30
    assert [(one.name, one.count) for one in summary.shoppers] == [("some", 7)]


def test_welfare_leaves_invalid_answers_out(summary):
    """Three answers: 4 of 4 with mean 3, 2 of 4 with mean 3, 0 of 1 with mean 0.5."""
    assert summary.welfare_share == pytest.approx((6.0 - 6.5) / (9.0 - 6.5))
    assert summary.regret_shown == pytest.approx(3.0 / 3)
    assert summary.regret_listed == pytest.approx(4.0 / 3)
    assert (summary.missed.successes, summary.missed.trials) == (2, 3)
    assert (summary.needs_missed.successes, summary.needs_missed.trials) == (1, 2)


def test_shares_and_concentration_are_those_of_each_category(summary):
    (lamps,) = summary.shares  # nobody bought a pen
    assert (lamps.category, lamps.product, lamps.share.tolist(), lamps.hhi) == (
        "Lamps",
        ("lamp-a", "lamp-b"),
        [0.5, 0.5],
        0.5,
    )


def test_prices_are_counted_by_their_ratio_to_the_listed_one(summary):
    shown, chosen = summary.by_price
    assert (shown.sum(), chosen.sum()) == (8, 2)
    dearer = int(price_bin(np.log(np.array([1.1])))[0])
    same = int(price_bin(np.array([0.0]))[0])
    assert (shown[dearer], chosen[dearer], shown[same], chosen[same]) == (1, 1, 7, 1)
    assert summary.log_ratio[dearer] == pytest.approx(np.log(1.1))
    assert np.diff(price_bin(np.array([0.049, 0.051]))) == 1
    assert price_bin(np.array([-9.0, 9.0])).tolist() == [0, 24]
    assert STEP == 0.1


def test_batches_of_any_size_give_the_same(summary):
    pieces = {name: iter(table.to_batches(max_chunksize=3)) for name, table in all_tables().items()}
    assert storefront_row(summarise_storefront(pieces, FACTS)) == storefront_row(summary)


def test_a_row_for_json_holds_rates_with_intervals_and_null_where_there_is_nothing(summary):
    row = storefront_row(summary)
    low, high = wilson_interval(2, 3)
    assert row["missed_best"] == {"successes": 2, "trials": 3, "share": 2 / 3, "low": low, "high": high}
    empty = storefront_row(summarise_storefront({}, FACTS))
    assert empty["choice_sets"] == 0
    assert empty["price_mean"] is empty["welfare_share"] is empty["missed_best"]["low"] is None


def test_without_listings_or_choices_the_rest_is_still_measured():
    tables = {name: table for name, table in all_tables().items() if name == "storefront/impressions"}
    summary = summarise_storefront(tables, FACTS)
    assert summary.by_slot[0].sum() == 8
    assert summary.shares == ()
    assert summary.recorded == {"storefront/impressions"}


def test_a_table_without_a_column_is_refused():
    tables = all_tables()
    tables["storefront/choices"] = tables["storefront/choices"].drop_columns(["welfare"])
    with pytest.raises(ValueError, match="welfare"):
        summarise_storefront(tables, FACTS)
