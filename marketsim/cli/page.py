"""``marketsim page``: look at what a shopper was shown, and hand the choices to the analysis of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from marketsim.cli.options import OutFile, Overrides

if TYPE_CHECKING:
    from marketsim.scenario.schema import Scenario
    from marketsim.storefront.engine import Storefront
    from marketsim.storefront.page import Page, Viewable

page = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None)

FORMATS: Final = ("html", "png", "json", "markdown", "text")
RENDERERS: Final = ("auto", "chromium", "pillow")


@page.callback()
def about() -> None:
    """Look at the pages of a shop, and hand its choices to others."""


@page.command()
def show(
    source: Annotated[Path, typer.Argument(metavar="SCENARIO", help="Scenario file in TOML, or a run directory.")],
    trial: Annotated[int, typer.Option("--trial", min=0, metavar="N", help="Which page of the run, from 0 [0].")] = 0,
    as_format: Annotated[str, typer.Option("--as", metavar="FORMAT", help=f"One of {', '.join(FORMATS)}.")] = "text",
    category: Annotated[
        str | None, typer.Option("--category", metavar="NAME", help="Count the trials of this category only.")
    ] = None,
    number: Annotated[
        int | None, typer.Option("--page", metavar="N", help="One page of several results, from 1. Default: all.")
    ] = None,
    offer: Annotated[
        str | None, typer.Option("--open", metavar="ID", help="The product that this id on the page stands for.")
    ] = None,
    images: Annotated[
        bool, typer.Option("--images", help="json, markdown: put the pictures in, otherwise words say what they show.")
    ] = False,
    width: Annotated[int, typer.Option(min=320, max=4000, help="png: pixels.")] = 1280,
    renderer: Annotated[
        str, typer.Option("--renderer", metavar="NAME", help="png: chromium, pillow, or auto for the first that works.")
    ] = "auto",
    overrides: Overrides = None,
    out: OutFile = None,
) -> None:
    """Show exactly the page that a trial of a run has, without running the rest of it; or one that a run recorded.

    Example: marketsim page show scenarios/storefront_quickstart.toml --trial 3 --as html --out page.html
    """
    _check(as_format, FORMATS, "--as")
    _check(renderer, RENDERERS, "--renderer")
    if as_format == "png" and out is None:
        raise typer.BadParameter("a picture needs a file to go to: --out page.png", param_hint="--out")
    is_run = source.joinpath("manifest.json").is_file()
    if is_run and overrides:
        raise typer.BadParameter("a run is what it was; found a change of its scenario", param_hint="--set")
    whole = _recorded(source, trial, category) if is_run else _drawn(source, overrides or [], trial, category)
    view = _view(whole, number, offer)
    if as_format == "png":
        assert out is not None
        picture = view.to_png(width=width, renderer=renderer)
        out.write_bytes(picture.png)
        why = f" ({picture.reason})" if picture.reason else ""
        typer.echo(f"{out}: {picture.width} x {picture.height} pixels, drawn by {picture.renderer}{why}", err=True)
        return
    text = _text(view, as_format, images).rstrip("\n") + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


@page.command("export-aces")
def export_aces(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory with a shop.")],
    out: OutFile = None,
    label: Annotated[
        str | None, typer.Option("--label", metavar="TEXT", help="experiment_label of all rows. Default: the regime.")
    ] = None,
) -> None:
    """Write the choices of a run as a result file of ACES, which its analysis reads; fit choice reads it back.

    Example: marketsim page export-aces runs/shop --out results.csv
    """
    import csv

    from marketsim.api import open_run

    table, note = open_run(run).to_aces(label)
    if note:
        typer.echo(note, err=True)
    text = table.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def _check(word: str, known: tuple[str, ...], option: str) -> None:
    if word not in known:
        raise typer.BadParameter(f"found {word}, expected {', '.join(known[:-1])} or {known[-1]}", param_hint=option)


def _shop(scenario: Scenario, path: Path) -> Storefront:
    from marketsim.core.errors import InputError
    from marketsim.storefront.engine import Storefront

    if scenario.storefront is None:
        raise InputError(path, 0, "no [storefront]", "a scenario with a shop")
    if scenario.agents:
        names = ", ".join(table.label for table in scenario.agents)
        raise InputError(
            path,
            0,
            f"agents ({names}), whose visits are pages too",
            "a shop with rule-driven shoppers alone, or the directory of its run",
        )
    return Storefront(
        scenario.storefront,
        seed=scenario.seed,
        replicate=scenario.replicate,
        duration_ns=scenario.duration,
        start_ns=scenario.start,
        tables=["storefront/choices"],
    )


def _drawn(source: Path, overrides: list[str], trial: int, category: str | None) -> Page:
    """Return the page of a trial of a scenario."""
    from marketsim.scenario import load_scenario
    from marketsim.storefront.trials import trial_page

    shop = _shop(load_scenario(source, overrides), source)
    if shop.config.catalog != "builtin":
        for column, rule in shop.catalog.filled.items():
            typer.echo(f"{shop.config.catalog}: {column} filled in, {rule}", err=True)
    try:
        return trial_page(shop, trial, category)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--trial") from None


def _recorded(source: Path, trial: int, category: str | None) -> Page:
    """Return a page that a run recorded."""
    from marketsim.api import open_run
    from marketsim.core.errors import RunDirectoryError
    from marketsim.storefront.trials import choice_set_of

    run = open_run(source)
    if "storefront" not in run.manifest:
        raise RunDirectoryError(f"{source}: found no shop, expected a run of a scenario with [storefront]")
    try:
        if category is not None:
            known, choices = run.manifest["storefront"]["categories"], run.table("storefront/choices", labels=False)
            trial = choice_set_of([choices], known, trial, category)
        return run.page(trial)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--trial") from None


def _view(page: Page, number: int | None, offer: str | None) -> Viewable:
    try:
        page = page if number is None else page.part(number)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--page") from None
    try:
        return page if offer is None else page.detail(offer)
    except KeyError:
        raise typer.BadParameter(f"found {offer}, expected an id of this page", param_hint="--open") from None


def _text(view: Viewable, as_format: str, images: bool) -> str:
    if as_format == "html":
        return view.to_html()
    if as_format == "json":
        return view.to_json(images=images)
    return view.to_markdown(images=images) if as_format == "markdown" else view.to_text()
