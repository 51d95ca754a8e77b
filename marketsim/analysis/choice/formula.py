"""Reading a specification such as ``row + ln(price) + rating | fe(product)``.

The part before the bar is parsed by formulaic (+, :, *, /, -, parentheses), without a constant; the part after it names
the fixed effects. Names stay exactly as typed.
"""

from __future__ import annotations

from dataclasses import dataclass

from formulaic.errors import FormulaParsingError
from formulaic.parser import DefaultFormulaParser
from formulaic.parser.algos.sanitize_tokens import sanitize_python_code
from formulaic.parser.algos.tokenize import tokenize
from formulaic.parser.types import Factor, Term, Token

from marketsim.analysis.choice.errors import SpecificationError
from marketsim.analysis.choice.expressions import Expression


@dataclass(frozen=True)
class Specification:
    """A formula, read.

    Attributes
    ----------
    text : str
        As typed.
    terms : tuple of tuple of str
        Each term as the factors that it multiplies, as typed; the constant is an empty tuple.
    fixed_effects : tuple of str
        Columns with an effect for each of their values.
    """

    text: str
    terms: tuple[tuple[str, ...], ...]
    fixed_effects: tuple[str, ...] = ()

    @property
    def factors(self) -> tuple[str, ...]:
        """Every factor once, in the order of the terms."""
        return tuple(dict.fromkeys(factor for term in self.terms for factor in term))


def parse_specification(text: str) -> Specification:
    """Read a formula.

    Raises
    ------
    SpecificationError
        It cannot be read; a second bar; after the bar anything but ``fe(column)``, joined by +.

    Examples
    --------
    >>> parse_specification("row + ln(price) | fe(product)").terms
    (('row',), ('ln(price)',))
    """
    try:
        tokens = list(tokenize(text))
    except FormulaParsingError as error:
        raise _unreadable(text, error) from None
    bars = [token for token in tokens if token.kind is Token.Kind.OPERATOR and token.token == "|"]
    if len(bars) > 1:
        raise SpecificationError(f"{text}: one bar at most, before the fixed effects")
    cut = (bars[0].source_start or 0) if bars else len(text)
    terms = _read_terms(text[:cut])
    effects = _read_effects(text[cut + 1 :]) if bars else ()
    if not terms and not effects:
        raise SpecificationError("the specification is empty; expected terms such as ln(price) + rating")
    return Specification(text, terms, effects)


def _read_terms(text: str) -> tuple[tuple[str, ...], ...]:
    typed: dict[str, str] = {}
    try:
        for token in tokenize(text):
            if token.kind is Token.Kind.PYTHON:
                typed.setdefault(_tidy(token.token), token.token)
        parser = DefaultFormulaParser(include_intercept=False, feature_flags=set())
        parsed = list(parser.get_terms(text))
    except FormulaParsingError as error:
        raise _unreadable(text, error) from None
    terms = (tuple(_typed(factor, typed) for factor in term.factors if factor.expr != "1") for term in _plain(parsed))
    return tuple(dict.fromkeys(terms))


def _plain(terms: list[Term]) -> list[Term]:
    for term in terms:
        for factor in term.factors:
            if factor.eval_method is Factor.EvalMethod.LITERAL and factor.expr != "1":
                raise SpecificationError(f"{term}: a number cannot stand in a term of its own; write I(2*price)")
    return terms


def _typed(factor: Factor, typed: dict[str, str]) -> str:
    if factor.eval_method is Factor.EvalMethod.PYTHON:
        return typed.get(factor.expr, str(factor.expr))
    return str(factor.expr) if factor.expr.isidentifier() else f"`{factor.expr}`"


def _tidy(code: str) -> str:
    try:
        return str(sanitize_python_code(code))
    except SyntaxError:
        raise SpecificationError(f"{code} is not an expression such as ln(price)") from None


def _read_effects(text: str) -> tuple[str, ...]:
    columns: list[str] = []
    for part in text.split("+"):
        effect = part.strip()
        inside = effect[3:-1].strip() if effect.startswith("fe(") and effect.endswith(")") else ""
        column = Expression(inside).column if inside else None
        if column is None:
            raise SpecificationError(f'after the bar: found "{effect}", expected fixed effects such as fe(product)')
        columns.append(column)
    return tuple(dict.fromkeys(columns))


def _unreadable(text: str, error: Exception) -> SpecificationError:
    reason = str(error).splitlines()[0]
    return SpecificationError(f"{text.strip()} cannot be read as a formula: {reason}")
