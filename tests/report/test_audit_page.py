"""The report of an audit: every figure, a sentence for every verdict, nothing loaded from elsewhere."""

import re

import numpy as np
import pytest

from marketsim.analysis.bias import AnswerTable, Columns, Factor, Settings, audit_table
from marketsim.analysis.bias.catalogue import TESTS
from marketsim.analysis.bias.wording import sentence
from marketsim.report import AuditInput, render_audit
from tests.analysis.bias.series import coin, markov, rng
from tests.report.test_html import Page, text_of

QUICK = Settings(n_permutations=299)


def table_of(answer, call, **factors):
    n = len(answer)
    columns = {name: Factor.of([str(word) for word in np.broadcast_to(column, n)]) for name, column in factors.items()}
    answers = Factor.of(["yes" if bit else "no" for bit in answer])
    return AnswerTable(answers, columns, np.asarray(call, np.int64), np.arange(n, dtype=np.float64))


@pytest.fixture(scope="module")
def audit():
    """Two regimes and two temperatures; a batch whose calls differ."""
    shares = np.repeat(rng(61).beta(2, 2, 60), 10)
    batch = (rng(62).random(600) < shares).astype(int)
    answer = np.concatenate([batch, coin(63, 400, 0.7), coin(64, 400, 0.6)])
    regime = np.repeat(["batch", "one_shot"], [600, 800])
    call = np.concatenate([np.arange(600) // 10, 1000 + np.arange(800)])
    table = table_of(answer, call, regime=regime, t=np.repeat([1, 2], [1000, 400]), item=np.arange(1400) % 100)
    return audit_table(table, Columns(regime="regime", temperature="t"), settings=QUICK)


def page_of(audit, **more):
    return Page(render_audit(AuditInput("answers.csv", audit, "Recorded: answers collected elsewhere.", **more)))


def test_a_page_has_every_figure_and_says_how_to_read_it(audit):
    text = text_of(page_of(audit))
    titles = ("Answer share", "Run lengths", "Autocorrelation", "Dispersion within calls", "Regime contrasts")
    for title in (*titles, "Temperature law", "Transitions", "What the tests assume"):
        assert title in text
    assert text.count("How to read it.") >= len(titles)


def test_every_verdict_has_a_sentence_and_every_test_its_assumptions(audit):
    text = text_of(page_of(audit))
    for one in audit.tests:
        assert re.sub(r"\s+", " ", sentence(one, audit.counted)) in text
    for name in {one.name for one in audit.tests}:
        assert TESTS[name].assumes.split(";")[0] in text


def test_what_a_failed_gate_makes_unreadable_is_said(audit):
    text = text_of(page_of(audit))
    assert "read the share by calls, not the exact binomial" in text
    assert "Not to be read: answers are not independent: dispersion within calls." in text


def test_a_page_needs_nothing_beside_itself(audit):
    page = page_of(audit)
    assert "script" not in page.tags
    for tag, attributes in page.attributes:
        for name in ("src", "href"):
            if tag != "link":
                assert attributes.get(name, "#").startswith("#")
    assert len(page.ids) == len(set(page.ids))


def test_synthetic_answers_are_stamped_on_every_figure(audit):
    stamped = page_of(audit, synthetic=True)
    assert text_of(stamped).count("SYNTHETIC") == stamped.tags.count("figure")
    assert "SYNTHETIC" not in text_of(page_of(audit))


def test_shares_over_stated_probabilities_are_drawn_family_by_family():
    stated = np.repeat([20, 50, 80], 200)
    answer = (rng(65).random(600) < np.where(stated > 50, 1.0, 0.0)).astype(int)
    audit = audit_table(
        table_of(answer, np.arange(600), p=stated), Columns(("p",), stated="p", percent=True), settings=QUICK
    )
    text = text_of(page_of(audit))
    assert "Share over stated probability" in text
    assert 'A step: the share of "yes" jumps' in text


def test_memory_is_told_where_it_is_found():
    audit = audit_table(table_of(markov(7, 1000, 0.65), np.zeros(1000)), settings=QUICK)
    text = text_of(page_of(audit))
    assert "Negative recency" in text
    assert "All answers" in text


def test_names_are_escaped():
    audit = audit_table(table_of(coin(66, 200), np.zeros(200), model="<b>&"), Columns(("model",)), settings=QUICK)
    html = render_audit(AuditInput("<i>", audit, "Recorded."))
    assert "<b>&" not in html
    assert "&lt;b&gt;&amp;" in html
