"""Products never and always chosen, bases, and separation."""

import numpy as np
import pandas as pd
import pytest

from marketsim.analysis.choice import SeparationError, conditional_logit


def trials(rng, n_sets=300, n_products=6, taste=None, first_product=0, size=4):
    """Sets of four of six products with tastes; a taste of -inf (or inf) is never (always) chosen."""
    taste = np.array(taste if taste is not None else np.zeros(n_products))
    product = np.argsort(rng.random((n_sets, n_products)), axis=1)[:, :size]
    x = rng.normal(size=(n_sets, size))
    value = np.where(np.isinf(taste[product]), taste[product], taste[product] + x + rng.gumbel(size=(n_sets, size)))
    chosen = value.argmax(axis=1)[:, None] == np.arange(size)
    return pd.DataFrame(
        {
            "choice_set": np.repeat(np.arange(n_sets), size) + 1000 * first_product,
            "alternative": np.tile(np.arange(size), n_sets),
            "product": [f"p{first_product + k}" for k in product.ravel()],
            "x": x.ravel(),
            "chosen": chosen.astype(int).ravel(),
        }
    )


def test_one_product_in_each_group_shown_together_is_the_base(rng):
    table = pd.concat([trials(rng), trials(rng, first_product=20)], ignore_index=True)
    effect = conditional_logit(table, "x | fe(product)").effects[0]
    assert effect.bases == ("p0", "p20")
    assert len(effect.estimated) == 10


def test_fixed_effects_equal_the_same_products_written_as_categories(rng):
    table = trials(rng, taste=[0, 0.5, 1, -0.5, 0, 0.2])
    a, b = conditional_logit(table, "x | fe(product)"), conditional_logit(table, "x + product")
    assert a.log_likelihood == pytest.approx(b.log_likelihood)
    assert a.estimate == pytest.approx(b.estimate)
    assert a.standard_error() == pytest.approx(b.standard_error())
    assert a.names[1:] == tuple(f"fe(product)[p{k}]" for k in range(1, 6))


def test_products_never_chosen_leave_every_set_with_the_same_likelihood(rng):
    table = trials(rng, taste=[0, 0.5, -np.inf, 0, 0.3, 0])
    result = conditional_logit(table, "x | fe(product)")
    assert result.effects[0].never_chosen == ("p2",)
    assert "never chosen, left out of every choice set: p2" in result.to_text()
    by_hand = conditional_logit(table[table["product"] != "p2"], "x | fe(product)")
    assert result.log_likelihood == pytest.approx(by_hand.log_likelihood)
    assert result.coefficient("x") == pytest.approx(by_hand.coefficient("x"))
    assert result.n == 300
    assert result.sample.log_likelihood_null == pytest.approx(-300 * np.log(4))


def test_a_very_low_effect_tends_to_the_likelihood_without_the_product(rng):
    """The claim behind leaving it out: with an effect of -40 written in, the likelihood is the same to 12 digits."""
    table = trials(rng, taste=[0, 0.5, -np.inf, 0, 0.3, 0])
    result = conditional_logit(table, "x | fe(product)")
    effect = dict(zip(result.names, result.estimate, strict=True))
    value = table["x"] * effect["x"] + table["product"].map(lambda p: effect.get(f"fe(product)[{p}]", 0.0))
    value = value.where(table["product"] != "p2", -40.0)
    total = np.log(np.exp(value).groupby(table["choice_set"]).sum()).sum()
    assert value[table["chosen"] == 1].sum() - total == pytest.approx(result.log_likelihood, abs=1e-9)


def test_sets_with_a_product_always_chosen_say_nothing(rng):
    table = trials(rng, taste=[0, 0.5, np.inf, 0, 0.3, 0])
    result = conditional_logit(table, "x | fe(product)")
    assert result.effects[0].always_chosen == ("p2",)
    holding = table.loc[table["product"] == "p2", "choice_set"]
    by_hand = conditional_logit(table[~table["choice_set"].isin(holding)], "x | fe(product)")
    assert result.log_likelihood == pytest.approx(by_hand.log_likelihood)
    assert result.sample.n_informative == 300 - holding.nunique()


def test_leaving_out_may_leave_more_out(rng):
    """p1 is chosen only where it stands beside p2, which always wins there but is itself never shown without p1."""
    table = trials(rng, taste=[0, 0, np.inf, -np.inf, 0, 0])
    effect = conditional_logit(table, "x | fe(product)").effects[0]
    assert (effect.always_chosen, effect.never_chosen) == (("p2",), ("p3",))


def test_predictions_give_nothing_to_those_never_chosen_and_all_to_those_always_chosen(rng):
    table = trials(rng, taste=[0, 0.5, np.inf, -np.inf, 0.3, 0])
    result = conditional_logit(table, "x | fe(product)")
    share = result.predict(table)
    assert share.groupby(table["choice_set"]).sum().to_numpy() == pytest.approx(1)
    assert (share[table["product"] == "p2"] == 1).all()
    assert (share[table["product"] == "p3"] == 0).all()
    expected = share.groupby(table["product"]).sum()
    observed = table.groupby("product")["chosen"].sum()
    assert expected.to_numpy() == pytest.approx(observed.to_numpy(), abs=1e-6)


def test_a_higher_threshold_is_flagged_as_selection_on_the_outcome(rng):
    table = trials(rng, taste=[0, 0.5, -4, 0, 0.3, 0])
    result = conditional_logit(table, "x | fe(product)", min_choices=20)
    assert [result.effects[0].levels[k] for k in result.effects[0].below_threshold] == ["p2"]
    assert "selects the sample on the outcome: p2" in result.to_text()
    chose = table.loc[(table["product"] == "p2") & (table["chosen"] == 1), "choice_set"]
    rest = table[(table["product"] != "p2") & ~table["choice_set"].isin(chose)]
    assert result.coefficient("x") == pytest.approx(conditional_logit(rest, "x | fe(product)").coefficient("x"))


def test_fixed_effects_of_brands_keep_choices_within_a_brand(rng):
    """A brand never chosen against others leaves mixed sets only: where all are of it, the choice still informs."""
    table = trials(rng, taste=[0, 0.5, -np.inf, -np.inf, 0.3, 0])
    table["brand"] = table["product"].map(lambda p: "poor" if p in ("p2", "p3") else "good")
    alone = trials(rng, 50, first_product=9).assign(brand="poor")
    result = conditional_logit(pd.concat([table, alone], ignore_index=True), "x | fe(brand)")
    assert result.effects[0].never_chosen == ("poor",)
    assert result.sample.n_informative > 300


@pytest.mark.parametrize("sign", [1, -1])
def test_a_regressor_that_decides_every_choice_is_named(rng, sign):
    table = trials(rng)
    table["tag"] = np.where(table["chosen"] == 1, sign * rng.integers(0, 2, len(table)), 0)
    with pytest.raises(SeparationError, match="^tag separates the choices") as error:
        conditional_logit(table, "x + tag | fe(product)")
    assert error.value.columns == ("tag",)


def test_a_combination_that_decides_every_choice_is_named(rng):
    table = trials(rng)
    table["a"] = rng.normal(size=len(table))
    table["b"] = table["chosen"] * 3 - table["a"] + 0.1 * rng.random(len(table))
    with pytest.raises(SeparationError) as error:
        conditional_logit(table, "x + a + b")
    assert {"a", "b"} <= set(error.value.columns)


def test_products_that_never_win_against_the_others_are_named(rng):
    table = trials(rng, 600, taste=[0, 0.5, -60, -60, 0.3, 0])
    alone = trials(rng, 60, 2, size=2).replace({"product": {"p0": "p2", "p1": "p3"}})
    alone["choice_set"] += 5000
    with pytest.raises(SeparationError) as error:
        conditional_logit(pd.concat([table, alone], ignore_index=True), "x | fe(product)")
    assert all(name.startswith("fe(product)") for name in error.value.columns)


def test_nothing_left_to_estimate_is_an_error(rng):
    table = trials(rng)
    table["product"] = np.where(table["chosen"] == 1, "winner", "loser")
    with pytest.raises(SeparationError, match=r"fe\(product\)"):
        conditional_logit(table, "x | fe(product)")
