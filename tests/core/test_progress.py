import io

import pytest

from marketsim.core import progress
from marketsim.core.progress import Progress

MINUTE = 60_000_000_000


class Clock:
    """A clock that the test moves."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def test_nothing_is_written_where_the_stream_is_no_terminal():
    stream = io.StringIO()
    with Progress(MINUTE, stream) as line:
        line.update(MINUTE, 5)
    assert stream.getvalue() == ""


def test_the_line_says_share_times_and_speed(clock):
    stream = io.StringIO()
    with Progress(30 * MINUTE, stream, enabled=True) as line:
        line.update(0, 1_000)
        clock.now += 2.0
        line.update(15 * MINUTE, 14_401_000)
    assert "\r 50 %  00:15:00 of 00:30:00  7.2 M events/s" in stream.getvalue()


def test_the_line_is_redrawn_ten_times_a_second_at_most(clock):
    stream = io.StringIO()
    line = Progress(MINUTE, stream, enabled=True)
    for _ in range(100):
        clock.now += 0.01
        line.update(MINUTE // 2, 1)
    assert 8 <= stream.getvalue().count("\r") <= 10


def test_the_line_is_wiped_at_the_end_also_after_an_error(clock):
    stream = io.StringIO()

    def fail():
        with Progress(MINUTE, stream, enabled=True) as line:
            clock.now += 1.0
            line.update(1, 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    last, after = stream.getvalue().split("\r")[-2:]
    assert last.isspace()
    assert after == ""
