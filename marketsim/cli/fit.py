"""``marketsim fit``: what moves a choice, by the conditional logit and from the design alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli.choice_table import bought, located, read_table
from marketsim.cli.options import AsJson

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from marketsim.analysis.choice import LogitResult

fit = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

ChoiceFile = Annotated[
    Path,
    typer.Argument(
        metavar="FILE", help="CSV or Parquet, a row an alternative; a result file of ACES; or a run directory."
    ),
]
SetColumn = Annotated[str, typer.Option("--choice-set", metavar="COLUMN", help="Which rows were shown together.")]
AlternativeColumn = Annotated[str, typer.Option("--alternative", metavar="COLUMN", help="What the row is.")]
ChosenColumn = Annotated[
    str, typer.Option("--chosen", metavar="COLUMN", help="1 for the row chosen, 0 for the others.")
]
AvailableColumn = Annotated[
    str | None, typer.Option("--available", metavar="COLUMN", help="0 where a row could not be chosen [available].")
]
ClusterColumn = Annotated[
    str | None,
    typer.Option("--cluster", metavar="COLUMN", help="Clusters of choice sets that may depend on each other."),
]
PlotFile = Annotated[
    Path | None, typer.Option("--plot", metavar="FILE", help="Write a forest plot: .png, .svg or .pdf.")
]
AsLatex = Annotated[bool, typer.Option("--latex", help="Print a LaTeX table.")]


@fit.callback()
def about() -> None:
    """Estimate what moves choices, from a long table: choice_set, alternative, chosen, covariates."""


@fit.command()
def choice(
    file: ChoiceFile,
    spec: Annotated[
        str, typer.Option("--spec", metavar="FORMULA", help='Such as "row + col + ln(price) + rating | fe(product)".')
    ],
    choice_set: SetColumn = "choice_set",
    alternative: AlternativeColumn = "alternative",
    chosen: ChosenColumn = "chosen",
    available: AvailableColumn = None,
    cluster: ClusterColumn = None,
    arm: Annotated[
        str | None, typer.Option("--arm", metavar="COLUMN", help="Count invalid answers by this column.")
    ] = None,
    price: Annotated[
        str | None, typer.Option("--price", metavar="TERM", help="Say what each term is worth in this one: ln(price).")
    ] = None,
    effects: Annotated[
        bool, typer.Option("--effects", help="Also print changes of a 10 % probability, and shares by alternative.")
    ] = False,
    omit: Annotated[
        list[str] | None,
        typer.Option("--iia", metavar="ALTERNATIVE", help="Test independence of this alternative. May be repeated."),
    ] = None,
    published: Annotated[
        bool, typer.Option("--published", help="Also print published coefficients of language models that shop.")
    ] = False,
    fixed_effects: Annotated[bool, typer.Option("--fixed-effects", help="Also print the fixed effects.")] = False,
    min_choices: Annotated[
        int, typer.Option(min=1, help="Leave out products chosen less often; above 1 this selects on the outcome.")
    ] = 1,
    latex: AsLatex = False,
    plot: PlotFile = None,
    as_json: AsJson = False,
) -> None:
    """Fit a conditional logit and print its coefficients.

    Example: marketsim fit choice runs/shop --spec "row + col + ln(price) + rating | fe(product)"
    """
    from marketsim.analysis.choice import ChoiceColumns, conditional_logit, hausman_mcfadden

    columns = ChoiceColumns(choice_set, alternative, chosen, available)
    table, note = bought(read_table(file))
    if note:
        typer.echo(note, err=True)
    with located(file):
        result = conditional_logit(table, spec, columns=columns, cluster=cluster, arm=arm, min_choices=min_choices)
        tests = [hausman_mcfadden(result, table, _as_in(table[alternative], [value])) for value in omit or ()]
        more = _effects(result, table, price) if effects or price else {}
    if plot is not None:
        _write(result.figure(_published() if published else None), plot)
    if latex:
        typer.echo(result.to_latex())
    elif as_json:
        _print_json(result, more, [vars(test) for test in tests])
    else:
        _print_text(result, more, [str(test) for test in tests], fixed_effects, published)


@fit.command()
def amce(
    file: ChoiceFile,
    spec: Annotated[
        str | None,
        typer.Option("--spec", metavar="FORMULA", help='Attributes of few levels, such as "row + col + sponsored".'),
    ] = None,
    choice_set: SetColumn = "choice_set",
    alternative: AlternativeColumn = "alternative",
    chosen: ChosenColumn = "chosen",
    available: AvailableColumn = None,
    cluster: ClusterColumn = None,
    propensity: Annotated[
        list[str] | None,
        typer.Option(metavar="ATTRIBUTE=COLUMN", help="Where its probability is logged [propensity_ATTRIBUTE]."),
    ] = None,
    nested: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Tags drawn in this order, each among rows without one yet.")
    ] = None,
    weight: Annotated[
        bool, typer.Option("--weight", help="Let rows without an earlier tag stand for all rows, by weighting.")
    ] = False,
    normalise: Annotated[bool, typer.Option("--normalise", help="Divide by the sum of weights (Hajek).")] = False,
    draws: Annotated[int, typer.Option(min=0, help="Permutations for the randomisation p-values.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of those permutations.")] = 1,
    latex: AsLatex = False,
    plot: PlotFile = None,
    as_json: AsJson = False,
) -> None:
    """Estimate average marginal component effects: changes of the chance of being chosen, without a model.

    p_randomisation permutes an attribute within choice sets, among the rows that could have had another level.

    Example: marketsim fit amce choices.csv --spec "row + col + sponsored"
    """
    from marketsim.analysis.choice import ChoiceColumns, Inference, Randomisation
    from marketsim.analysis.choice import amce as estimate
    from marketsim.core.rng import generator, stream_key

    columns = ChoiceColumns(choice_set, alternative, chosen, available)
    table = read_table(file)
    design = Randomisation(
        propensities=_pairs(propensity or []),
        nested=[name.strip() for name in nested.split(",")] if nested else (),
        nested_by="weight" if weight else "condition",
    )
    rng = generator(stream_key(seed, 0, "analysis", "amce", "permutation"), 0, 0)
    with located(file):
        result = estimate(table, _attributes(spec), design, Inference(cluster, normalise, draws, rng), columns)
    if plot is not None:
        _write(result.figure(), plot)
    typer.echo(result.to_latex() if latex else result.to_json() if as_json else result.to_text())


def _attributes(spec: str | None) -> list[str] | None:
    """Return the attributes that a formula adds up."""
    from marketsim.analysis.choice import SpecificationError
    from marketsim.analysis.choice.formula import parse_specification

    if spec is None:
        return None
    parsed = parse_specification(spec)
    if parsed.fixed_effects or any(len(term) != 1 for term in parsed.terms):
        raise SpecificationError(f"{spec}: expected attributes joined by +, without products and fixed effects")
    return list(parsed.factors)


def _pairs(options: list[str]) -> dict[str, str]:
    pairs = {}
    for option in options:
        name, separator, column = option.partition("=")
        if not separator:
            raise typer.BadParameter(f"found {option}, expected ATTRIBUTE=COLUMN", param_hint="--propensity")
        pairs[name.strip()] = column.strip()
    return pairs


def _as_in(column: Any, values: list[str]) -> list[Any]:
    """Return the cells of a column that read like these words: 3 for "3"."""
    return [cell for cell in column.unique().tolist() if str(cell) in values] or list(values)


def _effects(result: LogitResult, table: Any, price: str | None) -> dict[str, Any]:
    from marketsim.analysis.choice import concentration, effects_table, modal_product, shares

    found = shares(table, result)
    name, share = modal_product(found["observed"])
    return {
        "effects": effects_table(result, price or _price_of(result)),
        "shares": found,
        "hhi": concentration(found["observed"]),
        "modal": {"alternative": name, "share": share},
    }


def _price_of(result: LogitResult) -> str | None:
    return next((name for name in ("ln(price)", "log(price)", "price") if name in result.terms), None)


def _published() -> dict[str, dict[str, float]]:
    from marketsim.analysis.choice import PUBLISHED

    return PUBLISHED


def _print_json(result: LogitResult, more: dict[str, Any], tests: list[dict[str, Any]]) -> None:
    from marketsim.analysis.choice.rendering import json_text

    frames = {key: value.to_dict(orient="index") if hasattr(value, "to_dict") else value for key, value in more.items()}
    typer.echo(json_text({**result.as_dict(), **frames, **({"tests": tests} if tests else {})}))


def _print_text(
    result: LogitResult, more: dict[str, Any], tests: list[str], fixed_effects: bool, published: bool
) -> None:
    from marketsim.analysis.choice import beside_published
    from marketsim.analysis.choice.rendering import text_table

    typer.echo(result.to_text(show_effects=fixed_effects))
    if more:
        typer.echo("\nchange of a probability of 10 %, in percentage points\n")
        typer.echo(text_table(more["effects"]))
        typer.echo(f"\nshares (HHI {more['hhi']:.3f}, modal: {more['modal']['alternative']})\n")
        typer.echo(text_table(more["shares"]))
    for line in tests:
        typer.echo(f"\n{line}")
    if published:
        typer.echo("\nbeside published coefficients (arXiv 2508.02630)\n")
        typer.echo(text_table(beside_published(result)))


def _write(figure: Figure, path: Path) -> None:
    if path.suffix.lower() not in (".png", ".svg", ".pdf"):
        raise typer.BadParameter(f"found {path.name}, expected a name in .png, .svg or .pdf", param_hint="--plot")
    figure.savefig(path)
