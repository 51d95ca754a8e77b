"""The report of a sweep: one page that needs nothing beside itself, whole where the sweep is not."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

from marketsim.experiments.reporting import read_study, write_sweep_report
from marketsim.report.sweep_html import render_sweep
from marketsim.report.sweep_view import Shares, SweepView
from tests.experiments.markets import GRID, planted

TWO = GRID.replace('measures = ["trades", "spread_mean_ticks", "volume_lots"]\n', "").replace(
    "replicates = 2", "replicates = 3"
) + (
    '[[factors]]\nname = "latency"\npath = "exchange.populations.zero_intelligence.order_latency"\n'
    'values = ["50us", "1ms", "20ms"]\n'
)


class Page(HTMLParser):
    """What a browser would load, the ids there are, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.ids += [values["id"]] if "id" in values else []
        if tag in ("script", "img", "iframe"):
            self.loaded.append(tag)
        self.loaded += [
            value for key, value in attributes if key in ("src", "href") and not value.startswith(("#", "data:"))
        ]

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    def value(sweep, cell: int) -> float:
        point = sweep.design[cell % len(sweep.design)]
        return point.values["traders"] + (10 if point.arm == "coarse" else 0) + 0.01 * cell

    return planted(tmp_path_factory.mktemp("study"), TWO, value, failed=(3,))


def test_the_page_loads_nothing_and_every_link_has_its_place(study, tmp_path):
    file = write_sweep_report(study, tmp_path / "page.html")
    page = Page(file.read_text())
    assert page.loaded == []
    assert len(page.ids) == len(set(page.ids))


def test_it_says_what_varied_what_failed_and_what_the_arms_change(study):
    page = Page(render_sweep(read_study(study)))
    assert "exchange.populations.zero_intelligence.order_latency" in page.text
    assert "1 of 36 cells are missing; 1 failed" in page.text
    assert "planted" in page.text
    assert "Differences from arm fine" in page.text
    assert "Rule-driven" in page.text
    assert "3 replicates" in page.text


def test_heat_maps_are_there_for_each_pair_of_factors_and_arm(study):
    view = read_study(study)
    maps = view.measures[0].heat_maps
    assert [each.title for each in maps] == [
        "y: means over traders and latency, arm fine",
        "y: means over traders and latency, arm coarse",
    ]
    assert maps[0].columns == ("50us", "1ms", "20ms")
    table = study.results
    cell = table[(table["arm"] == "fine") & (table["traders"] == 60) & (table["latency"] == 0.001)]
    assert maps[0].mean[1, 1] == pytest.approx(cell["y"].mean())


def test_curves_are_the_responses_of_the_study(study):
    (traders, latency) = read_study(study).measures[0].responses
    assert (traders.is_log, latency.is_log) == (False, True)
    assert [words for _, words in latency.levels] == ["50us", "1ms", "20ms"]
    for curve in traders.curves:
        found = study.response("traders", "y")
        rows = found[found["arm"] == curve.arm]
        assert curve.mean == pytest.approx(rows["mean"].to_numpy())
        assert curve.low == pytest.approx(rows["low"].to_numpy(), nan_ok=True)


def test_a_sweep_of_which_nothing_ran_has_a_page_that_says_so(tmp_path):
    study = planted(tmp_path, TWO, lambda sweep, cell: 1.0, failed=tuple(range(36)))
    page = Page(render_sweep(read_study(study)))
    assert "No cell is complete yet" in page.text
    assert "36 of 36 cells are missing" in page.text


def test_synthetic_respondents_are_stamped_on_every_figure(study):
    view = read_study(study)
    stamped = SweepView(**{**vars(view), "provenance": ("respondent", "rule")})
    page = render_sweep(stamped)
    figures = page.count("<figure ") + page.count('<table class="heat">')
    assert page.count('<span class="stamp">SYNTHETIC</span>') == figures
    assert "SYNTHETIC: decisions in these runs came from synthetic respondents" in Page(page).text
    assert "SYNTHETIC" not in render_sweep(view)


def test_sobol_indices_are_drawn_with_their_intervals(study):
    view = read_study(study)
    shares = Shares(
        ("traders", "latency"), np.array([0.7, 0.1]), np.full(2, 0.1), np.array([0.8, 0.2]), np.full(2, 0.1)
    )
    measure = type(view.measures[0])(**{**vars(view.measures[0]), "shares": shares})
    page = Page(render_sweep(SweepView(**{**vars(view), "measures": (measure,)})))
    assert "traders takes part in most of the variance: total index 0.80 ± 0.10" in page.text
