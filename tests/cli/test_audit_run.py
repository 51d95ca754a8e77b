"""``marketsim audit run``: decisions of agents in a run, and what their design leaves open."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from marketsim.cli.main import app
from marketsim.core.run_directory import COMPLETE, create_run_directory
from marketsim.llm.respondents import respondent_for
from marketsim.llm.tables import CALLS
from tests.analysis.bias.series import rng


def rows_of(arm, bits, regime="one_shot", shuffled=False, options=("buy", "sell")):
    """Decisions: a row of ``bits`` an agent, or a call where the regime gives several answers to a state."""
    several, draw, rows = regime == "batch", rng(91), []
    for number, answers in enumerate(bits):
        for place, bit in enumerate(answers):
            order = list(draw.permutation(options)) if shuffled else list(options)
            rows.append(
                {
                    "agent": f"{arm}-{number // 5 if several else number}",
                    "arm": arm,
                    "step": number % 5 if several else place,
                    "k": place if several else 0,
                    "regime": regime,
                    "question": "decision",
                    "attempt": 0,
                    "outcome": "ok",
                    "answer": json.dumps({"answer": options[1 - int(bit)]}),
                    "shown": json.dumps([[name, name] for name in order]),
                    "model": "trader",
                    "provenance": "respondent",
                }
            )
    return rows


def run_with(tmp_path, rows):
    """A run directory that holds these decisions."""
    path = tmp_path / "run"
    create_run_directory(path, {"name": "run", "status": COMPLETE, "tables": {CALLS.name: {"rows": len(rows)}}})
    folder = path / CALLS.name
    folder.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), folder / "part-00000.parquet")
    return path


def audit(path, *words):
    return CliRunner().invoke(app, ["audit", "run", str(path), *words])


def found_in(outcome):
    assert outcome.exit_code == 0, outcome.output
    return {(one["name"], one["group"]): one for one in json.loads(outcome.stdout)["tests"]}


def series(model, n_calls, size):
    return respondent_for(model).series(rng(92), n_calls, size)


def test_memory_of_agents_is_found_arm_by_arm_and_said_to_be_open_to_states(tmp_path):
    rows = rows_of("a", series("markov?switch=0.7", 20, 30)) + rows_of("b", series("bernoulli", 20, 30))
    path = run_with(tmp_path, rows)
    outcome = audit(path, "--json")
    found = found_in(outcome)
    assert found["markov_1", "arm=a"]["verdict"] == "found"
    assert found["markov_1", "arm=b"]["verdict"] == "not found"
    provenance = json.loads(outcome.stdout)["provenance"]
    assert provenance["decisions"].startswith("SYNTHETIC")
    assert any("cannot separate" in line for line in provenance["cannot_separate"])
    assert "Order: options stood in one order" in audit(path).stdout


def test_several_answers_to_one_state_are_one_call(tmp_path):
    path = run_with(tmp_path, rows_of("a", series("first_item?first=0.9", 80, 5), "batch"))
    outcome = audit(path, "--json")
    assert found_in(outcome)["first_item", "arm=a"]["verdict"] == "found"
    assert "Matched states" in " ".join(json.loads(outcome.stdout)["provenance"]["cannot_separate"])


def test_a_taste_for_the_first_place_is_found_where_orders_are_shuffled(tmp_path):
    rows = rows_of("a", series("bernoulli", 20, 20), shuffled=True)
    for row in rows[:280]:  # seven of ten take what stands first
        row["answer"] = json.dumps({"answer": json.loads(row["shown"])[0][1]})
    path = run_with(tmp_path, rows)
    assert found_in(audit(path, "--by", "first", "--json"))["share_by_call", "arm=a"]["verdict"] == "found"
    assert "Order:" not in audit(path).stdout


def test_three_options_are_each_audited_and_a_report_is_written(tmp_path):
    rows = rows_of("a", rng(93).integers(-1, 2, (20, 20)), options=("buy", "sell", "hold"))
    path, out = run_with(tmp_path, rows), tmp_path / "audit.html"
    found = found_in(audit(path, "--json", "-o", str(out)))
    assert {group for name, group in found if name == "binomial"} == {
        f"arm=a, answer={word}" for word in ("buy", "sell", "hold")
    }
    assert "SYNTHETIC" in out.read_text()


def test_what_was_asked_again_is_left_out(tmp_path):
    rows = rows_of("a", series("bernoulli", 5, 20))
    again = [{**row, "attempt": 1} for row in rows]
    data = json.loads(audit(run_with(tmp_path, rows + again), "--json").stdout)
    assert data["groups"][0]["n"] == 100


@pytest.mark.parametrize("tables", [{}, {CALLS.name: {"rows": 0}}])
def test_a_run_without_decisions_is_refused(tmp_path, tables):
    create_run_directory(tmp_path / "run", {"name": "run", "status": COMPLETE, "tables": tables})
    outcome = audit(tmp_path / "run")
    assert outcome.exit_code == 2
    assert "no decision of a language model" in outcome.stderr


def test_pages_of_many_offers_are_audited_by_place(tmp_path):
    names = tuple(f"offer-{number}" for number in range(15))
    rows = rows_of("a", 1 - np.arange(400).reshape(20, 20) % 15, options=names)
    path = run_with(tmp_path, rows)
    refused = audit(path)
    assert refused.exit_code == 2
    assert "--by first audits the place" in refused.stderr
    found = json.loads(audit(path, "--by", "first", "--json").stdout)
    assert found["groups"][0]["stated"] == pytest.approx(1 / 15)
