"""Average marginal component effects against a design that is listed in full."""

import numpy as np
import pandas as pd
import pytest

from marketsim.analysis.choice import (
    ChoiceDataError,
    CollinearityError,
    Inference,
    Randomisation,
    SpecificationError,
    amce,
)
from tests.oracles import tagged_offers
from tests.oracles.coverage import exact_band

NESTED = ("sponsored", "pick")


def chooser(rng, slot=0.6, sponsored=0.9, pick=1.2, noise=1.0):
    """A rule that takes the best of three offers, with a noise of its own that depends on nothing."""
    taste = noise * rng.gumbel(size=3)

    def choose(slots, sponsored_offer, picked):
        value = [
            taste[k] + slot * (slots[k] == 1) + sponsored * (k == sponsored_offer) + pick * (k == picked)
            for k in range(3)
        ]
        return int(np.argmax(value))

    return choose


def rows(number, slots, sponsored, pick, chosen):
    for k in range(3):
        first, second = tagged_offers.propensity(k, sponsored, pick)
        yield {
            "choice_set": number,
            "alternative": k,
            "slot": slots[k],
            "sponsored": int(k == sponsored),
            "pick": int(k == pick),
            "propensity_sponsored": float(first),
            "propensity_pick": float(second),
            "chosen": int(k == chosen),
        }


def listed(choose):
    """Every assignment as often as its probability says: 144 choice sets."""
    found, number = [], 0
    for slots, sponsored, pick, p in tagged_offers.assignments():
        for _ in range(int(p * 144)):
            found += rows(number, slots, sponsored, pick, choose(slots, sponsored, pick))
            number += 1
    return pd.DataFrame(found)


def drawn(rng, choosers, n_sets):
    """Assignments drawn from the law, each with a chooser of its own."""
    all_of = list(tagged_offers.assignments())
    which = rng.choice(len(all_of), n_sets, p=[float(p) for *_, p in all_of])
    found = []
    for number, k in enumerate(which):
        slots, sponsored, pick, _ = all_of[k]
        choose = choosers[rng.integers(len(choosers))]
        found += rows(number, slots, sponsored, pick, choose(slots, sponsored, pick))
    return pd.DataFrame(found)


@pytest.mark.parametrize("normalise", [False, True])
def test_on_the_whole_design_effects_equal_those_counted(rng, normalise):
    for _ in range(3):
        choose = chooser(rng)
        result = amce(listed(choose), inference=Inference(normalise=normalise)).to_frame()["estimate"]
        assert result["slot[1]"] == pytest.approx(float(tagged_offers.slot_effect(choose, 1)), abs=1e-12)
        assert result["slot[2]"] == pytest.approx(float(tagged_offers.slot_effect(choose, 2)), abs=1e-12)
        assert result["sponsored"] == pytest.approx(float(tagged_offers.sponsored_effect(choose)), abs=1e-12)
        if not normalise:
            assert result["pick"] == pytest.approx(float(tagged_offers.pick_effect(choose, False)), abs=1e-12)


def test_nested_tags_may_be_weighted_to_stand_for_all_offers(rng):
    choose = chooser(rng)
    weighted = amce(listed(choose), ["pick"], Randomisation(nested=NESTED, nested_by="weight"))
    expected = float(tagged_offers.pick_effect(choose, True))
    assert weighted.frame.loc["pick", "estimate"] == pytest.approx(expected, abs=1e-12)
    assert "stand for all" in weighted.assumptions[0]


def test_ignoring_the_law_is_caught(rng):
    """Comparing offers with and without a tag, without propensities, misses the effect that the listing gives."""
    choose = chooser(rng)
    table = listed(choose)
    naive = table.groupby("pick")["chosen"].mean().diff().iloc[-1]
    assert abs(naive - float(tagged_offers.pick_effect(choose, False))) > 1e-3


def test_without_propensities_orders_within_a_set_are_taken_as_equally_likely(rng):
    """Then only sets that show both levels count: given that someone is sponsored, anyone is equally likely."""
    choose = chooser(rng)
    table = listed(choose).drop(columns=["propensity_sponsored", "propensity_pick"])
    result = amce(table, ["sponsored", "pick"], Randomisation(nested=NESTED))
    has = table.groupby("choice_set")["sponsored"].transform("sum") == 1
    share = table[has].groupby("sponsored")["chosen"].mean()
    assert result.frame.loc["sponsored", "estimate"] == pytest.approx(share[1] - share[0])
    assert "assumed that every order" in result.assumptions[0]


def test_intervals_cover_the_effects_of_the_design(rng):
    choosers = [chooser(rng) for _ in range(12)]
    truth = {
        "slot[1]": np.mean([float(tagged_offers.slot_effect(c, 1)) for c in choosers]),
        "sponsored": np.mean([float(tagged_offers.sponsored_effect(c)) for c in choosers]),
        "pick": np.mean([float(tagged_offers.pick_effect(c, False)) for c in choosers]),
    }
    n_draws = 120
    hits, total = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0.0)
    for _ in range(n_draws):
        frame = amce(drawn(rng, choosers, 250), ["slot", "sponsored", "pick"]).frame
        for name, value in truth.items():
            hits[name] += frame.loc[name, "low"] <= value <= frame.loc[name, "high"]
            total[name] += (frame.loc[name, "estimate"] - value) / frame.loc[name, "se"]
    low, high = exact_band(n_draws, family=3)
    assert all(low <= count <= high for count in hits.values()), hits
    assert all(abs(sum_of_z) / np.sqrt(n_draws) < 4 for sum_of_z in total.values()), total


def test_the_standard_error_is_that_of_a_mean_over_choice_sets(rng):
    """Each set adds its own difference, so the error is their standard deviation over the root of their number."""
    table = drawn(rng, [chooser(rng) for _ in range(5)], 80)
    sign = table["slot"].map({1: 1, 2: 0, 3: -1}) * table["chosen"]
    difference = sign.groupby(table["choice_set"]).sum()
    row = amce(table, ["slot"]).frame.loc["slot[1]"]
    assert row["estimate"] == pytest.approx(difference.mean())
    assert row["se"] == pytest.approx(difference.std(ddof=1) / np.sqrt(80))
    normalised = amce(table, ["slot"], inference=Inference(normalise=True)).frame.loc["slot[1]"]
    shares = table.groupby("slot")["chosen"].mean()
    away = (table["slot"] == 1) * (table["chosen"] - shares[1]) - (table["slot"] == 3) * (table["chosen"] - shares[3])
    by_set = away.groupby(table["choice_set"]).sum()
    assert normalised["se"] == pytest.approx(np.sqrt(80 / 79 * (by_set**2).sum()) / 80)


def test_randomisation_p_values_are_valid_where_a_tag_does_nothing(rng):
    choosers = [chooser(rng, sponsored=0.0) for _ in range(12)]
    n_draws = 150
    small = 0
    for _ in range(n_draws):
        result = amce(drawn(rng, choosers, 60), ["sponsored"], inference=Inference(draws=39, rng=rng))
        small += result.frame.loc["sponsored", "p_randomisation"] <= 0.1
    assert small <= exact_band(n_draws, nominal=0.1)[1]


def test_a_strong_effect_has_a_small_randomisation_p_value_by_permutation_and_by_law(rng):
    table = drawn(rng, [chooser(rng, sponsored=4.0) for _ in range(6)], 150)

    def law(generator):
        number = table["choice_set"].to_numpy()
        who = generator.choice([-1, 0, 1, 2], number[-1] + 1, p=[1 / 2, 1 / 6, 1 / 6, 1 / 6])
        has = (table["alternative"].to_numpy() == who[number]).astype(int)
        return has, np.where(has == 1, 1 / 6, 5 / 6)

    by_law = amce(table, ["sponsored"], Randomisation(laws={"sponsored": law}), Inference(draws=99, rng=rng))
    by_permutation = amce(table, ["sponsored"], inference=Inference(draws=99, rng=rng))
    assert by_law.frame.loc["sponsored", "p_randomisation"] == pytest.approx(0.01)
    assert by_permutation.frame.loc["sponsored", "p_randomisation"] == pytest.approx(0.01)


def test_the_permutation_distribution_equals_the_one_listed(rng):
    """Five sets of two, a tag on one row each, chosen in all: 2^5 equally likely assignments, two as extreme."""
    table = pd.DataFrame(
        {
            "choice_set": np.repeat(np.arange(5), 2),
            "alternative": np.tile([0, 1], 5),
            "tag": np.tile([1, 0], 5),
            "chosen": np.tile([1, 0], 5),
        }
    )
    p_value = amce(table, ["tag"], inference=Inference(draws=20_000, rng=rng)).frame.loc["tag", "p_randomisation"]
    assert p_value == pytest.approx(2 / 32, abs=4 * np.sqrt(2 / 32 * 30 / 32 / 20_000))


def test_an_invalid_answer_counts_as_nothing_chosen(rng):
    table = listed(chooser(rng))
    lost = table["choice_set"] % 10 == 0
    result = amce(table.assign(chosen=table["chosen"].where(~lost, 0)), ["slot"])
    assert result.n_invalid == 15
    shares = table[~lost].groupby("slot")["chosen"].sum() / (len(table) / 3)
    assert result.frame.loc["slot[1]", "estimate"] == pytest.approx(shares[1] - shares[3])
    assert "invalid answers, credited to nobody: 15 of 144" in result.to_text()


def test_expressions_and_bases_may_be_attributes(rng):
    table = listed(chooser(rng)).assign(price=lambda t: 10.0 * t["slot"])
    frame = amce(table, ["I(price > 15)", "C(slot, base=1)"]).frame
    assert list(frame.index) == ["I(price > 15)", "C(slot, base=1)[2]", "C(slot, base=1)[3]"]


def test_standard_errors_may_be_clustered_above_the_choice_set(rng):
    table = listed(chooser(rng)).assign(buyer=lambda t: t["choice_set"] // 12)
    a = amce(table, ["slot"]).frame
    b = amce(table, ["slot"], inference=Inference(cluster="buyer")).frame
    assert a["estimate"].tolist() == b["estimate"].tolist()
    assert a["se"].tolist() != b["se"].tolist()


@pytest.mark.parametrize(
    ("change", "attributes", "options", "error", "message"),
    [
        ({"propensity_pick": 0.0}, ["pick"], {}, ChoiceDataError, "propensity_pick = 0"),
        ({"propensity_pick": 1.5}, ["pick"], {}, ChoiceDataError, "propensity_pick = 1.5"),
        ({"propensity_pick": 1.0}, ["pick"], {}, SpecificationError, "no row could have had both"),
        ({}, ["pck"], {}, SpecificationError, "no column pck; did you mean pick"),
        ({"price": np.arange(432.0)}, ["price"], {}, SpecificationError, "price has 432 levels; cut it"),
        ({"same": 1}, ["same"], {}, CollinearityError, "same has one level only"),
        ({}, ["slot"], {"inference": Inference(draws=9)}, SpecificationError, "needs a generator"),
        ({}, ["slot"], {"inference": Inference(cluster="buyr")}, SpecificationError, "no column buyr"),
        (
            {"pik": 0},
            ["slot"],
            {"randomisation": Randomisation(propensities={"slot": "p_slot"})},
            SpecificationError,
            "no column p_slot",
        ),
    ],
)
def test_what_cannot_be_estimated_says_why(rng, change, attributes, options, error, message):
    with pytest.raises(error, match=message):
        amce(listed(chooser(rng)).assign(**change), attributes, **options)


def test_a_law_that_draws_what_is_not_there_is_refused(rng):
    table = listed(chooser(rng))
    laws = {"sponsored": lambda generator: (np.full(len(table), 7), np.ones(len(table)))}
    with pytest.raises(SpecificationError, match="draws a level that the table does not have"):
        amce(table, ["sponsored"], Randomisation(laws=laws), Inference(draws=3, rng=rng))
