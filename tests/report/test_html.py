import itertools
import re
from html.parser import HTMLParser

import pytest

from marketsim.analysis.steps import bin_edges
from marketsim.report import render_report
from tests.analysis.synthetic import MINUTE, market_tables, quotes_table, trades_table
from tests.report.runs import view

VOID = {"meta", "link", "br", "path", "img"}


class Page(HTMLParser):
    """Tags, ids and texts of a page; complains of tags that are not closed in order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.ids, self.attributes, self.texts = [], [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def text_of(page):
    return re.sub(r"\s+", " ", " ".join(page.texts))


def test_a_page_has_the_facts_of_the_run():
    text = text_of(Page(render_report(view())))
    for fact in ("invented", "Seed 7", "09:30:00 to 09:35:00 (5 min, simulated)", "101 in 5 populations", "complete"):
        assert fact in text
    assert "0123abcd" * 8 in text
    assert "Rule-driven" in text
    assert "marketsim run runs/invented-s7-000000/scenario.toml" in text


def test_a_page_has_every_figure_and_says_how_to_read_it():
    page = Page(render_report(view()))
    titles = [
        "Mid price and trades",
        "Spread",
        "Depth over time",
        "Returns against a normal, over 100 ms",
        "Autocorrelation of returns",
        "Autocorrelation of |returns|",
        "Autocorrelation of order signs",
    ]
    text = text_of(page)
    assert all(title in text for title in titles)
    assert page.tags.count("figure") == len(titles)
    assert text.count("How to read it.") == len(titles)


def test_every_chart_has_a_description_and_every_id_is_unique():
    page = Page(render_report(view(instruments=2)))
    charts = [attributes for _, attributes in page.attributes if attributes.get("role") == "img"]
    assert len(charts) == 14
    assert all(len(chart["aria-label"]) > 60 for chart in charts)
    assert len(set(page.ids)) == len(page.ids)
    labelled = [attributes["aria-labelledby"] for _, attributes in page.attributes if "aria-labelledby" in attributes]
    assert set(labelled) <= set(page.ids)


def test_headings_go_down_one_step_at_a_time():
    levels = [int(tag[1]) for tag in Page(render_report(view(instruments=2))).tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_the_page_needs_nothing_beside_itself():
    text = render_report(view())
    assert "<script" not in text
    assert "@import" not in text
    assert "url(" not in text
    links = [
        value
        for _, attributes in Page(text).attributes
        for name, value in attributes.items()
        if name in ("src", "href")
    ]
    assert all(link.startswith(("#", "data:")) for link in links)


def test_the_page_stays_small_however_many_quotes_and_trades():
    few = render_report(view(market_tables(minutes=30, quotes_per_second=2), minutes=30))
    many = render_report(view(market_tables(minutes=30, quotes_per_second=100), minutes=30))
    assert len(many) < 250_000
    assert len(many) < 2 * len(few)


def test_every_instrument_gets_a_section_and_a_row():
    page = Page(render_report(view(instruments=3)))
    assert [one for one in page.ids if re.fullmatch(r"instrument-\d", one)] == [f"instrument-{k}" for k in (1, 2, 3)]
    assert "The instruments side by side" in text_of(page)
    assert "The instruments side by side" not in render_report(view())


def test_accounts_add_up_to_zero():
    rows = re.findall(r'<tr class="total">(.*?)</tr>', render_report(view()))
    cells = re.findall(r"<t[hd][^>]*>([^<]*)", rows[0])
    assert (cells[0], cells[2], cells[5], cells[6]) == ("all", "101", "0", "0.00")


@pytest.mark.parametrize("status", ["interrupted", "failed", "running"])
def test_a_run_that_did_not_end_says_so(status):
    text = render_report(view(status=status, duration_ns=30 * MINUTE, digest=""))
    assert 'role="alert"' in text
    assert "until 09:35:00 of 10:00:00" in text
    assert "<dt>Digest" not in text


def test_a_complete_run_has_no_warning():
    assert 'role="alert"' not in render_report(view())


def test_synthetic_respondents_stamp_every_figure():
    tables = market_tables(minutes=2)
    agents = tables["exchange/agents"]
    place = agents.schema.names.index("provenance")
    tables["exchange/agents"] = agents.set_column(place, "provenance", [["respondent"] + ["rule"] * 100])
    text = render_report(view(tables, minutes=2))
    assert text.count('<span class="stamp">SYNTHETIC</span>') == 7
    assert "SYNTHETIC: 1 agents" not in text
    assert "SYNTHETIC: 1 agent was a synthetic respondent" in text


def test_names_from_outside_are_escaped():
    text = render_report(view(name="<script>alert(1)</script>"))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize(
    ("tables", "sentences"),
    [
        ({}, ["The table exchange/quotes was not recorded", "The table exchange/trades was not recorded"]),
        (
            {"exchange/quotes": quotes_table([]), "exchange/trades": trades_table([])},
            ["The book never had orders on both sides", "No trade took place", "fewer than 30 returns"],
        ),
        (
            {"exchange/quotes": quotes_table([(5, 99, 1, 101, 1)]), "exchange/trades": trades_table([])},
            ["The mid went from 1.00 to 1.00 USD (0.00 %)", "the mid never moved", "the values do not vary"],
        ),
        (
            {
                "exchange/quotes": quotes_table([(5, 99, 1, 0, 0)]),
                "exchange/trades": trades_table([(9, 99, 1, -1, 1, 1, 2)]),
            },
            ["there was no mid price", "1 trade of 1 lot between 0.99 and 0.99"],
        ),
        (
            {name: table.slice(0, 0) for name, table in market_tables(minutes=1).items()},
            ["The book was empty at every snapshot", "Final accounts were not recorded"],
        ),
    ],
    ids=["nothing recorded", "nothing happened", "one quote", "one side", "empty tables"],
)
def test_what_cannot_be_drawn_is_a_sentence(tables, sentences):
    text = text_of(Page(render_report(view(tables))))
    assert [sentence for sentence in sentences if sentence not in text] == []
    assert re.findall(r"\b(nan|inf)\b", text) == []


def test_a_run_without_an_exchange_has_a_page():
    assert "invented" in render_report(view({}, instruments=0))


def test_a_session_of_a_few_nanoseconds_has_a_page():
    tables = {"exchange/quotes": quotes_table([(0, 99, 1, 101, 1), (1, 99, 1, 104, 1)])}
    assert bin_edges(0, 3, 600).tolist() == [0, 1, 2, 3]
    assert "Spread" in render_report(view(tables, minutes=1))
