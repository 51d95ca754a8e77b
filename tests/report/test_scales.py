import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from marketsim.report.scales import (
    clock_label,
    duration_label,
    number_axis,
    padded,
    round_step,
    signed,
    time_axis,
)
from tests.analysis.synthetic import MINUTE, SECOND

NAN = float("nan")


@given(st.floats(1e-9, 1e9))
def test_steps_are_one_two_or_five_times_a_power_of_ten(least):
    step = round_step(least)
    assert least * (1 - 1e-9) <= step <= 2.5 * least * (1 + 1e-9)
    assert float(f"{step:e}".split("e")[0]) in (1.0, 2.0, 5.0)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_ticks_lie_on_the_axis_and_differ_in_their_labels(low, length):
    axis = number_axis(low, low + length, "x")
    places = [value for value, _ in axis.ticks]
    assert 1 <= len(places) <= 7
    assert all(low - 1e-9 * length <= place <= low + length * (1 + 1e-9) for place in places)
    assert len({label for _, label in axis.ticks}) == len(places)


@pytest.mark.parametrize(("low", "high"), [(5.0, 5.0), (0.0, 0.0), (NAN, NAN), (3.0, -3.0), (-100.0, -100.0)])
def test_axes_without_length_get_one(low, high):
    axis = number_axis(low, high, "x")
    assert axis.low < axis.high
    assert axis.place(axis.low) == 0
    assert axis.place(axis.high) == 1


def test_prices_show_the_decimals_of_the_tick():
    assert [label for _, label in number_axis(99.0, 101.0, "price", 2, decimals=2).ticks] == [
        "99.00",
        "100.00",
        "101.00",
    ]


def test_values_beyond_the_axis_stay_at_its_ends():
    axis = number_axis(0.0, 10.0, "x")
    assert axis.place(np.array([-5.0, 5.0, 50.0])).tolist() == [0.0, 0.5, 1.0]


def test_padding_is_a_share_of_the_length():
    assert padded(0.0, 10.0, 0.1) == (-1.0, 11.0)


def test_time_axis_shows_the_wall_clock_of_the_session():
    axis = time_axis(0, 30 * MINUTE, 34_200 * SECOND)
    assert [label for _, label in axis.ticks] == ["09:30", "09:35", "09:40", "09:45", "09:50", "09:55", "10:00"]
    assert axis.ticks[1][0] == 5 * MINUTE


def test_time_axis_begins_with_the_first_round_time():
    axis = time_axis(100, 100 + 60 * SECOND, 34_203 * SECOND, 6)
    assert axis.ticks[0] == (100 + 7 * SECOND, "09:30:10")


def test_time_axis_over_midnight_counts_days():
    labels = [label for _, label in time_axis(0, 4 * 3600 * SECOND, 23 * 3600 * SECOND, 5).ticks]
    assert labels == ["day 1 23:00", "day 2 00:00", "day 2 01:00", "day 2 02:00", "day 2 03:00"]


@example(10**18, 0)
@given(st.integers(1, 10**18), st.integers(0, 86_399 * SECOND))
def test_time_axis_never_has_too_many_labels(length, clock):
    assert len(time_axis(0, length, clock, 7).ticks) <= 8


@pytest.mark.parametrize(
    ("step", "text"),
    [(MINUTE, "09:30"), (SECOND, "09:30:05"), (SECOND // 1000, "09:30:05.250"), (30 * MINUTE, "09:30")],
)
def test_clock_is_as_fine_as_its_step(step, text):
    assert clock_label(34_205 * SECOND + SECOND // 4, step) == text


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (SECOND // 1000, "1 ms"),
        (1500 * SECOND // 1000, "1.5 s"),
        (MINUTE, "1 min"),
        (90 * SECOND, "1 min 30 s"),
        (390 * MINUTE, "6 h 30 min"),
        (26 * 60 * MINUTE, "1 d 2 h"),
    ],
)
def test_durations_are_words(duration, text):
    assert duration_label(duration) == text


def test_minus_is_a_minus_and_zero_has_none():
    assert (signed(-1234.5, 1), signed(-0.001, 2), signed(0.0, 0)) == ("−1,234.5", "0.00", "0")
