import datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from marketsim.core import units
from marketsim.core.config import Section
from marketsim.core.units import (
    Duration,
    Money,
    Price,
    TimeOfDay,
    format_duration,
    format_time_of_day,
    parse_decimal,
    parse_duration,
    parse_time_of_day,
    to_minor,
    to_ticks,
)


class Example(Section):
    interval: Duration = Field(units.SECOND, gt=0)
    """How often."""
    opens: TimeOfDay = Field(9 * units.HOUR, description="when trading begins")
    fee: Money = Field(Decimal("0.003"), ge=-1, le=1, description="per lot")
    tick_size: Price | None = Field(None, description="price step")


def fault(**keys):
    """The text of the one fault of an example."""
    with pytest.raises(ValidationError) as caught:
        Example(**keys)
    (error,) = caught.value.errors()
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else error["type"]


# ---- Durations ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0s", 0),
        ("1ns", 1),
        ("250us", 250_000),
        ("250ms", 250_000_000),
        ("1.5s", 1_500_000_000),
        ("10min", 600_000_000_000),
        ("2h", 7_200_000_000_000),
        ("1d", 86_400_000_000_000),
        ("0.000000001s", 1),
        ("0.5d", 43_200_000_000_000),
    ],
)
def test_a_duration_is_exact_nanoseconds(text, nanoseconds):
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "5", "s", "5 s", " 5s", "5s\n", "-5s", "+5s", ".5s", "5.s", "1e3s", "5S", "5m", "٥s", "1_000s"]
)
def test_what_is_no_duration_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r'^expected a duration such as "250ms"'):
        parse_duration(text)


def test_half_a_nanosecond_and_two_centuries_are_refused():
    with pytest.raises(ValueError, match="^expected a whole number of nanoseconds"):
        parse_duration("0.5ns")
    with pytest.raises(ValueError, match="^expected at most a hundred years"):
        parse_duration("73000d")


@given(st.integers(0, units.MAX_DURATION))
def test_a_duration_survives_formatting(nanoseconds):
    assert parse_duration(format_duration(nanoseconds)) == nanoseconds


@given(st.decimals(0, 1000, allow_nan=False, places=6), st.sampled_from(sorted(units.UNITS)))
def test_a_duration_equals_exact_fractions(number, unit):
    exact = Fraction(number) * units.UNITS[unit]
    if exact.denominator == 1:
        assert parse_duration(f"{number:f}{unit}") == exact
    else:
        with pytest.raises(ValueError, match="whole number"):
            parse_duration(f"{number:f}{unit}")


def test_durations_are_formatted_in_the_largest_unit_that_divides_them():
    durations = [1, 1_500_000, 250_000_000, 90 * units.SECOND, 600 * units.SECOND, 2 * units.DAY, -units.SECOND]
    assert [format_duration(ns) for ns in durations] == ["1ns", "1500us", "250ms", "90s", "10min", "2d", "-1s"]


def test_a_bare_number_is_an_error_that_asks_for_a_unit():
    assert fault(interval=5) == 'expected a unit too: a string such as "5s" or "5ms"'
    assert fault(interval=2.5) == 'expected a unit too: a string such as "2.5s" or "2.5ms"'
    assert fault(interval=True).startswith('expected a duration such as "250ms"')


@pytest.mark.parametrize("value", [0, -5, float("nan"), float("inf")])
def test_a_bare_number_that_no_unit_mends_is_not_offered_one(value):
    assert fault(interval=value).startswith('expected a duration such as "250ms"')


# ---- Times of day -------------------------------------------------------------------------------------------


@given(st.integers(0, units.DAY - 1))
def test_a_time_of_day_survives_formatting(nanoseconds):
    assert parse_time_of_day(format_time_of_day(nanoseconds)) == nanoseconds


def test_a_time_of_day_may_leave_out_seconds_and_may_be_a_toml_time():
    half_past_nine = 9 * units.HOUR + 30 * units.MINUTE
    assert parse_time_of_day("09:30") == parse_time_of_day("09:30:00") == half_past_nine
    assert Example(opens=datetime.time(9, 30, 0, 250)).opens == half_past_nine + 250_000


@pytest.mark.parametrize(
    "text", ["9:30", "24:00:00", "09:60:00", "09:30:61", "09:30:00.", "09:30:00.1234567890", "", "noon"]
)
def test_what_is_no_time_of_day_is_refused_with_an_example(text):
    assert fault(opens=text) == 'expected a time of day such as "09:30:00"'


# ---- Money and prices ---------------------------------------------------------------------------------------


@given(st.decimals(-(10**9), 10**9, allow_nan=False, allow_infinity=False, places=4))
def test_a_decimal_string_is_taken_digit_by_digit(number):
    assert str(parse_decimal(f"{number:f}")) == f"{number:f}"


def test_a_float_stands_for_the_shortest_decimal_that_gives_it():
    assert parse_decimal(0.1) == Decimal("0.1")
    assert parse_decimal(3) == Decimal(3)
    assert parse_decimal(1e-5) == Decimal("0.00001")


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "1e5", "1,5", "", " 1", "1_0", "٣", True, None, [1]])
def test_what_is_no_decimal_is_refused_with_an_example(value):
    assert fault(fee=value) == 'expected a decimal such as "0.01"'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), Decimal("NaN"), Decimal("-Infinity"), Decimal("sNaN")])
def test_numbers_that_are_not_finite_are_refused(value):
    assert fault(fee=value) == 'expected a finite decimal such as "0.01"'


def test_decimals_are_bounded_so_that_a_short_text_cannot_be_a_huge_number():
    assert fault(fee=Decimal("1E+99999")) == "expected a decimal of at most 15 digits before the point"
    assert fault(fee="0.0000000000001") == "expected at most 12 decimal places"


@pytest.mark.parametrize("value", ["-0.01", "0", -1, 0.0, "x", True, float("nan")])
def test_a_price_is_positive(value):
    assert fault(tick_size=value) == 'expected a positive decimal such as "0.01"'


def test_bounds_of_a_key_hold_for_what_was_read():
    assert fault(fee="1.01") == "less_than_equal"
    assert fault(interval="0s") == "greater_than"


@given(st.integers(-(10**12), 10**12), st.sampled_from(["0.01", "0.05", "1", "0.0001", "25", "0.03125"]))
def test_prices_on_the_grid_become_ticks_exactly(ticks, tick_size):
    assert to_ticks(ticks * Decimal(tick_size), Decimal(tick_size)) == ticks


@pytest.mark.parametrize("price", ["100.005", "0.001", "-0.015", "100.00000000001"])
def test_a_price_off_the_grid_is_an_error_that_names_the_tick(price):
    with pytest.raises(ValueError, match=r"^expected a multiple of the tick size 0\.01"):
        to_ticks(Decimal(price), Decimal("0.01"))


def test_money_becomes_minor_units_exactly():
    assert to_minor(Decimal("12.34"), 2) == 1234
    assert to_minor(Decimal("-0.5"), 4) == -5000
    with pytest.raises(ValueError, match="^expected at most 2 decimal places"):
        to_minor(Decimal("0.001"), 2)


# ---- Sections -----------------------------------------------------------------------------------------------


def test_what_a_section_dumps_is_what_it_reads():
    section = Example(interval="1500us", opens="09:30:00.5", fee="-0.10", tick_size="0.010")
    dumped = section.model_dump()
    assert dumped == {"interval": "1500us", "opens": "09:30:00.5", "fee": "-0.10", "tick_size": "0.010"}
    assert Example(**dumped) == section


def test_an_unknown_key_and_a_change_are_errors():
    assert fault(intervall="1s") == "extra_forbidden"
    with pytest.raises(ValidationError, match="frozen"):
        Example().fee = Decimal(1)


def test_the_json_schema_writes_defaults_as_a_scenario_file_does():
    keys = Example.model_json_schema()["properties"]
    assert {name: key["default"] for name, key in keys.items()} == {
        "interval": "1s",
        "opens": "09:00:00",
        "fee": "0.003",
        "tick_size": None,
    }
    assert keys["interval"]["description"] == "How often."
    assert keys["interval"]["examples"][0] == "250ms"
