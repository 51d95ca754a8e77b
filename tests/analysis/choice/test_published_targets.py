"""Log likelihoods and coefficients that other packages publish for public data sets, to the digits given.

The data is not part of the project: MARKETSIM_DATA names a folder whose ``choices/`` holds the files.
"""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from marketsim.analysis.choice import conditional_logit, hausman_mcfadden

DATA = os.environ.get("MARKETSIM_DATA", "")

pytestmark = pytest.mark.skipif(not DATA, reason="MARKETSIM_DATA is not set: no real choice data")


def read(name, **options):
    path = Path(DATA) / "choices" / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return pd.read_csv(path, **options)


def lengthen(wide, alternatives, prefixes, choice, keep=()):
    """One row an alternative, from one row a choice with columns such as ic.gc, ic.gr."""
    parts = []
    for number, alternative in enumerate(alternatives):
        columns = {name: wide[prefix + alternative] for name, prefix in prefixes.items()}
        part = pd.DataFrame({"choice_set": wide.index, "alternative": alternative, **columns, "order": number})
        part["chosen"] = (wide[choice] == alternative).astype(int)
        parts.append(part.join(wide[list(keep)]))
    return pd.concat(parts).sort_values(["choice_set", "order"], ignore_index=True)


def check(result, n, log_likelihood, digits, coefficients):
    assert result.n == n
    assert round(result.log_likelihood, digits) == log_likelihood
    for name, text in coefficients.items():
        last_digit = 10.0 ** -len(text.split(".")[1])  # some sources cut the digits behind it off, others round
        assert abs(result.coefficient(name) - float(text)) < last_digit, name


def test_heating_without_constants():
    long = lengthen(read("Heating.csv"), ["gc", "gr", "ec", "er", "hp"], {"ic": "ic.", "oc": "oc."}, "depvar")
    check(conditional_logit(long, "ic + oc"), 900, -1095.237, 3, {"ic": "-0.0062318", "oc": "-0.0045800"})


@pytest.fixture(scope="module")
def fishing():
    wide = read("Fishing.csv").drop(columns=["price", "catch"])
    return lengthen(wide, ["beach", "pier", "boat", "charter"], {"price": "p", "catch": "c"}, "mode", ["income"])


def test_fishing_with_income(fishing):
    result = conditional_logit(fishing, "price + catch + alternative + income:alternative")
    check(result, 1182, -1215.138, 3, {"price": "-0.025117", "catch": "0.357782"})
    assert len(result.names) == 8


def test_fishing_without_income(fishing):
    result = conditional_logit(fishing, "price + catch + alternative")
    check(result, 1182, -1230.784, 3, {"price": "-0.02479", "catch": "0.37717"})


def test_fishing_written_with_fixed_effects_is_the_same_model(fishing):
    result = conditional_logit(fishing, "price + catch | fe(alternative)")
    check(result, 1182, -1230.784, 3, {"price": "-0.02479", "catch": "0.37717"})


def swissmetro():
    wide = read("swissmetro.dat", sep="\t")
    wide = wide[wide.PURPOSE.isin([1, 3]) & (wide.CHOICE != 0)].reset_index(drop=True)
    has_pass = wide.GA == 1
    parts = []
    for code, name in [(1, "TRAIN"), (2, "SM"), (3, "CAR")]:
        cost = wide[name + "_CO"] / 100
        part = pd.DataFrame(
            {
                "choice_set": wide.index,
                "alternative": name,
                "chosen": (code == wide.CHOICE).astype(int),
                "time": wide[name + "_TT"] / 100,
                "cost": cost if name == "CAR" else np.where(has_pass, 0.0, cost),
                "available": wide[name + "_AV"] * ((wide.SP != 0) | (name == "SM")),
                "asc_train": float(name == "TRAIN"),
                "asc_car": float(name == "CAR"),
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def test_swissmetro_with_availability():
    result = conditional_logit(swissmetro(), "asc_train + time + cost + asc_car")
    targets = {"asc_train": "-0.7012", "time": "-1.2779", "cost": "-1.0838", "asc_car": "-0.1546"}
    check(result, 6768, -5331.252, 3, targets)
    assert result.sample.n_unavailable > 0


def travel_mode():
    return read("TravelMode.csv").rename(
        columns={"individual": "choice_set", "mode": "alternative", "choice": "chosen"}
    )


def test_leaving_out_the_air_reproduces_the_published_hausman_test():
    """Greene, Econometric Analysis: 33.3363 with four degrees of freedom."""
    long = travel_mode()
    result = conditional_logit(long, "gcost + wait + income:I(alternative == 'air') + C(alternative, base='car')")
    test = hausman_mcfadden(result, long, ["air"], specification="gcost + wait + C(alternative, base='car')")
    assert test.statistic == pytest.approx(33.336, abs=2e-3)
    assert test.degrees == 4
    assert test.note == ""


def test_travel_mode_with_yes_and_no():
    long = travel_mode()
    result = conditional_logit(long, "gcost + wait + income:I(alternative == 'air') + C(alternative, base='car')")
    name = "C(alternative, base='car')"
    targets = {
        f"{name}[air]": "5.2074",
        f"{name}[train]": "3.8690",
        f"{name}[bus]": "3.1632",
        "gcost": "-0.0155",
        "wait": "-0.0961",
        "income:I(alternative == 'air')": "0.0133",
    }
    check(result, 210, -199.13, 2, targets)
