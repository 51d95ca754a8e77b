"""Which column of a table of answers means what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Columns:
    """Names of factors of the table; None where there is no such column.

    Attributes
    ----------
    group : tuple of str
        Groups are the combinations of their levels.
    stated : str or None
        Its levels are the stated probability of the counted answer.
    percent : bool
        Whether that is in per cent.
    regime, temperature : str or None
        Ways of asking, and sampling temperatures, to compare.
    swap, snapshot : str or None
        Order or labels of the options, and snapshots of the model, to compare on the same items.
    persona : str or None
        Personas to compare on the same items.
    history, length : str or None
        Polarity of the history shown, -1 to 1, and how many answers it holds.
    item : str or None
        What was asked.
    """

    group: tuple[str, ...] = ()
    stated: str | None = None
    percent: bool = False
    regime: str | None = None
    temperature: str | None = None
    swap: str | None = None
    snapshot: str | None = None
    persona: str | None = None
    history: str | None = None
    length: str | None = None
    item: str | None = None

    @property
    def compared(self) -> tuple[str, ...]:
        """Columns whose levels are compared."""
        names = (self.regime, self.temperature, self.swap, self.snapshot, self.persona, self.history, self.length)
        return tuple(name for name in names if name is not None)

    @property
    def cell(self) -> tuple[str, ...]:
        """All columns in which the answers of one series must agree."""
        return tuple(dict.fromkeys([*self.group, *([self.stated] if self.stated else []), *self.compared]))

    def without(self, *names: str | None) -> tuple[str, ...]:
        """Columns of a cell without some of them."""
        return tuple(name for name in self.cell if name not in names)

    @property
    def used(self) -> tuple[str, ...]:
        """Every factor that is needed."""
        return (*self.cell, *([self.item] if self.item and self.item not in self.cell else []))
