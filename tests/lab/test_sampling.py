"""``marketsim audit sampling``: one question in every regime, through client and loopback server."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from marketsim.cli.main import app
from marketsim.core.errors import ScenarioError
from marketsim.lab import audit_sampling, load_sampling
from marketsim.llm import RecordStore

SHIPPED = Path(__file__).resolve().parents[2] / "scenarios" / "binary_bias.toml"

FILE = """
audit = "sampling"
draws = 80
[question]
text = "Toss a coin."
options = ["heads", "tails"]
[llm]
model = "{model}"
{more}
"""


def file_with(tmp_path, model="bernoulli?p=0.9", regimes=("one_shot", "batch"), more=""):
    path = tmp_path / "coin.toml"
    tables = "".join(f'[[regimes]]\nregime = "{regime}"\n' for regime in regimes)
    path.write_text(FILE.format(model=model, more=more) + tables)
    return path


def sampling(*words):
    return CliRunner().invoke(app, ["audit", "sampling", *map(str, words)])


def test_every_regime_gives_answers_with_their_calls(tmp_path):
    regimes = ("one_shot", "batch", "n_choices", "sequential", "logprob", "seeded", "relabel")
    audit, rows = audit_sampling(load_sampling(file_with(tmp_path, regimes=regimes)))
    assert {group.levels["regime"]: group.profile.n for group in audit.groups} == dict.fromkeys(regimes, 80)
    sizes = {
        name: {sum(r.call == row.call for r in rows if r.regime == name) for row in rows if row.regime == name}
        for name in regimes
    }
    assert sizes["one_shot"] == sizes["relabel"] == {1}
    assert sizes["batch"] == sizes["n_choices"] == {5}
    assert sizes["sequential"] == {8}
    assert {row.shown_first for row in rows if row.regime == "relabel"} == {"heads", "tails"}
    for group in audit.groups:
        assert group.profile.share == pytest.approx(0.9, abs=0.12)


def test_the_order_of_answers_does_not_depend_on_concurrency(tmp_path):
    one, many = (audit_sampling(load_sampling(file_with(tmp_path, more=f"concurrency = {n}")))[1] for n in (1, 16))
    assert one == many


def test_the_json_is_stamped_and_the_report_too(tmp_path):
    out, table = tmp_path / "bias.html", tmp_path / "answers.csv"
    outcome = sampling(file_with(tmp_path), "--json", "-o", out, "--table", table, "--draws", "40")
    assert outcome.exit_code == 0, outcome.output
    data = json.loads(outcome.stdout)
    assert data["provenance"]["decisions"].startswith("SYNTHETIC")
    assert any(one["name"] == "regime_contrast" for one in data["tests"])
    assert "SYNTHETIC" in out.read_text()
    words = ("--regime", "regime", "--call", "call", "--order", "order", "--counted", "heads", "--json")
    again = CliRunner().invoke(app, ["audit", "answers", str(table), *words])
    assert again.exit_code == 0, again.output
    shares = [{g["group"]: g["share"] for g in one["groups"]} for one in (data, json.loads(again.stdout))]
    assert shares[0] == shares[1]


def test_a_record_answers_what_it_holds(tmp_path):
    file = load_sampling(file_with(tmp_path))
    with RecordStore(tmp_path / "record.sqlite") as store:
        first = audit_sampling(file, store)[1]
        asked = len(store)
        assert audit_sampling(file, store)[1] == first
        assert len(store) == asked == 80 + 16


def test_refusals_are_counted_and_never_asked_again(tmp_path):
    audit, rows = audit_sampling(load_sampling(file_with(tmp_path, "refuser?rate=0.5", ("one_shot",))))
    refused = sum(row.outcome == "refusal" for row in rows)
    assert 20 <= refused <= 60
    assert audit.groups[0].profile.n_invalid == refused


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("draws = 80", "draws = 5"), "coin.toml:3: draws: found 5, expected an integer"),
        (('options = ["heads", "tails"]', 'options = ["heads"]'), "coin.toml:6: question.options"),
        (('regime = "batch"', 'regime = "batsh"'), 'coin.toml:13: regimes.#2.regime: found "batsh"'),
        (('text = "Toss', 'txt = "Toss'), "did you mean text?"),
        (('model = "bernoulli?p=0.9"', ""), "expected a model"),
        (('model = "bernoulli?p=0.9"', 'model = "echo"\ninvalid = "retry"'), "asking again would select"),
    ],
)
def test_faults_have_a_line(tmp_path, change, message):
    path = file_with(tmp_path)
    path.write_text(path.read_text().replace(*change))
    with pytest.raises(ScenarioError) as error:
        load_sampling(path)
    assert message in str(error.value)


def test_an_option_that_cannot_be_is_named(tmp_path):
    outcome = sampling(file_with(tmp_path), "--endpoint", "nowhere")
    assert outcome.exit_code == 2
    assert "--endpoint: found nowhere" in outcome.stderr


@pytest.mark.slow
def test_the_shipped_file_shows_what_its_head_promises():
    audit, _ = audit_sampling(load_sampling(SHIPPED))
    groups = {group.levels["regime"]: {one.name: one for one in group.results} for group in audit.groups}
    assert groups["batch"]["dispersion"].verdict == "found"
    assert groups["batch"]["binomial"].verdict == "unreadable"
    assert groups["one_shot"]["runs"].verdict == "not found"
    contrasts = [one.result for one in audit.across if one.result.name == "regime_contrast"]
    assert {one.verdict for one in contrasts} == {"not found"}
