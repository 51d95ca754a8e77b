"""What a report is made of: facts of a run, as plain data, and the measures of its engines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from marketsim.analysis.storefront.summary import StorefrontSummary
from marketsim.analysis.summary import ExchangeSummary


@dataclass(frozen=True)
class ReportInput:
    """Everything that ``render_report`` prints; it computes nothing and reads no file.

    Attributes
    ----------
    name : str
        The scenario's name.
    seed : int
        The run's seed.
    status : str
        ``complete``, ``interrupted``, ``failed`` or ``running``.
    digest : str
        Digest of the run; empty where it has none yet.
    start_ns : int
        Time of day at which the simulated session begins.
    duration_ns : int
        Simulated time that the scenario asks for; less has passed where ``status`` is not ``complete``.
    exchange : ExchangeSummary
        Measures of the exchange; its begin and end are the time that passed.
    command : str
        What to type to get the same run again.
    seconds : float or None
        Wall-clock seconds of simulation and recording.
    counts : mapping of str to int
        Rows of each table.
    versions : mapping of str to str
        Packages and their versions.
    storefront : StorefrontSummary or None
        Measures of the shop; None without one.
    """

    name: str
    seed: int
    status: str
    digest: str
    start_ns: int
    duration_ns: int
    exchange: ExchangeSummary
    command: str
    seconds: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    storefront: StorefrontSummary | None = None
