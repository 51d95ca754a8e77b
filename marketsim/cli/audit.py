"""``marketsim audit``: what the way of asking does to the answers of language models."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli.options import AsJson

if TYPE_CHECKING:
    from marketsim.analysis.bias import Audit
    from marketsim.analysis.bias.table import AnswerTable
    from marketsim.cli.answer_table import Wanted

audit = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

AnswerFile = Annotated[Path, typer.Argument(metavar="FILE", help="Answers, CSV or Parquet: a row an answer.")]
ReportFile = Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write a report, HTML.")]


@audit.callback()
def about() -> None:
    """Test whether answers are independent, fair, and the same however the question is asked."""


@audit.command()
def answers(
    file: AnswerFile,
    answer: Annotated[
        list[str] | None,
        typer.Option("--answer", metavar="COLUMN", help="What was answered [answer]. Repeated: a row is a call."),
    ] = None,
    group: Annotated[
        list[str] | None, typer.Option("--group", metavar="COLUMN", help="Audit each of its levels. May be repeated.")
    ] = None,
    expected: Annotated[
        str | None, typer.Option("--expected", metavar="COLUMN", help="Stated probability, 0 to 1 [one half].")
    ] = None,
    expected_percent: Annotated[
        str | None, typer.Option("--expected-percent", metavar="COLUMN", help="Stated probability, in per cent.")
    ] = None,
    call: Annotated[str | None, typer.Option("--call", metavar="COLUMN", help="Which answers one call gave.")] = None,
    order: Annotated[
        str | None, typer.Option("--order", metavar="COLUMN", help="In which order a call gave them.")
    ] = None,
    one_call: Annotated[bool, typer.Option("--one-call", help="All answers of a group came from one call.")] = False,
    regime: Annotated[
        str | None, typer.Option("--regime", metavar="COLUMN", help="Compare ways of asking, call by call.")
    ] = None,
    temperature: Annotated[
        str | None, typer.Option("--temperature", metavar="COLUMN", help="Fit the temperature law.")
    ] = None,
    swap: Annotated[
        str | None, typer.Option("--swap", metavar="COLUMN", help="Compare orders or labels, item by item.")
    ] = None,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="COLUMN", help="Compare snapshots of a model, item by item.")
    ] = None,
    persona: Annotated[
        str | None, typer.Option("--persona", metavar="COLUMN", help="Compare personas, adjusted for the items.")
    ] = None,
    history: Annotated[
        str | None, typer.Option("--history", metavar="COLUMN", help="Polarity of the history shown: yes, no, -1 to 1.")
    ] = None,
    length: Annotated[
        str | None, typer.Option("--length", metavar="COLUMN", help="How many answers that history holds.")
    ] = None,
    item: Annotated[str | None, typer.Option("--item", metavar="COLUMN", help="What was asked.")] = None,
    categorical: Annotated[
        bool, typer.Option("--categorical", help="Several answers: each against the rest, and all together.")
    ] = False,
    model: Annotated[
        str, typer.Option("--model", metavar="COLUMN", help="Models, which no group may mix, where there is one.")
    ] = "model",
    counted: Annotated[
        str | None, typer.Option("--counted", metavar="ANSWER", help="Whose share is tested [1, yes, true, ...].")
    ] = None,
    invalid: Annotated[
        list[str] | None, typer.Option("--invalid", metavar="ANSWER", help="Count this as invalid. May be repeated.")
    ] = None,
    valid: Annotated[
        str | None, typer.Option("--valid", metavar="COLUMN=WORD", help="Rows without this word are invalid.")
    ] = None,
    margin: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Equivalence: this near is as good as equal.")
    ] = 0.05,
    alpha: Annotated[float, typer.Option(min=1e-6, max=0.5, help="Level of every verdict.")] = 0.05,
    permutations: Annotated[
        int | None, typer.Option(min=299, max=99_999, help="Random orders [999; fewer in large groups].")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random orders and controls.")] = 1,
    show_all: Annotated[bool, typer.Option("--all", help="Print every test, not findings alone.")] = False,
    out: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Audit answers that were collected before, by any tool.

    Independence is tested first; the figures that rest on it are not to be read where it fails.

    Example: marketsim audit answers answers.csv --answer answer --group model --group p --expected-percent p
    """
    from marketsim.analysis.bias import Columns, Settings, audit_categorical, audit_table
    from marketsim.cli.answer_table import Wanted, column_names, located, read_answers

    if expected and expected_percent:
        raise typer.BadParameter("say --expected or --expected-percent, not both", param_hint="--expected")
    groups, stated = tuple(group or ()), expected_percent or expected
    columns = Columns(
        groups,
        stated,
        expected_percent is not None,
        regime=regime,
        temperature=temperature,
        swap=swap,
        snapshot=snapshot,
        persona=persona,
        history=history,
        length=length,
        item=item,
    )
    guards = tuple(name for name in (model,) if name not in columns.cell and name in column_names(file))
    if len(answer or ()) > 1 and (call or order):
        raise typer.BadParameter(
            "a row with several answers is a call: leave out --call and --order", param_hint="--answer"
        )
    wanted = Wanted(
        tuple(answer or ["answer"]),
        tuple(dict.fromkeys([*columns.used, *guards])),
        call,
        order,
        _pair(valid),
        tuple(invalid or ()),
    )
    table = read_answers(file, wanted)
    if one_call and table.call is None:
        table = _as_one_call(table)
    settings = Settings(alpha, margin, seed, permutations)
    with located(file):
        _refuse_mixed(table, columns.cell, guards)
        if categorical:
            found = audit_categorical(table, columns, settings=settings, progress=_progress())
        else:
            found = audit_table(table, columns, counted=counted, settings=settings, progress=_progress())
    _publish(found, file, wanted, out, as_json, show_all)


@audit.command()
def sampling(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Question, model and regimes, in TOML.")],
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="Address of an OpenAI-compatible API [the file's].")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Model to ask [the file's].")] = None,
    key_env: Annotated[
        str | None, typer.Option("--key-env", metavar="VARIABLE", help="Environment variable that holds the key.")
    ] = None,
    draws: Annotated[int | None, typer.Option(min=20, help="Answers in each regime [the file's].")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed [the file's].")] = None,
    table: Annotated[
        Path | None, typer.Option("--table", metavar="FILE", help="Also write the answers, CSV, for audit answers.")
    ] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Print every test, not findings alone.")] = False,
    out: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Ask one question in every regime, and audit the answers side by side.

    Answers of the embedded respondents are stamped SYNTHETIC. An audit asks no question again.

    Example: marketsim audit sampling scenarios/binary_bias.toml -o bias.html
    """
    from marketsim.cli.audit_sampling import Overrides, run_sampling

    found, provenance, synthetic = run_sampling(file, Overrides(endpoint, model, key_env, draws, seed), table)
    if out is not None:
        write_report(found, out, file.stem, provenance["decisions"], synthetic=synthetic)
    _print(found, provenance, as_json, show_all)


@audit.command()
def run(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory in which agents asked language models.")],
    by: Annotated[
        str, typer.Option("--by", metavar="WHAT", help="option: what was chosen; first: whether what was shown first.")
    ] = "option",
    permutations: Annotated[
        int | None, typer.Option(min=299, max=99_999, help="Random orders [999; fewer in large groups].")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of random orders and controls.")] = 1,
    show_all: Annotated[bool, typer.Option("--all", help="Print every test, not findings alone.")] = False,
    out: ReportFile = None,
    as_json: AsJson = False,
) -> None:
    """Audit the decisions that agents took in a simulation, arm by arm.

    States differ between decisions, so the output also says what such a design cannot separate.

    Example: marketsim audit run runs/llm_traders-s1-3f9a2c --by first
    """
    from marketsim.analysis.bias import Settings
    from marketsim.cli.audit_run import audit_run

    if by not in ("option", "first"):
        raise typer.BadParameter(f"found {by}, expected option or first", param_hint="--by")
    found, provenance, synthetic = audit_run(run, by, Settings(seed=seed, n_permutations=permutations))
    if out is not None:
        sentences = " ".join([provenance["decisions"] + ".", *provenance["cannot_separate"]])
        write_report(found, out, f"{run.name}, by {by}", sentences, synthetic=synthetic)
    _print(found, provenance, as_json, show_all)


@audit.command()
def power(
    test: Annotated[
        str, typer.Option("--test", metavar="TEST", help="recency, binomial, equivalence, dispersion, ...")
    ],
    effect: Annotated[float, typer.Option("--effect", help="Size of what is to be found; the output says in what.")],
    p: Annotated[float, typer.Option("--p", min=0.01, max=0.99, help="Expected share.")] = 0.5,
    wanted: Annotated[float, typer.Option("--power", min=0.1, max=0.999, help="Chance to find it.")] = 0.8,
    alpha: Annotated[float, typer.Option(min=1e-6, max=0.5, help="Level of the test.")] = 0.05,
    per_call: Annotated[int, typer.Option("--per-call", min=1, help="Answers of one call.")] = 1,
    correlation: Annotated[
        float, typer.Option("--correlation", min=0.0, max=0.99, help="Of answers of one call (regime_contrast).")
    ] = 0.0,
    input_price: Annotated[
        float | None, typer.Option("--input-price", min=0.0, help="Price of a million tokens of prompt.")
    ] = None,
    output_price: Annotated[
        float | None, typer.Option("--output-price", min=0.0, help="Price of a million tokens of answer.")
    ] = None,
    input_tokens: Annotated[int, typer.Option(min=0, help="Tokens of a call's prompt.")] = 200,
    output_tokens: Annotated[int, typer.Option(min=0, help="Tokens of one answer.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Say how many answers a test takes to find an effect, and what they cost.

    Example: marketsim audit power --test recency --effect 0.05 --input-price 0.15 --output-price 0.6
    """
    from marketsim.analysis.bias.power import Design
    from marketsim.analysis.choice.rendering import json_text
    from marketsim.cli.audit_power import Prices, compute, record, text

    design = Design(effect, p, wanted, alpha, per_call, correlation)
    data = record(test, design, compute(test, design), Prices(input_price, output_price, input_tokens, output_tokens))
    typer.echo(json_text(data) if as_json else text(data))


def _pair(option: str | None) -> tuple[str, str] | None:
    if option is None:
        return None
    name, separator, word = option.partition("=")
    if not separator:
        raise typer.BadParameter(f"found {option}, expected COLUMN=WORD", param_hint="--valid")
    return name, word


def _as_one_call(table: AnswerTable) -> AnswerTable:
    """Let all answers share a call; without a column of the order they stand in it as in the file."""
    from dataclasses import replace

    import numpy as np

    order = np.arange(table.n, dtype=np.float64) if table.order is None else table.order
    return replace(table, call=np.zeros(table.n, np.int64), order=order)


def _refuse_mixed(table: AnswerTable, cell: tuple[str, ...], guards: tuple[str, ...]) -> None:
    """Refuse a group that holds answers of several models."""
    import numpy as np

    from marketsim.analysis.bias import AnswerDataError
    from marketsim.analysis.bias.table import label

    for name in guards:
        factor = table.factors[name]
        for levels, rows in table.cells(cell):
            places = np.unique(factor.code[rows])
            if len(places) > 1:
                where = f"the group {label(levels)}" if levels else "the table"
                names = ", ".join(factor.levels[place] for place in places[:4] if place >= 0)
                more = f" and {len(places) - 4} more" if len(places) > 4 else ""
                raise AnswerDataError(
                    None, f"{len(places)} values of {name} in {where} ({names}{more})", f"one: add --group {name}"
                )


def _progress() -> Any:
    """Return a reporter of groups done, or None where standard error is no terminal."""
    if not sys.stderr.isatty():
        return None

    def report(done: int, of: int) -> None:
        sys.stderr.write(f"\r{done:,} of {of:,} groups" + ("\n" if done == of else ""))

    return report


def _publish(found: Audit, file: Path, wanted: Wanted, out: Path | None, as_json: bool, show_all: bool) -> None:
    """Write the report where one is asked for, and print a table or JSON."""
    from marketsim.cli.answer_table import sha256_of

    sha256 = sha256_of(file)
    provenance: dict[str, Any] = {
        "decisions": "recorded: answers collected elsewhere",
        "file": str(file),
        "sha256": sha256,
        "columns": {"answer": list(wanted.answers), "call": wanted.call, "order": wanted.order},
    }
    if out is not None:
        write_report(found, out, file.name, f"Recorded: answers collected elsewhere, {file}.", sha256)
    _print(found, provenance, as_json, show_all)


def _print(found: Audit, provenance: dict[str, Any], as_json: bool, show_all: bool) -> None:
    from marketsim.cli.audit_text import audit_json, audit_text

    typer.echo(audit_json(found, provenance) if as_json else audit_text(found, provenance, show_all))


def write_report(
    found: Audit, out: Path, title: str, provenance: str, sha256: str = "", synthetic: bool = False
) -> None:
    """Write the report of an audit, and say where on standard error."""
    from marketsim.core.run_directory import write_whole
    from marketsim.report import AuditInput, render_audit

    facts = {"SHA-256 of the file": sha256} if sha256 else {}
    command = f"marketsim {shlex.join(sys.argv[1:])}" if "marketsim" in Path(sys.argv[0]).name else ""
    write_whole(out, render_audit(AuditInput(title, found, provenance, synthetic, command, facts)))
    typer.echo(f"report: {out}", err=True)
