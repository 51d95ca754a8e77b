import pytest

from marketsim.core.errors import RunDirectoryError
from marketsim.report import read_run, render_report, write_report
from tests.analysis.synthetic import MINUTE, market_tables
from tests.report.runs import START, view, write_run


def test_a_run_on_disk_is_what_its_tables_are(tmp_path):
    found = read_run(write_run(tmp_path / "run").path)
    expected = view()
    assert (found.name, found.seed, found.start_ns, found.duration_ns) == ("invented", 7, START, 5 * MINUTE)
    assert (found.digest, found.status, found.seconds) == (expected.digest, "complete", 1.25)
    assert found.counts == expected.counts
    one, other = found.exchange.instruments[0], expected.exchange.instruments[0]
    assert one.quotes.spread_share.tolist() == other.quotes.spread_share.tolist()
    assert one.trades.volume_lots == other.trades.volume_lots
    assert [line.profit for line in one.accounts] == [line.profit for line in other.accounts]


def test_the_report_goes_into_the_run_directory(tmp_path):
    run = write_run(tmp_path / "run")
    assert write_report(run.path) == run.path / "report.html"
    assert "ACME" in (run.path / "report.html").read_text()


def test_the_report_goes_where_it_is_wanted(tmp_path):
    run = write_run(tmp_path / "run")
    assert write_report(str(run.path), str(tmp_path / "other.html")) == tmp_path / "other.html"
    assert not (run.path / "report.html").exists()


def test_a_view_at_hand_is_not_read_again(tmp_path):
    run = write_run(tmp_path / "run")
    known = view(name="known")
    assert write_report(run, view=known).read_text() == render_report(known)


def test_an_interrupted_run_is_shown_as_far_as_it_came(tmp_path):
    tables = market_tables(minutes=2)
    for late in ("exchange/accounts", "exchange/agents"):
        del tables[late]
    late = ("exchange/accounts", "exchange/agents")
    found = read_run(write_run(tmp_path / "run", tables, minutes=10, status="interrupted", declared=late))
    assert found.exchange.end_ns == 2 * MINUTE
    assert found.exchange.instruments[0].quotes.two_sided > 0.9
    page = render_report(found)
    assert "until 09:32:00 of 09:40:00" in page
    assert "Final accounts were not recorded" in page


def test_a_run_that_was_killed_before_it_wrote_anything_has_a_report(tmp_path):
    found = read_run(write_run(tmp_path / "run", {}, status="running", declared=("exchange/quotes", "exchange/trades")))
    assert "No trade took place" in render_report(found)


def test_a_folder_that_is_no_run_is_an_error(tmp_path):
    with pytest.raises(RunDirectoryError, match=r"no manifest\.json"):
        write_report(tmp_path)


@pytest.mark.parametrize("status", ["complete", "interrupted"])
def test_a_damaged_part_is_named(tmp_path, status):
    run = write_run(tmp_path / "run", status=status)
    part = run.parts("exchange/quotes")[-1]
    part.write_bytes(b"PAR1 no more")
    with pytest.raises(RunDirectoryError, match=f"{part.name}: cannot be read"):
        read_run(run)


def test_a_report_that_cannot_be_written_is_an_error(tmp_path):
    run = write_run(tmp_path / "run", minutes=1)
    with pytest.raises(RunDirectoryError, match="cannot be written"):
        write_report(run, tmp_path / "missing" / "report.html")
