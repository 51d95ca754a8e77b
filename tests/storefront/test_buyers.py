"""The whole road of agents in Python who shop: scenario, run directory, interruption, resumption, digests."""

import os
import subprocess
import sys
import textwrap

import pytest

import marketsim
from marketsim.core.errors import RunDirectoryError
from marketsim.scenario import load_scenario
from marketsim.simulation.build import start_run
from tests.simulation.test_build import RUN

SCENARIO = """
    name = "mall"
    seed = 5
    start = "09:00:00"
    duration = "60s"

    [[exchange.instruments]]
    symbol = "ACME"
    open_price = "100.00"

    [[exchange.populations]]
    kind = "zero_intelligence"
    count = 20

    [storefront]
    categories = ["Desk lamp", "Umbrella"]
    ranking = { policy = "velocity" }
    randomise = { regime = "permutation" }
    buyers = { principal = { price = -1.0 }, needs = { colour = "red" } }

    [[storefront.shoppers]]
    name = "crowd"
    count = 50
    arrivals = { rate = 20000.0 }
    wallet = "200.00"
    choice = { ln_price = -2.0, outside = -9.0 }

    [[agents]]
    kind = "bargain:Bargain"
    count = 2
    market_data_latency = "1ms"
    order_latency = "2ms"

    [record]
    checkpoint_every = "1ms"
"""

AGENT = """
    import os, signal
    from marketsim.agents import Agent, AgentConfig
    from marketsim.storefront import BuyCommand, VisitCommand

    class Bargain(Agent):
        '''Looks every second, buys the cheapest, and now and then answers nonsense.'''

        class Config(AgentConfig):
            pass

        def on_start(self):
            self.n = 0
            self.wake_in(1_000_000_000)

        def on_wake(self, payload):
            self.submit(VisitCommand(self.accounts["storefront"], self.n % 2), "storefront")
            self.n += 1
            if self.n == 30 and "INTERRUPTING" in os.environ:
                os.kill(os.getpid(), signal.SIGINT)
            self.wake_in(1_000_000_000)

        def on_notice(self, notice):
            if notice.topic == "page":
                page = self.host.venue("storefront").page_shown(notice.data["choice_set"])
                cheapest = min(page.offers, key=lambda offer: offer.price_minor).slot
                slot = 99 if self.n % 10 == 0 else cheapest
                number = notice.data["choice_set"]
                self.submit(BuyCommand(self.accounts["storefront"], number, slot), "storefront")

        def state(self):
            return {"n": self.n}

        def restore(self, state):
            self.n = state["n"]
"""


@pytest.fixture
def mall(tmp_path):
    (tmp_path / "bargain.py").write_text(textwrap.dedent(AGENT))
    file = tmp_path / "mall.toml"
    file.write_text(textwrap.dedent(SCENARIO))
    return file


def test_buyers_see_pages_and_their_answers_are_recorded(mall, tmp_path):
    run = marketsim.run(mall, out=tmp_path / "run")
    agents = run.table("storefront/agents").set_index("name")
    buyers = agents[agents["kind"] == "bargain:Bargain"]
    assert buyers["provenance"].tolist() == ["rule"] * 2
    choices = run.choices[run.choices["population"] == 1]
    assert set(choices["shopper"]) == set(buyers["first_shopper"])
    outcomes = choices["outcome"].value_counts()
    assert outcomes["bought"] + outcomes["invalid"] + outcomes["open"] == 118
    assert outcomes["invalid"] == 10
    bought = choices[choices["outcome"] == "bought"]
    assert (bought["welfare"] == bought["welfare_best_shown"]).all()  # the cheapest is what its principal wants
    assert (bought["welfare"] == -bought["price_minor"] / 100).all()
    shown = run.impressions.set_index("choice_set").loc[bought["choice_set"]]
    cheapest = shown.groupby(level=0)["price_minor"].min()
    assert (cheapest.to_numpy() == bought.sort_values("choice_set")["price_minor"].to_numpy()).all()
    times = run.impressions.drop_duplicates("choice_set").set_index("choice_set")["time_ns"]
    asked = times.loc[bought["choice_set"]].to_numpy()
    assert ((bought["time_ns"].to_numpy() - asked) == 3_000_000).all()  # a millisecond to hear, two to answer


def test_a_report_of_both_venues_tells_of_both(mall, tmp_path):
    run = marketsim.run(mall, out=tmp_path / "run")
    page = run.report().read_text()
    assert 'id="instrument-1"' in page
    assert 'id="shop"' in page
    assert run.venues == ["exchange", "storefront"]
    assert run.summary().index.tolist() == ["ACME"]
    frame = run.summary("storefront")
    assert frame.loc["storefront", "invalid"] == 10
    assert frame.loc["storefront", "missed_needs.trials"] > 0
    assert run.digest in run._repr_html_()
    with pytest.raises(ValueError, match="exchange or storefront"):
        run.summary("bank")


def test_an_interrupted_run_goes_on_to_the_digest_of_a_whole_one(mall, tmp_path, monkeypatch):
    whole = marketsim.run(mall, out=tmp_path / "whole")
    monkeypatch.setenv("INTERRUPTING", "1")
    assert not start_run(load_scenario(mall), tmp_path / "run").run()
    left = marketsim.open_run(tmp_path / "run")
    assert left.status == "interrupted"
    assert 0 < left.counts["storefront/choices"] < whole.counts["storefront/choices"]
    monkeypatch.delenv("INTERRUPTING")
    assert marketsim.resume(tmp_path / "run").digest == whole.digest


def test_two_processes_give_one_digest(mall, tmp_path):
    options = {"capture_output": True, "text": True, "check": True}
    for name in "ab":
        subprocess.run([sys.executable, "-c", RUN, str(mall), str(tmp_path / name)], **options)
    first, second = (marketsim.open_run(tmp_path / name) for name in "ab")
    assert first.digest == second.digest is not None


@pytest.mark.slow
def test_without_jit_a_run_has_the_same_digest(mall, tmp_path):
    text = mall.read_text().replace('duration = "60s"', 'duration = "8s"')
    mall.write_text(text)
    digests = []
    for flag in ("0", "1"):
        path = tmp_path / f"jit-{flag}"
        environment = {**os.environ, "NUMBA_DISABLE_JIT": flag}
        command = [sys.executable, "-c", RUN, str(mall), str(path)]
        subprocess.run(command, env=environment, check=True, capture_output=True)
        digests.append(marketsim.open_run(path).digest)
    assert digests[0] == digests[1]


def test_a_catalogue_that_changed_is_refused_where_a_run_is_resumed(mall, tmp_path, monkeypatch):
    catalogue = tmp_path / "catalogue.csv"
    rows = [f"{name}-{n},{name},{name} {n},{n}.99,red" for name in ("Desk lamp", "Umbrella") for n in range(1, 10)]
    catalogue.write_text("\n".join(["product_id,category,title,price,colour", *rows]))
    text = mall.read_text().replace("[storefront]", '[storefront]\ncatalog = "catalogue.csv"')
    mall.write_text(text)
    monkeypatch.setenv("INTERRUPTING", "1")
    assert not start_run(load_scenario(mall), tmp_path / "run").run()
    assert str(catalogue) in marketsim.open_run(tmp_path / "run").manifest["inputs"]
    catalogue.write_text(catalogue.read_text().replace("1.99", "2.99"))
    with pytest.raises(RunDirectoryError, match=r"cannot be resumed: .*catalogue\.csv changed"):
        marketsim.resume(tmp_path / "run")
