"""``marketsim audit``: what it prints, and what it says about files that cannot be used."""

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from marketsim.cli.main import app
from marketsim.core.rng import generator, stream_key


def audit(*words):
    return CliRunner().invoke(app, ["audit", *map(str, words)])


def found(outcome):
    assert outcome.exit_code == 0, outcome.output
    return {(one["name"], one["group"]): one for one in json.loads(outcome.stdout)["tests"]}


@pytest.fixture
def table():
    """Two models in calls of ten: a has a share of its own in every call, b is a fair coin."""
    rng = generator(stream_key(1, 0, "tests", "audit", "cli"), 0, 0)
    shares = {"a": rng.beta(1, 1, 60), "b": np.full(60, 0.5)}
    rows = []
    for model, share in shares.items():
        for call, p in enumerate(share):
            rows += [(model, call, draw, "yes" if rng.random() < p else "no") for draw in range(10)]
    return pd.DataFrame(rows, columns=["model", "call_id", "draw", "answer"])


@pytest.fixture
def csv(table, tmp_path):
    path = tmp_path / "answers.csv"
    table.to_csv(path, index=False)
    return path


GROUPED = ("--group", "model", "--call", "call_id", "--order", "draw")


def test_json_has_the_keys_of_the_contract_and_says_where_answers_came_from(csv):
    outcome = audit("answers", csv, *GROUPED, "--json")
    data = json.loads(outcome.stdout)
    for one in data["tests"]:
        assert {"name", "group", "statistic", "p_value", "verdict", "n"} <= set(one)
    assert data["provenance"]["decisions"].startswith("recorded")
    assert len(data["provenance"]["sha256"]) == 64
    assert found(outcome)["dispersion", "model=a"]["verdict"] == "found"
    assert found(outcome)["binomial", "model=a"]["verdict"] == "unreadable"
    assert found(outcome)["binomial", "model=b"]["verdict"] == "not found"


def test_the_order_of_the_rows_does_not_matter(table, csv, tmp_path):
    table.sample(frac=1, random_state=3).to_csv(tmp_path / "shuffled.csv", index=False)
    one, other = (found(audit("answers", path, *GROUPED, "--json")) for path in (csv, tmp_path / "shuffled.csv"))
    assert one == other


def test_parquet_and_tabs_give_the_same(table, csv, tmp_path):
    table.to_parquet(tmp_path / "answers.parquet")
    table.to_csv(tmp_path / "answers.tsv", sep="\t", index=False)
    paths = (csv, tmp_path / "answers.parquet", tmp_path / "answers.tsv")
    assert len({json.dumps(list(found(audit("answers", p, *GROUPED, "--json")).values())) for p in paths}) == 1


def test_the_table_names_findings_in_sentences_and_the_control(csv):
    printed = audit("answers", csv, *GROUPED).stdout
    for words in (
        "1,200 answers in 2 groups; counted: yes",
        "model=a: Answers of one call resemble each other",
        "unreadable",
        "Negative control: a PCG64 series",
    ):
        assert words in printed
    everything = audit("answers", csv, *GROUPED, "--all").stdout
    assert "What each test assumes" in everything
    assert "memory of one answer" in everything


def test_quoted_line_breaks_are_one_row(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text('text,answer\n"one\ntwo",1\n"three, four",0\n"five",1\n')
    assert "3 answers in 1 group" in audit("answers", path).stdout


def test_several_answer_columns_are_the_answers_of_one_call(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("first,second\n" + "1,0\n" * 60)
    tests = found(audit("answers", path, "--answer", "first", "--answer", "second", "--json"))
    assert tests["first_item", ""]["verdict"] == "found"
    assert tests["dispersion", ""]["verdict"] == "found"
    assert tests["binomial", ""]["verdict"] == "unreadable"


def test_empty_cells_and_named_words_are_invalid_answers(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("answer,status\nyes,ok\nno,ok\n,ok\nrefused,ok\nyes,failed\n")
    printed = audit("answers", path, "--invalid", "refused", "--valid", "status=ok").stdout
    assert "2 answers and 3 invalid ones" in printed


def test_without_calls_or_order_tests_are_inestimable_and_say_why(csv):
    tests = found(audit("answers", csv, "--group", "model", "--json"))
    assert tests["runs", "model=a"]["verdict"] == "inestimable"
    assert "--call" in tests["runs", "model=a"]["reason"]
    assert tests["runs", "model=a"]["p_value"] is None
    tests = found(audit("answers", csv, "--group", "model", "--call", "call_id", "--json"))
    assert "--order" in tests["runs", "model=a"]["reason"]
    assert tests["dispersion", "model=a"]["verdict"] == "found"


def test_one_answer_only_is_inestimable_and_no_error(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("answer\n" + "1\n" * 50)
    tests = found(audit("answers", path, "--one-call", "--json"))
    assert tests["runs", ""]["reason"] == "one answer only was given"
    assert tests["binomial", ""]["verdict"] == "found"


def test_stated_probabilities_may_be_shares_or_per_cent(tmp_path):
    share, percent = tmp_path / "share.csv", tmp_path / "percent.csv"
    rows = [(p, int(k < 100 * p)) for p in (0.2, 0.5, 0.8) for k in range(100)]
    pd.DataFrame(rows, columns=["p", "answer"]).to_csv(share, index=False)
    pd.DataFrame([(100 * p, a) for p, a in rows], columns=["p", "answer"]).to_csv(percent, index=False)
    one = found(audit("answers", share, "--expected", "p", "--json"))
    other = found(audit("answers", percent, "--expected-percent", "p", "--json"))
    assert one["binomial", "p=0.2"]["p_value"] == other["binomial", "p=20.0"]["p_value"] == 1
    assert one["calibration", ""]["verdict"] == "not found"


# ---- Files that cannot be used ------------------------------------------------------------------------------


def refused(outcome, *words):
    assert outcome.exit_code == 2
    assert "Traceback" not in outcome.output
    for word in words:
        assert word in outcome.stderr, outcome.stderr


def test_a_missing_column_is_named_with_the_nearest(csv):
    refused(audit("answers", csv, "--answer", "answr"), "answers.csv:1: found no column answr", "did you mean answer?")
    refused(audit("answers", csv, "--group", "modell"), "no column modell", "did you mean model?")


def test_more_than_two_answers_offer_the_categorical_test(tmp_path):
    path = tmp_path / "answers.csv"
    path.write_text("answer\nyes\nno\nmaybe\nyes\n")
    refused(audit("answers", path), "3 answers (yes 2 times, no 1 times, maybe 1 times)", "--categorical", "--invalid")


def test_a_group_of_several_models_is_refused(csv):
    refused(audit("answers", csv), "2 values of model in the table (a, b)", "add --group model")


@pytest.mark.parametrize(
    ("text", "words", "message"),
    [
        ("answer,p\n1,50\n0,half\n", ("--expected-percent", "p"), "answers.csv:3: found p = half, expected a number"),
        ("answer,p\n1,50\n0,60\n", ("--expected", "p"), "is it in per cent? say --expected-percent"),
        ("answer,p\n1,50\n0,\n", ("--expected-percent", "p"), "answers.csv:3: found no p"),
        ("answer,d\n1,0\n0,x\n", ("--order", "d"), "answers.csv:3: found x, expected a number or a time"),
        ("answer\n", (), "no valid answer"),
        ("answer\n1\n0\n", ("--counted", "2"), "expected 2 among them"),
        ("", (), "an empty file"),
        ("answer,d\n1,0\n0,1,2\n", (), "cannot be read"),
    ],
)
def test_faults_name_the_line_and_what_is_expected(tmp_path, text, words, message):
    path = tmp_path / "answers.csv"
    path.write_text(text)
    refused(audit("answers", path, *words), message)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    refused(audit("answers", tmp_path / "none.csv"), "no such file")


# ---- Real answers -------------------------------------------------------------------------------------------


def test_the_known_step_of_one_model_is_found(data_dir):
    path = data_dir / "llm_answers" / "fig1_single_flip.csv"
    outcome = audit("answers", path, "--group", "model", "--group", "p", "--expected-percent", "p", "--json")
    tests = found(outcome)
    step = tests["calibration", "model=anthropic/claude-4.5-sonnet"]
    assert step["verdict"] == "found"
    assert (step["facts"]["from"], step["facts"]["to"]) == (0.5, 0.55)
    assert (step["facts"]["share_from"], step["facts"]["share_to"]) == (0.01, 1.0)
    shares = {group["levels"]["p"]: group["share"] for group in json.loads(outcome.stdout)["groups"]}
    assert all(shares[str(p)] == 0 for p in range(0, 50, 5))
    assert all(shares[str(p)] == 1 for p in range(55, 101, 5))
    for p in range(5, 100, 5):
        assert tests["binomial", f"model=anthropic/claude-4.5-sonnet, p={p}"]["verdict"] == "found"


def test_two_flips_in_one_answer_balance_each_other(data_dir):
    path = data_dir / "llm_answers" / "fig2_sequential_flips.csv"
    words = ("--answer", "flip_1", "--answer", "flip_2", "--group", "model", "--group", "p")
    tests = found(audit("answers", path, *words, "--expected-percent", "p", "--json"))
    group = "model=moonshotai/kimi-k2-0905, p=50"
    assert tests["dispersion", group]["estimate"] < -0.9
    assert tests["first_item", group]["verdict"] == "found"
    assert tests["binomial", group]["verdict"] == "unreadable"


# ---- Power --------------------------------------------------------------------------------------------------


def test_power_says_how_many_answers_and_what_they_cost():
    words = ("--test", "recency", "--effect", "0.05", "--input-price", "1", "--output-price", "2")
    outcome = audit("power", *words, "--json")
    data = json.loads(outcome.stdout)
    assert data["answers"] == data["calls"] == 784
    assert data["cost"] == pytest.approx(784 * (200 * 1 + 10 * 2) / 1e6)
    printed = audit("power", *words).stdout
    assert "784 answers in 784 calls give a power of 0.80" in printed
    assert "P(switch) less one half" in printed


def test_an_unknown_test_gives_the_nearest_and_exit_code_2():
    outcome = audit("power", "--test", "recensy", "--effect", "0.1")
    assert outcome.exit_code == 2
    assert "did you mean recency?" in " ".join(outcome.stderr.replace("│", " ").split())
