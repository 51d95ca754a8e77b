import re

import numpy as np

from marketsim.report.chart import Figure, Panel
from marketsim.report.scales import number_axis

NAN = float("nan")


def panel():
    return Panel(number_axis(0.0, 10.0, "time (s)"), number_axis(0.0, 4.0, "price (USD)"))


def test_lines_break_where_a_value_is_missing():
    one = panel()
    one.line(np.arange(5.0), np.array([0.0, 1.0, NAN, 4.0, 2.0]), "mid")
    assert one.marks == ['<path class="line mid" d="M0 1000L100 750M300 0L400 500"/>']


def test_bands_go_there_and_back():
    one = panel()
    one.band(np.array([0.0, 10.0]), np.array([0.0, 1.0]), np.array([4.0, 2.0]), "range")
    assert one.marks == ['<path class="fill range" d="M0 0L1000 500L1000 750L0 1000Z"/>']


def test_bars_without_height_are_left_out():
    one = panel()
    one.bars(np.array([0.0, 5.0]), np.array([5.0, 10.0]), np.zeros(2), np.array([2.0, 0.0]), "buy")
    assert one.marks == ['<path class="fill buy" d="M0 1000V500H500V1000Z"/>']


def test_stems_rise_from_zero_and_end_in_a_dot():
    one = panel()
    one.stems(np.array([5.0]), np.array([2.0]), "stem")
    assert one.marks == ['<path class="stem stem" d="M500 1000V500"/>', '<path class="dots head stem" d="M500 500h0"/>']


def test_nothing_is_drawn_of_nothing():
    one = panel()
    one.line(np.arange(3.0), np.full(3, NAN), "mid")
    one.dots(np.zeros(0), np.zeros(0), "buy")
    assert one.marks == []


def test_axes_have_titles_and_labels():
    text = str(panel().html(3))
    assert "price (USD)" in text
    assert "time (s)" in text
    assert re.findall(r'class="ty"[^>]*>([^<]*)', text) == ["0", "1", "2", "3", "4"]


def test_narrow_screens_keep_zero_among_every_other_label():
    one = Panel(number_axis(-5.0, 5.0, "x", 10), number_axis(0.0, 1.0, "y"))
    kept = re.findall(r'class="tx"[^>]*>([^<]*)', str(one.html(1)))
    assert kept == ["−4", "−2", "0", "2", "4"]


def test_labels_are_escaped():
    one = Panel(number_axis(0.0, 1.0, "<x>"), number_axis(0.0, 1.0, "<b>y"))
    text = str(one.html(1))
    assert "<x>" not in text
    assert "&lt;b&gt;y" in text


def test_panels_below_each_other_begin_at_one_edge():
    wide = Panel(number_axis(0.0, 1.0, "x"), number_axis(0.0, 100_000.0, "y"))
    figure = Figure("name", "title", ((panel(),), (wide,)), (), "alternative", "reading", "found")
    assert len(set(re.findall(r"--gutter:(\d+)ch", str(figure.chart())))) == 1
